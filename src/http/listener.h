#ifndef WQ_HTTP_LISTENER_H
#define WQ_HTTP_LISTENER_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/status.h"

struct evconnlistener;
struct evhttp_bound_socket;
struct http_server;

/* One address that a server accepts on. */
struct listener {
	TAILQ_ENTRY(listener) link;		/* of its server */
	TAILQ_ENTRY(listener) all_link;		/* of the process */
	struct http_server *server;		/* borrowed */
	struct evhttp_bound_socket *bound;	/* borrowed: evhttp's */
	struct evconnlistener *lev;		/* borrowed: evhttp's */
	char *path;			/* owned; of a unix socket, else NULL */
	bool on;
};

/* Bind all that the config names.  -1: one failed; it is logged. */
int	listeners_open(struct http_server *) WQ_MUST;
void	listeners_close(struct http_server *);
void	listener_enable(struct listener *, bool on);

/* server.c: accept(2) failed with that errno. */
void	server_starved(struct http_server *, int err);

#endif
