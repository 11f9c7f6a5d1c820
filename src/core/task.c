/*
 * Tasks that move dead letters.  A task is a deadline that comes again and
 * again, and moves a few letters each time, so that its speed is that of the
 * clock it is given.  The journal is told of its start and its end, and of how
 * far it is now and then: after a restart it goes on, and what it moved since
 * it was told is not counted.  They end with their queue.
 */
#include "core/task.h"

#include <string.h>

#include "base/mem.h"
#include "core/queue.h"
#include "core/recover.h"
#include "core/state.h"

#define NS_PER_S	INT64_C(1000000000)
#define STEP_NS		INT64_C(1000000)	/* of one without a rate */
#define STEP_MOVES	64
#define TELL_NS		NS_PER_S	/* between two tellings */
#define LOOKS		256		/* at letters that stay, a step */
#define ENDED_MAX	10		/* kept of one queue, as in SQS */
#define TASKS_MAX	1000		/* kept in all, of those that ended */

struct task {
	struct deadline deadline;	/* first: they are cast */
	TAILQ_ENTRY(task) link;
	struct registry *registry;	/* borrowed */
	int64_t seq;			/* a stamp */
	int64_t told_ns;		/* when the journal was */
	struct task_info info;
	struct op_redrive redrive;	/* what is moved, and how far it is */
	char source[QUEUE_NAME_BYTES];
};

static void
task_free(struct task *t)
{
	struct registry *r = t->registry;

	if (t->info.state == TASK_RUNNING)
		deadlines_remove(&r->deadlines, &t->deadline);
	redrive_end(&t->redrive);
	TAILQ_REMOVE(&r->tasks, t, link);
	r->task_count--;
	r->memory_bytes -= sizeof(*t) + THING_OVERHEAD_BYTES;
	mem_free(t);
}

void
tasks_free(struct registry *r)
{
	struct task *t;

	while ((t = TAILQ_FIRST(&r->tasks)) != NULL)
		task_free(t);
}

static void
tell(struct task *t)
{
	const struct journal *j = t->registry->journal;

	if (j != NULL)
		j->task(j->arg, t->seq, t->source, &t->info);
}

/* The same, where room was not made for it: without, it is told later. */
static void
tell_if_room(struct task *t, int64_t at_ns)
{
	t->told_ns = at_ns;
	if (journal_reserve(t->registry, 1, 0))
		tell(t);
}

static int64_t
step_ns(const struct task *t)
{
	return t->info.rate > 0 ? NS_PER_S / t->info.rate : STEP_NS;
}

static void
go_on_at(struct task *t, int64_t due_ns)
{
	deadlines_add(&t->registry->deadlines, &t->deadline, DEADLINE_TASK,
	    due_ns, step_ns(t));
}

static void
end(struct task *t, enum task_state state, enum wq_status failure)
{
	t->info.state = state;
	t->info.failure = failure;
	redrive_end(&t->redrive);
}

/* A step of one that has its queues.  True: all is moved that can be. */
static bool
step(struct task *t, struct queue *q, struct queue *to, int64_t at_ns)
{
	size_t moves = t->info.rate > 0 ? 1 : STEP_MOVES;
	bool over;

	t->redrive.max = t->redrive.moved + moves;
	over = queue_redrive_slice(q, &t->redrive, to, at_ns, moves + LOOKS);
	t->info.moved = t->redrive.moved;
	return over && t->redrive.moved < t->redrive.max;
}

void
task_due(struct task *t, int64_t due_ns)
{
	struct registry *r = t->registry;
	struct queue *q = registry_find(r, t->source), *to = NULL;
	uint64_t moved = t->info.moved;

	deadlines_remove(&r->deadlines, &t->deadline);
	if (q == NULL || (*t->info.to != '\0' &&
	    (to = registry_find(r, t->info.to)) == NULL))
		end(t, TASK_FAILED, WQ_NO_QUEUE);
	else if (step(t, q, to, due_ns))
		end(t, TASK_COMPLETED, WQ_OK);
	else
		go_on_at(t, due_ns + step_ns(t));
	if (t->info.state != TASK_RUNNING || (t->info.moved > moved &&
	    due_ns - t->told_ns >= TELL_NS))
		tell_if_room(t, due_ns);
}

/* t, which ended, is one too many; NULL is fine. */
static void
forget(struct task *t)
{
	const struct journal *j = t != NULL ? t->registry->journal : NULL;

	if (t == NULL)
		return;
	if (j != NULL)
		j->task_gone(j->arg, t->seq);
	task_free(t);
}

/*
 * Before another is added: of those that ended, that of source which is one too
 * many, and the oldest of all, if there are too many in all; NULL: none is.
 */
static void
find_forgotten(struct registry *r, const char *source, struct task *out[2])
{
	struct task *t;
	size_t ended = 0;

	out[0] = out[1] = NULL;
	TAILQ_FOREACH(t, &r->tasks, link)
		if (t->info.state != TASK_RUNNING &&
		    strcmp(t->source, source) == 0 && ++ended >= ENDED_MAX)
			out[0] = t;
	if (r->task_count < TASKS_MAX || out[0] != NULL)
		return;
	t = TAILQ_LAST(&r->tasks, task_list);
	while (t != NULL && t->info.state == TASK_RUNNING)
		t = TAILQ_PREV(t, task_list, link);
	out[1] = t;
}

static bool
runs(const struct queue *q)
{
	const struct task *t;

	TAILQ_FOREACH(t, &q->registry->tasks, link)
		if (t->info.state == TASK_RUNNING &&
		    strcmp(t->source, q->name) == 0)
			return true;
	return false;
}

/* t, which has its info, is the newest, and runs from then if it does. */
static void
add(struct registry *r, struct task *t, const char *source, int64_t from_ns)
{
	t->registry = r;
	t->redrive.began_ns = t->info.started_ns;
	t->redrive.moved = t->info.moved;
	t->redrive.renew = true;
	strcpy(t->source, source);
	TAILQ_INSERT_HEAD(&r->tasks, t, link);
	r->task_count++;
	r->memory_bytes += sizeof(*t) + THING_OVERHEAD_BYTES;
	if (t->info.state == TASK_RUNNING)
		go_on_at(t, from_ns + step_ns(t));
}

size_t
tasks_count(const struct queue *q)
{
	const struct task *t;
	size_t n = 0;

	TAILQ_FOREACH(t, &q->registry->tasks, link)
		n += strcmp(t->source, q->name) == 0;
	return n;
}

void
tasks_forget(const struct queue *q)
{
	struct task *t, *next;

	for (t = TAILQ_FIRST(&q->registry->tasks); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (strcmp(t->source, q->name) == 0)
			forget(t);
	}
}

enum wq_status
task_start(struct queue *q, const struct op_task_start *op, int64_t now_ns)
{
	struct registry *r = q->registry;
	struct task *t, *old[2];
	const struct queue *to = op->to != NULL ? registry_find(r, op->to) :
	    NULL;

	if (LIST_EMPTY(&q->sources))
		return WQ_NOT_TARGET;
	if (op->to != NULL && to == NULL)
		return queue_name_is_valid(op->to) ? WQ_NO_QUEUE : WQ_BAD_NAME;
	if (to != NULL && to->fifo != q->fifo)
		return WQ_TARGET_KIND;
	if (runs(q))
		return WQ_TASK_RUNS;
	if (!journal_reserve(r, 3, 0) ||
	    (t = mem_zalloc(sizeof(*t))) == NULL)
		return WQ_NOMEM;
	find_forgotten(r, q->name, old);
	forget(old[0]);
	forget(old[1]);
	t->seq = registry_stamp(r, now_ns);
	t->told_ns = now_ns;
	t->info.id = op->id;
	t->info.rate = op->rate;
	t->info.to_move = q->available_count;
	t->info.started_ns = now_ns;
	strcpy(t->info.to, op->to != NULL ? op->to : "");
	add(r, t, q->name, now_ns);
	tell(t);
	return WQ_OK;
}

enum wq_status
task_recover(struct registry *r, const struct recovered_task *in)
{
	struct task *t = mem_zalloc(sizeof(*t));

	if (t == NULL)
		return WQ_NOMEM;
	t->seq = in->seq;
	t->told_ns = in->now_ns;
	t->info = in->info;
	/* Not from where it was: it does not run faster than its rate. */
	add(r, t, in->source, in->now_ns);
	return WQ_OK;
}

void
tasks_tell(struct registry *r)
{
	struct task *t;

	TAILQ_FOREACH(t, &r->tasks, link)
		if (t->info.state == TASK_RUNNING)
			tell_if_room(t, t->told_ns);
}

enum wq_status
task_cancel(struct registry *r, struct op_task_cancel *op)
{
	struct task *t;

	TAILQ_FOREACH(t, &r->tasks, link)
		if (memcmp(&t->info.id, &op->id, sizeof(op->id)) == 0)
			break;
	if (t == NULL || t->info.state != TASK_RUNNING)
		return WQ_NO_TASK;
	if (!journal_reserve(r, 1, 0))
		return WQ_NOMEM;
	deadlines_remove(&r->deadlines, &t->deadline);
	end(t, TASK_CANCELED, WQ_OK);
	tell(t);
	op->moved = t->info.moved;
	return WQ_OK;
}

void
tasks_list(const struct queue *q, struct op_task_list *op)
{
	const struct task *t;

	op->count = 0;
	TAILQ_FOREACH(t, &q->registry->tasks, link)
		if (op->count < op->max && strcmp(t->source, q->name) == 0)
			op->out[op->count++] = t->info;
}
