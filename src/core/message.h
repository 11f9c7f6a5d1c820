#ifndef WQ_CORE_MESSAGE_H
#define WQ_CORE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/id.h"
#include "base/status.h"

struct hold;
struct queue;
struct message_extra;

enum message_state {
	MESSAGE_NEW,		/* not in a queue yet */
	MESSAGE_AVAILABLE,	/* in its queue's line */
	MESSAGE_LOCKED,		/* received; at.hold->deadline is the end */
	MESSAGE_DELAYED,	/* not yet available; at.hold->deadline is when */
	MESSAGE_GONE		/* confirmed or purged; somebody still reads it */
};

/*
 * A message is one allocation: this and its body.  A million of them wait in
 * memory, so what only a locked or delayed one needs is in its `hold`, and
 * what few have is in `extra`.  The body never changes.
 */
struct message {
	struct id id;
	struct message *index_next;	/* borrowed: the index's chain */
	union {
		TAILQ_ENTRY(message) line;	/* MESSAGE_AVAILABLE */
		struct hold *hold;		/* owned; LOCKED and DELAYED,
						 * and NEW where not NULL */
	} at;
	struct queue *queue;		/* borrowed; NULL once it is GONE */
	union {
		int64_t first_received_ns;	/* where receives > 0 */
		struct message_extra *extra;	/* owned; has it instead */
	} more;
	int64_t pushed_ns;		/* unique and ascending: the sequence */
	int64_t available_ns;		/* since when it is, or last was */
	uint32_t body_bytes;
	uint32_t receives;		/* how often it was given out */
	uint32_t receipt;		/* of the newest receive */
	uint32_t refs : 24;
	uint32_t state : 3;		/* enum message_state */
	uint32_t has_extra : 1;		/* message_extra() */
	uint32_t text : 1;		/* message_is_text() */
	uint32_t returned : 1;		/* in line after a lock or a delay */
	uint32_t outside : 1;		/* the body is not here; see outside.h */
	uint32_t ahead : 1;		/* it is loaded for the next receive */
	char body[];			/* message_body() reads it */
};

enum dead_reason { DEAD_RECEIVES, DEAD_TTL };

/* Where a dead letter comes from. */
struct dead_letter {
	uint32_t receives;		/* there */
	uint32_t receipt;		/* of the last of them */
	enum dead_reason reason;
	char queue[];			/* its name, ends in NUL */
};

/* One hold on a message: what a receiver, or one who looks, is told. */
struct delivery {
	struct message *message;	/* owned: one ref */
	int64_t until_ns;		/* end of the lock or delay, else 0 */
	int64_t taken_ns;		/* end of the last lock as it was
					 * taken, or at least as it was */
	uint32_t receives;
	uint32_t receipt;
	enum message_state state;
	int64_t first_received_ns;	/* 0: never */
	int64_t pushed_ns;		/* its sequence, where it was then */
	struct id id;			/* its name there */
	bool is_dead;			/* it was a dead letter */
};

/*
 * Make a message with one ref; body is copied.  NULL: no memory.
 * body_bytes is at most UINT32_MAX, which max_body keeps true.
 */
struct message	*message_new(struct id, const void *body, size_t body_bytes)
		    WQ_MUST;
/* Of one that is in no queue yet; copied, NULL is none.  WQ_NOMEM. */
enum wq_status	 message_set_attributes(struct message *,
		    const char *attributes, size_t bytes) WQ_MUST;
/* Its body; NULL: it is not in memory now. */
const char	*message_body(const struct message *);
/* Its group's name, NULL where it has none; not NUL-terminated. */
const char	*message_group(const struct message *, size_t *bytes);
/* What a protocol keeps beside the body: JSON, not NUL-terminated; or NULL. */
const char	*message_attributes(const struct message *, size_t *bytes);
/* Its body is any text, which the native view shows as a JSON string. */
bool		 message_is_text(const struct message *);
/* When it was pushed, also where a FIFO queue gave it a new place since. */
int64_t		 message_pushed_ns(const struct message *);
/* When it was given out for the first time; 0: never. */
int64_t		 message_first_received_ns(const struct message *);
/* NULL: it is no dead letter. */
const struct dead_letter	*message_dead_letter(const struct message *);

struct message	*message_ref(struct message *);
void		 message_unref(struct message *);	/* NULL is fine */

#endif
