/*
 * The longest turn of a server's event loop: from the end of one epoll_wait()
 * to the call of the next.  No request waits longer than that for another one,
 * whatever the machine and the generator do meanwhile.  Preloaded into it:
 *
 *	LOOP_TURNS_TO=file	has the time of the longest turn, and what of it
 *				the thread was running, in microseconds
 *
 * SIGPROF begins anew.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

typedef int (*epoll_wait_fn)(int, struct epoll_event *, int, int);

static epoll_wait_fn		 real;
static volatile sig_atomic_t	 again;
static int			 out_fd = -1;
static int64_t			 longest_us;
static _Thread_local int64_t	 began_us, began_cpu_us;

static int64_t
clock_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
end_turn(void)
{
	int64_t us = clock_us(CLOCK_MONOTONIC) - began_us;
	char line[64];
	int n;

	if (began_us == 0)
		return;
	if (again)
		again = longest_us = 0;
	if (us <= longest_us)
		return;
	longest_us = us;
	/* Of one width: it is written over the one before. */
	n = snprintf(line, sizeof(line), "%12lld %12lld\n", (long long)us,
	    (long long)(clock_us(CLOCK_THREAD_CPUTIME_ID) - began_cpu_us));
	if (pwrite(out_fd, line, (size_t)n, 0) == -1)
		abort();
}

int
epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
	int n;

	end_turn();
	n = real(fd, events, max, timeout_ms);
	began_us = clock_us(CLOCK_MONOTONIC);
	began_cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
	return n;
}

static void
on_again(int signal_number)
{
	(void)signal_number;
	again = 1;
}

static void __attribute__((constructor))
prepare(void)
{
	struct sigaction action;
	const char *path = getenv("LOOP_TURNS_TO");

	if (path == NULL || (out_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC,
	    0600)) == -1)
		abort();
	*(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_again;
	sigaction(SIGPROF, &action, NULL);
}
