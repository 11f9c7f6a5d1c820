/* A queue from its making to its end, and what it is set to. */
#include <string.h>

#include "base/mem.h"
#include "core/group.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/state.h"

#define FIFO		".fifo"

static bool
is_fifo_name(const char *name)
{
	size_t bytes = strlen(name), end = sizeof(FIFO) - 1;

	return bytes > end && strcmp(name + bytes - end, FIFO) == 0;
}

struct queue *
queue_new(struct registry *r, const char *name,
    const struct queue_settings *settings)
{
	size_t name_bytes = strlen(name) + 1;
	struct queue *q;

	if ((q = mem_zalloc(sizeof(*q) + name_bytes)) == NULL)
		return NULL;
	q->registry = r;
	q->settings = *settings;
	q->fifo = is_fifo_name(name);
	line_init(&q->line);
	RB_INIT(&q->quiet);
	RB_INIT(&q->noisy);
	TAILQ_INIT(&q->locked);
	TAILQ_INIT(&q->delayed);
	TAILQ_INIT(&q->waiters);
	memcpy(q->name, name, name_bytes);
	if (registry_add(r, q) == -1) {
		mem_free(q);
		return NULL;
	}
	return q;
}

static void
list_gone(struct message_list *list)
{
	struct message *m;

	while ((m = TAILQ_FIRST(list)) != NULL)
		message_gone(m);
}

void
queue_purge(struct queue *q)
{
	struct group *g, *next;
	struct hold *h;

	list_gone(&q->line.fresh);
	list_gone(&q->line.returned);
	while ((h = TAILQ_FIRST(&q->locked)) != NULL)
		message_gone(h->message);
	while ((h = TAILQ_FIRST(&q->delayed)) != NULL)
		message_gone(h->message);
	HASH_ITER(hh, q->groups, g, next) {
		g->refs++;	/* its last message may be the last ref */
		list_gone(&g->line.fresh);
		list_gone(&g->line.returned);
		group_unref(g);
	}
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
queue_free(struct queue *q)
{
	struct dedup *d, *next;

	queue_end_waits(q);
	queue_purge(q);
	groups_orphan(q);
	HASH_ITER(hh, q->dedups, d, next)
		dedup_free(d);
	if (q->dead_letters != NULL)
		q->dead_letters->source_count--;
	registry_remove(q->registry, q);
	tags_unref(q->tags);
	mem_free(q);
}

enum wq_status
queue_delete(struct queue *q)
{
	if (q == q->registry->root)
		return WQ_ROOT;
	if (q->source_count > 0)
		return WQ_IS_TARGET;
	queue_free(q);
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

enum wq_status
queue_configure(struct queue *q, struct op_configure *c)
{
	struct queue_settings settings = q->settings;
	struct queue *target = q->dead_letters;
	struct tags *tags = NULL;
	enum wq_status st;
	bool made = false;

	c->tags_now = NULL;
	apply(&settings, c);
	if (c->given & SETTING_DEAD_LETTER_QUEUE) {
		target = NULL;
		if (c->dead_letter_queue[0] != '\0' &&
		    (st = registry_make(q->registry, c->dead_letter_queue,
		    &target, &made)) != WQ_OK)
			return st == WQ_BAD_NAME ? WQ_BAD_TARGET : st;
	}
	if (is_cycle(q, target))
		return WQ_CYCLE;
	if (settings.max_receives > 0 && target == NULL)
		return WQ_NO_TARGET;
	if (c->given & SETTING_TAGS) {
		if (c->tags != NULL && (tags = tags_new(c->tags)) == NULL)
			return WQ_NOMEM;
		tags_unref(q->tags);
		q->tags = tags;
	}
	if (q->dead_letters != NULL)
		q->dead_letters->source_count--;
	if (target != NULL)
		target->source_count++;
	q->dead_letters = target;
	c->tags_now = tags_ref(q->tags);
	q->settings = c->settings = settings;
	strcpy(c->dead_letter_queue, target != NULL ? target->name : "");
	queue_be_hungry(q);	/* max_locked may have been what stopped it */
	return WQ_OK;
}

void
queue_pause(struct queue *q, bool pause)
{
	q->paused = pause;
	queue_be_hungry(q);
}
