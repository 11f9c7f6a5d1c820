#ifndef WQ_HTTP_LINGER_H
#define WQ_HTTP_LINGER_H

#include <sys/queue.h>

struct event_base;
struct lingerer;

/*
 * Sockets that are done but for what their client still sends.  Closing a
 * socket with unread bytes makes the kernel reset the connection, and the
 * client may lose the reply that told it to stop; so these are read and thrown
 * away, for a few seconds at most.
 */
struct lingers {
	struct event_base *base;	/* borrowed */
	TAILQ_HEAD(lingerer_list, lingerer) list;
	int count;
};

void	lingers_init(struct lingers *, struct event_base *);
void	lingers_fini(struct lingers *);		/* closes all */

/* Keep the socket of fd, which the caller may close, until its client ends. */
void	lingers_add(struct lingers *, int fd);

#endif
