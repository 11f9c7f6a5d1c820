/* A queue from its making to its end, and what it is set to. */
#include <string.h>

#include "base/mem.h"
#include "core/attempt.h"
#include "core/place.h"
#include "core/queue.h"
#include "core/redelay.h"
#include "core/retention.h"
#include "core/state.h"
#include "core/task.h"

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
	int i;

	if (q == NULL)
		return;
	queue_redelay_end(q);
	queue_retain_nothing(q);
	attempts_free(q);
	q->registry->memory_bytes -= sizeof(*q) + strlen(q->name) + 1 +
	    THING_OVERHEAD_BYTES;
	mem_free(q->dedups);
	for (i = 0; i < QUEUE_TEXTS; i++)
		shared_unref(q->text[i]);
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
	int i;

	to->keys_number = q->keys_number;
	to->paused = q->paused;
	to->totals = q->totals;
	to->created_ns = q->created_ns;
	to->changed_ns = q->changed_ns;
	for (i = 0; i < QUEUE_TEXTS; i++) {
		to->text[i] = q->text[i];
		q->text[i] = NULL;
	}
	attempts_free(q);
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

size_t
queue_text_bytes(struct shared *const *text)
{
	size_t bytes = 0;
	int i;

	for (i = 0; i < QUEUE_TEXTS; i++)
		bytes += text[i] != NULL ? strlen(text[i]->text) : 0;
	return bytes;
}

static void
bury(struct queue *q)
{
	queue_set_target(q, NULL);
	TAILQ_INSERT_TAIL(&q->registry->dying, q, list_link);
}

enum wq_status
queue_purge(struct queue *q, int64_t now_ns)
{
	struct registry *r = q->registry;
	struct queue *to;

	if (r->moment_ns > 0 && q->purged_ns != 0 &&
	    now_ns - q->purged_ns < r->moment_ns)
		return WQ_RECENT;
	to = make(r, q->name, &q->settings);
	if (to == NULL || !journal_reserve(r, 1, queue_text_bytes(q->text)) ||
	    registry_replace(r, q, to) == -1) {
		queue_free(to);
		return WQ_NOMEM;
	}
	hand_over(q, to);
	to->purged_ns = now_ns;
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

/* Room in the journal for the end of q and its tasks; its sources change. */
static bool
reserve_for_end(struct queue *q)
{
	const struct queue *source;
	size_t calls = 1 + tasks_count(q), bytes = 0;

	LIST_FOREACH(source, &q->sources, source_link) {
		calls++;
		bytes += queue_text_bytes(source->text);
	}
	return journal_reserve(q->registry, calls, bytes);
}

/* Dead letters that came to q go nowhere from now: messages stay. */
static void
leave_sources(struct queue *q, int64_t now_ns)
{
	struct registry *r = q->registry;
	struct queue *source;

	while ((source = LIST_FIRST(&q->sources)) != NULL) {
		queue_set_target(source, NULL);
		source->settings.max_receives = 0;
		source->changed_ns = now_ns;
		if (r->journal != NULL)
			r->journal->queue(r->journal->arg, source);
	}
}

enum wq_status
queue_delete(struct queue *q, bool even_target, int64_t now_ns)
{
	struct registry *r = q->registry;

	if (q == r->root)
		return WQ_ROOT;
	if (!LIST_EMPTY(&q->sources) && !even_target)
		return WQ_IS_TARGET;
	if (!reserve_for_end(q))
		return WQ_NOMEM;
	leave_sources(q, now_ns);
	tasks_forget(q);
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
	if (c->given & SETTING_RETENTION)
		to->retention_ms = from->retention_ms;
	if (c->given & SETTING_WAIT)
		to->wait_ms = from->wait_ms;
	if (c->given & SETTING_MAX_MESSAGE)
		to->max_message_bytes = from->max_message_bytes;
	if (c->given & SETTING_DEDUP_BY_GROUP)
		to->dedup_by_group = from->dedup_by_group;
	if (c->given & SETTING_DELAY_FOR_ALL)
		to->delay_for_all = from->delay_for_all;
	if (c->given & SETTING_REDRIVE_ALLOW)
		to->redrive_allow = from->redrive_allow;
}

/* Is name one of those in list, which has a space between two? */
static bool
is_listed(const char *list, const char *name)
{
	size_t bytes = strlen(name), n;

	for (; *list != '\0'; list += n + strspn(list + n, " ")) {
		n = strcspn(list, " ");
		if (n == bytes && memcmp(list, name, n) == 0)
			return true;
	}
	return false;
}

/* May target take dead letters of q, as the strict see it? */
static enum wq_status
check_target(const struct queue *q, const struct queue *target)
{
	const struct shared *sources = target->text[QUEUE_SOURCES];

	if (q->fifo != target->fifo)
		return WQ_TARGET_KIND;
	if (target->settings.redrive_allow == REDRIVE_DENY_ALL ||
	    (target->settings.redrive_allow == REDRIVE_BY_QUEUE &&
	    (sources == NULL || !is_listed(sources->text, q->name))))
		return WQ_TARGET_DENIES;
	return WQ_OK;
}

/* The dead-letter queue that c asks for, made as the last that may fail. */
static enum wq_status
find_target(struct queue *q, const struct op_configure *c, bool may_make,
    int64_t now_ns, struct queue **target)
{
	const char *name = c->dead_letter_queue;
	bool named = c->given & SETTING_DEAD_LETTER_QUEUE && *name != '\0';
	enum wq_status st;
	bool made;

	*target = q->dead_letters;
	if (c->given & SETTING_DEAD_LETTER_QUEUE)
		*target = named ? registry_find(q->registry, name) : NULL;
	if (is_cycle(q, *target))
		return WQ_CYCLE;
	if (named && *target != NULL && c->strict_target)
		return check_target(q, *target);
	if (!named || *target != NULL)
		return WQ_OK;
	if (!may_make || c->strict_target)
		return queue_name_is_valid(name) ? WQ_TARGET_MISSING :
		    WQ_BAD_TARGET;
	st = registry_make(q->registry, name, target, now_ns, &made);
	return st == WQ_BAD_NAME ? WQ_BAD_TARGET : st;
}

/* Which of the texts c gives. */
static bool
is_given(const struct op_configure *c, int text)
{
	static const unsigned bit[QUEUE_TEXTS] = {
		[QUEUE_TAGS] = SETTING_TAGS,
		[QUEUE_ATTRIBUTES] = SETTING_ATTRIBUTES,
		[QUEUE_SOURCES] = SETTING_SOURCES,
	};

	return (c->given & bit[text]) != 0;
}

/* Are the texts as c expects them? */
static bool
is_expected(const struct queue *q, const struct op_configure *c)
{
	const char *now;
	int i;

	for (i = 0; i < QUEUE_TEXTS; i++) {
		now = q->text[i] != NULL ? q->text[i]->text : "";
		if (c->expected[i] != NULL && strcmp(c->expected[i], now) != 0)
			return false;
	}
	return true;
}

/* The texts as they are to be, one ref each.  WQ_NOMEM: there are none. */
static enum wq_status
make_texts(const struct queue *q, const struct op_configure *c,
    struct shared **out)
{
	int i;

	for (i = 0; i < QUEUE_TEXTS; i++) {
		out[i] = NULL;
		if (!is_given(c, i))
			out[i] = shared_ref(q->text[i]);
		else if (c->text[i] != NULL &&
		    (out[i] = shared_new(c->text[i])) == NULL)
			break;
	}
	if (i == QUEUE_TEXTS)
		return WQ_OK;
	while (i-- > 0)
		shared_unref(out[i]);
	return WQ_NOMEM;
}

static void
set_texts(struct queue *q, struct shared *const *text)
{
	int i;

	for (i = 0; i < QUEUE_TEXTS; i++) {
		shared_unref(q->text[i]);
		q->text[i] = text[i];
	}
}

void
queue_tell(struct queue *q, struct op_configure *c)
{
	queue_info(q, &c->now);
	c->settings = q->settings;
	strcpy(c->dead_letter_queue, c->now.dead_letter_queue);
}

enum wq_status
queue_configure(struct queue *q, struct op_configure *c, bool may_make,
    int64_t now_ns)
{
	const struct queue_settings was = q->settings;
	struct queue_settings settings = was;
	struct registry *r = q->registry;
	struct shared *text[QUEUE_TEXTS];
	struct queue *target = NULL;
	enum wq_status st;
	int i;

	if (!is_expected(q, c))
		return WQ_CHANGED;
	apply(&settings, c);
	if (settings.max_receives > 0 && (c->given & SETTING_DEAD_LETTER_QUEUE ?
	    c->dead_letter_queue[0] == '\0' : q->dead_letters == NULL))
		return WQ_NO_TARGET;
	if (make_texts(q, c, text) != WQ_OK)
		return WQ_NOMEM;
	/* For the queue that may be made too. */
	st = journal_reserve(r, 2, queue_text_bytes(text)) ?
	    find_target(q, c, may_make, now_ns, &target) : WQ_NOMEM;
	if (st != WQ_OK) {
		for (i = 0; i < QUEUE_TEXTS; i++)
			shared_unref(text[i]);
		return st;
	}
	set_texts(q, text);
	q->untouched = false;
	queue_set_target(q, target);
	q->settings = settings;
	if (was.retention_ms != settings.retention_ms)
		queue_retain(q, now_ns);
	if (was.delay_ms != settings.delay_ms ||
	    was.delay_for_all != settings.delay_for_all)
		queue_redelay(q, now_ns);
	q->changed_ns = now_ns;
	queue_tell(q, c);
	if (r->journal != NULL)
		r->journal->queue(r->journal->arg, q);
	queue_be_hungry(q);	/* max_locked may have been what stopped it */
	return WQ_OK;
}

enum wq_status
queue_pause(struct queue *q, bool pause)
{
	struct registry *r = q->registry;

	if (!journal_reserve(r, 1, queue_text_bytes(q->text)))
		return WQ_NOMEM;
	q->paused = pause;
	q->untouched = false;
	if (r->journal != NULL)
		r->journal->queue(r->journal->arg, q);
	queue_be_hungry(q);
	return WQ_OK;
}
