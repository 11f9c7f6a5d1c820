/* Looking: one message, many, a queue, all queues; it changes nothing. */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"

START_TEST(look_tells_state_and_end_of_lock)
{
	struct id id = push(Q, "a");
	struct seen *got = receive_one(Q, "a"), *s = look_seen(Q, id);

	ck_assert_int_eq(s->state, MESSAGE_LOCKED);
	ck_assert_int_eq(s->until_ns, got->until_ns);
	ck_assert_int_eq(s->pushed_ns, got->pushed_ns);
	ck_assert_uint_eq(s->receives, 1);
	ck_assert_uint_eq(s->receipt, got->receipt);
}
END_TEST

START_TEST(look_finds_only_what_is_in_the_queue)
{
	struct id id = push(Q, "a"), unknown;

	memset(&unknown, 9, sizeof(unknown));
	ck_assert_int_eq(look(NULL, id)->op.status, WQ_NO_MESSAGE);
	ck_assert_int_eq(look(Q, unknown)->op.status, WQ_NO_MESSAGE);
}
END_TEST

START_TEST(looking_changes_nothing)
{
	struct id id = push(Q, "a");
	size_t i;

	push(Q, "b");
	for (i = 0; i < 10; i++) {
		look_seen(Q, id);
		peek(Q, STATES_ALL);
		info(Q);
		list("", "", 10);
	}
	ck_assert_uint_eq(look_seen(Q, id)->receives, 0);
	ck_assert_uint_eq(info(Q).totals.received, 0);
	ck_assert_str_eq(drain(Q), "a b");
}
END_TEST

START_TEST(look_tells_that_the_queue_is_paused)
{
	struct id id = push(Q, "a");

	ck_assert(!look(Q, id)->op.look.paused);
	set_paused(Q, true);
	ck_assert(look(Q, id)->op.look.paused);
	set_paused(Q, false);
	ck_assert(!look(Q, id)->op.look.paused);
}
END_TEST

START_TEST(look_tells_what_blocks_a_fifo_group)
{
	struct id a = push_group("q.fifo", "a", "g");
	struct id b = push_group("q.fifo", "b", "g");
	struct id other = push_group("q.fifo", "c", "h");
	struct call *c;

	ck_assert(!look("q.fifo", b)->op.look.blocked);
	receive_one("q.fifo", "a");
	c = look("q.fifo", b);
	ck_assert(c->op.look.blocked);
	ck_assert_id(c->op.look.blocked_by, a);
	ck_assert_int_eq(c->seen->state, MESSAGE_AVAILABLE);
	ck_assert(!look("q.fifo", other)->op.look.blocked);
	ck_assert(!look("q.fifo", a)->op.look.blocked);
	ck_assert_int_eq(confirm("q.fifo", a), WQ_OK);
	ck_assert(!look("q.fifo", b)->op.look.blocked);
}
END_TEST

START_TEST(group_blocks_nobody_in_other_queues)
{
	struct id id;

	push_group(Q, "a", "g");
	id = push_group(Q, "b", "g");
	receive_one(Q, "a");
	ck_assert(!look(Q, id)->op.look.blocked);
}
END_TEST

/* "a b" available, "l m" locked, "d e" delayed. */
static void
make_states(void)
{
	push_words(Q, "l m a b");
	receive_one(Q, "l");
	receive_one(Q, "m");
	push_delay(Q, "d", HOUR_MS);
	push_delay(Q, "e", HOUR_MS);
}

START_TEST(peek_gives_the_states_that_are_asked_for)
{
	make_states();
	ck_assert_str_eq(bodies(peek(Q, 1u << MESSAGE_AVAILABLE)), "a b");
	ck_assert_str_eq(bodies(peek(Q, 1u << MESSAGE_LOCKED)), "l m");
	ck_assert_str_eq(bodies(peek(Q, 1u << MESSAGE_DELAYED)), "d e");
	ck_assert_uint_eq(peek(Q, STATES_ALL)->count, 6);
}
END_TEST

START_TEST(peek_tells_what_a_look_tells)
{
	struct call *c;
	struct seen *s;
	size_t i;

	make_states();
	c = peek(Q, STATES_ALL);
	for (i = 0; i < c->count; i++) {
		s = look_seen(Q, c->seen[i].id);
		ck_assert_str_eq(s->body, c->seen[i].body);
		ck_assert_int_eq(s->state, c->seen[i].state);
		ck_assert_int_eq(s->until_ns, c->seen[i].until_ns);
		ck_assert_uint_eq(s->receives, c->seen[i].receives);
	}
}
END_TEST

START_TEST(peek_of_available_ones_is_in_the_order_of_the_queue)
{
	push_words(Q, "a b c");
	receive_lock(Q, "a", 1);
	UNTIL(info(Q).available_count == 3);
	push(Q, "d");
	ck_assert_str_eq(bodies(peek(Q, 1u << MESSAGE_AVAILABLE)),
	    "b c a d");
}
END_TEST

/* All messages, so many at a time. */
static const char *
peek_pages(unsigned states, size_t max)
{
	const char *words = "";
	struct id after = { { 0 } };
	bool has_after = false;
	struct call *c;

	for (;;) {
		c = peek_call(Q, states, max);
		c->op.peek.has_after = has_after;
		c->op.peek.after = after;
		ck_assert_status(c, WQ_OK);
		ck_assert_uint_le(c->count, max);
		if (c->count == 0)
			return words;
		words = world_text("%s%s%s", words, has_after ? " " : "",
		    bodies(c));
		after = c->seen[c->count - 1].id;
		has_after = true;
	}
}

START_TEST(pages_of_a_peek_hold_each_message_once)
{
	const char *all;
	size_t max;

	make_states();
	push_group(Q, "f", "g");
	push_group(Q, "h", "i");
	push_group(Q, "j", "g");
	all = bodies(peek(Q, STATES_ALL));
	ck_assert_uint_eq(strlen(all), 17);
	for (max = 1; max <= 10; max++)
		ck_assert_str_eq(peek_pages(STATES_ALL, max), all);
}
END_TEST

START_TEST(pages_go_over_what_expired)
{
	push_lock(Q, "a", 1);
	push_lock(Q, "b", 2);
	push_words(Q, "c d");
	push_lock(Q, "e", 3);
	receive_lock(Q, "a", -1);
	receive_lock(Q, "b", -1);
	UNTIL(info(Q).available_count == 5);
	ck_assert_str_eq(peek_pages(1u << MESSAGE_AVAILABLE, 1),
	    bodies(peek(Q, 1u << MESSAGE_AVAILABLE)));
	ck_assert_uint_eq(strlen(peek_pages(1u << MESSAGE_AVAILABLE, 2)), 9);
}
END_TEST

START_TEST(bodies_of_a_peek_are_max_bytes_at_most)
{
	struct call *c = peek_call(Q, STATES_ALL, 10);

	push_words(Q, "123 45 6789 0");
	c->op.peek.max_bytes = 8;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "123 45");
	c = peek_call(Q, STATES_ALL, 10);
	c->op.peek.max_bytes = 1;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "123");
}
END_TEST

START_TEST(peek_behind_what_is_gone_finds_no_message)
{
	struct call *c = peek_call(Q, STATES_ALL, 10);

	push_words(Q, "a b");
	c->op.peek.has_after = true;
	c->op.peek.after = receive_one(Q, "a")->id;
	ck_assert_int_eq(confirm(Q, c->op.peek.after), WQ_OK);
	ck_assert_status(c, WQ_NO_MESSAGE);
}
END_TEST

START_TEST(info_counts_states_bytes_and_waits)
{
	struct queue_info i;

	make_states();
	push(Q, "four");
	i = info(Q);
	ck_assert_uint_eq(i.available_count, 3);
	ck_assert_uint_eq(i.locked_count, 2);
	ck_assert_uint_eq(i.delayed_count, 2);
	ck_assert_uint_eq(i.body_bytes, 10);
	ck_assert_uint_eq(i.waiter_count, 0);
	ck_assert(!i.fifo && !i.paused);
	ck_assert_str_eq(i.dead_letter_queue, "");
}
END_TEST

START_TEST(info_tells_the_push_of_the_next_message)
{
	struct call *r;

	push_words(Q, "a b");
	r = peek(Q, STATES_ALL);
	ck_assert_int_eq(info(Q).oldest_ns, r->seen[0].pushed_ns);
	receive_one(Q, "a");
	ck_assert_int_eq(info(Q).oldest_ns, r->seen[1].pushed_ns);
	receive_one(Q, "b");
	ck_assert_int_eq(info(Q).oldest_ns, 0);
}
END_TEST

START_TEST(info_has_totals)
{
	struct queue_totals t;
	bool duplicate;
	struct id id;

	push_key(Q, "a", "k", &duplicate);
	push_key(Q, "a", "k", &duplicate);
	push(Q, "b");
	id = receive_lock(Q, "a", 1)->id;
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	ck_assert_str_eq(drain(Q), "b a");
	t = info(Q).totals;
	ck_assert_uint_eq(t.pushed, 2);
	ck_assert_uint_eq(t.received, 3);
	ck_assert_uint_eq(t.confirmed, 2);
	ck_assert_uint_eq(t.expired, 1);
	ck_assert_uint_eq(t.duplicates, 1);
	ck_assert_uint_eq(t.dead_lettered, 0);
	ck_assert_uint_eq(t.timed_out, 0);
}
END_TEST

START_TEST(new_queue_has_the_presets)
{
	struct queue_settings s;

	ck_assert_status(configure_call(Q), WQ_OK);
	s = info(Q).settings;
	ck_assert_int_eq(s.lock_timeout_ms, 1000);
	ck_assert_int_eq(s.delay_ms, 0);
	ck_assert_int_eq(s.ttl_ms, 0);
	ck_assert_int_eq(s.max_receives, 0);
	ck_assert_int_eq(s.max_messages, 0);
	ck_assert_int_eq(s.max_bytes, 0);
	ck_assert_int_eq(s.max_locked, 120000);
	ck_assert_int_eq(s.content_based_dedup, 0);
}
END_TEST

START_TEST(list_is_by_name_and_by_prefix)
{
	push_words("b", "1 2");
	push("a2", "1");
	push("a1.fifo", "1");
	ck_assert_str_eq(list("", "", 10), "a1.fifo a2 b default");
	ck_assert_str_eq(list("a", "", 10), "a1.fifo a2");
	ck_assert_str_eq(list("a1", "", 10), "a1.fifo");
	ck_assert_str_eq(list("c", "", 10), "");
}
END_TEST

START_TEST(list_has_pages)
{
	push_words("b", "1 2");
	push("a2", "1");
	push("a1", "1");
	ck_assert_str_eq(list("", "", 2), "a1 a2");
	ck_assert_str_eq(list("", "a2", 2), "b default");
	ck_assert_str_eq(list("", "default", 2), "");
	ck_assert_str_eq(list("a", "a1", 2), "a2");
	/* Also behind one that is no more. */
	ck_assert_int_eq(delete_queue("a2"), WQ_OK);
	ck_assert_str_eq(list("", "a2", 1), "b");
}
END_TEST

START_TEST(list_tells_what_an_info_tells)
{
	struct call *c = call_new(OP_LIST, NULL);
	struct queue_entry entry;

	make_states();
	set(Q, SETTING_TTL, HOUR_MS);
	set_paused(Q, true);
	c->op.list.prefix = Q;
	c->op.list.after = "";
	c->op.list.max = 1;
	c->op.list.out = &entry;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->op.list.count, 1);
	ck_assert_str_eq(entry.name, Q);
	ck_assert(entry.info.paused);
	ck_assert_uint_eq(entry.info.available_count, 2);
	ck_assert_uint_eq(entry.info.locked_count, 2);
	ck_assert_uint_eq(entry.info.delayed_count, 2);
	ck_assert_int_eq(entry.info.settings.ttl_ms, HOUR_MS);
	ck_assert_uint_eq(entry.info.totals.pushed, 6);
}
END_TEST

TCase *
look_tests(void)
{
	TCase *t = tcase_create("look");

	tcase_add_test(t, look_tells_state_and_end_of_lock);
	tcase_add_test(t, look_finds_only_what_is_in_the_queue);
	tcase_add_test(t, looking_changes_nothing);
	tcase_add_test(t, look_tells_that_the_queue_is_paused);
	tcase_add_test(t, look_tells_what_blocks_a_fifo_group);
	tcase_add_test(t, group_blocks_nobody_in_other_queues);
	tcase_add_test(t, peek_gives_the_states_that_are_asked_for);
	tcase_add_test(t, peek_tells_what_a_look_tells);
	tcase_add_test(t,
	    peek_of_available_ones_is_in_the_order_of_the_queue);
	tcase_add_test(t, pages_of_a_peek_hold_each_message_once);
	tcase_add_test(t, pages_go_over_what_expired);
	tcase_add_test(t, bodies_of_a_peek_are_max_bytes_at_most);
	tcase_add_test(t, peek_behind_what_is_gone_finds_no_message);
	tcase_add_test(t, info_counts_states_bytes_and_waits);
	tcase_add_test(t, info_tells_the_push_of_the_next_message);
	tcase_add_test(t, info_has_totals);
	tcase_add_test(t, new_queue_has_the_presets);
	tcase_add_test(t, list_is_by_name_and_by_prefix);
	tcase_add_test(t, list_has_pages);
	tcase_add_test(t, list_tells_what_an_info_tells);
	return t;
}
