/* Steps of the model test that push, receive, confirm, extend and release. */
#include "model.h"

#include <stdio.h>
#include <string.h>

#include "verbs.h"

#define BATCH_MAX	8
#define RECEIVE_MAX	40
#define KEPT_MAX	24
#define KEYS		12

/* A push, with room for its bodies. */
struct push {
	struct op_push op;
	struct op_body bodies[BATCH_MAX];
	char texts[BATCH_MAX][BODY_MAX];
	char attributes[BATCH_MAX][ATTRIBUTES_MAX];
	char group_name[16], dedup[32];
	int group;
	struct push_room room;
};

/* What was received and may yet be released. */
static struct {
	int queue;
	struct delivery delivery;
} kept[KEPT_MAX];
static size_t	kept_count;

static void
make_bodies(struct push *p, int queue)
{
	bool few = naive.queues[queue].settings.content_based_dedup &&
	    chance(2);
	size_t i;

	p->op.bodies = p->bodies;
	p->op.count = chance(3) ? 1 + below(BATCH_MAX) : 1;
	for (i = 0; i < p->op.count; i++) {
		snprintf(p->texts[i], BODY_MAX, "%lld.%zu%*s",
		    few ? 0 : (long long)step, few ? below(40) : i,
		    (int)below(20), "");
		p->bodies[i].data = p->texts[i];
		p->bodies[i].bytes = strlen(p->texts[i]);
		p->bodies[i].is_text = chance(4);
		if (!chance(4))
			continue;
		snprintf(p->attributes[i], ATTRIBUTES_MAX, "{\"a\":%zu}",
		    below(1000));
		p->bodies[i].attributes = p->attributes[i];
		p->bodies[i].attributes_bytes = strlen(p->attributes[i]);
	}
}

static int
some_group(int queue)
{
	if (queue == 0 || (queue == 8 && chance(2)))
		return GROUP_NONE;
	if (chance(4))
		return GROUP_NONE;
	if (naive.queues[queue].fifo)
		return 2 + (int)below(5);
	/* Now one is loud, now all are near to it. */
	return (step >> 11) % 2 && chance(2) ? 2 :
	    2 + (int)below(GROUPS - 2);
}

static void
make_push(struct push *p, int queue)
{
	bool fifo = naive.queues[queue].fifo;

	memset(p, 0, sizeof(*p));
	make_bodies(p, queue);
	p->op.delay_ms = chance(fifo ? 50 : 8) ? some_ms() : -1;
	p->op.lock_ms = chance(8) ? some_ms() : -1;
	p->op.ttl_ms = chance(10) && !may_retain(queue) ? some_ms() : -1;
	p->group = some_group(queue);
	if (p->group != GROUP_NONE) {
		snprintf(p->group_name, sizeof(p->group_name), "g%d",
		    p->group);
		p->op.group = p->group_name;
		p->op.group_bytes = strlen(p->group_name);
	}
	if (chance(6)) {
		snprintf(p->dedup, sizeof(p->dedup), "k%zu", below(KEYS));
		p->op.dedup = p->dedup;
		p->op.dedup_bytes = strlen(p->dedup);
	}
	p->room.max_bytes = chance(100) ? below(60) : UINT64_MAX;
	p->room.left_bytes = chance(50) ? below(60) : UINT64_MAX;
	if (p->room.left_bytes > p->room.max_bytes)
		p->room.left_bytes = p->room.max_bytes;
}

/* False: no repeat of it is known. */
static bool
key_of(const struct push *p, size_t i, int queue, char key[KEY_MAX])
{
	bool by_content = naive.queues[queue].settings.content_based_dedup;

	if (p->op.dedup != NULL)
		snprintf(key, KEY_MAX, "i%s", p->dedup);
	else if (by_content)
		snprintf(key, KEY_MAX, "b%s", p->texts[i]);
	else
		return false;
	if (naive.queues[queue].settings.dedup_by_group &&
	    p->op.group != NULL)
		snprintf(key + strlen(key), KEY_MAX - strlen(key), " %s",
		    p->group_name);
	return true;
}

static bool
is_repeat(const struct push *p, size_t i, int queue)
{
	char key[KEY_MAX], other[KEY_MAX];
	size_t j;

	if (!key_of(p, i, queue, key))
		return false;
	for (j = 0; j < i; j++)
		if (key_of(p, j, queue, other) && strcmp(key, other) == 0)
			return true;
	return naive_find_dedup(queue, key) != NULL;
}

static enum wq_status
expected_push(const struct push *p, int queue)
{
	uint64_t bytes = 0;
	size_t i, n = 0;

	for (i = 0; i < p->op.count; i++)
		if (!is_repeat(p, i, queue)) {
			n++;
			bytes += p->bodies[i].bytes;
		}
	return naive_push_status(queue, &p->op, n, bytes, &p->room);
}

static void
push_done(struct push *p, int queue)
{
	char key[KEY_MAX];
	struct naive_dedup *first;
	struct op_body *b;
	size_t i;

	for (i = 0; i < p->op.count; i++) {
		b = &p->bodies[i];
		first = NULL;
		if (key_of(p, i, queue, key)) {
			first = naive_find_dedup(queue, key);
			if (first == NULL)
				naive_add_dedup(queue, key, &b->id, now_ns);
		}
		if (b->duplicate != (first != NULL))
			fail("a push is %sa repeat", first ? "not " : "");
		if (first != NULL && memcmp(&first->id, &b->id,
		    sizeof(b->id)) != 0)
			fail("a repeat has another id than its first");
	}
	for (i = 0; i < p->op.count; i++)
		if (p->bodies[i].duplicate) {
			naive.queues[queue].totals.duplicates++;
			happened(REPEATED);
		} else
			check_look(naive_push(queue, &p->bodies[i], &p->op,
			    p->group, now_ns));
}

void
do_push(int queue)
{
	struct push p;
	enum wq_status want, got;
	size_t most = queue == 1 ? 650 : 80;

	make_push(&p, queue);
	/* What the limits of the queues do not bound. */
	if (naive.count + p.op.count > MESSAGES_MAX ||
	    naive.dedup_count + p.op.count > DEDUPS_MAX ||
	    naive_count(queue, MESSAGE_AVAILABLE) +
	    naive_count(queue, MESSAGE_LOCKED) > most)
		return;
	want = expected_push(&p, queue);
	if ((got = core_push(queue, &p.op, &p.room, now_ns)) != want)
		fail("push is %d, not %d", got, want);
	if (got == WQ_OK)
		push_done(&p, queue);
	else
		happened(got == WQ_NO_DELAY ? REFUSED_DELAY :
		    got == WQ_TOO_LARGE ? REFUSED_FOR_EVER :
		    got == WQ_FULL_MESSAGES ? REFUSED_MESSAGES :
		    got == WQ_FULL_BYTES ? REFUSED_BYTES : REFUSED_MEMORY);
}

/* One message of a receive; *left are the bytes that it may have. */
static struct naive_message *
check_one(int queue, const struct op_receive *r, const struct delivery *d,
    int begun, size_t left)
{
	struct naive_message *m = naive_find(&d->message->id);
	struct naive_lines lines;

	if (m == NULL || m->queue != queue)
		fail("received what is not in the queue");
	if (!naive_may_lock(queue))
		fail("received from a queue that may not give out");
	naive_lines(queue, &lines);
	if (!naive_is_next(m, &lines, begun))
		fail("out of order in %s: got %.*s of group %d",
		    naive.queues[queue].name, (int)m->bytes, m->body,
		    m->group);
	if (m->bytes > left)
		fail("more bytes than asked for");
	if (naive_overtakes(m, &lines))
		happened(NOISY_OVERTAKEN);
	if (begun != GROUP_NONE && m->group == begun)
		happened(FIFO_RUN);
	naive_lock(m, r->lock_ms, d->receipt, now_ns);
	if (d->first_received_ns != m->first_received_ns)
		fail("received first at another time");
	if (d->receives != m->receives || d->state != MESSAGE_LOCKED ||
	    d->until_ns != m->hold.due_ns)
		fail("receives is %u, not %u, or wrong end of the lock",
		    d->receives, m->receives);
	if (d->message->body_bytes != m->bytes ||
	    memcmp(d->message->body, m->body, m->bytes) != 0)
		fail("another body");
	return m;
}

/* It is right that there were no more. */
static void
check_no_more(int queue, size_t n, int begun, size_t left)
{
	struct naive_lines lines;
	size_t i;

	if (!naive_may_lock(queue)) {
		happened(naive.queues[queue].paused ? NOT_WHILE_PAUSED :
		    LOCKED_OUT);
		return;
	}
	naive_lines(queue, &lines);
	if (!naive_has_next(queue, &lines, begun)) {
		if (naive_count(queue, MESSAGE_AVAILABLE) > 0)
			happened(NOT_FROM_BLOCKED);
		return;
	}
	for (i = 0; n > 0 && i < naive.count; i++)
		if (naive.messages[i].queue == queue &&
		    naive.messages[i].bytes > left &&
		    naive_is_next(&naive.messages[i], &lines, begun)) {
			happened(RECEIVED_BY_BYTES);
			return;
		}
	fail("one that is available in %s was not received",
	    naive.queues[queue].name);
}

void
check_received(int queue, const struct op_receive *r,
    const struct delivery *out, size_t n)
{
	size_t left = r->max_bytes, i;
	struct naive_message *m;
	int begun = GROUP_NONE;

	for (i = 0; i < n; i++) {
		m = check_one(queue, r, &out[i], begun,
		    i > 0 ? left : SIZE_MAX);
		left -= m->bytes < left ? m->bytes : left;
		if (naive.queues[queue].fifo)
			begun = m->group;
		happened(RECEIVED);
		if (kept_count < KEPT_MAX && chance(4)) {
			kept[kept_count].queue = queue;
			kept[kept_count++].delivery = out[i];
		} else
			message_unref(out[i].message);
	}
	if (n < r->max)
		check_no_more(queue, n, begun, left);
}

void
do_receive(int queue, bool one)
{
	static const int64_t few[] = { -1, -1, 0, 1, 5, 1000, 3000 };
	struct delivery out[RECEIVE_MAX];
	struct op_receive r = { .max_bytes = SIZE_MAX };

	r.max = one ? 1 : 1 + below(queue == 1 && chance(2) ? RECEIVE_MAX : 8);
	if (chance(8))
		r.max_bytes = below(60);
	/* Now and then a duration of its own: lanes are few. */
	r.lock_ms = queue == 1 && !chance(8) ? -1 : chance(4) ?
	    (int64_t)below(5000) : few[below(7)];
	check_received(queue, &r, out, core_receive(queue, &r, now_ns, out));
}

static struct op_receipt
some_receipt(const struct naive_message *m)
{
	struct op_receipt none = { .given = false };
	const struct naive_message *other;

	if (chance(2) || !m->history[0].given)
		return none;
	if (chance(3) && m->history[1].given)
		return m->history[1 + below(HISTORY - 1)];
	if (chance(20) && (other = any_message()) != NULL)
		return other->history[0];
	return m->history[0];
}

static void
check_stale(const struct naive_message *m, const struct op_receipt *r,
    uint32_t receives_since, int64_t ended_ns)
{
	uint32_t since = m->receives > r->receives ?
	    m->receives - r->receives : 0;

	if (receives_since != since)
		fail("receives since are %u, not %u", receives_since, since);
	if (ended_ns != (since == 1 ? m->available_ns : 0))
		fail("the stale lock ended at another time");
	happened(since == 1 ? STALE_BY_ONE : STALE);
}

/* One to confirm or extend, rather locked; NULL: there is none. */
static struct naive_message *
some_target(void)
{
	struct naive_message *m;

	m = chance(3) ? any_message() : some_message(MESSAGE_LOCKED);
	return m != NULL ? m : any_message();
}

/* Does c confirm m as a dead letter of queue? */
static bool
is_late_letter(const struct naive_message *m, int queue,
    const struct op_confirm *c)
{
	return c->even_dead && c->receipt.given && m->is_dead &&
	    m->dead.queue == queue && m->receives == 0 &&
	    m->dead.receipt == c->receipt.receipt;
}

/* A letter that nobody received; NULL: those that are tried are none. */
static struct naive_message *
some_letter(void)
{
	struct naive_message *m;
	int i;

	for (i = 0; i < 20; i++)
		if ((m = some_message(MESSAGE_AVAILABLE)) != NULL &&
		    m->is_dead && m->receives == 0)
			return m;
	return NULL;
}

/* Where m may be confirmed. */
static int
place_of(const struct naive_message *m)
{
	return m->is_dead && naive.queues[m->dead.queue].exists && chance(2) ?
	    m->dead.queue : chance(20) ? some_queue() : m->queue;
}

static enum wq_status
expected_confirm(const struct naive_message *m, int queue,
    const struct op_confirm *c)
{
	enum wq_status st;

	if (memcmp(&m->id, &c->id, sizeof(c->id)) != 0)
		return WQ_NO_MESSAGE;
	if (is_late_letter(m, queue, c))
		return WQ_OK;
	if (queue != m->queue)
		return WQ_NO_MESSAGE;
	st = naive_receipt_status(m, &c->receipt, false);
	if (st == WQ_OK && c->while_locked && m->state != MESSAGE_LOCKED) {
		happened(CONFIRMED_TOO_LATE);
		return WQ_NOT_LOCKED;
	}
	return st;
}

void
do_confirm(void)
{
	struct naive_message *letter = chance(2) ? some_letter() : NULL;
	struct naive_message *m = letter;
	struct op_confirm c = { .receives_since = 0 };
	enum wq_status want, got;
	int queue;

	if (m == NULL && (m = some_target()) == NULL)
		return;
	queue = place_of(m);
	c.id = chance(20) ? gone_id() : m->id;
	c.receipt = some_receipt(m);
	c.while_locked = chance(2);
	c.even_dead = chance(2);
	if (letter != NULL && !chance(4)) {	/* by its last receive */
		c.receipt = m->history[0];
		c.even_dead = true;
	}
	want = expected_confirm(m, queue, &c);
	if ((got = core_confirm(queue, &c, now_ns)) != want)
		fail("confirm is %d, not %d", got, want);
	if (got == WQ_STALE_RECEIPT)
		check_stale(m, &c.receipt, c.receives_since, c.ended_ns);
	else if (got == WQ_OK) {
		happened(m->queue != queue ? CONFIRMED_DEAD : m->state ==
		    MESSAGE_LOCKED ? CONFIRMED : CONFIRMED_LATE);
		naive.queues[m->queue].totals.confirmed++;
		naive_gone(m);
	} else
		happened(got == WQ_NOT_LOCKED ? NOT_LOCKED : NO_MESSAGE);
}

/* Several by id, some of them twice: as the backend does it. */
void
do_confirm_many(void)
{
	struct op_confirm c = { .receives_since = 0 };
	struct naive_message *m = some_target();
	size_t n = 1 + below(20), i;
	enum wq_status want, got;
	int queue;

	if (m == NULL)
		return;
	queue = m->queue;
	for (i = 0; i < n; i++) {
		m = some_target();
		c.id = m == NULL || chance(10) ? gone_id() : m->id;
		m = naive_find(&c.id);
		want = m == NULL || m->queue != queue ? WQ_NO_MESSAGE :
		    m->state != MESSAGE_LOCKED ? WQ_NOT_LOCKED : WQ_OK;
		if ((got = core_confirm(queue, &c, now_ns)) != want)
			fail("confirm of many is %d, not %d", got, want);
		if (got != WQ_OK)
			continue;
		happened(CONFIRMED_MANY);
		naive.queues[queue].totals.confirmed++;
		naive_gone(m);
	}
}

void
do_extend(void)
{
	struct naive_message *m = some_target();
	struct op_extend e = { .receives_since = 0 };
	enum wq_status want, got;

	if (m == NULL)
		return;
	e.id = m->id;
	e.receipt = some_receipt(m);
	e.lock_ms = chance(3) ? 0 : some_ms();
	e.max_total_ms = chance(2) ? some_ms() : 0;
	want = naive_receipt_status(m, &e.receipt, true);
	if (want == WQ_OK && naive_is_beyond(m, &e, now_ns)) {
		want = WQ_BEYOND;
		happened(BEYOND);
	}
	if ((got = core_extend(m->queue, &e, now_ns)) != want)
		fail("extend is %d, not %d", got, want);
	if (got == WQ_STALE_RECEIPT)
		check_stale(m, &e.receipt, e.receives_since, e.ended_ns);
	if (got != WQ_OK)
		return;
	happened(e.lock_ms > 0 ? EXTENDED : GIVEN_BACK);
	naive_extend(m, e.lock_ms, now_ns);
}

static void
release_one(size_t i)
{
	struct delivery d = kept[i].delivery;
	int queue = kept[i].queue;
	struct naive_message *m = naive_find(&d.message->id);

	kept[i] = kept[--kept_count];
	if (naive.queues[queue].exists) {
		core_release(queue, &d, now_ns);
		if (m != NULL && m->queue == queue &&
		    m->state == MESSAGE_LOCKED && m->receipt == d.receipt) {
			naive_release(m, now_ns);
			happened(RELEASED);
		} else
			happened(RELEASED_LATE);
	}
	message_unref(d.message);
}

void
do_release(void)
{
	size_t n = 1 + below(4);

	while (n-- > 0 && kept_count > 0)
		release_one(below(kept_count));
}

void
release_all_refs(void)
{
	while (kept_count > 0)
		message_unref(kept[--kept_count].delivery.message);
}
