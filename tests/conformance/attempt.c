/* Receives that are repeated, since their answer may have been lost. */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define F	"orders.fifo"
#define Q	"jobs"
#define LOCK_MS	INT64_C(30000)

static struct call *
attempt_call(const char *queue, size_t max, const char *attempt)
{
	struct call *c = receive_call(queue, max);

	c->op.receive.lock_ms = LOCK_MS;
	c->op.receive.attempt = world_text("%s", attempt);
	c->op.receive.attempt_bytes = strlen(attempt);
	return c;
}

static struct call *
attempt(size_t max, const char *name)
{
	struct call *c = attempt_call(F, max, name);

	ck_assert_status(c, WQ_OK);
	return c;
}

START_TEST(repeat_gives_the_same_with_locks_that_begin_anew)
{
	struct call *first, *again;
	size_t i;

	push_words(F, "a b c");
	first = attempt(2, "x");
	ck_assert_str_eq(bodies(first), "a b");
	world_pass(10000);
	again = attempt(2, "x");
	ck_assert_str_eq(bodies(again), "a b");
	for (i = 0; i < 2; i++) {
		ck_assert_uint_eq(again->seen[i].receipt,
		    first->seen[i].receipt);
		ck_assert_uint_eq(again->seen[i].receives, 1);
		ck_assert_int_ge(again->seen[i].until_ns,
		    first->seen[i].until_ns + 10000 * CLOCK_NS_PER_MS);
		ck_assert_int_eq(look_seen(F, again->seen[i].id)->until_ns,
		    again->seen[i].until_ns);
	}
	ck_assert_uint_eq(info(F).totals.received, 2);
	ck_assert_status(confirm_call(F, &first->seen[0]), WQ_OK);
	ck_assert_status(confirm_call(F, &again->seen[1]), WQ_OK);
}
END_TEST

START_TEST(repeat_may_lock_for_another_time)
{
	struct call *c;

	push(F, "a");
	attempt(1, "x");
	c = attempt_call(F, 1, "x");
	c->op.receive.lock_ms = HOUR_MS;
	ck_assert_status(c, WQ_OK);
	ck_assert_int_gt(c->seen->until_ns, clock_now_ns() +
	    HOUR_MS / 2 * CLOCK_NS_PER_MS);
	world_pass(2 * LOCK_MS);
	ck_assert_int_eq(state_of(F, c->seen->id), MESSAGE_LOCKED);
	set(F, SETTING_LOCK_TIMEOUT, 2000);
	c = attempt_call(F, 1, "x");
	c->op.receive.lock_ms = -1;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, 1);
	world_pass(2000);
	ck_assert_int_eq(state_of(F, c->seen->id), MESSAGE_AVAILABLE);
}
END_TEST

START_TEST(another_attempt_is_no_repeat)
{
	push_group(F, "a", "g");
	push_group(F, "b", "h");
	ck_assert_str_eq(bodies(attempt(1, "x")), "a");
	ck_assert_str_eq(bodies(attempt(1, "xx")), "b");
	ck_assert_uint_eq(attempt(1, "y")->count, 0);
	ck_assert_uint_eq(receive(F, 1)->count, 0);
	ck_assert_str_eq(bodies(attempt(1, "x")), "a");
}
END_TEST

START_TEST(attempt_that_gave_nothing_is_none)
{
	ck_assert_status(configure_call(F), WQ_OK);
	ck_assert_uint_eq(attempt(1, "x")->count, 0);
	push(F, "a");
	ck_assert_str_eq(bodies(attempt(1, "x")), "a");
}
END_TEST

START_TEST(repeat_ends_when_one_is_confirmed)
{
	struct call *c;

	push_words(F, "a b");
	push_group(F, "c", "g");
	c = attempt(2, "x");
	ck_assert_status(confirm_call(F, &c->seen[1]), WQ_OK);
	ck_assert_str_eq(bodies(attempt(2, "x")), "c");
	/* That is its own now. */
	ck_assert_str_eq(bodies(attempt(2, "x")), "c");
}
END_TEST

START_TEST(repeat_ends_when_one_is_given_back)
{
	struct call *c, *again;

	push(F, "a");
	c = attempt(1, "x");
	ck_assert_status(extend_call(F, c->seen, 0), WQ_OK);
	again = attempt(1, "x");
	ck_assert_str_eq(bodies(again), "a");
	ck_assert_uint_eq(again->seen->receives, 2);
	ck_assert_uint_ne(again->seen->receipt, c->seen->receipt);
}
END_TEST

START_TEST(repeat_ends_when_one_is_extended)
{
	struct call *c;
	struct seen *a;

	push_words(F, "a b");
	push_group(F, "c", "g");
	c = attempt(2, "x");
	a = &c->seen[0];
	/* What is refused changes nothing. */
	c = extend_call(F, a, HOUR_MS);
	c->op.extend.max_total_ms = 1;
	ck_assert_status(c, WQ_BEYOND);
	ck_assert_str_eq(bodies(attempt(2, "x")), "a b");
	ck_assert_status(extend_call(F, a, HOUR_MS), WQ_OK);
	ck_assert_str_eq(bodies(attempt(2, "x")), "c");
	ck_assert_uint_eq(look_seen(F, a->id)->receives, 1);
	ck_assert_status(confirm_call(F, a), WQ_OK);
}
END_TEST

START_TEST(repeat_ends_when_a_lock_runs_out)
{
	struct call *c, *again;

	push(F, "a");
	c = attempt(1, "x");
	world_pass(LOCK_MS);
	again = attempt(1, "x");
	ck_assert_uint_eq(again->seen->receives, 2);
	ck_assert_uint_ne(again->seen->receipt, c->seen->receipt);
	/* Received by another since: not the same receive. */
	world_pass(LOCK_MS);
	receive_one(F, "a");
	ck_assert_uint_eq(attempt(1, "x")->count, 0);
}
END_TEST

START_TEST(repeat_ends_when_it_was_released)
{
	struct call *c, *again;

	push(F, "a");
	c = attempt(1, "x");
	release(F, c->seen);
	again = attempt(1, "x");
	ck_assert_uint_eq(again->seen->receives, 1);
	ck_assert_uint_ne(again->seen->receipt, c->seen->receipt);
}
END_TEST

START_TEST(repeat_is_known_for_five_minutes)
{
	struct call *c = attempt_call(F, 1, "x");

	push(F, "a");
	c->op.receive.lock_ms = HOUR_MS;
	ck_assert_status(c, WQ_OK);
	world_pass(299000);
	ck_assert_str_eq(bodies(attempt(1, "x")), "a");
	/* Of the first, however often it is repeated. */
	c = attempt_call(F, 1, "x");
	c->op.receive.lock_ms = HOUR_MS;
	ck_assert_status(c, WQ_OK);
	world_pass(1000);
	ck_assert_uint_eq(attempt(1, "x")->count, 0);
}
END_TEST

START_TEST(repeat_for_fewer_than_it_gave_is_none)
{
	push_words(F, "a b");
	push_group(F, "c", "g");
	ck_assert_str_eq(bodies(attempt(2, "x")), "a b");
	ck_assert_str_eq(bodies(attempt(1, "x")), "c");
}
END_TEST

START_TEST(attempts_are_of_fifo_queues_only)
{
	struct call *c = attempt_call(Q, 1, "x");

	push_words(Q, "a b");
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "a");
	c = attempt_call(Q, 1, "x");
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "b");
}
END_TEST

START_TEST(attempts_are_those_of_one_queue)
{
	struct call *c = attempt_call("more.fifo", 1, "x");

	push(F, "a");
	push("more.fifo", "b");
	attempt(1, "x");
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "b");
}
END_TEST

START_TEST(receive_that_waited_may_be_repeated)
{
	struct call *c = attempt_call(F, 1, "x"), *again;

	ck_assert_status(configure_call(F), WQ_OK);
	c->op.receive.wait_ms = HOUR_MS;
	call_start(c);
	UNTIL(info(F).waiter_count == 1);
	push(F, "a");
	ck_assert_int_eq(call_wait(c), WQ_OK);
	ck_assert_str_eq(bodies(c), "a");
	again = attempt(1, "x");
	ck_assert_str_eq(bodies(again), "a");
	ck_assert_uint_eq(again->seen->receipt, c->seen->receipt);
}
END_TEST

START_TEST(repeat_ends_with_a_purge_or_a_delete)
{
	push(F, "a");
	attempt(1, "x");
	purge(F);
	ck_assert_uint_eq(attempt(1, "x")->count, 0);
	push(F, "b");
	ck_assert_str_eq(bodies(attempt(1, "x")), "b");
	ck_assert_int_eq(delete_queue(F), WQ_OK);
	push(F, "c");
	ck_assert_str_eq(bodies(attempt(1, "x")), "c");
	world_pass(HOUR_MS);
}
END_TEST

START_TEST(locks_of_a_repeat_come_back)
{
	struct call *c;

	push(F, "a");
	attempt(1, "x");
	world_pass(10000);
	c = attempt(1, "x");
	world_restart();
	ck_assert_int_eq(look_seen(F, c->seen->id)->until_ns,
	    c->seen->until_ns);
	ck_assert_uint_eq(look_seen(F, c->seen->id)->receives, 1);
	ck_assert_status(confirm_call(F, c->seen), WQ_OK);
}
END_TEST

TCase *
attempt_tests(void)
{
	TCase *t = tcase_create("attempt");

	tcase_add_test(t, repeat_gives_the_same_with_locks_that_begin_anew);
	tcase_add_test(t, repeat_may_lock_for_another_time);
	tcase_add_test(t, another_attempt_is_no_repeat);
	tcase_add_test(t, attempt_that_gave_nothing_is_none);
	tcase_add_test(t, repeat_ends_when_one_is_confirmed);
	tcase_add_test(t, repeat_ends_when_one_is_given_back);
	tcase_add_test(t, repeat_ends_when_one_is_extended);
	tcase_add_test(t, repeat_ends_when_a_lock_runs_out);
	tcase_add_test(t, repeat_ends_when_it_was_released);
	tcase_add_test(t, repeat_is_known_for_five_minutes);
	tcase_add_test(t, repeat_for_fewer_than_it_gave_is_none);
	tcase_add_test(t, attempts_are_of_fifo_queues_only);
	tcase_add_test(t, attempts_are_those_of_one_queue);
	tcase_add_test(t, receive_that_waited_may_be_repeated);
	tcase_add_test(t, repeat_ends_with_a_purge_or_a_delete);
	tcase_add_test(t, locks_of_a_repeat_come_back);
	return t;
}
