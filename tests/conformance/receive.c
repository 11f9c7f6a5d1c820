/* Receives: how many, in which order, for how long. */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"

START_TEST(receive_locks_and_tells_all)
{
	int64_t before_ns = clock_now_ns(), after_ns;
	struct id id = push(Q, "a");
	struct seen *s = receive_one(Q, "a");

	after_ns = clock_now_ns();
	ck_assert_id(s->id, id);
	ck_assert_int_eq(s->state, MESSAGE_LOCKED);
	ck_assert_uint_eq(s->receives, 1);
	ck_assert_int_ge(s->until_ns, before_ns + (HOUR_MS - 1) *
	    CLOCK_NS_PER_MS);
	ck_assert_int_le(s->until_ns, after_ns + (HOUR_MS + 1) *
	    CLOCK_NS_PER_MS);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_LOCKED);
	ck_assert_uint_eq(info(Q).totals.received, 1);
}
END_TEST

START_TEST(empty_queue_gives_none)
{
	ck_assert_uint_eq(receive(NULL, 10)->count, 0);
}
END_TEST

START_TEST(locked_message_is_given_to_nobody_else)
{
	push(Q, "a");
	receive_one(Q, "a");
	ck_assert_uint_eq(receive(Q, 10)->count, 0);
}
END_TEST

START_TEST(receive_gives_max_at_most_and_oldest_first)
{
	push_words(Q, "a b c d e");
	ck_assert_str_eq(bodies(receive(Q, 2)), "a b");
	ck_assert_str_eq(bodies(receive(Q, 10)), "c d e");
}
END_TEST

START_TEST(thousand_messages_keep_their_order)
{
	struct call *r;
	size_t i, n = 0;

	ck_assert_status(push_many_call(Q, 1000), WQ_OK);
	while ((r = receive(Q, 97))->count > 0)
		for (i = 0; i < r->count; i++, n++)
			ck_assert_str_eq(r->seen[i].body,
			    world_text("%zu", n));
	ck_assert_uint_eq(n, 1000);
}
END_TEST

START_TEST(bodies_of_a_receive_are_max_bytes_at_most)
{
	struct call *c = receive_call(Q, 10);

	push_words(Q, "123 45 6789 0");
	c->op.receive.max_bytes = 8;
	ck_assert_status(c, WQ_OK);
	/* The last would fit, and does not overtake. */
	ck_assert_str_eq(bodies(c), "123 45");
	c = receive_call(Q, 10);
	c->op.receive.max_bytes = 5;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "6789 0");
}
END_TEST

START_TEST(one_message_always_fits)
{
	struct call *c = receive_call(Q, 10);

	push_words(Q, "large small");
	c->op.receive.max_bytes = 1;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "large");
	ck_assert_uint_eq(info(Q).locked_count, 1);
}
END_TEST

START_TEST(lock_ends_and_the_message_comes_back)
{
	struct id id = push(Q, "a");
	int64_t until_ns = receive_lock(Q, "a", SOON_MS)->until_ns;

	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	ck_assert_int_ge(clock_now_ns(), until_ns);
	ck_assert_uint_eq(info(Q).totals.expired, 1);
	ck_assert_uint_eq(receive_one(Q, "a")->receives, 2);
}
END_TEST

START_TEST(lock_of_zero_ends_at_once)
{
	struct id id = push(Q, "a");

	ck_assert_uint_eq(receive_lock(Q, "a", 0)->receives, 1);
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	ck_assert_uint_eq(receive_one(Q, "a")->receives, 2);
}
END_TEST

/* Is that lock about so long? */
static bool
is_about(const struct seen *s, int64_t lock_ms)
{
	int64_t left_ms = (s->until_ns - clock_now_ns()) / CLOCK_NS_PER_MS;

	return left_ms > lock_ms - 600000 && left_ms <= lock_ms;
}

START_TEST(receiver_then_message_then_queue_name_the_lock_time)
{
	struct call *c = receive_call(Q, 3);

	set(Q, SETTING_LOCK_TIMEOUT, 3 * HOUR_MS);
	push_lock(Q, "a", 5 * HOUR_MS);
	push(Q, "b");
	c->op.receive.lock_ms = -1;
	ck_assert_status(c, WQ_OK);
	ck_assert(is_about(&c->seen[0], 5 * HOUR_MS));
	ck_assert(is_about(&c->seen[1], 3 * HOUR_MS));
	push_lock(Q, "c", 5 * HOUR_MS);
	ck_assert(is_about(receive_lock(Q, "c", 7 * HOUR_MS), 7 * HOUR_MS));
}
END_TEST

START_TEST(server_names_the_lock_time_of_new_queues)
{
	world_open_with("lock-timeout", "7200000");
	push(Q, "a");
	ck_assert_int_eq(info(Q).settings.lock_timeout_ms, 2 * HOUR_MS);
	ck_assert_int_eq(info(NULL).settings.lock_timeout_ms, 2 * HOUR_MS);
	ck_assert(is_about(receive_lock(Q, "a", -1), 2 * HOUR_MS));
}
END_TEST

START_TEST(changed_lock_time_of_a_queue_leaves_locks_alone)
{
	struct id id;

	set(Q, SETTING_LOCK_TIMEOUT, 3 * HOUR_MS);
	id = push(Q, "a");
	receive_lock(Q, "a", -1);
	set(Q, SETTING_LOCK_TIMEOUT, 1);
	ck_assert(is_about(look_seen(Q, id), 3 * HOUR_MS));
}
END_TEST

START_TEST(expired_message_goes_to_the_end)
{
	push_words(Q, "a b c");
	receive_lock(Q, "a", SOON_MS);
	UNTIL(info(Q).available_count == 3);
	push(Q, "d");
	ck_assert_str_eq(drain(Q), "b c a d");
}
END_TEST

/* Lock all of q, each for its own time, in one op. */
static void
lock_all(size_t n)
{
	struct call *c = receive_call(Q, n);

	c->op.receive.lock_ms = -1;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, n);
}

START_TEST(expired_ones_come_in_the_order_in_which_locks_ran_out)
{
	push_lock(Q, "a", 3 * SOON_MS);
	push_lock(Q, "b", SOON_MS);
	push_lock(Q, "c", 4 * SOON_MS);
	push_lock(Q, "d", 2 * SOON_MS);
	lock_all(4);
	UNTIL(info(Q).available_count == 4);
	ck_assert_str_eq(drain(Q), "b d a c");
}
END_TEST

START_TEST(locks_that_run_out_together_keep_their_order)
{
	struct call *c = receive_call(Q, 5);

	push_words(Q, "a b c d e");
	c->op.receive.lock_ms = SOON_MS;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, 5);
	UNTIL(info(Q).available_count == 5);
	ck_assert_str_eq(drain(Q), "a b c d e");
}
END_TEST

START_TEST(expiries_and_delays_and_pushes_make_one_line)
{
	push_lock(Q, "a", 2 * SOON_MS);
	push_lock(Q, "b", SOON_MS);
	lock_all(2);
	UNTIL(info(Q).available_count == 2);
	push(Q, "c");
	push_delay(Q, "d", SOON_MS);
	UNTIL(info(Q).available_count == 4);
	push(Q, "e");
	ck_assert_str_eq(drain(Q), "b a c d e");
}
END_TEST

/* What holds when each is as slow as it likes: each comes back once. */
START_TEST(crowd_of_locks_ends_in_order)
{
	struct call *c = receive_call(Q, 1000), *r;
	size_t i;

	ck_assert_status(push_many_call(Q, 1000), WQ_OK);
	c->op.receive.lock_ms = 1;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, 1000);
	UNTIL(info(Q).available_count == 1000);
	r = receive(Q, 1000);
	ck_assert_uint_eq(r->count, 1000);
	for (i = 0; i < 1000; i++) {
		ck_assert_str_eq(r->seen[i].body, world_text("%zu", i));
		ck_assert_uint_eq(r->seen[i].receives, 2);
	}
}
END_TEST

START_TEST(paused_queue_gives_out_none_and_takes_pushes)
{
	push(Q, "a");
	set_paused(Q, true);
	push(Q, "b");
	ck_assert_uint_eq(receive(Q, 10)->count, 0);
	set_paused(Q, false);
	ck_assert_str_eq(drain(Q), "a b");
}
END_TEST

START_TEST(group_without_order_shares_the_line)
{
	push_group(Q, "a", "x");
	push(Q, "b");
	push_group(Q, "c", "y");
	push_group(Q, "d", "x");
	ck_assert_str_eq(drain(Q), "a b c d");
}
END_TEST

static void
push_crowd(const char *group, size_t n)
{
	struct call *c = push_many_call(Q, n);

	c->op.push.group = group;
	c->op.push.group_bytes = strlen(group);
	ck_assert_status(c, WQ_OK);
}

START_TEST(group_that_holds_much_lets_others_go_first)
{
	push_crowd("big", 200);
	ck_assert_uint_eq(receive(Q, 40)->count, 40);
	push_group(Q, "small", "other");
	push(Q, "none");
	ck_assert_str_eq(bodies(receive(Q, 2)), "small none");
	/* With no others it is served as before. */
	ck_assert_str_eq(bodies(receive(Q, 1)), "40");
}
END_TEST

START_TEST(group_that_holds_little_keeps_its_place)
{
	push_crowd("big", 200);
	ck_assert_uint_eq(receive(Q, 20)->count, 20);
	push_group(Q, "small", "other");
	ck_assert_str_eq(bodies(receive(Q, 1)), "20");
}
END_TEST

START_TEST(group_is_not_held_back_once_it_is_confirmed)
{
	struct call *r;
	size_t i;

	push_crowd("big", 200);
	r = receive(Q, 40);
	push_group(Q, "small", "other");
	for (i = 0; i < 40; i++)
		ck_assert_int_eq(confirm(Q, r->seen[i].id), WQ_OK);
	ck_assert_str_eq(bodies(receive(Q, 1)), "40");
}
END_TEST

TCase *
receive_tests(void)
{
	TCase *t = tcase_create("receive");

	tcase_add_test(t, receive_locks_and_tells_all);
	tcase_add_test(t, empty_queue_gives_none);
	tcase_add_test(t, locked_message_is_given_to_nobody_else);
	tcase_add_test(t, receive_gives_max_at_most_and_oldest_first);
	tcase_add_test(t, thousand_messages_keep_their_order);
	tcase_add_test(t, bodies_of_a_receive_are_max_bytes_at_most);
	tcase_add_test(t, one_message_always_fits);
	tcase_add_test(t, lock_ends_and_the_message_comes_back);
	tcase_add_test(t, lock_of_zero_ends_at_once);
	tcase_add_test(t,
	    receiver_then_message_then_queue_name_the_lock_time);
	tcase_add_test(t, server_names_the_lock_time_of_new_queues);
	tcase_add_test(t, changed_lock_time_of_a_queue_leaves_locks_alone);
	tcase_add_test(t, expired_message_goes_to_the_end);
	tcase_add_test(t,
	    expired_ones_come_in_the_order_in_which_locks_ran_out);
	tcase_add_test(t, locks_that_run_out_together_keep_their_order);
	tcase_add_test(t, expiries_and_delays_and_pushes_make_one_line);
	tcase_add_test(t, crowd_of_locks_ends_in_order);
	tcase_add_test(t, paused_queue_gives_out_none_and_takes_pushes);
	tcase_add_test(t, group_without_order_shares_the_line);
	tcase_add_test(t, group_that_holds_much_lets_others_go_first);
	tcase_add_test(t, group_that_holds_little_keeps_its_place);
	tcase_add_test(t, group_is_not_held_back_once_it_is_confirmed);
	return t;
}
