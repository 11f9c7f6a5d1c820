#ifndef WQ_BACKEND_DURABLE_H
#define WQ_BACKEND_DURABLE_H

/* How the local backend keeps what it has on disk; for backend/ alone. */

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "core/op.h"

struct config;
struct durable;
struct event_base;
struct local;
struct registry;

/*
 * Open the store and begin to read what it has into the registry, in later
 * turns of the loop.  NULL: it cannot be; the log says why.
 */
struct durable	*durable_new(struct local *, struct event_base *,
		    const struct config *) WQ_MUST;
/* Write what is left, if that can be done, and close.  NULL is fine. */
void		 durable_free(struct durable *);

/* Is all read? */
bool		 durable_is_open(const struct durable *);

/* WQ_OK, or why this op cannot be done now. */
enum wq_status	 durable_admits(const struct durable *, const struct op *)
		    WQ_MUST;

/*
 * An op that is done but for being kept: it is finished with its status when
 * all that was told so far is on disk.  False: it is, so finish it now.
 */
bool		 durable_wait(struct durable *, struct op *) WQ_MUST;

/*
 * Have the store read the bodies of these messages that are missing, and some
 * of those that q gives next; it is done when an op that waits then is.  False:
 * no memory, nothing is read.  *any: there is something to wait for.
 */
bool		 durable_fetch(struct durable *, struct queue *q,
		    const struct delivery *, size_t count, bool *any) WQ_MUST;

/* At the end of each op: hand over what there is, if it is time. */
void		 durable_turn(struct durable *, int64_t now_ns);

/* May more records be made for what nobody waits for? */
bool		 durable_has_room(const struct durable *);

/* Call done(arg) once nothing waits any more. */
void		 durable_stop(struct durable *, void (*done)(void *),
		    void *arg);

/* Copy the database; op is finished then. */
void		 durable_copy(struct durable *, struct op *);

#endif
