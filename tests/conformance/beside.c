/*
 * What a message has beside its body, and what is told of it: attributes, its
 * size as it was sent, its sequence, when it was received first; and the terms
 * on which a push, a confirm or an extend is done at all.
 */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define F	"orders.fifo"
#define DEAD	"letters"
#define JSON	"{\"n\":{\"DataType\":\"Number\",\"StringValue\":\"1\"}}"

static struct call *
push_beside_call(const char *queue, const char *body, const char *attributes)
{
	struct call *c = push_call(queue, body);
	struct op_body *b = &c->op.push.bodies[0];

	b->is_text = true;
	b->attributes = attributes;
	b->attributes_bytes = strlen(attributes);
	b->sent_bytes = b->bytes + b->attributes_bytes;
	return c;
}

static struct id
push_beside(const char *queue, const char *body, const char *attributes)
{
	struct call *c = push_beside_call(queue, body, attributes);

	ck_assert_status(c, WQ_OK);
	return c->op.push.bodies[0].id;
}

static void
check_beside(const struct seen *s)
{
	ck_assert_str_eq(s->body, "any <text>");
	ck_assert_str_eq(s->attributes, JSON);
	ck_assert(s->is_text);
}

START_TEST(attributes_come_with_the_message_everywhere)
{
	struct id id = push_beside(Q, "any <text>", JSON);

	check_beside(look_seen(Q, id));
	check_beside(peek(Q, STATES_ALL)->seen);
	check_beside(receive_one(Q, "any <text>"));
}
END_TEST

START_TEST(message_without_attributes_has_none)
{
	struct id id = push(Q, "a");

	ck_assert_ptr_null(look_seen(Q, id)->attributes);
	ck_assert(!look_seen(Q, id)->is_text);
	push_beside(Q, "b", "{}");
	world_restart();
	ck_assert_ptr_null(receive_one(Q, "a")->attributes);
	ck_assert_str_eq(receive_one(Q, "b")->attributes, "{}");
}
END_TEST

START_TEST(attributes_come_back)
{
	push_beside(Q, "any <text>", JSON);
	push_beside(F, "any <text>", JSON);
	world_restart();
	check_beside(receive_one(Q, "any <text>"));
	check_beside(receive_one(F, "any <text>"));
	world_restart();
	check_beside(peek(Q, STATES_ALL)->seen);
	check_beside(peek(F, STATES_ALL)->seen);
}
END_TEST

START_TEST(attributes_go_with_a_dead_letter_and_back)
{
	struct id id;

	set_target(Q, DEAD, 1);
	id = push_beside(Q, "any <text>", JSON);
	receive_lock(Q, "any <text>", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	check_beside(look_seen(DEAD, id));
	world_restart();
	check_beside(look_seen(DEAD, id));
	ck_assert_uint_eq(redrive(DEAD, NULL, 1), 1);
	world_restart();
	check_beside(receive_one(Q, "any <text>"));
}
END_TEST

START_TEST(attributes_of_many_and_large_ones_come_back)
{
	struct call *c = push_many_call(Q, 3), *r;
	char *large = world_alloc(300001);
	struct op_body *b = c->op.push.bodies;

	memset(large, 'x', 300000);
	b[0].attributes = large;
	b[0].attributes_bytes = 300000;
	b[2].attributes = JSON;
	b[2].attributes_bytes = strlen(JSON);
	ck_assert_status(c, WQ_OK);
	world_restart();
	r = receive(Q, 3);
	ck_assert_uint_eq(r->count, 3);
	ck_assert_str_eq(r->seen[0].attributes, large);
	ck_assert_ptr_null(r->seen[1].attributes);
	ck_assert_str_eq(r->seen[2].attributes, JSON);
}
END_TEST

START_TEST(bodies_that_are_moved_out_keep_their_attributes)
{
	int i;

	world_open_with("max-memory", "64K");
	for (i = 0; i < 20; i++)
		if (call_run(push_beside_call(Q, world_text("%05d%9000d", i,
		    0), JSON)) != WQ_OK)
			break;
	ck_assert(world_backend->refuses_at_max_memory ? i > 3 : i == 20);
	ck_assert_str_eq(receive(Q, 1)->seen->attributes, JSON);
	world_restart();
	ck_assert_str_eq(receive(Q, 1)->seen->attributes, JSON);
	ck_assert(receive(Q, 1)->seen->is_text);
}
END_TEST

START_TEST(message_may_be_as_large_as_its_queue_allows)
{
	struct call *c;

	set(Q, SETTING_MAX_MESSAGE, 5);
	ck_assert_status(push_call(Q, "12345"), WQ_OK);
	ck_assert_status(push_call(Q, "123456"), WQ_MESSAGE_TOO_LARGE);
	c = push_beside_call(Q, "12", "123");
	ck_assert_status(c, WQ_OK);
	ck_assert_status(push_beside_call(Q, "12", "1234"),
	    WQ_MESSAGE_TOO_LARGE);
	/* What is kept of them is not what counts, but what was sent. */
	c = push_beside_call(Q, "12", "123456789");
	c->op.push.bodies[0].sent_bytes = 5;
	ck_assert_status(c, WQ_OK);
	c = push_call(Q, "1");
	c->op.push.bodies[0].sent_bytes = 6;
	ck_assert_status(c, WQ_MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(info(Q).available_count, 3);
	set(Q, SETTING_MAX_MESSAGE, 0);
	ck_assert_status(push_call(Q, "123456"), WQ_OK);
}
END_TEST

START_TEST(one_that_is_too_large_refuses_all_of_its_push)
{
	struct call *c = push_many_call(Q, 3);
	bool duplicate;

	set(Q, SETTING_MAX_MESSAGE, 5);
	c->op.push.bodies[2].sent_bytes = 6;
	set_key(c, "k");
	ck_assert_status(c, WQ_MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(info(Q).available_count, 0);
	/* Nor is it known as a push that may be repeated. */
	push_key(Q, "a", "k", &duplicate);
	ck_assert(!duplicate);
}
END_TEST

START_TEST(push_may_ask_that_its_queue_is_there)
{
	struct call *c = push_call(Q, "a");

	c->op.push.no_create = true;
	ck_assert_status(c, WQ_NO_QUEUE);
	ck_assert(!queue_exists(Q));
	push(Q, "a");
	c = push_call(Q, "b");
	c->op.push.no_create = true;
	ck_assert_status(c, WQ_OK);
}
END_TEST

START_TEST(push_may_ask_that_repeats_of_it_are_known)
{
	struct call *c = push_call(F, "a");

	c->op.push.needs_key = true;
	ck_assert_status(c, WQ_NO_KEY);
	c = push_call(F, "b");
	c->op.push.needs_key = true;
	set_key(c, "k");
	ck_assert_status(c, WQ_OK);
	set(F, SETTING_DEDUP, 1);
	c = push_call(F, "c");
	c->op.push.needs_key = true;
	ck_assert_status(c, WQ_OK);
	/* In a standard queue nobody needs one. */
	c = push_call(Q, "d");
	c->op.push.needs_key = true;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(drain(F), "b c");
}
END_TEST

/* Is a push of it a repeat? */
static bool
is_repeat(const char *body, const char *group, const char *key)
{
	struct call *c = push_call(F, body);

	set_group(c, group);
	if (key != NULL)
		set_key(c, key);
	ck_assert_status(c, WQ_OK);
	return c->op.push.bodies[0].duplicate;
}

START_TEST(repeats_are_those_of_the_queue_or_of_the_group)
{
	ck_assert(!is_repeat("a", "x", "k"));
	ck_assert(is_repeat("a", "y", "k"));
	set(F, SETTING_DEDUP_BY_GROUP, 1);
	ck_assert(!is_repeat("b", "x", "l"));
	ck_assert(!is_repeat("b", "y", "l"));
	ck_assert(is_repeat("b", "x", "l"));
	world_restart();
	ck_assert(is_repeat("b", "y", "l"));
	ck_assert(!is_repeat("b", "z", "l"));
	set(F, SETTING_DEDUP, 1);
	ck_assert(!is_repeat("c", "x", NULL));
	ck_assert(!is_repeat("c", "y", NULL));
	ck_assert(is_repeat("c", "x", NULL));
	set(F, SETTING_DEDUP_BY_GROUP, 0);
	ck_assert(!is_repeat("c", "x", NULL));
	ck_assert(is_repeat("c", "z", NULL));
}
END_TEST

START_TEST(push_tells_the_sequence_and_a_repeat_that_of_the_first)
{
	struct call *c = push_many_call(Q, 2), *again;
	int64_t first_ns;

	ck_assert_status(c, WQ_OK);
	first_ns = c->op.push.bodies[0].pushed_ns;
	ck_assert_int_gt(first_ns, 0);
	ck_assert_int_gt(c->op.push.bodies[1].pushed_ns, first_ns);
	ck_assert_int_eq(look_seen(Q, c->op.push.bodies[0].id)->pushed_ns,
	    first_ns);
	c = push_call(F, "a");
	set_key(c, "k");
	ck_assert_status(c, WQ_OK);
	first_ns = c->op.push.bodies[0].pushed_ns;
	ck_assert_str_eq(drain(F), "a");
	world_restart();
	again = push_call(F, "a");
	set_key(again, "k");
	ck_assert_status(again, WQ_OK);
	ck_assert(again->op.push.bodies[0].duplicate);
	ck_assert_int_eq(again->op.push.bodies[0].pushed_ns, first_ns);
}
END_TEST

START_TEST(repeat_within_one_push_tells_the_sequence_too)
{
	struct call *c = push_many_call(Q, 3);
	const struct op_body *b = c->op.push.bodies;

	set_key(c, "k");
	ck_assert_status(c, WQ_OK);
	ck_assert(!b[0].duplicate && b[1].duplicate && b[2].duplicate);
	ck_assert_int_eq(b[1].pushed_ns, b[0].pushed_ns);
	ck_assert_int_eq(b[2].pushed_ns, b[0].pushed_ns);
}
END_TEST

START_TEST(sequence_of_a_refused_push_is_not_told)
{
	struct call *c = push_call(Q, "large");

	set(Q, SETTING_MAX_MESSAGE, 1);
	c->op.push.bodies[0].pushed_ns = 7;
	ck_assert_status(c, WQ_MESSAGE_TOO_LARGE);
	ck_assert_int_eq(c->op.push.bodies[0].pushed_ns, 0);
}
END_TEST

START_TEST(first_receive_is_told_of_all_later_ones)
{
	struct id id = push(Q, "a");
	int64_t first_ns, before_ns;

	ck_assert_int_eq(look_seen(Q, id)->first_received_ns, 0);
	before_ns = clock_now_ns();
	first_ns = receive_lock(Q, "a", 1)->first_received_ns;
	ck_assert_int_ge(first_ns, before_ns);
	ck_assert_int_le(first_ns, clock_now_ns());
	world_pass(1000);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	ck_assert_int_eq(look_seen(Q, id)->first_received_ns, first_ns);
	ck_assert_int_eq(receive_one(Q, "a")->first_received_ns, first_ns);
	ck_assert_int_eq(extend(Q, id, 0), WQ_OK);
	ck_assert_int_eq(receive_one(Q, "a")->first_received_ns, first_ns);
	ck_assert_int_eq(look_seen(Q, id)->first_received_ns, first_ns);
}
END_TEST

START_TEST(release_takes_the_first_receive_back_and_no_later_one)
{
	struct id id = push(Q, "a");
	struct seen *s = receive_one(Q, "a");
	int64_t released_ns = s->first_received_ns, first_ns;

	release(Q, s);
	ck_assert_int_eq(look_seen(Q, id)->first_received_ns, 0);
	world_restart();
	ck_assert_int_eq(look_seen(Q, id)->first_received_ns, 0);
	world_pass(1000);
	first_ns = receive_lock(Q, "a", 1)->first_received_ns;
	ck_assert_int_ge(first_ns, released_ns + 1000 * CLOCK_NS_PER_MS);
	world_pass(1000);
	s = receive_one(Q, "a");
	release(Q, s);
	ck_assert_int_eq(look_seen(Q, id)->first_received_ns, first_ns);
	world_restart();
	ck_assert_int_eq(look_seen(Q, id)->first_received_ns, first_ns);
	ck_assert_int_eq(receive_one(Q, "a")->first_received_ns, first_ns);
}
END_TEST

START_TEST(dead_letter_was_not_received_where_it_is)
{
	struct id id;

	set_target(Q, DEAD, 1);
	id = push(Q, "a");
	receive_lock(Q, "a", 1);
	world_pass(1000);
	ck_assert_int_eq(state_of(DEAD, id), MESSAGE_AVAILABLE);
	ck_assert_int_eq(look_seen(DEAD, id)->first_received_ns, 0);
	world_restart();
	ck_assert_int_eq(look_seen(DEAD, id)->first_received_ns, 0);
	ck_assert_int_ge(receive_one(DEAD, "a")->first_received_ns,
	    look_seen(DEAD, id)->pushed_ns + 1000 * CLOCK_NS_PER_MS);
}
END_TEST

START_TEST(first_receive_comes_back)
{
	struct id a = push(Q, "a"), b;
	int64_t a_ns = receive_lock(Q, "a", 1000)->first_received_ns, b_ns;

	b = push(F, "b");
	b_ns = receive_one(F, "b")->first_received_ns;
	world_restart();
	ck_assert_int_eq(look_seen(Q, a)->first_received_ns, a_ns);
	world_pass(2000);
	ck_assert_int_eq(look_seen(Q, a)->first_received_ns, a_ns);
	world_restart();
	ck_assert_int_eq(look_seen(Q, a)->first_received_ns, a_ns);
	ck_assert_int_eq(receive_lock(Q, "a", 1)->first_received_ns, a_ns);
	world_pass(1000);
	world_restart();
	ck_assert_int_eq(receive_one(Q, "a")->first_received_ns, a_ns);
	world_restart();
	ck_assert_int_eq(look_seen(Q, a)->first_received_ns, a_ns);
	ck_assert_int_eq(look_seen(F, b)->first_received_ns, b_ns);
}
END_TEST

START_TEST(confirm_may_ask_that_the_lock_stands)
{
	struct call *c;
	struct seen *s;

	push_words(F, "a b");
	s = receive_lock(F, "a", 1000);
	world_pass(1000);
	c = confirm_call(F, s);
	c->op.confirm.while_locked = true;
	ck_assert_status(c, WQ_NOT_LOCKED);
	ck_assert_int_eq(state_of(F, s->id), MESSAGE_AVAILABLE);
	s = receive_one(F, "a");
	c = confirm_call(F, s);
	c->op.confirm.while_locked = true;
	ck_assert_status(c, WQ_OK);
	/* Who does not ask for it may be late. */
	s = receive_lock(F, "b", 1000);
	world_pass(1000);
	ck_assert_status(confirm_call(F, s), WQ_OK);
}
END_TEST

START_TEST(lock_is_not_longer_in_all_than_it_may_be)
{
	struct call *c;
	struct seen *s;

	push(Q, "a");
	s = receive_lock(Q, "a", 10000);
	world_pass(5000);
	c = extend_call(Q, s, 14000);
	c->op.extend.max_total_ms = 18000;
	ck_assert_status(c, WQ_BEYOND);
	/* It stays as it was. */
	ck_assert_int_eq(look_seen(Q, s->id)->until_ns, s->until_ns);
	c = extend_call(Q, s, 12000);
	c->op.extend.max_total_ms = 18000;
	ck_assert_status(c, WQ_OK);
	world_restart();
	world_pass(5000);
	c = extend_call(Q, s, 9000);
	c->op.extend.max_total_ms = 18000;
	ck_assert_status(c, WQ_BEYOND);
	c = extend_call(Q, s, 0);
	c->op.extend.max_total_ms = 18000;
	ck_assert_status(c, WQ_OK);
	/* It counts from the newest receive. */
	s = receive_lock(Q, "a", 10000);
	c = extend_call(Q, s, 17000);
	c->op.extend.max_total_ms = 18000;
	ck_assert_status(c, WQ_OK);
	ck_assert_status(extend_call(Q, s, HOUR_MS), WQ_OK);
}
END_TEST

START_TEST(receive_may_wait_as_long_as_its_queue_says)
{
	struct call *c = receive_call(Q, 1);

	set(Q, SETTING_WAIT, 20000);
	c->op.receive.wait_ms = -1;
	call_start(c);
	UNTIL(info(Q).waiter_count == 1);
	world_pass(19000);
	ck_assert_uint_eq(info(Q).waiter_count, 1);
	world_pass(1000);
	ck_assert_int_eq(call_wait(c), WQ_OK);
	ck_assert_uint_eq(c->count, 0);
	set(Q, SETTING_WAIT, 0);
	c = receive_call(Q, 1);
	c->op.receive.wait_ms = -1;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, 0);
	/* One that says how long waits for that. */
	set(Q, SETTING_WAIT, 20000);
	ck_assert_uint_eq(receive(Q, 1)->count, 0);
}
END_TEST

START_TEST(receive_tells_that_too_many_are_locked)
{
	struct call *c;
	struct seen *s;

	set(Q, SETTING_MAX_LOCKED, 1);
	ck_assert(!receive(Q, 1)->op.receive.over_limit);
	push_words(Q, "a b");
	c = receive(Q, 2);
	ck_assert_str_eq(bodies(c), "a");
	ck_assert(!c->op.receive.over_limit);
	s = c->seen;
	c = receive(Q, 1);
	ck_assert_uint_eq(c->count, 0);
	ck_assert(c->op.receive.over_limit);
	c = wait_start(Q, 1);
	ck_assert_status(confirm_call(Q, s), WQ_OK);
	ck_assert_int_eq(call_wait(c), WQ_OK);
	ck_assert_str_eq(bodies(c), "b");
	ck_assert(!c->op.receive.over_limit);
	/* Nothing is there: it is not for the limit. */
	ck_assert(!receive(Q, 1)->op.receive.over_limit);
}
END_TEST

TCase *
beside_tests(void)
{
	TCase *t = tcase_create("beside");

	tcase_add_test(t, attributes_come_with_the_message_everywhere);
	tcase_add_test(t, message_without_attributes_has_none);
	tcase_add_test(t, attributes_come_back);
	tcase_add_test(t, attributes_go_with_a_dead_letter_and_back);
	tcase_add_test(t, attributes_of_many_and_large_ones_come_back);
	tcase_add_test(t, bodies_that_are_moved_out_keep_their_attributes);
	tcase_add_test(t, message_may_be_as_large_as_its_queue_allows);
	tcase_add_test(t, one_that_is_too_large_refuses_all_of_its_push);
	tcase_add_test(t, push_may_ask_that_its_queue_is_there);
	tcase_add_test(t, push_may_ask_that_repeats_of_it_are_known);
	tcase_add_test(t, repeats_are_those_of_the_queue_or_of_the_group);
	tcase_add_test(t,
	    push_tells_the_sequence_and_a_repeat_that_of_the_first);
	tcase_add_test(t, repeat_within_one_push_tells_the_sequence_too);
	tcase_add_test(t, sequence_of_a_refused_push_is_not_told);
	tcase_add_test(t, first_receive_is_told_of_all_later_ones);
	tcase_add_test(t,
	    release_takes_the_first_receive_back_and_no_later_one);
	tcase_add_test(t, dead_letter_was_not_received_where_it_is);
	tcase_add_test(t, first_receive_comes_back);
	tcase_add_test(t, confirm_may_ask_that_the_lock_stands);
	tcase_add_test(t, lock_is_not_longer_in_all_than_it_may_be);
	tcase_add_test(t, receive_may_wait_as_long_as_its_queue_says);
	tcase_add_test(t, receive_tells_that_too_many_are_locked);
	return t;
}
