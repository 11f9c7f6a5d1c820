#ifndef WQ_HTTP_EXCHANGE_H
#define WQ_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "http/route.h"

struct buf;
struct exchange;

/*
 * One request that is owed exactly one reply.  A handler gets it and must see
 * to it that exchange_send() or exchange_problem() is called once, at once or
 * later; after that it is no more.
 */

/* The server is at its end and this is the connection's last reply. */
bool	exchange_is_draining(const struct exchange *);

/* What all clients together have not read yet of their replies. */
size_t	exchange_unsent_bytes(const struct exchange *);

/* Its method. */
enum http_method	exchange_method(const struct exchange *);

/* The pattern of the route that matched. */
const char	*exchange_pattern(const struct exchange *);

/*
 * What the n-th {} of the route's pattern stands for, percent-decoded.  Only
 * within the handler's call.
 */
struct text	 exchange_param(const struct exchange *, size_t n);

/* The body; borrowed until the reply. */
struct text	 exchange_body(const struct exchange *);

/* A header's value; data NULL: not there.  Only within the handler's call. */
struct text	 exchange_header(const struct exchange *, const char *name);

/* A parameter of the query, decoded, or NULL; borrowed until the reply. */
const char	*exchange_query(const struct exchange *, const char *name);

/* The i-th parameter of the query, as borrowed; false: there are no more. */
bool	exchange_query_at(const struct exchange *, size_t i,
	    const char **name, const char **value);

/*
 * The first parameter that is not in names (ended by NULL), or that is there
 * twice; NULL when all is well.  twice tells which of the two it is.
 */
const char	*exchange_query_stranger(const struct exchange *,
		    const char *const *names, bool *twice);

/*
 * The reply's body is built in this buffer; it is empty at first, shared by
 * all exchanges, and so must be filled and sent in one go.
 */
struct buf	*exchange_reply(struct exchange *);

/*
 * Put bytes into the reply's body without copying them; release(arg) is called
 * once they are sent or given up, which may be at once.
 */
void	exchange_splice(struct exchange *, const void *, size_t,
	    void (*release)(void *arg), void *arg);

/* One more header of the reply; value without control characters. */
void	exchange_add_header(struct exchange *, const char *name,
	    const char *value);

/*
 * Send the reply with the body built so far; content_type NULL where there is
 * none.  The exchange is no more.  False: it did not reach the client, as far
 * as can be known, or a 500 went in its place for want of memory.
 */
bool	exchange_send(struct exchange *, int status, const char *content_type);

/* The same with an RFC 9457 problem as the body; detail is a printf format. */
void	exchange_problem(struct exchange *, int status, const char *detail,
	    ...) __attribute__((format(printf, 3, 4)));

/*
 * Have gone(arg) called if the exchange ends without a reply, because its
 * client went away or the server is torn down.  NULL: no more.
 */
void	exchange_on_gone(struct exchange *, void (*gone)(void *arg),
	    void *arg);

/*
 * The reply may be long in coming: a client that ends its side of the
 * connection has left.  In all others it only has no more to ask.
 */
void	exchange_is_wait(struct exchange *);

#endif
