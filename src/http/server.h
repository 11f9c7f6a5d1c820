#ifndef WQ_HTTP_SERVER_H
#define WQ_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "http/route.h"

struct config;
struct event_base;
struct guard_head;
struct http_server;

/*
 * HTTP on the addresses that config names: connections, limits, timeouts, and
 * each whole request to the handler of its route.  What is wrong with a request
 * as HTTP is answered here, as application/problem+json.
 * config       borrowed until http_server_free()
 * routes, arg  borrowed as long; arg is what handlers get
 * NULL: no memory.
 */
struct http_server	*http_server_new(struct event_base *,
			    const struct config *, const struct http_route *,
			    void *arg) WQ_MUST;
void			 http_server_free(struct http_server *);

/*
 * Let requests of whose head is_large() holds have a body of max_bytes, where
 * that is more than max-body: of those whose text is larger than what it says.
 * Their handlers see to it that others keep to max-body.
 */
void	http_server_take_large(struct http_server *, int64_t max_bytes,
	    bool (*is_large)(const struct guard_head *, struct text head));

/* Start to accept.  -1: an address is not to be had; it is logged. */
int	http_server_listen(struct http_server *) WQ_MUST;

/*
 * Accept nobody any more, close idle connections, let requests in hand finish
 * for at most drain_timeout_ms, then call drained(arg) once.
 */
void	http_server_drain(struct http_server *, void (*drained)(void *),
	    void *arg);

#endif
