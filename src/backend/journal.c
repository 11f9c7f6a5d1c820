/*
 * From the core's words to the store's.  A call may take three records, and
 * room for that, with names, is made before the core changes anything.
 */
#include "backend/journal.h"

#include <string.h>

#include "core/queue.h"

#define RECORDS_PER_CALL	3
#define TEXT_PER_CALL		(3 * QUEUE_NAME_BYTES)

_Static_assert(sizeof(struct queue_totals) ==
    STORE_TOTALS_COUNT * sizeof(uint64_t), "totals are columns");
_Static_assert(sizeof(struct queue_settings) ==
    STORE_SETTINGS * sizeof(int64_t), "settings are columns");

static bool
reserve(void *arg, size_t calls, size_t text_bytes)
{
	struct records *r = arg;

	if (r->batch == NULL && (r->batch = store_batch(r->store)) == NULL)
		return false;
	return batch_reserve(r->batch, calls * RECORDS_PER_CALL,
	    text_bytes + calls * TEXT_PER_CALL) == 0;
}

static struct store_record *
add(struct records *r, enum store_verb verb, int64_t seq, int64_t queue)
{
	if (r->batch->count == 0)
		r->begun(r->arg);
	return batch_add(r->batch, verb, seq, queue);
}

static void
tell_push(void *arg, const struct message *m, const uint8_t *key,
    int64_t key_until_ns)
{
	struct records *r = arg;
	struct message_facts facts;
	struct store_record *rec;

	message_facts(m, &facts);
	rec = add(r, STORE_PUSH, m->pushed_ns, facts.queue);
	rec->push = (struct store_push){ .id = m->id, .body = m->body,
	    .body_bytes = m->body_bytes, .delay_ns = facts.delay_ns,
	    .ttl_ns = facts.ttl_ns, .lock_ms = facts.lock_ms,
	    .group = batch_text(r->batch, facts.group, facts.group_bytes),
	    .attributes = batch_text(r->batch, facts.attributes,
	    facts.attributes_bytes), .text = message_is_text(m) };
	r->batch->body_bytes += m->body_bytes;
	if (key == NULL)
		return;
	rec = add(r, STORE_KEY, m->pushed_ns, facts.keys_queue);
	memcpy(rec->key.key, key, DIGEST_BYTES);
	rec->key.id = m->id;
	rec->key.until_ns = key_until_ns;
}

static void
tell_lock(void *arg, const struct message *m)
{
	struct records *r = arg;
	struct message_facts facts;
	struct store_record *rec;

	message_facts(m, &facts);
	rec = add(r, STORE_LOCK, m->pushed_ns, facts.queue);
	rec->lock = (struct store_lock){ .until_ns = facts.until_ns,
	    .order = ++r->order, .receives = m->receives,
	    .receipt = m->receipt, .received_ns = facts.received_ns,
	    .first_received_ns = m->receives > 1 ? facts.first_received_ns : 0,
	    .back = facts.given_back };
}

static void
tell_unlock(void *arg, const struct message *m)
{
	struct records *r = arg;
	struct store_record *rec;

	rec = add(r, STORE_LOCK, m->pushed_ns, 0);
	rec->lock = (struct store_lock){ .until_ns = m->available_ns,
	    .order = -++r->order, .receives = m->receives,
	    .receipt = m->receipt,
	    .first_received_ns = message_first_received_ns(m), .back = true };
}

static void
tell_delay(void *arg, const struct message *m)
{
	struct message_facts facts;

	message_facts(m, &facts);
	add(arg, STORE_DELAY, m->pushed_ns, 0)->delay.until_ns =
	    facts.delay_ns;
}

static void
tell_gone(void *arg, const struct message *m)
{
	add(arg, STORE_GONE, m->pushed_ns, 0);
}

static void
tell_move(void *arg, const struct message *m, int64_t was_ns)
{
	struct records *r = arg;
	struct message_facts facts;
	struct store_record *rec;
	const struct dead_letter *dead;

	message_facts(m, &facts);
	dead = facts.dead;
	rec = add(r, STORE_MOVE, m->pushed_ns, facts.queue);
	rec->move.was = was_ns;
	rec->move.id = m->id;
	rec->move.available_ns = m->available_ns;
	rec->move.order = ++r->order;
	rec->move.first_pushed_ns = facts.first_pushed_ns;
	rec->move.dead_queue = batch_text(r->batch,
	    dead != NULL ? dead->queue : NULL,
	    dead != NULL ? strlen(dead->queue) : 0);
	if (dead == NULL)
		return;
	rec->move.dead_receives = dead->receives;
	rec->move.dead_reason = (int)dead->reason;
	rec->move.dead_receipt = dead->receipt;
}

static struct store_text
text(struct records *r, const char *s)
{
	return batch_text(r->batch, s, s != NULL ? strlen(s) : 0);
}

static void
tell_queue(void *arg, struct queue *q)
{
	struct records *r = arg;
	struct queue_facts facts;
	struct store_record *rec;
	int i;

	queue_facts(q, &facts);
	rec = add(r, STORE_QUEUE, 0, facts.number);
	memcpy(rec->of_queue.setting, facts.settings,
	    sizeof(rec->of_queue.setting));
	rec->of_queue.name = text(r, facts.name);
	rec->of_queue.dead_letter_queue = text(r, facts.dead_letter_queue);
	for (i = 0; i < STORE_QUEUE_TEXTS; i++)
		rec->of_queue.text[i] = text(r, facts.text[i]);
	rec->of_queue.created_ns = facts.created_ns;
	rec->of_queue.changed_ns = facts.changed_ns;
	rec->of_queue.keys = facts.keys_number;
	rec->of_queue.paused = facts.paused;
}

static void
tell_queue_gone(void *arg, int64_t number)
{
	add(arg, STORE_QUEUE_GONE, 0, number);
}

static void
tell_purge(void *arg, struct queue *q, int64_t number)
{
	tell_queue(arg, q);
	tell_queue_gone(arg, number);
}

static void
tell_task(void *arg, int64_t seq, const char *source,
    const struct task_info *info)
{
	struct records *r = arg;
	struct store_record *rec = add(r, STORE_TASK, seq, 0);

	rec->task = (struct store_task){ .id = info->id,
	    .source = text(r, source),
	    .to = text(r, *info->to != '\0' ? info->to : NULL),
	    .rate = info->rate, .started_ns = info->started_ns,
	    .moved = (int64_t)info->moved,
	    .to_move = (int64_t)info->to_move,
	    .state = (int)info->state };
}

static void
tell_task_gone(void *arg, int64_t seq)
{
	add(arg, STORE_TASK_GONE, seq, 0);
}

bool
records_totals(struct records *r, struct queue *q, int64_t settled_ns)
{
	struct queue_facts facts;
	struct store_record *rec;

	if (!reserve(r, 1, 0))
		return false;
	queue_facts(q, &facts);
	rec = add(r, STORE_TOTALS, 0, facts.number);
	memcpy(rec->totals.total, facts.totals, sizeof(rec->totals.total));
	rec->totals.settled_ns = settled_ns;
	return true;
}

bool
records_fetch(struct records *r, struct message *m)
{
	if (!reserve(r, 1, 0))
		return false;
	add(r, STORE_FETCH, m->pushed_ns, 0)->fetch.cookie = message_ref(m);
	return true;
}

bool
records_orphan(struct records *r, int64_t seq)
{
	if (!reserve(r, 1, 0))
		return false;
	add(r, STORE_GONE, seq, 0);
	return true;
}

void
records_init(struct records *r, struct store *store, void (*begun)(void *),
    void *arg)
{
	memset(r, 0, sizeof(*r));
	r->store = store;
	r->begun = begun;
	r->arg = arg;
	r->journal = (struct journal){ .reserve = reserve, .push = tell_push,
	    .lock = tell_lock, .unlock = tell_unlock, .gone = tell_gone,
	    .delay = tell_delay, .move = tell_move, .queue = tell_queue,
	    .queue_gone = tell_queue_gone, .purge = tell_purge,
	    .task = tell_task, .task_gone = tell_task_gone, .arg = r };
}
