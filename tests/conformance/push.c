/* Pushes: what they make, and repeats of them. */
#include <stdio.h>

#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"

START_TEST(push_makes_the_message_available)
{
	struct id id = push(Q, "a");
	struct seen *s = look_seen(Q, id);

	ck_assert_int_eq(s->state, MESSAGE_AVAILABLE);
	ck_assert_str_eq(s->body, "a");
	ck_assert_uint_eq(s->receives, 0);
	ck_assert_int_eq(s->until_ns, 0);
	ck_assert_ptr_null(s->group);
	ck_assert(!s->is_letter);
	ck_assert_uint_eq(info(Q).totals.pushed, 1);
}
END_TEST

START_TEST(no_name_and_default_are_the_same_queue)
{
	struct id id = push(NULL, "a");

	ck_assert_int_eq(state_of("default", id), MESSAGE_AVAILABLE);
	push("default", "b");
	ck_assert_str_eq(drain(NULL), "a b");
}
END_TEST

START_TEST(push_of_many_keeps_their_order_and_tells_each_id)
{
	struct call *c = push_many_call(Q, 20), *r;
	size_t i;

	ck_assert_status(c, WQ_OK);
	r = receive(Q, 20);
	ck_assert_uint_eq(r->count, 20);
	for (i = 0; i < 20; i++) {
		ck_assert_id(r->seen[i].id, c->op.push.bodies[i].id);
		ck_assert(!c->op.push.bodies[i].duplicate);
		ck_assert_str_eq(r->seen[i].body, world_text("%zu", i));
	}
}
END_TEST

START_TEST(body_is_kept_byte_by_byte)
{
	static const char odd[] = "\0\xff\n\"{\0}";
	struct call *c = push_call(Q, ""), *r;
	const struct message *m;

	c->op.push.bodies[0].data = odd;
	c->op.push.bodies[0].bytes = sizeof(odd);
	ck_assert_status(c, WQ_OK);
	r = receive(Q, 1);
	m = r->seen->delivery->message;
	ck_assert_uint_eq(m->body_bytes, sizeof(odd));
	ck_assert_mem_eq(m->body, odd, sizeof(odd));
}
END_TEST

START_TEST(large_and_empty_bodies_are_kept)
{
	struct call *c = push_many_call(Q, 2), *r;
	char *large = world_alloc(1 << 20);

	memset(large, 'x', 1 << 20);
	c->op.push.bodies[0].data = large;
	c->op.push.bodies[0].bytes = 1 << 20;
	c->op.push.bodies[1].bytes = 0;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(info(Q).body_bytes, 1 << 20);
	r = receive(Q, 2);
	ck_assert_uint_eq(r->seen[0].body_bytes, 1 << 20);
	ck_assert_mem_eq(r->seen[0].delivery->message->body, large, 1 << 20);
	ck_assert_uint_eq(r->seen[1].body_bytes, 0);
}
END_TEST

START_TEST(ids_differ_and_push_times_ascend)
{
	struct call *c = push_many_call(Q, 50), *r;
	int64_t before_ns = clock_now_ns();
	size_t i;

	ck_assert_status(c, WQ_OK);
	r = receive(Q, 50);
	ck_assert_int_ge(r->seen[0].pushed_ns, before_ns -
	    CLOCK_NS_PER_MS);
	for (i = 1; i < 50; i++) {
		ck_assert_mem_ne(r->seen[i].id.bytes, r->seen[0].id.bytes,
		    16);
		ck_assert_int_gt(r->seen[i].pushed_ns,
		    r->seen[i - 1].pushed_ns);
	}
}
END_TEST

START_TEST(delayed_message_is_given_out_no_sooner)
{
	int64_t before_ns = clock_now_ns();
	struct id id = push_delay(Q, "a", SOON_MS);

	UNTIL(receive(Q, 1)->count == 1);
	ck_assert_int_ge(clock_now_ns() - before_ns, SOON_MS *
	    CLOCK_NS_PER_MS);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_LOCKED);
}
END_TEST

START_TEST(delayed_message_says_until_when)
{
	int64_t before_ns = clock_now_ns(), after_ns;
	struct id id = push_delay(Q, "a", HOUR_MS);
	struct seen *s = look_seen(Q, id);

	after_ns = clock_now_ns();
	ck_assert_int_eq(s->state, MESSAGE_DELAYED);
	ck_assert_int_ge(s->until_ns, before_ns + (HOUR_MS - 1) *
	    CLOCK_NS_PER_MS);
	ck_assert_int_le(s->until_ns, after_ns + (HOUR_MS + 1) *
	    CLOCK_NS_PER_MS);
	ck_assert_uint_eq(info(Q).delayed_count, 1);
	ck_assert_uint_eq(receive(Q, 1)->count, 0);
}
END_TEST

START_TEST(delayed_message_takes_its_place_at_the_end_of_the_delay)
{
	int64_t before_ns;

	/* Again where this was too slow for one to be the earlier. */
	do {
		if (queue_exists(Q))
			purge(Q);
		before_ns = clock_now_ns();
		push_delay(Q, "late", SOON_MS);
		push(Q, "early");
	} while (clock_now_ns() - before_ns >= SOON_MS * CLOCK_NS_PER_MS);
	UNTIL(info(Q).available_count == 2);
	push(Q, "later");
	ck_assert_str_eq(drain(Q), "early late later");
}
END_TEST

START_TEST(queue_has_a_delay_for_pushes_that_name_none)
{
	struct id delayed, direct;

	set(Q, SETTING_DELAY, HOUR_MS);
	delayed = push(Q, "a");
	direct = push_delay(Q, "b", 0);
	ck_assert_int_eq(state_of(Q, delayed), MESSAGE_DELAYED);
	ck_assert_int_eq(state_of(Q, direct), MESSAGE_AVAILABLE);
}
END_TEST

START_TEST(message_is_gone_at_the_end_of_its_ttl)
{
	struct id id = push_ttl(Q, "a", SOON_MS), other = push(Q, "b");

	UNTIL(state_of(Q, id) == MESSAGE_GONE);
	ck_assert_int_eq(state_of(Q, other), MESSAGE_AVAILABLE);
	ck_assert_uint_eq(info(Q).totals.timed_out, 1);
	ck_assert_uint_eq(info(Q).available_count, 1);
	ck_assert_uint_eq(info(Q).body_bytes, 1);
}
END_TEST

START_TEST(ttl_ends_a_locked_message_too)
{
	struct id id = push_ttl(Q, "a", SOON_MS);

	receive(Q, 1);
	UNTIL(state_of(Q, id) == MESSAGE_GONE);
	ck_assert_int_eq(confirm(Q, id), WQ_NO_MESSAGE);
	ck_assert_uint_eq(info(Q).locked_count, 0);
}
END_TEST

START_TEST(ttl_ends_a_delayed_message_too)
{
	struct call *c = push_call(Q, "a");

	c->op.push.delay_ms = HOUR_MS;
	c->op.push.ttl_ms = SOON_MS;
	ck_assert_status(c, WQ_OK);
	UNTIL(info(Q).delayed_count == 0);
	ck_assert_uint_eq(info(Q).available_count, 0);
}
END_TEST

START_TEST(queue_has_a_ttl_for_pushes_that_name_none)
{
	struct id mortal, immortal;

	set(Q, SETTING_TTL, SOON_MS);
	immortal = push_ttl(Q, "b", 0);
	mortal = push(Q, "a");
	UNTIL(state_of(Q, mortal) == MESSAGE_GONE);
	ck_assert_int_eq(state_of(Q, immortal), MESSAGE_AVAILABLE);
}
END_TEST

START_TEST(message_remembers_its_group)
{
	struct id id = push_group(Q, "a", "tenant 7");

	ck_assert_str_eq(look_seen(Q, id)->group, "tenant 7");
	ck_assert_str_eq(receive_one(Q, "a")->group, "tenant 7");
}
END_TEST

START_TEST(repeat_by_key_gives_the_first_id_and_no_message)
{
	bool duplicate;
	struct id first = push_key(Q, "a", "k", &duplicate), again;

	ck_assert(!duplicate);
	again = push_key(Q, "other", "k", &duplicate);
	ck_assert(duplicate);
	ck_assert_id(first, again);
	ck_assert_uint_eq(info(Q).totals.duplicates, 1);
	ck_assert_uint_eq(info(Q).totals.pushed, 1);
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(repeat_is_one_also_after_the_confirm)
{
	bool duplicate;
	struct id first = push_key(Q, "a", "k", &duplicate);

	ck_assert_str_eq(drain(Q), "a");
	ck_assert_id(first, push_key(Q, "a", "k", &duplicate));
	ck_assert(duplicate);
	ck_assert_uint_eq(info(Q).available_count, 0);
}
END_TEST

START_TEST(key_is_one_of_its_queue)
{
	bool duplicate;

	push_key(Q, "a", "k", &duplicate);
	push_key("other", "a", "k", &duplicate);
	ck_assert(!duplicate);
	push_key(Q, "a", "K", &duplicate);
	ck_assert(!duplicate);
}
END_TEST

START_TEST(repeat_by_content_where_the_queue_wants_it)
{
	struct call *c;

	set(Q, SETTING_DEDUP, 1);
	push_words(Q, "a b");
	c = push_call(Q, "a");
	ck_assert_status(c, WQ_OK);
	ck_assert(c->op.push.bodies[0].duplicate);
	ck_assert_str_eq(drain(Q), "a b");
	set(Q, SETTING_DEDUP, 0);
	push(Q, "a");
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(key_goes_before_content)
{
	bool duplicate;

	set(Q, SETTING_DEDUP, 1);
	push_key(Q, "same", "1", &duplicate);
	push_key(Q, "same", "2", &duplicate);
	ck_assert(!duplicate);
	/* A key that looks like a body is still another. */
	push(Q, "1");
	ck_assert_str_eq(drain(Q), "same same 1");
}
END_TEST

START_TEST(repeats_within_one_push_are_seen)
{
	struct call *c = push_many_call(Q, 3);
	struct op_body *b = c->op.push.bodies;

	set(Q, SETTING_DEDUP, 1);
	b[2].data = b[0].data;
	ck_assert_status(c, WQ_OK);
	ck_assert(!b[0].duplicate && !b[1].duplicate && b[2].duplicate);
	ck_assert_id(b[0].id, b[2].id);
	ck_assert_uint_eq(info(Q).totals.duplicates, 1);
	ck_assert_str_eq(drain(Q), "0 1");
}
END_TEST

START_TEST(push_makes_its_queue)
{
	ck_assert(!queue_exists(Q));
	push(Q, "a");
	ck_assert(queue_exists(Q));
}
END_TEST

START_TEST(push_makes_no_queue_where_that_is_off)
{
	world_open_with("auto-create", "false");
	ck_assert_status(push_call(Q, "a"), WQ_NO_QUEUE);
	ck_assert(!queue_exists(Q));
	push(NULL, "a");
	ck_assert_status(configure_call(Q), WQ_OK);
	push(Q, "a");
}
END_TEST

static const char *const bad_names[] = {
	"", ".fifo", "a b", "a/b", "a.fif", "a.fifo.fifo", "\xc3\xa4", "a\n",
	"123456789-123456789-123456789-123456789-"
	"123456789-123456789-123456789-123456789-1",
	"123456789-123456789-123456789-123456789-"
	"123456789-123456789-123456789-123456789-1.fifo",
};

START_TEST(push_to_a_bad_name_is_refused)
{
	ck_assert_status(push_call(bad_names[_i], "a"), WQ_BAD_NAME);
}
END_TEST

START_TEST(longest_names_are_good)
{
	const char *name = "123456789-123456789-123456789-123456789-"
	    "123456789_123456789_123456789_12345678AZ";

	push(name, "a");
	push(world_text("%s.fifo", name), "b");
	ck_assert_str_eq(drain(name), "a");
	ck_assert_str_eq(drain(world_text("%s.fifo", name)), "b");
}
END_TEST

START_TEST(refused_push_leaves_no_new_queue)
{
	struct call *c = push_call("new.fifo", "a");

	c->op.push.delay_ms = 1;
	ck_assert_status(c, WQ_NO_DELAY);
	ck_assert(!queue_exists("new.fifo"));
}
END_TEST

TCase *
push_tests(void)
{
	TCase *t = tcase_create("push");

	tcase_add_test(t, push_makes_the_message_available);
	tcase_add_test(t, no_name_and_default_are_the_same_queue);
	tcase_add_test(t, push_of_many_keeps_their_order_and_tells_each_id);
	tcase_add_test(t, body_is_kept_byte_by_byte);
	tcase_add_test(t, large_and_empty_bodies_are_kept);
	tcase_add_test(t, ids_differ_and_push_times_ascend);
	tcase_add_test(t, delayed_message_is_given_out_no_sooner);
	tcase_add_test(t, delayed_message_says_until_when);
	tcase_add_test(t,
	    delayed_message_takes_its_place_at_the_end_of_the_delay);
	tcase_add_test(t, queue_has_a_delay_for_pushes_that_name_none);
	tcase_add_test(t, message_is_gone_at_the_end_of_its_ttl);
	tcase_add_test(t, ttl_ends_a_locked_message_too);
	tcase_add_test(t, ttl_ends_a_delayed_message_too);
	tcase_add_test(t, queue_has_a_ttl_for_pushes_that_name_none);
	tcase_add_test(t, message_remembers_its_group);
	tcase_add_test(t, repeat_by_key_gives_the_first_id_and_no_message);
	tcase_add_test(t, repeat_is_one_also_after_the_confirm);
	tcase_add_test(t, key_is_one_of_its_queue);
	tcase_add_test(t, repeat_by_content_where_the_queue_wants_it);
	tcase_add_test(t, key_goes_before_content);
	tcase_add_test(t, repeats_within_one_push_are_seen);
	tcase_add_test(t, push_makes_its_queue);
	tcase_add_test(t, push_makes_no_queue_where_that_is_off);
	tcase_add_loop_test(t, push_to_a_bad_name_is_refused, 0,
	    sizeof(bad_names) / sizeof(bad_names[0]));
	tcase_add_test(t, longest_names_are_good);
	tcase_add_test(t, refused_push_leaves_no_new_queue);
	return t;
}
