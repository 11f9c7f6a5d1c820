/*
 * A thin layer over epoll, timerfd and signalfd.  Signals come as events, so
 * that no handler runs anywhere.
 */
#include "bench/poller.h"

#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

int
poller_init(struct poller *p)
{
	sigset_t set;

	p->timer_fd = p->signal_fd = -1;
	if ((p->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return -1;
	p->timer_fd = timerfd_create(CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	if (p->timer_fd == -1 ||
	    poller_add(p, p->timer_fd, POLLER_TIMER) == -1)
		return -1;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    (p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC)) == -1)
		return -1;
	return poller_add(p, p->signal_fd, POLLER_SIGNAL);
}

void
poller_fini(struct poller *p)
{
	if (p->epoll_fd != -1)
		(void)close(p->epoll_fd);
	if (p->timer_fd != -1)
		(void)close(p->timer_fd);
	if (p->signal_fd != -1)
		(void)close(p->signal_fd);
	p->epoll_fd = p->timer_fd = p->signal_fd = -1;
}

static int
control(struct poller *p, int op, int fd, uint32_t events, int64_t number)
{
	struct epoll_event ev = { .events = events,
	    .data = { .u64 = (uint64_t)number } };

	return epoll_ctl(p->epoll_fd, op, fd, &ev);
}

int
poller_add(struct poller *p, int fd, int64_t number)
{
	return control(p, EPOLL_CTL_ADD, fd, EPOLLIN, number);
}

int
poller_change(struct poller *p, int fd, int64_t number, bool for_writing)
{
	return control(p, EPOLL_CTL_MOD, fd,
	    for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN, number);
}

int
poller_arm(struct poller *p, int64_t at_ns)
{
	struct itimerspec once;

	memset(&once, 0, sizeof(once));
	once.it_value.tv_sec = at_ns / 1000000000;
	once.it_value.tv_nsec = at_ns % 1000000000;
	return timerfd_settime(p->timer_fd, TFD_TIMER_ABSTIME, &once, NULL);
}

int
poller_take_tick(struct poller *p)
{
	uint64_t ticks;

	if (read(p->timer_fd, &ticks, sizeof(ticks)) == -1 && errno != EAGAIN)
		return -1;
	return 0;
}

int
poller_take_signal(struct poller *p)
{
	struct signalfd_siginfo info;

	return read(p->signal_fd, &info, sizeof(info)) == -1 ? -1 : 0;
}
