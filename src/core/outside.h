#ifndef WQ_CORE_OUTSIDE_H
#define WQ_CORE_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "base/status.h"

struct message;
struct queue;
struct registry;

/*
 * Bodies that are not in memory.  Where the registry has a cap, a message that
 * arrives over it keeps only its header here; its host has the body, and loads
 * it when somebody is to see it.  The body goes again when nobody looks.
 */

/* 0, as it is at first: every body is kept in memory. */
void	registry_set_cap(struct registry *, uint64_t bytes);
bool	registry_is_over_cap(const struct registry *);

/* A message without its body; NULL: no memory. */
struct message	*message_new_outside(struct id, size_t body_bytes) WQ_MUST;

/* For core/: m, which is in no list, without its body; or as it was. */
struct message	*message_put_outside(struct message *);
/* For core/: nobody but the queue has it any more. */
void	message_unload(struct message *);

/* The body that was missing; takes it, which mem_free() frees. */
void	message_load(struct message *, void *body);

/*
 * Those of the next messages of q whose bodies are missing, at most max of
 * them and about so many bytes, each with a ref; they stay when they are
 * loaded, until they are received.
 */
size_t	queue_ahead(struct queue *, struct message **out, size_t max,
	    uint64_t bytes);

#endif
