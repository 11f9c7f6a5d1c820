/* A queue from its making to its end, and what it is set to. */
#include <string.h>

#include "base/mem.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"

static struct queue *
make(struct registry *r, const char *name,
    const struct queue_settings *settings)
{
	size_t name_bytes = strlen(name) + 1;
	struct queue *q;

	if ((q = mem_zalloc(sizeof(*q) + name_bytes)) == NULL)
		return NULL;
	q->registry = r;
	q->number = q->keys_number = ++r->last_number;
	q->settings = *settings;
	q->fifo = queue_name_is_fifo(name, name_bytes - 1);
	line_init(&q->line);
	RB_INIT(&q->quiet);
	RB_INIT(&q->noisy);
	TAILQ_INIT(&q->locked);
	TAILQ_INIT(&q->delayed);
	TAILQ_INIT(&q->waiters);
	LIST_INIT(&q->sources);
	memcpy(q->name, name, name_bytes);
	r->memory_bytes += sizeof(*q) + name_bytes + THING_OVERHEAD_BYTES;
	return q;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	q->registry->memory_bytes -= sizeof(*q) + strlen(q->name) + 1 +
	    THING_OVERHEAD_BYTES;
	mem_free(q->dedups);
	tags_unref(q->tags);
	mem_free(q);
}

struct queue *
queue_new(struct registry *r, const char *name,
    const struct queue_settings *settings)
{
	struct queue *q = make(r, name, settings);

	if (q == NULL || registry_add(r, q) == 0)
		return q;
	queue_free(q);
	return NULL;
}

/* Where q's dead letters go from now; NULL: nowhere. */
void
queue_set_target(struct queue *q, struct queue *target)
{
	if (q->dead_letters != NULL)
		LIST_REMOVE(q, source_link);
	q->dead_letters = target;
	if (target != NULL)
		LIST_INSERT_HEAD(&target->sources, q, source_link);
}

/* All that q is, but for its messages, is `to`'s, which is new. */
static void
hand_over(struct queue *q, struct queue *to)
{
	struct queue *source;
	struct waiter *w;

	to->keys_number = q->keys_number;
	to->paused = q->paused;
	to->totals = q->totals;
	to->tags = q->tags;
	q->tags = NULL;
	to->dedups = q->dedups;
	q->dedups = NULL;
	TAILQ_CONCAT(&to->waiters, &q->waiters, link);
	TAILQ_FOREACH(w, &to->waiters, link)
		w->queue = to;
	to->waiter_count = q->waiter_count;
	q->waiter_count = 0;
	queue_set_target(to, q->dead_letters);
	while ((source = LIST_FIRST(&q->sources)) != NULL)
		queue_set_target(source, to);
}

static size_t
tags_bytes(const struct queue *q)
{
	return q->tags != NULL ? strlen(q->tags->json) : 0;
}

static void
bury(struct queue *q)
{
	queue_set_target(q, NULL);
	TAILQ_INSERT_TAIL(&q->registry->dying, q, list_link);
}

enum wq_status
queue_purge(struct queue *q)
{
	struct registry *r = q->registry;
	struct queue *to = make(r, q->name, &q->settings);

	if (to == NULL || !journal_reserve(r, 1, tags_bytes(q)) ||
	    registry_replace(r, q, to) == -1) {
		queue_free(to);
		return WQ_NOMEM;
	}
	hand_over(q, to);
	bury(q);
	queue_touch(to);
	if (r->journal != NULL)
		r->journal->purge(r->journal->arg, to, q->number);
	return WQ_OK;
}

void
queue_time_out(struct waiter *w)
{
	struct registry *r = w->queue->registry;

	queue_unwait(w);
	TAILQ_INSERT_TAIL(&r->timed_out, w, link);
}

void
queue_end_waits(struct queue *q)
{
	struct waiter *w;

	while ((w = TAILQ_FIRST(&q->waiters)) != NULL)
		queue_time_out(w);
}

void
queue_die(struct queue *q)
{
	while (!LIST_EMPTY(&q->sources))
		queue_set_target(LIST_FIRST(&q->sources), NULL);
	registry_remove(q->registry, q);
	queue_end_waits(q);
	bury(q);
}

enum wq_status
queue_delete(struct queue *q)
{
	struct registry *r = q->registry;

	if (q == r->root)
		return WQ_ROOT;
	if (!LIST_EMPTY(&q->sources))
		return WQ_IS_TARGET;
	if (!journal_reserve(r, 1, 0))
		return WQ_NOMEM;
	if (r->journal != NULL)
		r->journal->queue_gone(r->journal->arg, q->number);
	queue_die(q);
	return WQ_OK;
}

/* Would dead letters of q that go to target come back to q? */
static bool
is_cycle(const struct queue *q, const struct queue *target)
{
	for (; target != NULL; target = target->dead_letters)
		if (target == q)
			return true;
	return false;
}

static void
apply(struct queue_settings *to, const struct op_configure *c)
{
	const struct queue_settings *from = &c->settings;

	if (c->given & SETTING_LOCK_TIMEOUT)
		to->lock_timeout_ms = from->lock_timeout_ms;
	if (c->given & SETTING_DELAY)
		to->delay_ms = from->delay_ms;
	if (c->given & SETTING_TTL)
		to->ttl_ms = from->ttl_ms;
	if (c->given & SETTING_MAX_RECEIVES)
		to->max_receives = from->max_receives;
	if (c->given & SETTING_MAX_MESSAGES)
		to->max_messages = from->max_messages;
	if (c->given & SETTING_MAX_BYTES)
		to->max_bytes = from->max_bytes;
	if (c->given & SETTING_MAX_LOCKED)
		to->max_locked = from->max_locked;
	if (c->given & SETTING_DEDUP)
		to->content_based_dedup = from->content_based_dedup;
}

/* The dead-letter queue that c asks for; it is made as the last that may fail. */
static enum wq_status
find_target(struct queue *q, const struct op_configure *c, bool may_make,
    struct queue **target)
{
	const char *name = c->dead_letter_queue;
	enum wq_status st;
	bool made;

	*target = q->dead_letters;
	if (c->given & SETTING_DEAD_LETTER_QUEUE)
		*target = *name != '\0' ? registry_find(q->registry, name) :
		    NULL;
	else
		name = "";
	if (is_cycle(q, *target))
		return WQ_CYCLE;
	if (*target != NULL || *name == '\0')
		return WQ_OK;
	if (!may_make)
		return queue_name_is_valid(name) ? WQ_TARGET_MISSING :
		    WQ_BAD_TARGET;
	st = registry_make(q->registry, name, target, &made);
	return st == WQ_BAD_NAME ? WQ_BAD_TARGET : st;
}

enum wq_status
queue_configure(struct queue *q, struct op_configure *c, bool may_make)
{
	struct queue_settings settings = q->settings;
	struct registry *r = q->registry;
	struct queue *target;
	struct tags *tags = NULL;
	enum wq_status st;

	c->tags_now = NULL;
	apply(&settings, c);
	if (settings.max_receives > 0 && (c->given & SETTING_DEAD_LETTER_QUEUE ?
	    c->dead_letter_queue[0] == '\0' : q->dead_letters == NULL))
		return WQ_NO_TARGET;
	if (c->given & SETTING_TAGS && c->tags != NULL &&
	    (tags = tags_new(c->tags)) == NULL)
		return WQ_NOMEM;
	/* For the queue that may be made too. */
	st = journal_reserve(r, 2, (c->given & SETTING_TAGS) ? (tags != NULL ?
	    strlen(tags->json) : 0) : tags_bytes(q)) ? find_target(q, c, may_make, &target) :
	    WQ_NOMEM;
	if (st != WQ_OK) {
		tags_unref(tags);
		return st;
	}
	if (c->given & SETTING_TAGS) {
		tags_unref(q->tags);
		q->tags = tags;
	}
	q->untouched = false;
	queue_set_target(q, target);
	c->tags_now = tags_ref(q->tags);
	q->settings = c->settings = settings;
	strcpy(c->dead_letter_queue, target != NULL ? target->name : "");
	if (r->journal != NULL)
		r->journal->queue(r->journal->arg, q);
	queue_be_hungry(q);	/* max_locked may have been what stopped it */
	return WQ_OK;
}

enum wq_status
queue_pause(struct queue *q, bool pause)
{
	struct registry *r = q->registry;

	if (!journal_reserve(r, 1, tags_bytes(q)))
		return WQ_NOMEM;
	q->paused = pause;
	q->untouched = false;
	if (r->journal != NULL)
		r->journal->queue(r->journal->arg, q);
	queue_be_hungry(q);
	return WQ_OK;
}
