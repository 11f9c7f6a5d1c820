/* The model's queues: their lives and their settings. */
#include "naive.h"

#include <string.h>

#include "model.h"

static const char *const	names[QUEUES] = { "default", "fair",
    "order.fifo", "source", "dead", "grave", "more.fifo", "dead.fifo",
    "spare" };

void
naive_make(int queue, int64_t at_ns)
{
	struct naive_queue *q = &naive.queues[queue];
	size_t bytes = strlen(names[queue]);

	memset(q, 0, sizeof(*q));
	q->name = names[queue];
	q->exists = true;
	q->fifo = bytes > 5 && strcmp(names[queue] + bytes - 5, ".fifo") == 0;
	q->settings = naive.defaults;
	q->dead_letters = NOWHERE;
	q->created_ns = q->changed_ns = at_ns;
}

void
naive_init(const struct queue_settings *defaults)
{
	int i;

	naive.defaults = *defaults;
	for (i = 0; i < QUEUES; i++)
		naive.queues[i].name = names[i];
	naive_make(0, 0);
}

void
naive_purge(int queue)
{
	size_t i = 0;

	naive.queues[queue].last_due_ns = 0;
	while (i < naive.count)
		if (naive.messages[i].queue == queue)
			naive_gone(&naive.messages[i]);
		else
			i++;
}

enum wq_status
naive_delete_status(int queue, bool even_target)
{
	int i;

	if (queue == 0)
		return WQ_ROOT;
	for (i = 0; i < QUEUES && !even_target; i++)
		if (naive.queues[i].exists &&
		    naive.queues[i].dead_letters == queue)
			return WQ_IS_TARGET;
	return WQ_OK;
}

void
naive_delete(int queue, int64_t at_ns)
{
	struct naive_queue *q = &naive.queues[queue];
	size_t i;

	for (i = 0; i < QUEUES; i++)
		if (naive.queues[i].exists &&
		    naive.queues[i].dead_letters == queue) {
			naive.queues[i].dead_letters = NOWHERE;
			naive.queues[i].settings.max_receives = 0;
			naive.queues[i].changed_ns = at_ns;
			happened(DELETED_TARGET);
		}
	while (q->waiter_count > 0) {
		naive.timed_out[naive.timed_out_count++] =
		    q->waiters[0].waiter;
		naive_unwait(queue, 0);
	}
	naive_purge(queue);
	i = 0;
	while (i < naive.dedup_count)
		if (naive.dedups[i].queue == queue)
			naive.dedups[i] = naive.dedups[--naive.dedup_count];
		else
			i++;
	q->exists = false;
}

static void
apply(struct queue_settings *to, const struct queue_settings *from,
    unsigned given)
{
	if (given & SETTING_LOCK_TIMEOUT)
		to->lock_timeout_ms = from->lock_timeout_ms;
	if (given & SETTING_DELAY)
		to->delay_ms = from->delay_ms;
	if (given & SETTING_TTL)
		to->ttl_ms = from->ttl_ms;
	if (given & SETTING_MAX_RECEIVES)
		to->max_receives = from->max_receives;
	if (given & SETTING_MAX_MESSAGES)
		to->max_messages = from->max_messages;
	if (given & SETTING_MAX_BYTES)
		to->max_bytes = from->max_bytes;
	if (given & SETTING_MAX_LOCKED)
		to->max_locked = from->max_locked;
	if (given & SETTING_DEDUP)
		to->content_based_dedup = from->content_based_dedup;
	if (given & SETTING_RETENTION)
		to->retention_ms = from->retention_ms;
	if (given & SETTING_DEDUP_BY_GROUP)
		to->dedup_by_group = from->dedup_by_group;
	if (given & SETTING_DELAY_FOR_ALL)
		to->delay_for_all = from->delay_for_all;
}

enum wq_status
naive_configure(int queue, const struct op_configure *c, int target,
    bool is_bad_name, int64_t at_ns)
{
	struct naive_queue *q = &naive.queues[queue];
	struct queue_settings settings = q->settings, was = settings;
	int i;

	if (!(c->given & SETTING_DEAD_LETTER_QUEUE))
		target = q->dead_letters;
	else if (is_bad_name)
		return WQ_BAD_TARGET;
	apply(&settings, &c->settings, c->given);
	for (i = target; i != NOWHERE; i = naive.queues[i].dead_letters)
		if (i == queue)
			return WQ_CYCLE;
		else if (!naive.queues[i].exists)
			break;
	if (settings.max_receives > 0 && target == NOWHERE)
		return WQ_NO_TARGET;
	if (target != NOWHERE && !naive.queues[target].exists)
		naive_make(target, at_ns);
	if (c->given & SETTING_TAGS)
		q->tags = c->text[QUEUE_TAGS];
	q->settings = settings;
	if (was.delay_ms != settings.delay_ms ||
	    was.delay_for_all != settings.delay_for_all)
		naive_redelay(queue, at_ns);
	q->changed_ns = at_ns;
	q->dead_letters = target;
	return WQ_OK;
}
