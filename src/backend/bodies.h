#ifndef WQ_BACKEND_BODIES_H
#define WQ_BACKEND_BODIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "core/message.h"

struct queue;
struct records;
struct store_batch;

/* As durable_fetch(). */
bool	bodies_ask(struct records *, struct queue *, const struct delivery *,
	    size_t count, bool *any) WQ_MUST;
/* A batch is back: what was read goes to its messages. */
void	bodies_take(struct store_batch *);
/* And last, when who asked is finished: what nobody holds goes again. */
void	bodies_end(struct store_batch *);

#endif
