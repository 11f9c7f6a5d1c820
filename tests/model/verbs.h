#ifndef MODEL_VERBS_H
#define MODEL_VERBS_H

/*
 * The core as the model drives it: one function for each verb, so that another
 * signature, or a verb done in steps, is met here alone.  Queues go by number.
 */

#include "backend/push.h"
#include "core/queue.h"
#include "core/registry.h"

void	core_open(const struct queue_settings *, uint64_t seed);
void	core_close(void);
/* Close, and open again with what the journal has; nobody waits any more. */
void	core_restart(const struct queue_settings *, uint64_t seed,
	    int64_t now_ns);
/* Keep what changed, as the backend does after some ops. */
void	core_commit(int64_t now_ns);
/* For when all is gone but the default queue. */
void	core_check_empty(void);
/* Free some of what purges and deletes left; true: there is more. */
bool	core_reap(size_t max);
/* Locks that have a timer. */
size_t	core_timers(void);

struct queue	*core_queue(int queue);
int		 core_number(const struct queue *);

void		core_expire(int64_t now_ns, size_t max);
int64_t		core_next_due_ns(void);
void		core_check(int queue);

enum wq_status	core_push(int queue, struct op_push *,
		    const struct push_room *, int64_t now_ns);
size_t		core_receive(int queue, const struct op_receive *,
		    int64_t now_ns, struct delivery *out);
void		core_release(int queue, const struct delivery *,
		    int64_t now_ns);
enum wq_status	core_confirm(int queue, struct op_confirm *, int64_t now_ns);
enum wq_status	core_extend(int queue, struct op_extend *, int64_t now_ns);
enum wq_status	core_look(int queue, struct op_look *);
void		core_info(int queue, struct queue_info *);
void		core_list(struct op_list *);
enum wq_status	core_make(int queue, bool *created, int64_t now_ns);
enum wq_status	core_configure(int queue, struct op_configure *,
		    int64_t now_ns);
enum wq_status	core_delete(int queue, bool even_target, int64_t now_ns);
void		core_purge(int queue);
void		core_pause(int queue, bool pause);
enum wq_status	core_peek(int queue, struct op_peek *);
void		core_redrive(int queue, struct op_redrive *, int to,
		    int64_t now_ns, size_t slice);

void		core_wait(int queue, struct waiter *, int64_t wait_ms,
		    int64_t now_ns);
void		core_unwait(struct waiter *);
/* NOWHERE: none is hungry. */
int		core_next_served(void);
struct waiter	*core_served_waiter(int queue);
struct waiter	*core_next_timed_out(void);

#endif
