#ifndef WQ_CORE_PLACE_H
#define WQ_CORE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct hold;
struct line;
struct message;
struct queue;

/*
 * The one mover: each function takes a message out of the place that its state
 * names and puts it into another, with the counts.  For core/ alone.
 */

void	line_init(struct line *);
struct message	*line_first(const struct line *);

/* To the line: of those never given out, or of those that came back. */
void	message_to_line(struct message *, bool returned,
	    int64_t available_ns);
/* Locked for duration_ns from now; takes the hold. */
void	message_to_lock(struct message *, struct hold *, int64_t now_ns,
	    int64_t duration_ns);
/* Delayed, as the hold that it has says; only while it is new. */
void	message_to_delay(struct message *);
/* A delayed message is so until then. */
void	message_set_delay_end(struct message *, int64_t due_ns);
/* Locked until then, as it was before a restart; only while it is new. */
void	message_restore_lock(struct message *, struct hold *, int64_t until_ns,
	    int64_t received_ns, bool given_back);
/* Its lock, which stands, ends duration_ns from now. */
void	message_set_lock_end(struct message *, int64_t now_ns,
	    int64_t duration_ns);
/* As if it had not been received: before those available for as long. */
void	message_to_front(struct message *);
/* Out of its queue, but for the refs of others. */
void	message_gone(struct message *);
/* Out of its place; the caller puts it elsewhere. */
void	message_leave(struct message *);

/* The memory that m takes wherever it is, about. */
uint64_t	message_bytes(const struct message *);

/* Have the waiters of q served soon, where it has both sides of that. */
void	queue_be_hungry(struct queue *);

#endif
