/* Dead letters: how messages become some, and how they go back. */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define DEAD	"letters"

/* Let all of the words die in queue, each in its turn. */
static void
kill_words(const char *queue, const char *words)
{
	struct call *c = receive_call(queue, 100);
	size_t before = info(DEAD).available_count;

	push_words(queue, words);
	c->op.receive.lock_ms = 1;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), words);
	UNTIL(info(DEAD).available_count == before + c->count);
}

START_TEST(message_dies_when_it_has_used_up_its_receives)
{
	struct id id;
	int i;

	set_target(Q, DEAD, 3);
	id = push(Q, "a");
	for (i = 0; i < 2; i++) {
		receive_lock(Q, "a", 1);
		UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	}
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_GONE);
	ck_assert_uint_eq(info(Q).totals.dead_lettered, 1);
	ck_assert_uint_eq(info(Q).totals.expired, 3);
	ck_assert_uint_eq(info(Q).body_bytes, 0);
	ck_assert_uint_eq(info(DEAD).body_bytes, 1);
}
END_TEST

START_TEST(dead_letter_remembers_where_it_comes_from)
{
	struct id id;
	int64_t pushed_ns;
	struct seen *s;

	set_target(Q, DEAD, 1);
	id = push(Q, "a");
	pushed_ns = look_seen(Q, id)->pushed_ns;
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	s = look_seen(DEAD, id);
	ck_assert(s->is_letter);
	ck_assert_str_eq(s->source, Q);
	ck_assert_uint_eq(s->source_receives, 1);
	ck_assert_int_eq(s->reason, DEAD_RECEIVES);
	ck_assert_int_eq(s->source_pushed_ns, pushed_ns);
	ck_assert_int_eq(s->pushed_ns, pushed_ns);
	ck_assert_uint_eq(s->receives, 0);
	ck_assert_str_eq(s->body, "a");
}
END_TEST

START_TEST(message_dies_at_the_end_of_its_ttl)
{
	struct id id;
	struct seen *s;

	set_target(Q, DEAD, 0);
	id = push_ttl(Q, "a", SOON_MS);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	s = look_seen(DEAD, id);
	ck_assert_int_eq(s->reason, DEAD_TTL);
	ck_assert_uint_eq(s->source_receives, 0);
	ck_assert_uint_eq(info(Q).totals.dead_lettered, 1);
	ck_assert_uint_eq(info(Q).totals.timed_out, 0);
}
END_TEST

START_TEST(dead_letter_has_no_ttl)
{
	struct call *c = receive_call(Q, 1);
	struct id id, probe;

	set_target(Q, DEAD, 1);
	id = push_ttl(Q, "a", 2 * SOON_MS);
	probe = push_ttl(Q, "probe", 3 * SOON_MS);
	/* It dies by its receives, where this is not too slow for that. */
	c->op.receive.lock_ms = 1;
	ck_assert_status(c, WQ_OK);
	/* Its own end is over by then. */
	UNTIL(state_of(DEAD, probe) == MESSAGE_AVAILABLE);
	ck_assert_int_eq(state_of(DEAD, id), MESSAGE_AVAILABLE);
}
END_TEST

START_TEST(message_that_is_given_back_dies_too)
{
	struct id id;

	set_target(Q, DEAD, 1);
	id = push(Q, "a");
	receive_one(Q, "a");
	ck_assert_int_eq(extend(Q, id, 0), WQ_OK);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	ck_assert_uint_eq(info(Q).totals.expired, 0);
}
END_TEST

START_TEST(released_message_does_not_die)
{
	struct seen *s;

	set_target(Q, DEAD, 1);
	push(Q, "a");
	s = receive_one(Q, "a");
	release(Q, s);
	ck_assert_int_eq(state_of(Q, s->id), MESSAGE_AVAILABLE);
	ck_assert_uint_eq(receive_one(Q, "a")->receives, 1);
}
END_TEST

START_TEST(dead_letters_come_in_the_order_of_their_deaths)
{
	set_target(Q, DEAD, 1);
	kill_words(Q, "a b c");
	kill_words(Q, "d e");
	ck_assert_str_eq(drain(DEAD), "a b c d e");
}
END_TEST

START_TEST(dead_letter_can_be_received_and_confirmed)
{
	struct seen *s;

	set_target(Q, DEAD, 1);
	kill_words(Q, "a");
	s = receive_one(DEAD, "a");
	ck_assert_uint_eq(s->receives, 1);
	ck_assert(s->is_letter);
	ck_assert_status(confirm_call(DEAD, s), WQ_OK);
}
END_TEST

START_TEST(full_queue_takes_dead_letters)
{
	set_target(Q, DEAD, 1);
	set(DEAD, SETTING_MAX_MESSAGES, 1);
	push(DEAD, "first");
	kill_words(Q, "a b");
	ck_assert_status(push_call(DEAD, "c"), WQ_FULL_MESSAGES);
	ck_assert_str_eq(drain(DEAD), "first a b");
}
END_TEST

START_TEST(dead_letter_keeps_its_group)
{
	struct id id;

	set_target(Q, DEAD, 1);
	id = push_group(Q, "a", "g");
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	ck_assert_str_eq(look_seen(DEAD, id)->group, "g");
}
END_TEST

START_TEST(dead_letter_of_dead_letters_remembers_the_last_queue)
{
	struct id id;
	struct seen *s;

	set_target(Q, DEAD, 1);
	set_target(DEAD, "last", 2);
	id = push(Q, "a");
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	receive_lock(DEAD, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	receive_lock(DEAD, "a", 1);
	UNTIL(state_of("last", id) == MESSAGE_AVAILABLE);
	s = look_seen("last", id);
	ck_assert_str_eq(s->source, DEAD);
	ck_assert_uint_eq(s->source_receives, 2);
}
END_TEST

START_TEST(fewer_max_receives_kill_at_the_next_expiry)
{
	struct id id = push(Q, "a");

	receive_lock(Q, "a", 1);
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	set_target(Q, DEAD, 1);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	ck_assert_uint_eq(look_seen(DEAD, id)->source_receives, 2);
}
END_TEST

START_TEST(redrive_moves_letters_back_to_their_sources)
{
	struct call *c;

	set_target(Q, DEAD, 1);
	set_target("other", DEAD, 1);
	kill_words(Q, "a b");
	kill_words("other", "c");
	ck_assert_uint_eq(redrive(DEAD, NULL, 100), 3);
	ck_assert_uint_eq(info(DEAD).available_count, 0);
	c = receive("other", 10);
	ck_assert_str_eq(bodies(c), "c");
	ck_assert(!c->seen->is_letter);
	ck_assert_uint_eq(c->seen->receives, 1);
	ck_assert_str_eq(drain(Q), "a b");
}
END_TEST

START_TEST(redriven_message_goes_to_the_end)
{
	set_target(Q, DEAD, 1);
	kill_words(Q, "a b");
	push(Q, "c");
	ck_assert_uint_eq(redrive(DEAD, NULL, 100), 2);
	push(Q, "d");
	ck_assert_str_eq(drain(Q), "c a b d");
}
END_TEST

START_TEST(redriven_message_has_all_its_receives_again)
{
	struct id id;

	set_target(Q, DEAD, 2);
	id = push(Q, "a");
	receive_lock(Q, "a", 1);
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	ck_assert_uint_eq(redrive(DEAD, NULL, 100), 1);
	receive_lock(Q, "a", 1);
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	ck_assert_uint_eq(look_seen(Q, id)->receives, 1);
}
END_TEST

START_TEST(redrive_moves_max_at_most_and_oldest_first)
{
	set_target(Q, DEAD, 1);
	kill_words(Q, "a b c");
	ck_assert_uint_eq(redrive(DEAD, NULL, 2), 2);
	ck_assert_str_eq(drain(Q), "a b");
	ck_assert_str_eq(drain(DEAD), "c");
}
END_TEST

START_TEST(redrive_to_a_name_moves_all_that_is_available)
{
	set_target(Q, DEAD, 1);
	kill_words(Q, "a b");
	push(DEAD, "plain");
	push_delay(DEAD, "late", HOUR_MS);
	ck_assert_status(configure_call("to"), WQ_OK);
	ck_assert_uint_eq(redrive(DEAD, "to", 100), 3);
	ck_assert_uint_eq(info("to").available_count, 3);
	ck_assert_uint_eq(info("to").body_bytes, 7);
	ck_assert(!peek("to", STATES_ALL)->seen[0].is_letter);
	ck_assert_uint_eq(info(DEAD).delayed_count, 1);
	ck_assert_str_eq(drain(DEAD), "");
}
END_TEST

START_TEST(redrive_leaves_what_is_no_letter)
{
	set_target(Q, DEAD, 1);
	kill_words(Q, "a");
	push(DEAD, "plain");
	ck_assert_uint_eq(redrive(DEAD, NULL, 100), 1);
	ck_assert_str_eq(drain(DEAD), "plain");
}
END_TEST

START_TEST(redrive_leaves_letters_whose_source_is_gone)
{
	set_target(Q, DEAD, 1);
	set_target("other", DEAD, 1);
	kill_words(Q, "a");
	kill_words("other", "b");
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	ck_assert_uint_eq(redrive(DEAD, NULL, 100), 1);
	ck_assert(!queue_exists(Q));
	ck_assert_str_eq(drain("other"), "b");
	ck_assert_uint_eq(redrive(DEAD, "other", 100), 1);
	ck_assert_str_eq(drain("other"), "a");
}
END_TEST

START_TEST(redrive_leaves_locked_letters)
{
	struct seen *s;

	set_target(Q, DEAD, 1);
	kill_words(Q, "a b");
	s = receive_one(DEAD, "a");
	ck_assert_uint_eq(redrive(DEAD, NULL, 100), 1);
	ck_assert_status(confirm_call(DEAD, s), WQ_OK);
	ck_assert_str_eq(drain(Q), "b");
}
END_TEST

START_TEST(redrive_to_where_it_is_moves_none)
{
	push_words(DEAD, "a b");
	ck_assert_uint_eq(redrive(DEAD, DEAD, 100), 0);
	ck_assert_str_eq(drain(DEAD), "a b");
}
END_TEST

START_TEST(redrive_to_a_full_queue_loses_nothing)
{
	set_target(Q, DEAD, 1);
	set(Q, SETTING_MAX_MESSAGES, 3);
	kill_words(Q, "a b");
	push_words(Q, "c d e");
	ck_assert_uint_eq(redrive(DEAD, NULL, 100), 2);
	ck_assert_status(push_call(Q, "f"), WQ_FULL_MESSAGES);
	ck_assert_str_eq(drain(Q), "c d e a b");
}
END_TEST

START_TEST(redrive_needs_its_target)
{
	struct call *c = call_new(OP_REDRIVE, DEAD);

	push(DEAD, "a");
	c->op.redrive.to = "none";
	c->op.redrive.max = 10;
	ck_assert_status(c, WQ_NO_QUEUE);
	c = call_new(OP_REDRIVE, DEAD);
	c->op.redrive.to = "no name";
	c->op.redrive.max = 10;
	ck_assert_status(c, WQ_BAD_NAME);
	ck_assert_str_eq(drain(DEAD), "a");
}
END_TEST

/* A confirm in queue of what s told, which may be a letter of it by now. */
static enum wq_status
confirm_late(const char *queue, const struct seen *s)
{
	struct call *c = confirm_call(queue, s);

	c->op.confirm.even_dead = true;
	return call_run(c);
}

/* One that died of its first receive in Q, which is told of. */
static struct seen *
kill_one(const char *body)
{
	struct seen *s;

	set_target(Q, DEAD, 1);
	push(Q, body);
	s = receive_lock(Q, body, 1);
	UNTIL(state_of(DEAD, s->id) == MESSAGE_AVAILABLE);
	return s;
}

START_TEST(late_confirm_finds_a_letter_that_nobody_received)
{
	struct seen *s = kill_one("a");

	kill_words(Q, "b");
	ck_assert_status(confirm_call(Q, s), WQ_NO_MESSAGE);
	ck_assert_int_eq(confirm_late(Q, s), WQ_OK);
	ck_assert_int_eq(state_of(DEAD, s->id), MESSAGE_GONE);
	ck_assert_int_eq(confirm_late(Q, s), WQ_NO_MESSAGE);
	ck_assert_uint_eq(info(DEAD).totals.confirmed, 1);
	ck_assert_uint_eq(info(Q).totals.confirmed, 0);
	ck_assert_uint_eq(info(DEAD).body_bytes, 1);
	world_restart();
	ck_assert_str_eq(drain(DEAD), "b");
}
END_TEST

START_TEST(late_confirm_finds_what_died_of_its_ttl)
{
	struct id id;
	struct seen *s;

	set_target(Q, DEAD, 0);
	id = push_ttl(Q, "a", 1000);
	s = receive_one(Q, "a");
	world_pass(1000);
	ck_assert_int_eq(state_of(DEAD, id), MESSAGE_AVAILABLE);
	ck_assert_int_eq(confirm_late(Q, s), WQ_OK);
	ck_assert_int_eq(state_of(DEAD, id), MESSAGE_GONE);
}
END_TEST

START_TEST(late_confirm_needs_the_last_receipt)
{
	struct seen *first, *last;
	struct call *c;

	set_target(Q, DEAD, 2);
	push(Q, "a");
	first = receive_lock(Q, "a", 1);
	UNTIL(state_of(Q, first->id) == MESSAGE_AVAILABLE);
	last = receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, first->id) == MESSAGE_AVAILABLE);
	ck_assert_int_eq(confirm_late(Q, first), WQ_NO_MESSAGE);
	c = call_new(OP_CONFIRM, Q);
	c->op.confirm.id = last->id;
	c->op.confirm.even_dead = true;
	ck_assert_status(c, WQ_NO_MESSAGE);
	/* It is a letter of that queue alone. */
	push("other", "b");
	ck_assert_int_eq(confirm_late("other", last), WQ_NO_MESSAGE);
	ck_assert_int_eq(confirm_late(DEAD, last), WQ_STALE_RECEIPT);
	ck_assert_int_eq(confirm_late(Q, last), WQ_OK);
}
END_TEST

START_TEST(late_confirm_leaves_what_was_received_since)
{
	struct seen *s = kill_one("a"), *there;

	there = receive_one(DEAD, "a");
	ck_assert_int_eq(confirm_late(Q, s), WQ_NO_MESSAGE);
	ck_assert_int_eq(extend(DEAD, s->id, 0), WQ_OK);
	ck_assert_int_eq(confirm_late(Q, s), WQ_NO_MESSAGE);
	ck_assert_int_eq(state_of(DEAD, s->id), MESSAGE_AVAILABLE);
	/* One that did not reach its client is not received. */
	s = kill_one("b");
	receive_one(DEAD, "a");
	there = receive_one(DEAD, "b");
	release(DEAD, there);
	ck_assert_int_eq(confirm_late(Q, s), WQ_OK);
}
END_TEST

START_TEST(late_confirm_leaves_what_went_elsewhere)
{
	struct seen *s = kill_one("a"), *there;

	set_target(DEAD, "last", 1);
	there = receive_lock(DEAD, "a", 1);
	UNTIL(state_of("last", s->id) == MESSAGE_AVAILABLE);
	ck_assert_int_eq(confirm_late(Q, s), WQ_NO_MESSAGE);
	ck_assert_int_eq(confirm_late(DEAD, there), WQ_OK);
	s = kill_one("b");
	ck_assert_uint_eq(redrive(DEAD, NULL, 1), 1);
	ck_assert_int_eq(confirm_late(Q, s), WQ_STALE_RECEIPT);
	ck_assert_str_eq(drain(Q), "b");
	s = kill_one("c");
	purge(DEAD);
	ck_assert_int_eq(confirm_late(Q, s), WQ_NO_MESSAGE);
}
END_TEST

START_TEST(late_confirm_is_known_after_a_restart)
{
	struct seen *a = kill_one("a"), *b = kill_one("b");

	receive_one(DEAD, "a");
	world_restart();
	ck_assert_int_eq(confirm_late(Q, a), WQ_NO_MESSAGE);
	b->receipt++;
	ck_assert_int_eq(confirm_late(Q, b), WQ_NO_MESSAGE);
	b->receipt--;
	ck_assert_int_eq(confirm_late(Q, b), WQ_OK);
	world_restart();
	ck_assert_int_eq(state_of(DEAD, b->id), MESSAGE_GONE);
	ck_assert_int_eq(state_of(DEAD, a->id), MESSAGE_LOCKED);
}
END_TEST

TCase *
letter_tests(void)
{
	TCase *t = tcase_create("letters");

	tcase_add_test(t, message_dies_when_it_has_used_up_its_receives);
	tcase_add_test(t, dead_letter_remembers_where_it_comes_from);
	tcase_add_test(t, message_dies_at_the_end_of_its_ttl);
	tcase_add_test(t, dead_letter_has_no_ttl);
	tcase_add_test(t, message_that_is_given_back_dies_too);
	tcase_add_test(t, released_message_does_not_die);
	tcase_add_test(t, dead_letters_come_in_the_order_of_their_deaths);
	tcase_add_test(t, dead_letter_can_be_received_and_confirmed);
	tcase_add_test(t, full_queue_takes_dead_letters);
	tcase_add_test(t, dead_letter_keeps_its_group);
	tcase_add_test(t,
	    dead_letter_of_dead_letters_remembers_the_last_queue);
	tcase_add_test(t, fewer_max_receives_kill_at_the_next_expiry);
	tcase_add_test(t, redrive_moves_letters_back_to_their_sources);
	tcase_add_test(t, redriven_message_goes_to_the_end);
	tcase_add_test(t, redriven_message_has_all_its_receives_again);
	tcase_add_test(t, redrive_moves_max_at_most_and_oldest_first);
	tcase_add_test(t, redrive_to_a_name_moves_all_that_is_available);
	tcase_add_test(t, redrive_leaves_what_is_no_letter);
	tcase_add_test(t, redrive_leaves_letters_whose_source_is_gone);
	tcase_add_test(t, redrive_leaves_locked_letters);
	tcase_add_test(t, redrive_to_where_it_is_moves_none);
	tcase_add_test(t, redrive_to_a_full_queue_loses_nothing);
	tcase_add_test(t, redrive_needs_its_target);
	tcase_add_test(t, late_confirm_finds_a_letter_that_nobody_received);
	tcase_add_test(t, late_confirm_finds_what_died_of_its_ttl);
	tcase_add_test(t, late_confirm_needs_the_last_receipt);
	tcase_add_test(t, late_confirm_leaves_what_was_received_since);
	tcase_add_test(t, late_confirm_leaves_what_went_elsewhere);
	tcase_add_test(t, late_confirm_is_known_after_a_restart);
	return t;
}
