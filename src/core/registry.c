/* All queues of the process, and what falls due in them. */
#include "core/registry.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "core/queue.h"
#include "core/recent.h"
#include "core/state.h"
#include "core/task.h"

#define ROOT_NAME	"default"
/* Deadlines, between two calls of registry_expire(); half a millisecond. */
#define DUE_OF_RECEIVES	1000

static int
queue_compare(const struct queue *a, const struct queue *b)
{
	return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(queue_tree, queue, by_name, queue_compare,
    static __attribute__((unused)))

bool
queue_name_is_valid(const char *name)
{
	size_t bytes = strlen(name);

	if (queue_name_is_fifo(name, bytes))
		bytes -= strlen(".fifo");
	return name_is_plain(name, bytes);
}

int
registry_add(struct registry *r, struct queue *q)
{
	HASH_ADD_STR(r->queues, name, q);
	if (q->hh.tbl == NULL)		/* HASH_NONFATAL_OOM */
		return -1;
	RB_INSERT(queue_tree, &r->sorted, q);
	return 0;
}

int
registry_replace(struct registry *r, struct queue *old, struct queue *q)
{
	HASH_ADD_STR(r->queues, name, q);	/* beside it: may fail */
	if (q->hh.tbl == NULL)		/* HASH_NONFATAL_OOM */
		return -1;
	registry_remove(r, old);
	RB_INSERT(queue_tree, &r->sorted, q);
	if (r->root == old)
		r->root = q;
	return 0;
}

void
registry_remove(struct registry *r, struct queue *q)
{
	HASH_DEL(r->queues, q);
	RB_REMOVE(queue_tree, &r->sorted, q);
	if (q->hungry)
		TAILQ_REMOVE(&r->hungry, q, list_link);
	q->hungry = false;
	if (q->touched)
		TAILQ_REMOVE(&r->touched, q, touched_link);
	q->touched = true;	/* never again */
}

struct registry *
registry_new(const struct queue_settings *defaults,
    const struct lock_timers *timers, uint64_t seed)
{
	struct registry *r;

	if ((r = mem_zalloc(sizeof(*r))) == NULL)
		return NULL;
	r->timers = *timers;
	r->random = seed;
	r->due_left = DUE_OF_RECEIVES;
	r->defaults = *defaults;
	RB_INIT(&r->sorted);
	TAILQ_INIT(&r->hungry);
	TAILQ_INIT(&r->dying);
	TAILQ_INIT(&r->touched);
	TAILQ_INIT(&r->timed_out);
	TAILQ_INIT(&r->tasks);
	deadlines_init(&r->deadlines);
	if (index_init(&r->index) == -1)
		goto fail;
	if ((r->root = queue_new(r, ROOT_NAME, defaults)) == NULL)
		goto fail;
	return r;
fail:
	registry_free(r);
	return NULL;
}

void
registry_free(struct registry *r)
{
	struct queue *q, *next;

	if (r == NULL)
		return;
	r->journal = NULL;	/* what is freed now is not gone */
	tasks_free(r);
	recents_free(r);
	HASH_ITER(hh, r->queues, q, next)
		queue_die(q);
	while (registry_reap(r, SIZE_MAX))
		;
	index_fini(&r->index);
	mem_free(r);
}

void
registry_set_ids(struct registry *r, struct id (*new_id)(void))
{
	r->new_id = new_id;
}

struct queue *
registry_find(struct registry *r, const char *name)
{
	struct queue *q;

	if (name == NULL)
		return r->root;
	HASH_FIND_STR(r->queues, name, q);
	return q;
}

enum wq_status
registry_make(struct registry *r, const char *name, struct queue **q,
    int64_t now_ns, bool *created)
{
	*created = false;
	if ((*q = registry_find(r, name)) != NULL)
		return WQ_OK;
	if (!queue_name_is_valid(name))
		return WQ_BAD_NAME;
	*created = true;
	if (!journal_reserve(r, 1, 0) ||
	    (*q = queue_new(r, name, &r->defaults)) == NULL)
		return WQ_NOMEM;
	(*q)->untouched = true;
	(*q)->created_ns = (*q)->changed_ns = now_ns;
	if (r->journal != NULL)
		r->journal->queue(r->journal->arg, *q);
	return WQ_OK;
}

void
registry_list(struct registry *r, struct op_list *list,
    const struct queue *target)
{
	struct queue *q, *next, *from = NULL;
	size_t prefix_bytes = strlen(list->prefix);
	const char *start = strcmp(list->after, list->prefix) > 0 ?
	    list->after : list->prefix;
	int order;

	/* The first whose name is not below start. */
	for (q = RB_ROOT(&r->sorted); q != NULL; q = next) {
		order = strcmp(start, q->name);
		if (order <= 0)
			from = q;
		next = order <= 0 ? RB_LEFT(q, by_name) :
		    RB_RIGHT(q, by_name);
	}
	list->count = 0;
	for (q = from; q != NULL && list->count < list->max &&
	    strncmp(q->name, list->prefix, prefix_bytes) == 0;
	    q = RB_NEXT(queue_tree, &r->sorted, q)) {
		if (strcmp(q->name, list->after) == 0 ||
		    (target != NULL && q->dead_letters != target))
			continue;
		strcpy(list->out[list->count].name, q->name);
		queue_info(q, &list->out[list->count++].info);
	}
}

struct queue *
registry_next_served(struct registry *r)
{
	struct queue *q = TAILQ_FIRST(&r->hungry);

	if (q != NULL) {
		TAILQ_REMOVE(&r->hungry, q, list_link);
		q->hungry = false;
	}
	return q;
}

struct waiter *
registry_next_timed_out(struct registry *r)
{
	struct waiter *w = TAILQ_FIRST(&r->timed_out);

	if (w != NULL)
		TAILQ_REMOVE(&r->timed_out, w, link);
	return w;
}

/*
 * An instant is never left half done, so that registry_settled_ns() can say
 * what has taken effect.  Few are due at one: those of one receive, or push.
 */
size_t
registry_expire_first(struct registry *r)
{
	struct deadline *d = deadlines_first(&r->deadlines);
	int64_t due_ns = d->due_ns;
	size_t n = 0;

	do {
		queue_due(d);
		n++;
		d = deadlines_first(&r->deadlines);
	} while (d != NULL && d->due_ns == due_ns);
	return n;
}

bool
registry_expire(struct registry *r, int64_t now_ns, size_t max)
{
	size_t n;

	r->due_left = DUE_OF_RECEIVES;
	while (registry_next_due_ns(r) <= now_ns) {
		if (max == 0)
			return true;
		n = registry_expire_first(r);
		max -= n < max ? n : max;
	}
	return false;
}

uint32_t
registry_deadlines_made(const struct registry *r)
{
	return r->deadlines.order;
}

bool
registry_reap(struct registry *r, size_t max)
{
	struct queue *q = TAILQ_FIRST(&r->dying);

	if (q != NULL && q->coming_count == 0)
		queue_reap(q, max);
	q = TAILQ_FIRST(&r->dying);
	return q != NULL && q->coming_count == 0;
}

void
registry_make_root(struct registry *r, int64_t now_ns)
{
	if (r->root->created_ns != 0)
		return;
	r->root->created_ns = now_ns;
	if (r->root->changed_ns == 0)
		r->root->changed_ns = now_ns;
	r->root->recovered = false;	/* so that this is kept */
}

bool
registry_attach(struct registry *r, const struct journal *j)
{
	if (!r->root->recovered) {
		if (!j->reserve(j->arg, 1, queue_text_bytes(r->root->text)))
			return false;
		j->queue(j->arg, r->root);
	}
	r->journal = j;
	return true;
}

void
registry_detach(struct registry *r)
{
	r->journal = NULL;
}

int64_t
registry_stamp(struct registry *r, int64_t now_ns)
{
	r->stamp_ns = now_ns > r->stamp_ns ? now_ns : r->stamp_ns + 1;
	return r->stamp_ns;
}

void
queue_touch(struct queue *q)
{
	if (q->registry->journal == NULL || q->touched)
		return;
	q->touched = true;
	TAILQ_INSERT_TAIL(&q->registry->touched, q, touched_link);
}

struct queue *
registry_next_touched(struct registry *r)
{
	struct queue *q = TAILQ_FIRST(&r->touched);

	if (q != NULL) {
		TAILQ_REMOVE(&r->touched, q, touched_link);
		q->touched = false;
	}
	return q;
}

int64_t
registry_settled_ns(const struct registry *r, int64_t now_ns)
{
	int64_t next_ns = registry_next_due_ns(r);

	return next_ns > now_ns ? now_ns : next_ns - 1;
}

uint64_t
registry_memory_bytes(const struct registry *r)
{
	return r->memory_bytes + r->hold_bytes;
}

uint64_t
registry_hold_bytes(const struct registry *r)
{
	return r->hold_bytes;
}

void
registry_end_waits(struct registry *r)
{
	struct queue *q;

	RB_FOREACH(q, queue_tree, &r->sorted)
		queue_end_waits(q);
}

int64_t
registry_next_due_ns(const struct registry *r)
{
	struct deadline *d = deadlines_first(&r->deadlines);

	return d != NULL ? d->due_ns : INT64_MAX;
}

void *
hold_timer(struct hold *h)
{
	return h + 1;
}

int64_t
hold_due_ns(const struct hold *h)
{
	return h->deadline.due_ns;
}
