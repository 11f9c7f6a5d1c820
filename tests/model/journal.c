/* A journal in memory; see journal.h and store/batch.h. */
#include "journal.h"

#include <stdlib.h>
#include <string.h>

#include "core/journal.h"
#include "core/recover.h"
#include "core/registry.h"
#include "model.h"

enum { ROWS_MAX = 8192, QUEUE_ROWS = 64, TEXT_MAX = 64 };

struct text {
	char data[TEXT_MAX];
	size_t bytes;
	bool is_null;
};

struct message_row {
	struct recovered_message m;	/* its pointers are set when read */
	char body[BODY_MAX];
	struct text group, dead_queue, attributes;
};

struct key_row {
	int64_t seq, queue, until_ns;
	uint8_t key[DIGEST_BYTES];
	struct id id;
};

struct queue_row {
	struct recovered_queue q;
	struct text name, dead_letter_queue;
	struct text text[QUEUE_TEXTS];
};

static struct message_row	messages[ROWS_MAX];
static struct key_row		keys[ROWS_MAX];
static struct queue_row		queues[QUEUE_ROWS];
static size_t	message_count, key_count, queue_count;
static size_t	room;		/* calls that were reserved */
static int64_t	last_order;

static bool
reserve(void *arg, size_t calls, size_t text_bytes)
{
	(void)arg;
	(void)text_bytes;
	if (calls > room)
		room = calls;
	return true;
}

static void
use_room(void)
{
	if (room == 0)
		fail("the journal is told what it has no room for");
	room--;
}

static struct text
text(const char *s, size_t bytes)
{
	struct text t = { .bytes = bytes, .is_null = s == NULL };

	if (bytes >= TEXT_MAX)
		fail("a text of %zu bytes", bytes);
	if (s != NULL)
		memcpy(t.data, s, bytes);
	return t;
}

static struct text
string(const char *s)
{
	return text(s, s != NULL ? strlen(s) : 0);
}

static const char *
text_of(const struct text *t)
{
	return t->is_null ? NULL : t->data;
}

static struct message_row *
row_of(int64_t seq)
{
	struct message_row *row = messages;

	while (row < messages + message_count && row->m.seq != seq)
		row++;
	if (row == messages + message_count)
		fail("the journal is told of a message that it does not know");
	return row;
}

static void
tell_push(void *arg, const struct message *m, const uint8_t *key,
    int64_t key_until_ns)
{
	struct message_row *row = &messages[message_count++];
	struct message_facts f;
	struct key_row *k;

	(void)arg;
	use_room();
	if (message_count == ROWS_MAX || key_count == ROWS_MAX)
		fail("too many rows");
	message_facts(m, &f);
	memset(row, 0, sizeof(*row));
	row->m = (struct recovered_message){ .seq = m->pushed_ns,
	    .queue = f.queue, .id = m->id, .body_bytes = m->body_bytes,
	    .delay_ns = f.delay_ns, .ttl_ns = f.ttl_ns,
	    .lock_ms = f.lock_ms };
	memcpy(row->body, m->body, m->body_bytes);
	row->group = text(f.group, f.group_bytes);
	row->attributes = text(f.attributes, f.attributes_bytes);
	row->m.text = message_is_text(m);
	row->dead_queue = string(NULL);
	if (key == NULL)
		return;
	k = &keys[key_count++];
	k->seq = m->pushed_ns;
	k->queue = f.keys_queue;
	k->until_ns = key_until_ns;
	k->id = m->id;
	memcpy(k->key, key, DIGEST_BYTES);
}

static void
tell_lock(void *arg, const struct message *m)
{
	struct message_row *row = row_of(m->pushed_ns);
	struct message_facts f;

	(void)arg;
	use_room();
	message_facts(m, &f);
	row->m.lock = (struct recovered_lock){ .given = true,
	    .back = f.given_back, .until_ns = f.until_ns,
	    .order = ++last_order, .receives = m->receives,
	    .receipt = m->receipt, .received_ns = f.received_ns,
	    .first_received_ns = m->receives > 1 ? f.first_received_ns : 0 };
}

static void
tell_unlock(void *arg, const struct message *m)
{
	struct message_row *row = row_of(m->pushed_ns);

	(void)arg;
	use_room();
	row->m.lock = (struct recovered_lock){ .given = true, .back = true,
	    .until_ns = m->available_ns, .order = -++last_order,
	    .receives = m->receives, .receipt = m->receipt,
	    .first_received_ns = message_first_received_ns(m) };
}

static void
tell_delay(void *arg, const struct message *m)
{
	struct message_row *row = row_of(m->pushed_ns);
	struct message_facts f;

	(void)arg;
	use_room();
	message_facts(m, &f);
	row->m.delay_ns = f.delay_ns;
}

static void
tell_gone(void *arg, const struct message *m)
{
	struct message_row *row = row_of(m->pushed_ns);

	(void)arg;
	use_room();
	*row = messages[--message_count];
}

static void
tell_move(void *arg, const struct message *m, int64_t was_ns)
{
	struct message_row *row = row_of(was_ns);
	struct message_facts f;

	(void)arg;
	use_room();
	message_facts(m, &f);
	memset(&row->m.lock, 0, sizeof(row->m.lock));
	row->m.seq = m->pushed_ns;
	row->m.id = m->id;
	row->m.queue = f.queue;
	row->m.first_pushed_ns = f.first_pushed_ns;
	row->m.delay_ns = row->m.ttl_ns = 0;
	row->m.available_ns = m->available_ns;
	row->m.order = ++last_order;
	row->dead_queue = string(f.dead != NULL ? f.dead->queue : NULL);
	if (f.dead == NULL)
		return;
	row->m.dead_receives = f.dead->receives;
	row->m.dead_receipt = f.dead->receipt;
	row->m.dead_reason = f.dead->reason;
}

static struct queue_row *
find_queue(int64_t number)
{
	struct queue_row *row = queues;

	while (row < queues + queue_count && row->q.number != number)
		row++;
	return row;
}

static void
tell_queue(void *arg, struct queue *q)
{
	struct queue_facts f;
	struct queue_row *row;
	int i;

	(void)arg;
	use_room();
	queue_facts(q, &f);
	row = find_queue(f.number);
	if (row == queues + queue_count) {
		if (++queue_count == QUEUE_ROWS)
			fail("too many queues");
		memset(row, 0, sizeof(*row));
	}
	row->q.number = f.number;
	row->q.keys_number = f.keys_number;
	row->q.settings = *f.settings;
	row->q.paused = f.paused;
	row->name = string(f.name);
	row->dead_letter_queue = string(f.dead_letter_queue);
	for (i = 0; i < QUEUE_TEXTS; i++)
		row->text[i] = string(f.text[i]);
	row->q.created_ns = f.created_ns;
	row->q.changed_ns = f.changed_ns;
}

static void
tell_queue_gone(void *arg, int64_t number)
{
	struct queue_row *row = find_queue(number);

	(void)arg;
	use_room();
	if (row == queues + queue_count)
		fail("a queue is gone that the journal does not know");
	*row = queues[--queue_count];
}

static void
tell_purge(void *arg, struct queue *q, int64_t number)
{
	tell_queue(arg, q);
	room++;			/* it is one call */
	tell_queue_gone(arg, number);
}

const struct journal *
journal_rows(void)
{
	static const struct journal journal = { .reserve = reserve,
	    .push = tell_push, .lock = tell_lock, .unlock = tell_unlock,
	    .delay = tell_delay, .gone = tell_gone, .move = tell_move,
	    .queue = tell_queue, .queue_gone = tell_queue_gone,
	    .purge = tell_purge };

	return &journal;
}

void
journal_commit(struct registry *r, int64_t at_ns)
{
	struct queue_facts f;
	struct queue_row *row;
	struct queue *q;
	size_t i = 0;

	while ((q = registry_next_touched(r)) != NULL) {
		queue_facts(q, &f);
		row = find_queue(f.number);
		if (row == queues + queue_count)
			fail("a queue that the journal does not know");
		row->q.totals = *f.totals;
		row->q.settled_ns = registry_settled_ns(r, at_ns);
	}
	/* Keys stay for a while after their time. */
	while (i < key_count)
		if (keys[i].until_ns < at_ns && chance(20))
			keys[i] = keys[--key_count];
		else
			i++;
}

static int
compare_numbers(const void *a, const void *b)
{
	const struct queue_row *p = a, *q = b;

	return p->q.number < q->q.number ? -1 : 1;
}

static int
compare_seqs(const void *a, const void *b)
{
	const struct message_row *p = a, *q = b;

	return p->m.seq < q->m.seq ? -1 : 1;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct key_row *p = a, *q = b;

	return p->seq < q->seq ? -1 : 1;
}

static void
recover_queues(struct recovery *rec)
{
	struct queue_row *row;
	int i;

	qsort(queues, queue_count, sizeof(queues[0]), compare_numbers);
	for (row = queues; row < queues + queue_count; row++) {
		row->q.name = text_of(&row->name);
		for (i = 0; i < QUEUE_TEXTS; i++)
			row->q.text[i] = text_of(&row->text[i]);
		if (recover_queue(rec, &row->q) != WQ_OK)
			fail("a queue is not recovered");
	}
	for (row = queues; row < queues + queue_count; row++)
		if (!row->dead_letter_queue.is_null && recover_target(rec,
		    row->q.number, row->dead_letter_queue.data) != WQ_OK)
			fail("a dead-letter queue is not recovered");
}

static void
recover_messages(struct recovery *rec)
{
	struct message_row *row;
	struct key_row *k;
	enum wq_status st;

	qsort(keys, key_count, sizeof(keys[0]), compare_keys);
	for (k = keys; k < keys + key_count; k++) {
		st = recover_dedup(rec, k->queue, k->key, &k->id,
		    k->seq, k->until_ns);
		if (st != WQ_OK && st != WQ_NO_QUEUE)
			fail("a key is not recovered");
	}
	qsort(messages, message_count, sizeof(messages[0]), compare_seqs);
	for (row = messages; row < messages + message_count; row++) {
		row->m.body = row->body;
		row->m.group = text_of(&row->group);
		row->m.group_bytes = row->group.bytes;
		row->m.attributes = text_of(&row->attributes);
		row->m.attributes_bytes = row->attributes.bytes;
		row->m.dead_queue = text_of(&row->dead_queue);
		st = recover_message(rec, &row->m);
		if (st == WQ_NO_QUEUE)
			happened(ORPHAN);
		else if (st != WQ_OK)
			fail("a message is not recovered");
		/* It is not always deleted before the next restart. */
		row->m.queue = st == WQ_NO_QUEUE && chance(2) ? -1 :
		    row->m.queue;
	}
}

void
journal_recover(struct registry *r)
{
	struct recovery *rec = recovery_new(r);
	size_t i = 0;
	bool more;

	if (rec == NULL)
		fail("no memory");
	room = 0;
	recover_queues(rec);
	recover_messages(rec);
	do
		if (recover_places(rec, 1 + below(50), &more) != WQ_OK)
			fail("places are not recovered");
	while (more);
	recovery_free(rec);
	while (i < message_count)
		if (messages[i].m.queue == -1)
			messages[i] = messages[--message_count];
		else
			i++;
}
