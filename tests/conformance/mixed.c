/*
 * Hundreds of random ops in flight on several queues.  A ledger says what was
 * pushed and what was confirmed; in the end each message was confirmed once,
 * in the mix or by the drain after it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "suites.h"
#include "verbs.h"

#define FLYING_MAX	300
#define OPS		6000
#define ROUNDS		3
#define DRAIN_MAX	100
#define MESSAGES_MAX	(8 * OPS)
#define RECENT		512	/* messages received, to do something with */

static const char *const queues[] = { NULL, "mix", "mix.fifo", "paused" };
#define QUEUES		(sizeof(queues) / sizeof(queues[0]))

/* The ledger; a message's body is its number. */
static struct entry {
	size_t queue;
	bool pushed;
	int confirmed;
} entries[MESSAGES_MAX];
static size_t entry_count;

static struct recent {
	struct seen seen;
	size_t queue;
	size_t number;
} recent[RECENT];
static size_t recent_count;		/* ever */
static uint64_t random_state;

static size_t
below(size_t n)
{
	random_state = random_state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (size_t)(random_state >> 33) % n;
}

static size_t
number_of(const char *body)
{
	size_t n = strtoul(body, NULL, 10);

	ck_assert_uint_lt(n, entry_count);
	return n;
}

static struct call *
random_push(size_t q)
{
	struct call *c = push_many_call(queues[q], 1 + below(4));
	size_t i;
	char *text;

	c->user = &entries[entry_count];
	for (i = 0; i < c->op.push.count; i++) {
		entries[entry_count].queue = q;
		text = world_text("%zu", entry_count++);
		c->op.push.bodies[i].data = text;
		c->op.push.bodies[i].bytes = strlen(text);
	}
	if (below(2) == 0) {
		c->op.push.group = world_text("%zu", below(5));
		c->op.push.group_bytes = 1;
	}
	if (below(4) == 0 && strcmp("mix.fifo", queues[q] != NULL ?
	    queues[q] : "") != 0)
		c->op.push.delay_ms = (int64_t)below(10);
	return c;
}

static struct call *
random_receive(size_t q)
{
	struct call *c = receive_call(queues[q], 1 + below(5));

	c->op.receive.lock_ms = (int64_t)below(30);
	c->op.receive.wait_ms = (int64_t)below(20);
	return c;
}

/* Something that is done to a message that was received a while ago. */
static struct call *
random_of_recent(void)
{
	struct recent *r = &recent[below(recent_count < RECENT ?
	    recent_count : RECENT)];
	const char *q = queues[r->queue];
	struct call *c;

	switch (below(6)) {
	case 0:
		return extend_call(q, &r->seen, (int64_t)below(3) * 10);
	case 1:
		c = call_new(OP_RELEASE, q);
		c->op.release.deliveries = r->seen.delivery;
		c->op.release.count = 1;
		return c;
	case 2:
		c = confirm_many_call(q, &r->seen.id, 1);
		break;
	case 3:
		c = call_new(OP_LOOK, q);
		c->op.look.id = r->seen.id;
		return c;
	default:
		c = confirm_call(q, &r->seen);
		break;
	}
	c->user = &entries[r->number];
	return c;
}

static struct call *
random_call(void)
{
	size_t q = below(QUEUES), kind = below(100);
	struct call *c;

	if (kind < 25)
		return random_push(q);
	if (kind < 55)
		return random_receive(q);
	if (kind < 90 && recent_count > 0)
		return random_of_recent();
	if (kind < 94)
		return peek_call(queues[q], STATES_ALL, 20);
	if (kind < 97) {
		c = call_new(OP_PAUSE, "paused");
		c->op.pause.pause = below(2) == 0;
		return c;
	}
	return call_new(OP_INFO, queues[q]);
}

static void
note_received(struct call *c)
{
	struct recent *r;
	size_t i, n;

	for (i = 0; i < c->count; i++) {
		n = number_of(c->seen[i].body);
		ck_assert_int_eq(entries[n].confirmed, 0);
		r = &recent[recent_count++ % RECENT];
		r->seen = c->seen[i];
		r->number = n;
		r->queue = entries[n].queue;
	}
}

/* Write down what became of c. */
static void
note(struct call *c)
{
	struct entry *e = c->user;
	size_t i;

	switch (c->op.verb) {
	case OP_PUSH:
		ck_assert_int_eq(c->op.status, WQ_OK);
		for (i = 0; i < c->op.push.count; i++)
			e[i].pushed = true;
		break;
	case OP_RECEIVE:
		ck_assert(c->op.status == WQ_OK ||
		    c->op.status == WQ_CANCELED);
		note_received(c);
		break;
	case OP_CONFIRM:
		e->confirmed += c->op.status == WQ_OK;
		break;
	case OP_CONFIRM_MANY:
		ck_assert_int_eq(c->op.status, WQ_OK);
		e->confirmed += c->op.confirm_many.confirmed[0];
		break;
	default:
		break;
	}
}

/* Note those of flying that are done; how many are not. */
static size_t
sweep(struct call **flying, size_t n)
{
	size_t i, left = 0;

	for (i = 0; i < n; i++)
		if (call_is_done(flying[i]))
			note(flying[i]);
		else
			flying[left++] = flying[i];
	return left;
}

static void
mix(void)
{
	struct call *flying[FLYING_MAX], *one;
	struct patience p = patience_new("the mix");
	size_t n = 0, done = 0, some;

	while (done < OPS || n > 0) {
		for (some = below(60); some > 0 && n < FLYING_MAX &&
		    done < OPS; some--, done++)
			flying[n++] = call_start(random_call());
		one = n > 0 ? flying[below(n)] : NULL;
		if (one != NULL && below(3) == 0 && !call_is_done(one) &&
		    !one->canceled)
			call_cancel(one);
		if (below(2) == 0)
			world_run();
		patience_turn(&p);
		n = sweep(flying, n);
	}
}

/* Confirm all of r, which is of queue q, and write it down. */
static void
confirm_all(size_t q, const struct call *r)
{
	struct id ids[DRAIN_MAX];
	struct call *c;
	size_t i, n;

	for (i = 0; i < r->count; i++)
		ids[i] = r->seen[i].id;
	c = confirm_many_call(queues[q], ids, r->count);
	ck_assert_status(c, WQ_OK);
	for (i = 0; i < r->count; i++) {
		n = number_of(r->seen[i].body);
		ck_assert_uint_eq(entries[n].queue, q);
		ck_assert(entries[n].pushed);
		ck_assert(c->op.confirm_many.confirmed[i]);
		entries[n].confirmed++;
	}
}

/* Receive and confirm what there is; is the queue empty then? */
static bool
is_drained(size_t q)
{
	struct queue_info i;
	struct call *r;

	while ((r = receive(queues[q], DRAIN_MAX))->count > 0)
		confirm_all(q, r);
	i = info(queues[q]);
	return i.available_count + i.locked_count + i.delayed_count == 0;
}

static void
make_queues(void)
{
	size_t q;

	for (q = 0; q < QUEUES; q++)
		ck_assert_status(configure_call(queues[q]), WQ_OK);
	entry_count = recent_count = 0;
	memset(entries, 0, sizeof(entries));
}

START_TEST(mix_of_all_keeps_each_message_exactly_once)
{
	size_t q, n, confirmed = 0;
	struct queue_info i;

	id_random(&random_state, sizeof(random_state));
	printf("mixed: seed %llu\n", (unsigned long long)random_state);
	make_queues();
	mix();
	set_paused("paused", false);
	for (q = 0; q < QUEUES; q++)
		UNTIL(is_drained(q));
	for (n = 0; n < entry_count; n++)
		ck_assert_msg(entries[n].pushed &&
		    entries[n].confirmed == 1, "message %zu of queue %zu: "
		    "confirmed %d times", n, entries[n].queue,
		    entries[n].confirmed);
	for (q = 0; q < QUEUES; q++) {
		i = info(queues[q]);
		ck_assert_uint_eq(i.body_bytes, 0);
		ck_assert_uint_eq(i.waiter_count, 0);
		ck_assert_uint_eq(i.totals.pushed, i.totals.confirmed);
		confirmed += i.totals.confirmed;
	}
	ck_assert_uint_eq(confirmed, entry_count);
}
END_TEST

/* Ops in flight take effect one after the other, whatever is between. */
START_TEST(pushes_in_flight_keep_the_order_of_their_submit)
{
	struct call *c[FLYING_MAX], *r;
	size_t i;

	for (i = 0; i < FLYING_MAX; i++) {
		c[i] = call_start(push_call("mix", world_text("%zu", i)));
		call_start(call_new(OP_INFO, NULL));
	}
	for (i = 0; i < FLYING_MAX; i++)
		ck_assert_int_eq(call_wait(c[i]), WQ_OK);
	r = receive("mix", FLYING_MAX);
	ck_assert_uint_eq(r->count, FLYING_MAX);
	for (i = 0; i < FLYING_MAX; i++)
		ck_assert_str_eq(r->seen[i].body, world_text("%zu", i));
}
END_TEST

START_TEST(receives_in_flight_share_no_message)
{
	struct call *c[FLYING_MAX];
	char seen[FLYING_MAX] = { 0 };
	size_t i, n;

	ck_assert_status(push_many_call("mix", FLYING_MAX), WQ_OK);
	for (i = 0; i < FLYING_MAX; i++)
		c[i] = call_start(receive_call("mix", 1));
	for (i = 0; i < FLYING_MAX; i++) {
		ck_assert_int_eq(call_wait(c[i]), WQ_OK);
		ck_assert_uint_eq(c[i]->count, 1);
		n = strtoul(c[i]->seen->body, NULL, 10);
		ck_assert(!seen[n]);
		seen[n] = 1;
	}
}
END_TEST

START_TEST(confirms_in_flight_of_one_message_succeed_once)
{
	struct call *c[50];
	struct seen *s;
	size_t i, ok = 0;

	push("mix", "a");
	s = receive_one("mix", "a");
	for (i = 0; i < 50; i++)
		c[i] = call_start(confirm_call("mix", s));
	for (i = 0; i < 50; i++)
		if (call_wait(c[i]) == WQ_OK)
			ok++;
		else
			ck_assert_int_eq(c[i]->op.status, WQ_NO_MESSAGE);
	ck_assert_uint_eq(ok, 1);
}
END_TEST

START_TEST(repeats_in_flight_make_one_message)
{
	struct call *c[50];
	size_t i, first = 0;

	for (i = 0; i < 50; i++) {
		c[i] = push_call("mix", "a");
		c[i]->op.push.dedup = "k";
		c[i]->op.push.dedup_bytes = 1;
		call_start(c[i]);
	}
	for (i = 0; i < 50; i++) {
		ck_assert_int_eq(call_wait(c[i]), WQ_OK);
		first += !c[i]->op.push.bodies[0].duplicate;
		ck_assert_id(c[i]->op.push.bodies[0].id,
		    c[0]->op.push.bodies[0].id);
	}
	ck_assert_uint_eq(first, 1);
	ck_assert_str_eq(drain("mix"), "a");
}
END_TEST

TCase *
mixed_tests(void)
{
	TCase *t = tcase_create("mixed");

	tcase_add_loop_test(t, mix_of_all_keeps_each_message_exactly_once, 0,
	    ROUNDS);
	tcase_add_test(t, pushes_in_flight_keep_the_order_of_their_submit);
	tcase_add_test(t, receives_in_flight_share_no_message);
	tcase_add_test(t, confirms_in_flight_of_one_message_succeed_once);
	tcase_add_test(t, repeats_in_flight_make_one_message);
	return t;
}
