/*
 * Receives that wait: who is served, by what, and how a wait ends; and how a
 * backend ends.
 */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"

/* w is done and was given that. */
static void
expect(struct call *w, const char *words)
{
	ck_assert_int_eq(call_wait(w), WQ_OK);
	ck_assert_str_eq(bodies(w), words);
}

static void
make_queue(void)
{
	ck_assert_status(configure_call(Q), WQ_OK);
}

/* A queue in which "a" is locked for an hour. */
static struct id
make_locked(void)
{
	push(Q, "a");
	return receive_one(Q, "a")->id;
}

START_TEST(waiting_receives_are_served_first_come_first_served)
{
	struct call *w[3];
	size_t i;

	make_queue();
	for (i = 0; i < 3; i++)
		w[i] = wait_start(Q, 1);
	ck_assert_uint_eq(info(Q).waiter_count, 3);
	push(Q, "a");
	expect(w[0], "a");
	ck_assert(!call_is_done(w[1]));
	push(Q, "b");
	push(Q, "c");
	expect(w[1], "b");
	expect(w[2], "c");
	ck_assert_uint_eq(info(Q).waiter_count, 0);
}
END_TEST

START_TEST(one_push_of_many_serves_many)
{
	struct call *w[3];

	make_queue();
	w[0] = wait_start(Q, 2);
	w[1] = wait_start(Q, 2);
	w[2] = wait_start(Q, 2);
	ck_assert_status(push_many_call(Q, 5), WQ_OK);
	expect(w[0], "0 1");
	expect(w[1], "2 3");
	expect(w[2], "4");
}
END_TEST

START_TEST(served_message_is_locked_and_counted)
{
	struct call *w;
	struct id id;

	make_queue();
	w = wait_start(Q, 1);
	id = push(Q, "a");
	expect(w, "a");
	ck_assert_int_eq(w->seen->state, MESSAGE_LOCKED);
	ck_assert_uint_eq(w->seen->receives, 1);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_LOCKED);
	ck_assert_status(confirm_call(Q, w->seen), WQ_OK);
}
END_TEST

START_TEST(wait_is_over_at_once_where_there_is_a_message)
{
	push(Q, "a");
	expect(wait_start(Q, 1), "a");
}
END_TEST

START_TEST(end_of_a_lock_serves)
{
	struct call *w;
	int64_t until_ns;

	push(Q, "a");
	until_ns = receive_lock(Q, "a", SOON_MS)->until_ns;
	w = wait_start(Q, 1);
	expect(w, "a");
	ck_assert_int_ge(w->done_ns, until_ns);
	ck_assert_uint_eq(w->seen->receives, 2);
}
END_TEST

START_TEST(end_of_a_delay_serves)
{
	int64_t before_ns = clock_now_ns();
	struct call *w;

	push_delay(Q, "a", SOON_MS);
	w = wait_start(Q, 1);
	expect(w, "a");
	ck_assert_int_ge(w->done_ns, before_ns + SOON_MS *
	    CLOCK_NS_PER_MS);
}
END_TEST

START_TEST(resume_serves)
{
	struct call *w;

	push(Q, "a");
	set_paused(Q, true);
	w = wait_start(Q, 1);
	push(Q, "b");
	ck_assert(!call_is_done(w));
	set_paused(Q, false);
	expect(w, "a");
}
END_TEST

START_TEST(redrive_serves)
{
	struct call *w;

	push("letters", "a");
	make_queue();
	w = wait_start(Q, 1);
	ck_assert_uint_eq(redrive("letters", Q, 10), 1);
	expect(w, "a");
}
END_TEST

START_TEST(dead_letter_serves)
{
	struct call *w;

	set_target(Q, "letters", 1);
	push(Q, "a");
	w = wait_start("letters", 1);
	receive_lock(Q, "a", SOON_MS);
	expect(w, "a");
	ck_assert(w->seen->is_letter);
}
END_TEST

START_TEST(message_that_is_given_back_serves)
{
	struct id id = make_locked();
	struct call *w = wait_start(Q, 1);

	ck_assert_int_eq(extend(Q, id, 0), WQ_OK);
	expect(w, "a");
	ck_assert_uint_eq(w->seen->receives, 2);
}
END_TEST

START_TEST(released_message_serves)
{
	struct seen *s;
	struct call *w;

	push(Q, "a");
	s = receive_one(Q, "a");
	w = wait_start(Q, 1);
	release(Q, s);
	expect(w, "a");
	ck_assert_uint_eq(w->seen->receives, 1);
}
END_TEST

START_TEST(raised_max_locked_serves)
{
	struct call *w;

	set(Q, SETTING_MAX_LOCKED, 1);
	push_words(Q, "a b c");
	receive_one(Q, "a");
	w = wait_start(Q, 10);
	ck_assert(!call_is_done(w));
	set(Q, SETTING_MAX_LOCKED, 2);
	expect(w, "b");
}
END_TEST

START_TEST(confirm_below_max_locked_serves)
{
	struct call *w;
	struct id id;

	set(Q, SETTING_MAX_LOCKED, 1);
	push_words(Q, "a b");
	id = receive_one(Q, "a")->id;
	w = wait_start(Q, 10);
	ck_assert(!call_is_done(w));
	ck_assert_int_eq(confirm(Q, id), WQ_OK);
	expect(w, "b");
}
END_TEST

START_TEST(confirm_serves_the_next_of_a_fifo_group)
{
	struct call *w;
	struct id id;

	push_group("jobs.fifo", "a", "g");
	push_group("jobs.fifo", "b", "g");
	id = receive_one("jobs.fifo", "a")->id;
	w = wait_start("jobs.fifo", 1);
	ck_assert(!call_is_done(w));
	ck_assert_int_eq(confirm("jobs.fifo", id), WQ_OK);
	expect(w, "b");
}
END_TEST

START_TEST(wait_without_a_message_ends_with_none)
{
	struct call *c = receive_call(NULL, 1);
	int64_t before_ns = clock_now_ns();

	c->op.receive.wait_ms = SOON_MS;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, 0);
	ck_assert_int_ge(c->done_ns, before_ns + SOON_MS *
	    CLOCK_NS_PER_MS);
	ck_assert_uint_eq(info(NULL).waiter_count, 0);
}
END_TEST

START_TEST(wait_that_is_over_takes_nothing)
{
	struct call *c = receive_call(NULL, 1), *w;

	c->op.receive.wait_ms = 1;
	ck_assert_status(c, WQ_OK);
	w = wait_start(NULL, 1);
	push(NULL, "a");
	expect(w, "a");
	ck_assert_uint_eq(w->seen->receives, 1);
}
END_TEST

START_TEST(wait_on_no_queue_is_refused)
{
	struct call *c = receive_call(Q, 1);

	c->op.receive.wait_ms = HOUR_MS;
	ck_assert_status(c, WQ_NO_QUEUE);
	ck_assert(!queue_exists(Q));
}
END_TEST

START_TEST(canceled_wait_takes_nothing)
{
	struct call *first, *second;

	make_queue();
	first = wait_start(Q, 1);
	second = wait_start(Q, 1);
	call_cancel(first);
	ck_assert_int_eq(call_wait(first), WQ_CANCELED);
	ck_assert_uint_eq(first->op.receive.count, 0);
	ck_assert_uint_eq(info(Q).waiter_count, 1);
	push(Q, "a");
	expect(second, "a");
	ck_assert_uint_eq(second->seen->receives, 1);
}
END_TEST

START_TEST(cancel_that_comes_too_late_gets_the_true_result)
{
	struct call *c = receive_call(Q, 1);
	struct id id = push(Q, "a");

	c->op.receive.wait_ms = HOUR_MS;
	call_start(c);
	call_cancel(c);
	call_wait(c);
	if (c->op.status == WQ_CANCELED) {
		ck_assert_uint_eq(look_seen(Q, id)->receives, 0);
		receive_one(Q, "a");
		return;
	}
	expect(c, "a");
	ck_assert_int_eq(state_of(Q, id), MESSAGE_LOCKED);
}
END_TEST

START_TEST(cancel_of_what_does_not_wait_gets_the_true_result)
{
	struct call *c = push_call(Q, "a");

	call_start(c);
	call_cancel(c);
	ck_assert_int_eq(call_wait(c), WQ_OK);
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(delete_ends_the_waits)
{
	struct call *w;

	make_queue();
	w = wait_start(Q, 1);
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	ck_assert_int_eq(call_wait(w), WQ_OK);
	ck_assert_uint_eq(w->count, 0);
}
END_TEST

START_TEST(purge_leaves_the_waits)
{
	struct call *w;

	make_locked();
	w = wait_start(Q, 1);
	purge(Q);
	ck_assert(!call_is_done(w));
	push(Q, "b");
	expect(w, "b");
}
END_TEST

START_TEST(end_of_waits_ends_all_with_what_they_have)
{
	struct call *w[3], *c = receive_call(Q, 1);

	make_queue();
	w[0] = wait_start(Q, 1);
	w[1] = wait_start(Q, 1);
	w[2] = wait_start(NULL, 1);
	world_end_waits();
	expect(w[0], "");
	expect(w[1], "");
	expect(w[2], "");
	/* Nobody waits again, and all else goes on. */
	c->op.receive.wait_ms = HOUR_MS;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, 0);
	push(Q, "a");
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(hundreds_wait_in_order)
{
	struct call *w[300];
	size_t i;

	make_queue();
	for (i = 0; i < 300; i++) {
		w[i] = receive_call(Q, 1);
		w[i]->op.receive.wait_ms = HOUR_MS;
		call_start(w[i]);
	}
	UNTIL(info(Q).waiter_count == 300);
	ck_assert_status(push_many_call(Q, 300), WQ_OK);
	for (i = 0; i < 300; i++)
		expect(w[i], world_text("%zu", i));
}
END_TEST

START_TEST(stop_says_once_that_it_has_stopped)
{
	push(Q, "a");
	world_end_waits();
	world_stop();
	UNTIL(world_stopped_count() == 1);
	world_turn();
	ck_assert_int_eq(world_stopped_count(), 1);
}
END_TEST

/* world_close() waits for them, and sees to it that each is done once. */
START_TEST(ops_in_flight_are_done_when_it_stops)
{
	struct call *c[20];
	size_t i;

	for (i = 0; i < 20; i++)
		c[i] = call_start(push_call(Q, "a"));
	world_end_waits();
	world_stop();
	UNTIL(world_stopped_count() == 1);
	for (i = 0; i < 20; i++)
		ck_assert_int_eq(call_wait(c[i]), WQ_OK);
}
END_TEST

TCase *
wait_tests(void)
{
	TCase *t = tcase_create("wait");

	tcase_add_test(t,
	    waiting_receives_are_served_first_come_first_served);
	tcase_add_test(t, one_push_of_many_serves_many);
	tcase_add_test(t, served_message_is_locked_and_counted);
	tcase_add_test(t, wait_is_over_at_once_where_there_is_a_message);
	tcase_add_test(t, end_of_a_lock_serves);
	tcase_add_test(t, end_of_a_delay_serves);
	tcase_add_test(t, resume_serves);
	tcase_add_test(t, redrive_serves);
	tcase_add_test(t, dead_letter_serves);
	tcase_add_test(t, message_that_is_given_back_serves);
	tcase_add_test(t, released_message_serves);
	tcase_add_test(t, raised_max_locked_serves);
	tcase_add_test(t, confirm_below_max_locked_serves);
	tcase_add_test(t, confirm_serves_the_next_of_a_fifo_group);
	tcase_add_test(t, wait_without_a_message_ends_with_none);
	tcase_add_test(t, wait_that_is_over_takes_nothing);
	tcase_add_test(t, wait_on_no_queue_is_refused);
	tcase_add_test(t, canceled_wait_takes_nothing);
	tcase_add_test(t, cancel_that_comes_too_late_gets_the_true_result);
	tcase_add_test(t, cancel_of_what_does_not_wait_gets_the_true_result);
	tcase_add_test(t, delete_ends_the_waits);
	tcase_add_test(t, purge_leaves_the_waits);
	tcase_add_test(t, end_of_waits_ends_all_with_what_they_have);
	tcase_add_test(t, hundreds_wait_in_order);
	tcase_add_test(t, stop_says_once_that_it_has_stopped);
	tcase_add_test(t, ops_in_flight_are_done_when_it_stops);
	return t;
}
