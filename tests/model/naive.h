#ifndef MODEL_NAIVE_H
#define MODEL_NAIVE_H

/*
 * What the core should do, on plain arrays that are searched from end to end
 * each time.  Nothing here is shared with the core but its types.
 */

#include "backend/push.h"
#include "world.h"

/* The available and locked messages of a queue by group. */
struct naive_lines {
	size_t available[GROUPS], locked[GROUPS], locked_all;
	const struct naive_message *first[GROUPS];
	bool noisy[GROUPS];
};

void	naive_init(const struct queue_settings *defaults);

struct naive_message	*naive_find(const struct id *);
size_t	naive_count(int queue, enum message_state);
uint64_t	naive_bytes(int queue);

/* The result of a push of n bodies, of which so many are no repeats. */
enum wq_status	naive_push_status(int queue, const struct op_push *,
		    size_t n, uint64_t bytes, const struct push_room *);
struct naive_message	*naive_push(int queue, const struct op_body *,
			    const struct op_push *, int group,
			    int64_t now_ns);

struct naive_dedup	*naive_find_dedup(int queue, const char *key);
void	naive_add_dedup(int queue, const char *key, const struct id *,
	    int64_t now_ns);

bool	naive_may_lock(int queue);
void	naive_lines(int queue, struct naive_lines *);
/* Is there one to give out?  begun: the FIFO group in hand, else NONE. */
bool	naive_has_next(int queue, const struct naive_lines *, int begun);
bool	naive_is_next(const struct naive_message *,
	    const struct naive_lines *, int begun);
/* Some noisy group has waited longer than m. */
bool	naive_overtakes(const struct naive_message *,
	    const struct naive_lines *);
void	naive_lock(struct naive_message *, int64_t lock_ms,
	    uint32_t receipt, int64_t now_ns);

enum wq_status	naive_receipt_status(const struct naive_message *,
		    const struct op_receipt *, bool extend);
/* Would it be locked for longer in all than it may be? */
bool	naive_is_beyond(const struct naive_message *, const struct op_extend *,
	    int64_t now_ns);
void	naive_extend(struct naive_message *, int64_t lock_ms, int64_t now_ns);
void	naive_release(struct naive_message *, int64_t now_ns);
void	naive_gone(struct naive_message *);
/* To the end of another queue; renew: its age begins anew. */
void	naive_move(struct naive_message *, int queue, bool renew,
	    int64_t at_ns);
/* Available since then; returned: after a lock, a delay or a move. */
void	naive_to_line(struct naive_message *, bool returned,
	    int64_t available_ns);
/* What queue says of delays is new: those that are too long are shortened. */
void	naive_redelay(int queue, int64_t now_ns);
/* Does queue keep messages for a time only? */
bool	naive_retains(int queue);
/* It goes if it is older than its queue keeps it; false: it is not. */
bool	naive_goes_old(struct naive_message *, int64_t at_ns);
/* Is a before b in the order of a redrive and of a page?  <0, 0, >0. */
int	naive_compare(const struct naive_message *a,
	    const struct naive_message *b);

void	naive_wait(int queue, struct waiter *, int64_t wait_ms,
	    int64_t now_ns);
void	naive_unwait(int queue, size_t i);

void	naive_make(int queue, int64_t now_ns);
enum wq_status	naive_delete_status(int queue, bool even_target);
void	naive_delete(int queue, int64_t now_ns);
void	naive_purge(int queue);
/* target: that of c's name, NOWHERE for none and for a bad name. */
enum wq_status	naive_configure(int queue, const struct op_configure *,
		    int target, bool is_bad_name, int64_t now_ns);

/* What does not last is gone: waits, and orders of no consequence. */
void	naive_restart(void);
/*
 * At most max of what is due takes effect, and what else is due at the instant
 * of the last; which is the result, INT64_MIN where nothing did.
 */
int64_t	naive_expire(int64_t now_ns, size_t max);
/* INT64_MAX: none. */
int64_t	naive_next_due_ns(void);

#endif
