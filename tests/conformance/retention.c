/* Messages older than their queue keeps them. */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define F	"orders.fifo"
#define DEAD	"letters"
#define MINUTE	INT64_C(60000)

/* Queue keeps messages for so many minutes. */
static void
retain(const char *queue, int64_t minutes)
{
	set(queue, SETTING_RETENTION, minutes * MINUTE);
}

static size_t
available(const char *queue)
{
	return info(queue).available_count;
}

static size_t
count(const char *queue)
{
	struct queue_info i = info(queue);

	return i.available_count + i.locked_count + i.delayed_count;
}

START_TEST(message_goes_when_its_time_is_over)
{
	struct queue_info i;

	retain(Q, 10);
	push(Q, "a");
	world_pass(5 * MINUTE);
	push(Q, "b");
	world_pass(5 * MINUTE - 1000);
	ck_assert_uint_eq(available(Q), 2);
	world_pass(1000);
	ck_assert_uint_eq(available(Q), 1);
	ck_assert_str_eq(drain(Q), "b");
	push(Q, "c");
	world_pass(10 * MINUTE);
	i = info(Q);
	ck_assert_uint_eq(i.available_count, 0);
	ck_assert_uint_eq(i.body_bytes, 0);
	ck_assert_uint_eq(i.totals.timed_out, 2);
	ck_assert_uint_eq(i.totals.dead_lettered, 0);
}
END_TEST

START_TEST(message_of_another_queue_stays)
{
	retain(Q, 10);
	push(NULL, "a");
	push("other", "b");
	world_pass(24 * HOUR_MS);
	ck_assert_str_eq(drain(NULL), "a");
	ck_assert_str_eq(drain("other"), "b");
}
END_TEST

START_TEST(message_that_is_too_old_does_not_die_but_goes)
{
	set_target(Q, DEAD, 1);
	retain(Q, 1);
	push(Q, "a");
	push(Q, "b");
	receive_lock(Q, "a", 2 * MINUTE);
	world_pass(3 * MINUTE);
	ck_assert_uint_eq(count(Q), 0);
	ck_assert_uint_eq(count(DEAD), 0);
	ck_assert_uint_eq(info(Q).totals.timed_out, 2);
	ck_assert_uint_eq(info(Q).totals.dead_lettered, 0);
}
END_TEST

START_TEST(messages_of_groups_go_each_in_its_time)
{
	retain(Q, 10);
	push_group(Q, "a", "g");
	push(Q, "b");
	world_pass(5 * MINUTE);
	push_group(Q, "c", "g");
	push_group(Q, "d", "h");
	world_pass(5 * MINUTE);
	ck_assert_uint_eq(available(Q), 2);
	ck_assert_str_eq(drain(Q), "c d");
}
END_TEST

START_TEST(messages_of_a_fifo_queue_go_each_in_its_time)
{
	retain(F, 10);
	push_words(F, "a b");
	world_pass(5 * MINUTE);
	push_words(F, "c d");
	world_pass(5 * MINUTE);
	ck_assert_uint_eq(available(F), 2);
	ck_assert_str_eq(drain(F), "c d");
	push(F, "e");
	world_pass(10 * MINUTE);
	ck_assert_uint_eq(available(F), 0);
}
END_TEST

START_TEST(old_first_of_a_group_goes_and_unblocks_the_next)
{
	struct seen *s;

	retain(F, 10);
	push(F, "a");
	world_pass(MINUTE);
	push(F, "b");
	s = receive_lock(F, "a", 9 * MINUTE + 30000);
	world_pass(9 * MINUTE);
	/* It is too old, but somebody has it still. */
	ck_assert_int_eq(state_of(F, s->id), MESSAGE_LOCKED);
	ck_assert_uint_eq(receive(F, 1)->count, 0);
	world_pass(30000);
	ck_assert_int_eq(state_of(F, s->id), MESSAGE_GONE);
	ck_assert_str_eq(drain(F), "b");
}
END_TEST

START_TEST(locked_message_can_be_confirmed_when_it_is_too_old)
{
	struct seen *s;

	retain(Q, 1);
	push(Q, "a");
	s = receive_one(Q, "a");
	world_pass(10 * MINUTE);
	ck_assert_uint_eq(info(Q).locked_count, 1);
	ck_assert_status(extend_call(Q, s, HOUR_MS), WQ_OK);
	ck_assert_status(confirm_call(Q, s), WQ_OK);
	ck_assert_uint_eq(info(Q).totals.timed_out, 0);
}
END_TEST

START_TEST(message_goes_when_it_is_given_back_or_released_too_old)
{
	struct seen *a, *b;

	retain(Q, 1);
	push_words(Q, "a b");
	a = receive_one(Q, "a");
	b = receive_one(Q, "b");
	world_pass(2 * MINUTE);
	ck_assert_status(extend_call(Q, a, 0), WQ_OK);
	ck_assert_int_eq(state_of(Q, a->id), MESSAGE_GONE);
	release(Q, b);
	ck_assert_int_eq(state_of(Q, b->id), MESSAGE_GONE);
	ck_assert_uint_eq(info(Q).totals.timed_out, 2);
}
END_TEST

START_TEST(message_that_came_back_goes_in_its_time)
{
	struct seen *s;

	retain(Q, 10);
	push_words(Q, "a b");
	receive_lock(Q, "a", 1000);
	world_pass(MINUTE);
	s = receive_one(Q, "b");
	release(Q, s);
	world_pass(8 * MINUTE);
	ck_assert_uint_eq(available(Q), 2);
	push(Q, "c");
	world_pass(MINUTE);
	ck_assert_uint_eq(available(Q), 1);
	ck_assert_str_eq(drain(Q), "c");
}
END_TEST

START_TEST(message_that_was_delayed_goes_in_its_time)
{
	retain(Q, 10);
	push_delay(Q, "a", 5 * MINUTE);
	push_delay(Q, "b", 20 * MINUTE);
	push(Q, "c");
	world_pass(6 * MINUTE);
	ck_assert_uint_eq(available(Q), 2);
	world_pass(4 * MINUTE);
	ck_assert_uint_eq(available(Q), 0);
	/* Nobody can have it yet, so it goes when that would be. */
	ck_assert_uint_eq(info(Q).delayed_count, 1);
	world_pass(10 * MINUTE);
	ck_assert_uint_eq(count(Q), 0);
	ck_assert_uint_eq(info(Q).totals.timed_out, 3);
}
END_TEST

START_TEST(message_with_a_ttl_is_not_given_out_too_old)
{
	retain(Q, 1);
	push_ttl(Q, "a", HOUR_MS);
	push_ttl(Q, "b", 30000);
	ck_assert_str_eq(bodies(peek(Q, STATES_ALL)), "a b");
	world_pass(45000);
	ck_assert_uint_eq(available(Q), 1);
	world_pass(30000);
	push(Q, "c");
	ck_assert_str_eq(drain(Q), "c");
	ck_assert_uint_eq(count(Q), 0);
	ck_assert_uint_eq(info(Q).totals.timed_out, 2);
}
END_TEST

START_TEST(nobody_who_waits_is_given_one_that_is_too_old)
{
	struct call *c;

	retain(Q, 1);
	push_ttl(Q, "a", HOUR_MS);
	set_paused(Q, true);
	c = wait_start(Q, 1);
	world_pass(2 * MINUTE);
	set_paused(Q, false);
	push(Q, "b");
	ck_assert_int_eq(call_wait(c), WQ_OK);
	ck_assert_str_eq(bodies(c), "b");
}
END_TEST

/* One dies in queue, a minute after its push, and is in DEAD. */
static struct id
die(const char *queue, const char *dead)
{
	struct id id;

	set_target(queue, dead, 1);
	id = push(queue, "a");
	world_pass(MINUTE - 1000);
	receive_lock(queue, "a", 1000);
	world_pass(1000);
	ck_assert_int_eq(state_of(dead, id), MESSAGE_AVAILABLE);
	return id;
}

START_TEST(dead_letter_of_a_standard_queue_keeps_its_age)
{
	struct id id;

	retain(Q, 10);
	retain(DEAD, 5);
	id = die(Q, DEAD);
	world_pass(4 * MINUTE - 1000);
	ck_assert_int_eq(state_of(DEAD, id), MESSAGE_AVAILABLE);
	world_pass(1000);
	ck_assert_int_eq(state_of(DEAD, id), MESSAGE_GONE);
	ck_assert_uint_eq(info(DEAD).totals.timed_out, 1);
	ck_assert_uint_eq(info(Q).totals.timed_out, 0);
}
END_TEST

START_TEST(dead_letter_that_is_too_old_already_goes_at_once)
{
	struct id id;

	retain(DEAD, 1);
	set_target(Q, DEAD, 1);
	id = push(Q, "a");
	world_pass(2 * MINUTE);
	receive_lock(Q, "a", 1000);
	world_pass(1000);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_GONE);
	ck_assert_int_eq(state_of(DEAD, id), MESSAGE_GONE);
	ck_assert_uint_eq(info(Q).totals.dead_lettered, 1);
	ck_assert_uint_eq(info(DEAD).totals.timed_out, 1);
}
END_TEST

START_TEST(dead_letter_of_a_fifo_queue_begins_anew)
{
	struct id id;

	retain("dead.fifo", 5);
	id = die(F, "dead.fifo");
	world_pass(5 * MINUTE - 2000);
	ck_assert_int_eq(state_of("dead.fifo", id), MESSAGE_AVAILABLE);
	world_restart();
	ck_assert_int_eq(state_of("dead.fifo", id), MESSAGE_AVAILABLE);
	world_pass(3000);
	ck_assert_int_eq(state_of("dead.fifo", id), MESSAGE_GONE);
}
END_TEST

START_TEST(redriven_message_begins_anew)
{
	struct id id;
	int64_t pushed_ns;

	retain(Q, 5);
	id = die(Q, DEAD);
	pushed_ns = look_seen(DEAD, id)->pushed_ns;
	world_pass(20 * MINUTE);
	ck_assert_uint_eq(redrive(DEAD, NULL, 1), 1);
	world_pass(5 * MINUTE - 1000);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	ck_assert_int_eq(look_seen(Q, id)->pushed_ns, pushed_ns);
	world_restart();
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	ck_assert_int_eq(look_seen(Q, id)->pushed_ns, pushed_ns);
	world_pass(2000);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_GONE);
}
END_TEST

START_TEST(shorter_retention_is_for_messages_that_are_there)
{
	push_words(Q, "a");
	push_group(Q, "b", "g");
	push_delay(Q, "c", 1000);
	world_pass(5 * MINUTE);
	push_words(Q, "d");
	push_group(Q, "e", "g");
	push_delay(Q, "f", 1000);
	world_pass(2000);
	retain(Q, 4);
	ck_assert_uint_eq(available(Q), 3);
	world_pass(4 * MINUTE - 5000);
	ck_assert_uint_eq(available(Q), 3);
	world_pass(6000);
	ck_assert_uint_eq(available(Q), 0);
	ck_assert_uint_eq(info(Q).totals.timed_out, 6);
}
END_TEST

START_TEST(longer_retention_is_for_messages_that_are_there)
{
	retain(Q, 5);
	push_words(Q, "a");
	push_group(Q, "b", "g");
	push_delay(Q, "c", 1000);
	world_pass(4 * MINUTE);
	retain(Q, 10);
	world_pass(6 * MINUTE - 1000);
	ck_assert_uint_eq(available(Q), 3);
	world_pass(1000);
	ck_assert_uint_eq(available(Q), 0);
}
END_TEST

START_TEST(messages_stay_where_retention_is_taken_away)
{
	retain(Q, 5);
	retain(F, 5);
	push_words(Q, "a");
	push_group(Q, "b", "g");
	push_delay(Q, "c", 1000);
	push(F, "d");
	world_pass(2000);
	receive_lock(Q, "a", 1000);
	retain(Q, 0);
	retain(F, 0);
	world_pass(24 * HOUR_MS);
	ck_assert_uint_eq(available(Q), 3);
	ck_assert_uint_eq(available(F), 1);
	retain(Q, 25 * 60);
	world_pass(HOUR_MS);
	ck_assert_uint_eq(available(Q), 0);
}
END_TEST

START_TEST(change_is_for_messages_that_are_locked_too)
{
	int64_t minutes;

	for (minutes = 5; minutes <= 120; minutes += 115) {
		retain(Q, 60);
		push_group(Q, "a", "g");
		receive_lock(Q, "a", 1000);
		world_pass(1000);
		ck_assert_uint_eq(available(Q), 1);
		receive_lock(Q, "a", 2 * MINUTE);
		retain(Q, minutes);
		world_pass(2 * MINUTE);
		ck_assert_uint_eq(available(Q), 1);
		world_pass((minutes - 2) * MINUTE - 2000);
		ck_assert_uint_eq(available(Q), 1);
		world_pass(2000);
		ck_assert_uint_eq(available(Q), 0);
	}
}
END_TEST

/* Thousands in lines, in groups and locked; 5000 of each kind. */
static void
push_thousands(int n)
{
	struct call *c;
	int i;

	for (i = 0; i < n; i++) {
		ck_assert_status(push_many_call(Q, 1000), WQ_OK);
		c = push_many_call(Q, 1000);
		set_group(c, world_text("g%d", i));
		ck_assert_status(c, WQ_OK);
		c = push_many_call(F, 1000);
		set_group(c, world_text("g%d", i % 2));
		ck_assert_status(c, WQ_OK);
	}
}

START_TEST(thousands_go)
{
	retain(Q, 5);
	retain(F, 5);
	push_thousands(5);
	world_pass(MINUTE);
	push_words(Q, "a b");
	push_words(F, "c d");
	world_pass(4 * MINUTE);
	UNTIL(available(Q) == 2 && available(F) == 2);
	ck_assert_uint_eq(info(Q).totals.timed_out, 10000);
	ck_assert_uint_eq(info(F).totals.timed_out, 5000);
	ck_assert_str_eq(drain(Q), "a b");
	ck_assert_str_eq(drain(F), "c d");
	world_restart();
	ck_assert_uint_eq(info(Q).totals.timed_out, 10000);
	ck_assert_uint_eq(count(Q) + count(F), 0);
}
END_TEST

START_TEST(shorter_retention_takes_thousands)
{
	struct call *c = receive_call(Q, 1);

	push_thousands(5);
	world_pass(MINUTE);
	push_words(Q, "a b");
	push_words(F, "c d");
	retain(Q, 1);
	retain(F, 1);
	/* While they go, what is young is given out, and nothing else. */
	c->op.receive.wait_ms = HOUR_MS;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "a");
	UNTIL(count(Q) == 2 && count(F) == 2);
	ck_assert_str_eq(drain(Q), "b");
	ck_assert_str_eq(drain(F), "c d");
}
END_TEST

START_TEST(change_of_retention_leaves_none_of_thousands_behind)
{
	int i;

	retain(Q, 60);
	retain(F, 60);
	push_thousands(5);
	/* Others take messages while it looks at them. */
	retain(Q, 120);
	retain(F, 120);
	for (i = 0; i < 20; i++) {
		ck_assert_uint_eq(receive(Q, 100)->count, 100);
		ck_assert_uint_eq(receive(F, 10)->count, i < 2 ? 10 : 0);
	}
	world_pass(119 * MINUTE);
	UNTIL(info(Q).locked_count == 0);
	UNTIL(info(F).locked_count == 0);
	ck_assert_uint_eq(count(Q) + count(F), 15000);
	world_pass(2 * MINUTE);
	UNTIL(count(Q) == 0 && count(F) == 0);
}
END_TEST

START_TEST(purge_and_delete_end_what_retention_began)
{
	retain(Q, 5);
	push_thousands(5);
	world_pass(5 * MINUTE);
	purge(Q);
	ck_assert_uint_eq(available(Q), 0);
	push(Q, "a");
	retain(F, 1);
	ck_assert_int_eq(delete_queue(F), WQ_OK);
	push(F, "b");
	world_pass(HOUR_MS);
	ck_assert_uint_eq(count(Q), 0);
	ck_assert_str_eq(drain(F), "b");
}
END_TEST

START_TEST(retention_goes_on_after_a_restart)
{
	struct id locked;

	retain(Q, 10);
	retain(F, 10);
	push_words(Q, "a b c");
	push_group(Q, "d", "g");
	push_delay(Q, "e", MINUTE);
	push_delay(Q, "late", 20 * MINUTE);
	push_words(F, "f g");
	receive_lock(Q, "a", 1000);
	release(Q, receive_one(Q, "b"));
	locked = receive_one(Q, "b")->id;
	world_pass(2 * MINUTE);
	world_restart();
	ck_assert_uint_eq(available(Q), 4);
	world_pass(7 * MINUTE);
	world_restart();
	ck_assert_uint_eq(available(Q), 4);
	ck_assert_uint_eq(available(F), 2);
	world_pass(MINUTE);
	ck_assert_uint_eq(available(Q), 0);
	ck_assert_uint_eq(available(F), 0);
	world_restart();
	ck_assert_uint_eq(count(Q), 2);
	ck_assert_int_eq(state_of(Q, locked), MESSAGE_LOCKED);
	world_pass(HOUR_MS);
	ck_assert_uint_eq(count(Q), 0);
	ck_assert_uint_eq(info(Q).totals.timed_out, 6);
	world_restart();
	ck_assert_uint_eq(count(Q), 0);
	ck_assert_uint_eq(info(Q).totals.timed_out, 6);
}
END_TEST

TCase *
retention_tests(void)
{
	TCase *t = tcase_create("retention");

	tcase_add_test(t, message_goes_when_its_time_is_over);
	tcase_add_test(t, message_of_another_queue_stays);
	tcase_add_test(t, message_that_is_too_old_does_not_die_but_goes);
	tcase_add_test(t, messages_of_groups_go_each_in_its_time);
	tcase_add_test(t, messages_of_a_fifo_queue_go_each_in_its_time);
	tcase_add_test(t, old_first_of_a_group_goes_and_unblocks_the_next);
	tcase_add_test(t, locked_message_can_be_confirmed_when_it_is_too_old);
	tcase_add_test(t,
	    message_goes_when_it_is_given_back_or_released_too_old);
	tcase_add_test(t, message_that_came_back_goes_in_its_time);
	tcase_add_test(t, message_that_was_delayed_goes_in_its_time);
	tcase_add_test(t, message_with_a_ttl_is_not_given_out_too_old);
	tcase_add_test(t, nobody_who_waits_is_given_one_that_is_too_old);
	tcase_add_test(t, dead_letter_of_a_standard_queue_keeps_its_age);
	tcase_add_test(t, dead_letter_that_is_too_old_already_goes_at_once);
	tcase_add_test(t, dead_letter_of_a_fifo_queue_begins_anew);
	tcase_add_test(t, redriven_message_begins_anew);
	tcase_add_test(t, shorter_retention_is_for_messages_that_are_there);
	tcase_add_test(t, longer_retention_is_for_messages_that_are_there);
	tcase_add_test(t, messages_stay_where_retention_is_taken_away);
	tcase_add_test(t, change_is_for_messages_that_are_locked_too);
	tcase_add_test(t, thousands_go);
	tcase_add_test(t, shorter_retention_takes_thousands);
	tcase_add_test(t, change_of_retention_leaves_none_of_thousands_behind);
	tcase_add_test(t, purge_and_delete_end_what_retention_began);
	tcase_add_test(t, retention_goes_on_after_a_restart);
	return t;
}
