/*
 * CPU time and memory of a process, from /proc.  CPU time comes in clock
 * ticks, mostly 10 ms, so a run should last some seconds.
 */
#include "bench/process.h"

#include <sys/resource.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
read_file(pid_t pid, const char *name, char *out, size_t room)
{
	char path[64];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	if ((f = fopen(path, "re")) == NULL)
		return -1;
	n = fread(out, 1, room - 1, f);
	out[n] = '\0';
	(void)fclose(f);
	if (n == 0) {
		errno = ESRCH;
		return -1;
	}
	return 0;
}

int
process_read(pid_t pid, struct process_usage *out)
{
	unsigned long long user, system, pages, resident;
	char text[1024];
	const char *p;

	if (read_file(pid, "stat", text, sizeof(text)) == -1)
		return -1;
	/* The name in brackets may hold anything, so begin behind it. */
	if ((p = strrchr(text, ')')) == NULL || sscanf(p + 1,
	    " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu",
	    &user, &system) != 2) {
		errno = EINVAL;
		return -1;
	}
	out->cpu_us = (int64_t)((user + system) * 1000000 /
	    (unsigned long long)sysconf(_SC_CLK_TCK));
	if (read_file(pid, "statm", text, sizeof(text)) == -1)
		return -1;
	if (sscanf(text, "%llu %llu", &pages, &resident) != 2) {
		errno = EINVAL;
		return -1;
	}
	out->rss_bytes = (int64_t)resident * sysconf(_SC_PAGESIZE);
	return 0;
}

int64_t
process_own_cpu_us(void)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru) == -1)
		return 0;
	return ((int64_t)ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	    ru.ru_utime.tv_usec + ru.ru_stime.tv_usec;
}
