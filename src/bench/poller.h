#ifndef WQ_BENCH_POLLER_H
#define WQ_BENCH_POLLER_H

#include <sys/epoll.h>

#include <stdbool.h>
#include <stdint.h>

/* What is waited for: sockets, one timer, and the signals that end a run. */
struct poller {
	int	epoll_fd;
	int	timer_fd;
	int	signal_fd;
};

enum {
	/* Numbers of what is no socket; sockets have those of 0 and up. */
	POLLER_TIMER = -1,
	POLLER_SIGNAL = -2
};

/* -1 with errno here and below; fini is right after that too. */
int	poller_init(struct poller *p);
void	poller_fini(struct poller *p);

/* Watch socket fd, called `number`, for answers. */
int	poller_add(struct poller *p, int fd, int64_t number);

/* ... and for room to write too, or no longer so. */
int	poller_change(struct poller *p, int fd, int64_t number,
	    bool for_writing);

/* One tick at that instant of the monotonic clock. */
int	poller_arm(struct poller *p, int64_t at_ns);
int	poller_take_tick(struct poller *p);

/* SIGINT or SIGTERM has come; it is now dealt with. */
int	poller_take_signal(struct poller *p);

#endif
