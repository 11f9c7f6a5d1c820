#ifndef WQ_CORE_COMING_H
#define WQ_CORE_COMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct message;
struct queue;

/* The terms of a push, with the queue's settings where it names none. */
struct push_terms {
	int64_t delay_ms, ttl_ms;	/* 0: none */
	int64_t lock_ms;		/* -1: the queue's */
	const char *group;		/* borrowed; NULL: none */
	size_t group_bytes;
};

/*
 * Get what m, which is new, will need in q, so that queue_come() cannot fail.
 * WQ_NOMEM: message_unref() gives back what it has.
 */
enum wq_status	queue_prepare(struct queue *, struct message *m,
		    const struct push_terms *) WQ_MUST;

/*
 * m, which was prepared with the same terms, is coming to q; takes it.  key is
 * what its repeats are known by, NULL where they are not; it was added before.
 * The journal is told; it has room for it.
 */
void	queue_come(struct queue *, struct message *m,
	    const struct push_terms *, const uint8_t *key, int64_t now_ns);
/*
 * Room in the journal for so many to come, with groups and attributes of so
 * many bytes in all; false: no memory.
 */
bool	queue_reserve(const struct queue *, size_t messages,
	    size_t text_bytes) WQ_MUST;
/* m, which came, is at the end of its queue; or is refused, and gone. */
void	message_arrive(struct message *);
void	message_turn_back(struct message *);
/* Both in one, for who needs no journal. */
void	queue_push(struct queue *, struct message *m,
	    const struct push_terms *, int64_t now_ns);

#endif
