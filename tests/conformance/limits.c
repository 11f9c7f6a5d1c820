/* Limits refuse what is new, and drop nothing; so does a lack of memory. */
#include "base/mem.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"

START_TEST(max_messages_refuses_the_new)
{
	set(Q, SETTING_MAX_MESSAGES, 3);
	push_words(Q, "a b c");
	ck_assert_status(push_call(Q, "d"), WQ_FULL_MESSAGES);
	ck_assert_uint_eq(info(Q).totals.pushed, 3);
	ck_assert_str_eq(drain(Q), "a b c");
}
END_TEST

START_TEST(max_messages_counts_locked_and_delayed_ones)
{
	set(Q, SETTING_MAX_MESSAGES, 3);
	push_words(Q, "a b");
	push_delay(Q, "c", HOUR_MS);
	receive_one(Q, "a");
	ck_assert_status(push_call(Q, "d"), WQ_FULL_MESSAGES);
}
END_TEST

START_TEST(confirm_makes_room_for_a_message)
{
	set(Q, SETTING_MAX_MESSAGES, 1);
	push(Q, "a");
	ck_assert_int_eq(confirm(Q, receive_one(Q, "a")->id), WQ_OK);
	push(Q, "b");
	ck_assert_str_eq(drain(Q), "b");
}
END_TEST

START_TEST(batch_that_does_not_fit_is_refused_as_a_whole)
{
	set(Q, SETTING_MAX_MESSAGES, 5);
	push_words(Q, "a b");
	ck_assert_status(push_many_call(Q, 4), WQ_FULL_MESSAGES);
	ck_assert_uint_eq(info(Q).available_count, 2);
	ck_assert_status(push_many_call(Q, 3), WQ_OK);
	ck_assert_str_eq(drain(Q), "a b 0 1 2");
}
END_TEST

START_TEST(max_bytes_refuses_the_new)
{
	set(Q, SETTING_MAX_BYTES, 10);
	push_words(Q, "12345 6789");
	ck_assert_status(push_call(Q, "ab"), WQ_FULL_BYTES);
	push(Q, "a");
	ck_assert_uint_eq(info(Q).body_bytes, 10);
	ck_assert_status(push_call(Q, "b"), WQ_FULL_BYTES);
	ck_assert_str_eq(drain(Q), "12345 6789 a");
}
END_TEST

START_TEST(limit_below_what_is_there_drops_nothing)
{
	push_words(Q, "a b c");
	set(Q, SETTING_MAX_MESSAGES, 1);
	set(Q, SETTING_MAX_BYTES, 1);
	ck_assert_status(push_call(Q, "d"), WQ_FULL_MESSAGES);
	ck_assert_str_eq(drain(Q), "a b c");
}
END_TEST

START_TEST(raised_limit_takes_pushes_again)
{
	set(Q, SETTING_MAX_MESSAGES, 1);
	push(Q, "a");
	ck_assert_status(push_call(Q, "b"), WQ_FULL_MESSAGES);
	set(Q, SETTING_MAX_MESSAGES, 0);
	push(Q, "b");
	ck_assert_str_eq(drain(Q), "a b");
}
END_TEST

START_TEST(repeat_is_no_push_and_fits_a_full_queue)
{
	bool duplicate;

	set(Q, SETTING_MAX_MESSAGES, 1);
	push_key(Q, "a", "k", &duplicate);
	push_key(Q, "a", "k", &duplicate);
	ck_assert(duplicate);
}
END_TEST

START_TEST(refused_push_leaves_no_key_behind)
{
	struct call *c = push_call(Q, "b");
	bool duplicate;

	set(Q, SETTING_MAX_MESSAGES, 1);
	push(Q, "a");
	c->op.push.dedup = "k";
	c->op.push.dedup_bytes = 1;
	ck_assert_status(c, WQ_FULL_MESSAGES);
	ck_assert_str_eq(drain(Q), "a");
	push_key(Q, "b", "k", &duplicate);
	ck_assert(!duplicate);
	ck_assert_str_eq(drain(Q), "b");
}
END_TEST

/* How many pushes of so many bytes are taken until one is refused. */
static size_t
fill_memory(size_t bytes, size_t max)
{
	struct call *c;
	size_t n;

	for (n = 0; n <= max; n++) {
		c = push_call(Q, "");
		c->op.push.bodies[0].data = world_alloc(bytes);
		c->op.push.bodies[0].bytes = bytes;
		if (call_run(c) != WQ_OK) {
			ck_assert_int_eq(c->op.status, WQ_FULL_MEMORY);
			return n;
		}
	}
	ck_abort_msg("%zu pushes are over max-memory", n);
	return 0;
}

START_TEST(max_memory_refuses_the_new)
{
	size_t n;

	if (!world_backend->refuses_at_max_memory)
		return;
	world_open_with("max-memory", "64K");
	n = fill_memory(1024, 64);
	ck_assert_uint_gt(n, 16);
	ck_assert_uint_eq(info(Q).available_count, n);
	purge(Q);
	ck_assert_uint_eq(fill_memory(1024, 64), n);
}
END_TEST

START_TEST(max_locked_gives_out_no_more)
{
	struct call *r;

	set(Q, SETTING_MAX_LOCKED, 2);
	push_words(Q, "a b c d");
	r = receive(Q, 10);
	ck_assert_str_eq(bodies(r), "a b");
	ck_assert_uint_eq(receive(Q, 10)->count, 0);
	ck_assert_int_eq(confirm(Q, r->seen[0].id), WQ_OK);
	ck_assert_str_eq(bodies(receive(Q, 10)), "c");
}
END_TEST

START_TEST(max_locked_of_zero_is_no_limit)
{
	set(Q, SETTING_MAX_LOCKED, 1);
	set(Q, SETTING_MAX_LOCKED, 0);
	push_words(Q, "a b c");
	ck_assert_str_eq(bodies(receive(Q, 10)), "a b c");
}
END_TEST

/* All that the allocations of an op's submit may do: all or nothing. */
START_TEST(push_without_memory_is_done_or_not_done)
{
	struct call *c;
	size_t before;
	int n;

	set(Q, SETTING_DEDUP, 1);
	for (n = 0; n < 100; n++) {
		before = info(Q).available_count;
		c = push_many_call(Q, 3);
		c->op.push.group = "g";
		c->op.push.group_bytes = 1;
		c->op.push.ttl_ms = HOUR_MS;
		mem_fail_after(n);
		call_start(c);
		mem_fail_after(-1);
		call_wait(c);
		ck_assert_uint_eq(info(Q).available_count,
		    c->op.status == WQ_OK ? before + 3 : before);
		if (c->op.status == WQ_OK)
			break;
		ck_assert_int_eq(c->op.status, WQ_NOMEM);
	}
	ck_assert_int_lt(n, 100);
	ck_assert_str_eq(drain(Q), "0 1 2");
}
END_TEST

START_TEST(receive_without_memory_locks_what_it_gives)
{
	struct call *c;
	int n;

	push_words(Q, "a b c");
	for (n = 0; n < 100; n++) {
		c = receive_call(Q, 3);
		c->op.receive.lock_ms = HOUR_MS;
		mem_fail_after(n);
		call_start(c);
		mem_fail_after(-1);
		if (call_wait(c) == WQ_OK && c->count > 0)
			break;
		ck_assert_int_eq(c->op.status, WQ_NOMEM);
		ck_assert_uint_eq(info(Q).locked_count, 0);
	}
	ck_assert_uint_eq(info(Q).locked_count, c->count);
	ck_assert_uint_eq(info(Q).available_count, 3 - c->count);
	ck_assert_uint_eq(info(Q).totals.received, c->count);
}
END_TEST

TCase *
limit_tests(void)
{
	TCase *t = tcase_create("limits");

	tcase_add_test(t, max_messages_refuses_the_new);
	tcase_add_test(t, max_messages_counts_locked_and_delayed_ones);
	tcase_add_test(t, confirm_makes_room_for_a_message);
	tcase_add_test(t, batch_that_does_not_fit_is_refused_as_a_whole);
	tcase_add_test(t, max_bytes_refuses_the_new);
	tcase_add_test(t, limit_below_what_is_there_drops_nothing);
	tcase_add_test(t, raised_limit_takes_pushes_again);
	tcase_add_test(t, repeat_is_no_push_and_fits_a_full_queue);
	tcase_add_test(t, refused_push_leaves_no_key_behind);
	tcase_add_test(t, max_memory_refuses_the_new);
	tcase_add_test(t, max_locked_gives_out_no_more);
	tcase_add_test(t, max_locked_of_zero_is_no_limit);
	tcase_add_test(t, push_without_memory_is_done_or_not_done);
	tcase_add_test(t, receive_without_memory_locks_what_it_gives);
	return t;
}
