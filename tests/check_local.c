/* What the local backend does of many locks, turn by turn of the loop. */
#include <event2/event.h>
#include <string.h>

#include "backend/local.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "check_wq.h"
#include "core/coming.h"
#include "core/queue.h"
#include "core/registry.h"

#define MANY		1000
#define CROWD		(20 * MANY)
#define SHARE		32	/* at most, of all ops of a turn together */
#define RECEIVES	1001	/* the same, of all receives */
#define TIMERS_MAX	8	/* for one millisecond */

static struct config		config;
static struct event_base	*base;
static struct local		*local;
static struct queue		*q;
static size_t			done_count;

static void
setup(void)
{
	ck_assert_int_eq(config_init(&config), 0);
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	local = (struct local *)local_new(base, &config);
	ck_assert_ptr_nonnull(local);
	q = registry_find(local->registry, NULL);
	done_count = 0;
}

static void
teardown(void)
{
	local->backend.ops->free(&local->backend);
	event_base_free(base);
	config_fini(&config);
}

/* Push a message and lock it, at an instant of its own. */
static void
lock_one(int64_t lock_ms, int64_t now_ns)
{
	struct push_terms terms = { .lock_ms = -1 };
	struct message *m = message_new(id_new(), "x", 1);
	struct delivery out;
	size_t n;

	ck_assert_int_eq(queue_prepare(q, m, &terms), WQ_OK);
	queue_push(q, m, &terms, now_ns);
	ck_assert_int_eq(queue_receive(q, 1, SIZE_MAX, lock_ms, now_ns, &out,
	    &n), WQ_OK);
	ck_assert_uint_eq(n, 1);
	message_unref(out.message);
}

static size_t
locked_count(void)
{
	struct queue_info info;
	size_t n;

	queue_info(q, &info);
	n = info.locked_count;
	queue_info_fini(&info);
	return n;
}

static void
info_done(struct op *op, void *arg)
{
	(void)arg;
	queue_info_fini(&op->info);
	done_count++;
}

static void
receive_done(struct op *op, void *arg)
{
	(void)arg;
	while (op->receive.count > 0)
		message_unref(op->receive.out[--op->receive.count].message);
	done_count++;
}

static void
submit_infos(struct op *op, size_t n)
{
	size_t i;

	memset(op, 0, n * sizeof(*op));
	for (i = 0; i < n; i++) {
		op[i].verb = OP_INFO;
		op[i].done = info_done;
		backend_submit(&local->backend, &op[i]);
	}
}

/* Until what was made to end within a millisecond is due. */
static void
spin(void)
{
	int64_t now_ns = clock_now_ns();

	while (clock_now_ns() < now_ns + 2 * CLOCK_NS_PER_MS)
		;
}

static void
turn(void)
{
	ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

/* Push, as an op would, so that it becomes available after that time. */
static void
push(struct queue *to, int64_t delay_ms)
{
	struct push_terms terms = { .lock_ms = -1, .delay_ms = delay_ms };
	struct message *m = message_new(id_new(), "x", 1);

	ck_assert_int_eq(queue_prepare(to, m, &terms), WQ_OK);
	queue_push(to, m, &terms, clock_now_ns());
}

/* A queue "b" beside q, of which far more is due than a turn's share. */
static struct queue *
beside_a_crowd(void)
{
	int64_t now_ns = clock_now_ns(), i;
	struct queue *b;
	bool created;

	ck_assert_int_eq(registry_make(local->registry, "b", &b, now_ns,
	    &created), WQ_OK);
	for (i = 0; i < CROWD; i++)
		lock_one(1, now_ns + i);
	spin();
	return b;
}

START_TEST(crowd_of_expiries_takes_its_share_of_a_turn_once)
{
	struct op op[64];
	int64_t now_ns = clock_now_ns();
	int64_t i;

	for (i = 0; i < MANY; i++)
		lock_one(1, now_ns + i);
	spin();
	submit_infos(op, 64);
	ck_assert_uint_lt(locked_count(), MANY);
	ck_assert_uint_ge(locked_count(), MANY - SHARE);
	/* The loop sees to the rest, without another op. */
	while (locked_count() > 0 || done_count < 64)
		turn();
	/* After it each op sees to what is due again. */
	for (i = 1; i <= 3; i++) {
		lock_one(1, clock_now_ns());
		spin();
		submit_infos(op, 1);
		ck_assert_uint_eq(locked_count(), 0);
		while (done_count < 64 + (size_t)i)
			turn();
	}
}
END_TEST

START_TEST(waiter_of_another_queue_does_not_pay_for_a_crowd_each_op)
{
	struct delivery out;
	struct op op[64], wait = { .verb = OP_RECEIVE, .queue = "b",
	    .done = receive_done, .receive = { .max = 1, .max_bytes = 1000,
	    .lock_ms = -1, .wait_ms = 3600000, .out = &out } };
	struct queue *b = beside_a_crowd();

	backend_submit(&local->backend, &wait);
	push(b, 0);
	submit_infos(op, 64);
	ck_assert_uint_ge(locked_count(), CROWD - SHARE - RECEIVES);
	while (done_count < 65)
		turn();
	ck_assert_int_eq(wait.status, WQ_OK);
}
END_TEST

START_TEST(receives_of_a_turn_see_to_a_crowd_together)
{
	struct delivery out[64];
	struct op op[64];
	int i;

	beside_a_crowd();
	for (i = 0; i < 64; i++) {
		op[i] = (struct op){ .verb = OP_RECEIVE, .queue = "b",
		    .done = receive_done, .receive = { .max = 1,
		    .max_bytes = 1000, .lock_ms = -1, .out = &out[i] } };
		backend_submit(&local->backend, &op[i]);
	}
	ck_assert_uint_ge(locked_count(), CROWD - SHARE - RECEIVES);
	while (done_count < 64)
		turn();
}
END_TEST

START_TEST(expiries_keep_up_with_what_ops_make)
{
	struct op op[20];
	struct queue_info info;
	size_t i, n, delayed;

	for (n = 0; n < 3 * MANY; n++)
		push(q, 1);
	for (i = 0; i < 20; i++) {
		for (n = 0; n < 3 * MANY; n++)
			push(q, 1);
		spin();
		submit_infos(&op[i], 1);
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	}
	queue_info(q, &info);
	delayed = info.delayed_count;
	queue_info_fini(&info);
	ck_assert_uint_le(delayed, 6 * MANY);
	while (done_count < 20)
		turn();
}
END_TEST

START_TEST(crowd_of_locks_arms_few_timers)
{
	int64_t now_ns = clock_now_ns(), i, at_ns;
	int before = event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED);

	/* All end in one millisecond, though taken in a thousand. */
	at_ns = (now_ns / CLOCK_NS_PER_MS + 5000) * CLOCK_NS_PER_MS;
	for (i = 0; i < MANY; i++)
		lock_one(4000 - i, at_ns - (4000 - i) * CLOCK_NS_PER_MS + i);
	ck_assert_int_eq(event_base_get_num_events(base,
	    EVENT_BASE_COUNT_ADDED) - before, TIMERS_MAX);
	/* Others have theirs. */
	for (i = 0; i < 10; i++)
		lock_one(6000 + i, at_ns - CLOCK_NS_PER_MS);
	ck_assert_int_eq(event_base_get_num_events(base,
	    EVENT_BASE_COUNT_ADDED) - before, TIMERS_MAX + 10);
}
END_TEST

START_TEST(usual_locks_have_each_their_timer)
{
	int64_t now_ns = clock_now_ns(), i;
	int before = event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED);

	for (i = 0; i < MANY; i++)
		lock_one(-1, now_ns + i);
	ck_assert_int_eq(event_base_get_num_events(base,
	    EVENT_BASE_COUNT_ADDED) - before, MANY);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("local");
	TCase *t = tcase_create("locks");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, crowd_of_expiries_takes_its_share_of_a_turn_once);
	tcase_add_test(t,
	    waiter_of_another_queue_does_not_pay_for_a_crowd_each_op);
	tcase_add_test(t, receives_of_a_turn_see_to_a_crowd_together);
	tcase_add_test(t, expiries_keep_up_with_what_ops_make);
	tcase_add_test(t, crowd_of_locks_arms_few_timers);
	tcase_add_test(t, usual_locks_have_each_their_timer);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
