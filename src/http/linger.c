/* Lingering close. */
#include "http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/mem.h"

#define LINGER_MAX	256	/* beyond that, sockets are just closed */
#define LINGER_SECONDS	5
#define READS_PER_TURN	16

struct lingerer {
	TAILQ_ENTRY(lingerer) link;
	struct lingers *all;		/* borrowed */
	struct event *readable;		/* owned */
	struct event *end;		/* owned */
	int fd;				/* owned */
};

static void
linger_free(struct lingerer *l)
{
	TAILQ_REMOVE(&l->all->list, l, link);
	l->all->count--;
	if (l->readable != NULL)
		event_free(l->readable);
	if (l->end != NULL)
		event_free(l->end);
	close(l->fd);
	mem_free(l);
}

static void
readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct lingerer *l = arg;
	char waste[16384];
	ssize_t n = 1;
	int i;

	(void)what;
	for (i = 0; i < READS_PER_TURN && n > 0; i++)
		n = recv(fd, waste, sizeof(waste), MSG_DONTWAIT);
	if (n == 0 || (n == -1 && !(errno == EAGAIN || errno == EINTR)))
		linger_free(l);
}

static void
end_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	linger_free(arg);
}

void
lingers_init(struct lingers *all, struct event_base *base)
{
	all->base = base;
	all->count = 0;
	TAILQ_INIT(&all->list);
}

void
lingers_fini(struct lingers *all)
{
	struct lingerer *l;

	while ((l = TAILQ_FIRST(&all->list)) != NULL)
		linger_free(l);
}

void
lingers_add(struct lingers *all, int fd)
{
	static const struct timeval limit = { LINGER_SECONDS, 0 };
	struct lingerer *l;

	shutdown(fd, SHUT_WR);
	if (all->count >= LINGER_MAX || (l = mem_zalloc(sizeof(*l))) == NULL)
		return;
	if ((l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		mem_free(l);
		return;
	}
	l->all = all;
	TAILQ_INSERT_TAIL(&all->list, l, link);
	all->count++;
	l->readable = event_new(all->base, l->fd, EV_READ | EV_PERSIST,
	    readable_cb, l);
	l->end = evtimer_new(all->base, end_cb, l);
	if (l->readable == NULL || l->end == NULL ||
	    event_add(l->readable, NULL) == -1 ||
	    event_add(l->end, &limit) == -1)
		linger_free(l);
}
