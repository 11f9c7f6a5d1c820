#ifndef WQ_HTTP_PEER_H
#define WQ_HTTP_PEER_H

/* The connections of a server, for http/ alone. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/http.h>

#include "base/buf.h"
#include "base/status.h"
#include "http/guard.h"
#include "http/route.h"

struct http_server;
struct peer;

enum peer_state {
	PEER_IDLE,		/* no byte of a request is there */
	PEER_HEAD,		/* a part of its head is */
	PEER_BODY,		/* its head is, and a part of its body */
	PEER_HANDLING,		/* its handler owes the reply */
	PEER_WRITING		/* the reply is being written */
};

#define QUERY_MAX	256		/* parameters of a request */

struct query_field {
	const char *name, *value;	/* decoded */
};

/* One request; it is part of its connection, which has one at a time. */
struct exchange {
	struct peer *peer;		/* borrowed */
	bool is_open;			/* it is owed a reply */
	enum http_method method;
	char *path;			/* owned; NULL: it needed no decoding */
	struct query_field *query;	/* owned, with its texts; NULL: none */
	size_t query_count;
	struct route_match match;
	struct evbuffer *spliced;	/* owned; NULL unless the reply is */
	void (*gone)(void *);
	void *gone_arg;			/* borrowed, for gone */
	bool is_wait;			/* a client that ends its side has left */
};

/*
 * One connection.  evhttp accepts it, has it and closes it, but does not read or
 * write: its bufferevent has no descriptor, so that it waits for a first request
 * for ever.  We read the socket, have each request handled once it is whole and
 * checked, and write the reply.
 */
struct peer {
	TAILQ_ENTRY(peer) link;
	TAILQ_ENTRY(peer) resume_link;
	struct http_server *server;	/* borrowed */
	struct bufferevent *bev;	/* borrowed; a ref until it is greeted */
	struct evhttp_connection *evcon; /* borrowed; NULL until greeted */
	int fd;				/* borrowed: evhttp's */
	enum peer_state state;
	struct event *readable;		/* owned */
	struct event *writable;		/* owned; NULL until it is needed */
	struct buf in;			/* read, and not used yet */
	size_t in_used;			/* its first bytes, which are done */
	/* Of the request in hand; NULL once its handler has returned. */
	struct text head;		/* borrowed: what was read, or its copy */
	struct text target;		/* borrowed: in it */
	struct buf head_kept;		/* it, where the body came later */
	struct buf body;		/* of the request, as far as it came */
	struct evbuffer *out;		/* owned; a reply's unsent rest */
	int64_t since_ms;		/* of the state, as the sweep counts */
	size_t scanned;			/* head bytes without its end */
	size_t skipped;			/* empty lines before it, in bytes */
	size_t unsent;			/* reply bytes at the last sweep */
	int64_t body_left;		/* of a body with Content-Length */
	int64_t body_max;		/* of this request */
	struct guard_chunks chunks;
	bool chunked;
	bool http10;
	bool close;			/* after this request's reply */
	bool keep_alive;		/* said by an HTTP/1.0 client */
	int turn_requests;		/* begun in this turn of the loop */
	bool eof;			/* it sends no more; `in` has some yet */
	bool paused;			/* `readable` is not pending */
	bool resuming;			/* on the server's list */
	bool dead;			/* gone, but in use up the stack */
	int busy;			/* our calls on the stack */
	struct exchange exchange;
};

TAILQ_HEAD(peer_list, peer);

/* evhttp's bevcb: a connection was accepted. */
struct bufferevent	*peer_accept_cb(struct event_base *, void *server);
/* Take charge of those that were accepted in this turn. */
void	peer_greet_cb(evutil_socket_t, short, void *server);
/* Go on with those whose next request came with the one before. */
void	peer_resume_cb(evutil_socket_t, short, void *server);

void	peer_close(struct peer *);

/* Answer with a problem and close, in any state before the handler's. */
void	peer_refuse(struct peer *, int status, const char *detail,
	    const char *extra_header);

/*
 * Write a reply: the bytes of `first`, then those of `rest`, which may be NULL
 * and is taken; then go on to the next request.  -1: the client is gone, or
 * there is no memory; the peer is as it was.
 */
int	peer_write(struct peer *, const struct buf *first,
	    struct evbuffer *rest) WQ_MUST;

/* intake.c: use what was read, and what was kept of it. */
void	peer_take_new(struct peer *, const char *data, size_t bytes);
void	peer_take_kept(struct peer *);
/* Go on with what was kept in a later turn of the loop. */
void	peer_resume_later(struct peer *);

/* Close those that took too long, at most max of them; see sweep_left. */
void	peer_sweep(struct http_server *, size_t max);

/* exchange.c: open the exchange of a peer, end it without a reply. */
void	exchange_open(struct peer *);
void	exchange_end(struct exchange *);

#endif
