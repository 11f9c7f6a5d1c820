#ifndef WQ_BENCH_PROCESS_H
#define WQ_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process_usage {
	int64_t	cpu_us;		/* user and system, all threads */
	int64_t	rss_bytes;
};

/* What process pid has used so far; -1 with errno: it cannot be read. */
int	process_read(pid_t pid, struct process_usage *out);

/* CPU time of this process so far, microseconds. */
int64_t	process_own_cpu_us(void);

#endif
