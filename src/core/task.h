#ifndef WQ_CORE_TASK_H
#define WQ_CORE_TASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct op_task_cancel;
struct op_task_list;
struct op_task_start;
struct queue;
struct recovered_task;
struct registry;
struct task;

/*
 * Tasks that move the dead letters of a queue, by and by, to where they came
 * from or to one queue, with other ids, as if pushed anew.  A queue has at most
 * one that runs; what became of the last ones is kept for as long as it is
 * there.  Source: SQS StartMessageMoveTask and the two beside it.
 */

/*
 * WQ_NOT_TARGET: q is nobody's dead-letter queue.  WQ_TASK_RUNS; WQ_NO_QUEUE,
 * WQ_BAD_NAME or WQ_TARGET_KIND for its destination; WQ_NOMEM.
 */
enum wq_status	task_start(struct queue *, const struct op_task_start *,
		    int64_t now_ns) WQ_MUST;
/* What it moved stays moved.  WQ_NO_TASK: there is none that runs; WQ_NOMEM. */
enum wq_status	task_cancel(struct registry *, struct op_task_cancel *)
		    WQ_MUST;
/* The process is to end: the journal is told how far each is. */
void		tasks_tell(struct registry *);
void		tasks_list(const struct queue *, struct op_task_list *);

/* For core/: it comes back, it goes on; all go with the registry. */
enum wq_status	task_recover(struct registry *,
		    const struct recovered_task *) WQ_MUST;
void	task_due(struct task *, int64_t due_ns);
void	tasks_free(struct registry *);
/* Those of a queue: how many, each a call of the journal when they go. */
size_t	tasks_count(const struct queue *);
void	tasks_forget(const struct queue *);

#endif
