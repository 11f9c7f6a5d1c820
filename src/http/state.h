#ifndef WQ_HTTP_STATE_H
#define WQ_HTTP_STATE_H

/* A server's data, for http/ alone.  The rest of the house sees server.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "http/linger.h"
#include "http/peer.h"
#include "http/route.h"

struct config;
struct listener;

#define PEER_SCRATCH_BYTES	65536

struct http_server {
	struct event_base *base;	/* borrowed */
	const struct config *config;	/* borrowed */
	const struct http_route *routes; /* borrowed */
	void *arg;			/* borrowed, for handlers */
	struct evhttp *http;		/* owned */
	int64_t large_max_bytes;	/* the largest body of all */
	/* May a request have one over max-body?  NULL: none may. */
	bool (*is_large)(const struct guard_head *, struct text head);
	TAILQ_HEAD(listener_list, listener) listeners;	/* owned */
	struct peer_list fresh;		/* accepted, not greeted */
	struct peer_list peers;
	struct peer_list resuming;	/* have a next request in `in` */
	size_t resuming_count;
	size_t unsent_bytes;		/* of all replies that wait */
	char *scratch;			/* owned; what a read gives */
	struct lingers lingers;
	struct event *greet;		/* owned */
	struct event *resume;		/* owned */
	struct event *sweep;		/* owned */
	struct event *drain_end;	/* owned */
	size_t peer_count;		/* fresh ones too */
	size_t sweep_left;
	int64_t now_ms;			/* of the last sweep */
	int64_t tick_ms;		/* between sweeps */
	char date[32];
	struct buf out;			/* the body being built */
	struct buf head;		/* its head */
	struct buf extra;		/* its further headers */
	bool full;			/* accepting is paused: enough peers */
	bool starved;			/* accepting is paused: no descriptors */
	bool draining;
	void (*drained)(void *);
	void *drained_arg;		/* borrowed, for drained */
};

/* server.c: have an empty buffer with room for any small reply. */
void	server_reserve(struct buf *);

/* server.c: one more peer, one less. */
void	server_peer_came(struct http_server *);
void	server_peer_left(struct http_server *);

#endif
