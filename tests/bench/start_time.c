/*
 * start_time: how long a server takes to be ready.
 *
 *	start_time port command [argument ...]
 *
 * Starts the command, asks GET /ready over and over until that is 200, waits
 * half a second, writes "milliseconds rss_kib" and ends the command.  The
 * time counts from just before the fork.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LIMIT_MS = 10000,
	PAUSE_US = 100,		/* between two attempts */
	SETTLE_MS = 500,	/* until the memory is looked at */
	STATUS_BYTES = 12	/* "HTTP/1.1 200" */
};

static double
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static bool
is_ready(int port)
{
	static const char request[] = "GET /ready HTTP/1.1\r\n"
	    "Host: localhost\r\nConnection: close\r\n\r\n";
	struct timeval limit = { 1, 0 };
	struct sockaddr_in to;
	char answer[STATUS_BYTES];
	bool ready = false;
	int fd;

	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
	    recv(fd, answer, STATUS_BYTES, MSG_WAITALL) == STATUS_BYTES)
		ready = memcmp(answer + 8, " 200", 4) == 0;
	(void)close(fd);
	return ready;
}

static long
rss_kib(pid_t pid)
{
	char path[64];
	long pages, resident = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	if (fscanf(f, "%ld %ld", &pages, &resident) != 2)
		resident = 0;
	(void)fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int
main(int argc, char **argv)
{
	double begun_ms, ready_ms;
	int port, status = EXIT_FAILURE;
	pid_t pid;

	if (argc < 3 || (port = atoi(argv[1])) < 1 || port > 65535) {
		fputs("usage: start_time port command [argument ...]\n",
		    stderr);
		return 2;
	}
	begun_ms = now_ms();
	if ((pid = fork()) == -1) {
		perror("start_time: fork");
		return EXIT_FAILURE;
	}
	if (pid == 0) {
		(void)execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	while (!is_ready(port)) {
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			fputs("start_time: the command has ended\n", stderr);
			return EXIT_FAILURE;
		}
		if (now_ms() - begun_ms > LIMIT_MS) {
			fputs("start_time: not ready in time\n", stderr);
			goto out;
		}
		(void)usleep(PAUSE_US);
	}
	ready_ms = now_ms();
	(void)usleep(SETTLE_MS * 1000);
	printf("%.3f %ld\n", ready_ms - begun_ms, rss_kib(pid));
	status = EXIT_SUCCESS;
out:
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	return status;
}
