/* Queues: making, changing, pausing, purging, deleting. */
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"

START_TEST(configure_makes_a_queue_once)
{
	struct call *c = configure_call(Q);

	ck_assert_status(c, WQ_OK);
	ck_assert(c->op.configure.created);
	c = configure_call(Q);
	ck_assert_status(c, WQ_OK);
	ck_assert(!c->op.configure.created);
	c = configure_call(NULL);
	ck_assert_status(c, WQ_OK);
	ck_assert(!c->op.configure.created);
}
END_TEST

static void
check_settings(const struct queue_settings *s)
{
	ck_assert_int_eq(s->lock_timeout_ms, 11);
	ck_assert_int_eq(s->delay_ms, 12);
	ck_assert_int_eq(s->ttl_ms, 13);
	ck_assert_int_eq(s->max_receives, 14);
	ck_assert_int_eq(s->max_messages, 15);
	ck_assert_int_eq(s->max_bytes, 16);
	ck_assert_int_eq(s->max_locked, 17);
	ck_assert_int_eq(s->content_based_dedup, 1);
}

/* All settings, each with a value of its own. */
static struct call *
set_all(void)
{
	struct call *c = configure_call(Q);

	set_on(c, SETTING_LOCK_TIMEOUT, 11);
	set_on(c, SETTING_DELAY, 12);
	set_on(c, SETTING_TTL, 13);
	set_on(c, SETTING_MAX_RECEIVES, 14);
	set_on(c, SETTING_MAX_MESSAGES, 15);
	set_on(c, SETTING_MAX_BYTES, 16);
	set_on(c, SETTING_MAX_LOCKED, 17);
	set_on(c, SETTING_DEDUP, 1);
	c->op.configure.given |= SETTING_DEAD_LETTER_QUEUE | SETTING_TAGS;
	strcpy(c->op.configure.dead_letter_queue, "letters");
	c->op.configure.text[QUEUE_TAGS] = "{\"team\":\"a\"}";
	ck_assert_status(c, WQ_OK);
	return c;
}

START_TEST(configure_sets_all_and_tells_all)
{
	struct call *c = set_all();
	struct queue_info i = info(Q);

	check_settings(&c->op.configure.settings);
	check_settings(&i.settings);
	ck_assert_str_eq(c->op.configure.dead_letter_queue, "letters");
	ck_assert_str_eq(i.dead_letter_queue, "letters");
	ck_assert_str_eq(c->text[QUEUE_TAGS], "{\"team\":\"a\"}");
}
END_TEST

START_TEST(settings_that_are_not_named_keep_their_values)
{
	struct call *c;

	set_all();
	c = configure_call(Q);
	c->op.configure.settings.delay_ms = 99;
	c->op.configure.text[QUEUE_TAGS] = "{}";
	ck_assert_status(c, WQ_OK);
	check_settings(&c->op.configure.settings);
	ck_assert_str_eq(c->op.configure.dead_letter_queue, "letters");
	ck_assert_str_eq(c->text[QUEUE_TAGS], "{\"team\":\"a\"}");
	set(Q, SETTING_DELAY, 100);
	ck_assert_int_eq(info(Q).settings.delay_ms, 100);
	set(Q, SETTING_DELAY, 12);
	c = configure_call(Q);
	ck_assert_status(c, WQ_OK);
	check_settings(&c->op.configure.settings);
}
END_TEST

/* The tags of Q, as an info has them; NULL: none. */
static const char *
tags(void)
{
	struct call *c = call_new(OP_INFO, Q);

	ck_assert_status(c, WQ_OK);
	return c->text[QUEUE_TAGS];
}

static void
set_tags(const char *text)
{
	struct call *c = configure_call(Q);

	c->op.configure.given = SETTING_TAGS;
	c->op.configure.text[QUEUE_TAGS] = text;
	ck_assert_status(c, WQ_OK);
}

START_TEST(tags_are_set_and_unset)
{
	push(Q, "a");
	ck_assert_ptr_null(tags());
	set_tags("{\"a\":\"1\"}");
	ck_assert_str_eq(tags(), "{\"a\":\"1\"}");
	set_tags("{\"b\":\"2\"}");
	ck_assert_str_eq(tags(), "{\"b\":\"2\"}");
	set_tags(NULL);
	ck_assert_ptr_null(tags());
}
END_TEST

START_TEST(dead_letter_queue_is_made_with_the_presets)
{
	set_target(Q, "letters", 3);
	ck_assert(queue_exists("letters"));
	ck_assert_int_eq(info("letters").settings.max_receives, 0);
}
END_TEST

/* A configure of queue with that target, and what becomes of it. */
static enum wq_status
target(const char *queue, const char *name)
{
	struct call *c = configure_call(queue);

	c->op.configure.given = SETTING_DEAD_LETTER_QUEUE;
	strcpy(c->op.configure.dead_letter_queue, name);
	return call_run(c);
}

START_TEST(dead_letters_do_not_come_back_to_their_queue)
{
	ck_assert_int_eq(target("a", "a"), WQ_CYCLE);
	ck_assert_int_eq(target("a", "b"), WQ_OK);
	ck_assert_int_eq(target("b", "c"), WQ_OK);
	ck_assert_int_eq(target("c", "a"), WQ_CYCLE);
	ck_assert_str_eq(info("c").dead_letter_queue, "");
	ck_assert_int_eq(target("c", "d"), WQ_OK);
	/* Cut, it may close elsewhere. */
	ck_assert_int_eq(target("a", ""), WQ_OK);
	ck_assert_int_eq(target("d", "a"), WQ_OK);
}
END_TEST

START_TEST(dead_letter_queue_has_a_good_name)
{
	ck_assert_int_eq(target(Q, "not good"), WQ_BAD_TARGET);
	ck_assert_int_eq(target(Q, ".fifo"), WQ_BAD_TARGET);
	ck_assert_int_eq(target(Q, "default"), WQ_OK);
}
END_TEST

START_TEST(max_receives_needs_a_dead_letter_queue)
{
	struct call *c = configure_call(Q);

	set_on(c, SETTING_MAX_RECEIVES, 3);
	ck_assert_status(c, WQ_NO_TARGET);
	set_target(Q, "letters", 3);
	ck_assert_int_eq(target(Q, ""), WQ_NO_TARGET);
	ck_assert_str_eq(info(Q).dead_letter_queue, "letters");
	set_target(Q, "", 0);
	ck_assert_int_eq(info(Q).settings.max_receives, 0);
}
END_TEST

START_TEST(refused_configure_changes_nothing_and_makes_nothing)
{
	struct call *c = configure_call(Q);

	set_on(c, SETTING_DELAY, 5);
	set_on(c, SETTING_MAX_RECEIVES, 3);
	ck_assert_status(c, WQ_NO_TARGET);
	ck_assert(!queue_exists(Q));
	push(Q, "a");
	c = configure_call(Q);
	set_on(c, SETTING_DELAY, 5);
	c->op.configure.given |= SETTING_DEAD_LETTER_QUEUE | SETTING_TAGS;
	c->op.configure.text[QUEUE_TAGS] = "{}";
	strcpy(c->op.configure.dead_letter_queue, Q);
	ck_assert_status(c, WQ_CYCLE);
	ck_assert_int_eq(info(Q).settings.delay_ms, 0);
	ck_assert_ptr_null(tags());
}
END_TEST

START_TEST(pause_shows_and_is_said_twice_in_vain)
{
	push(Q, "a");
	set_paused(Q, true);
	set_paused(Q, true);
	ck_assert(info(Q).paused);
	set_paused(Q, false);
	ck_assert(!info(Q).paused);
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(paused_queue_confirms_and_lets_locks_run_out)
{
	struct id a, b;

	push_words(Q, "a b");
	a = receive_one(Q, "a")->id;
	b = receive_lock(Q, "b", SOON_MS)->id;
	set_paused(Q, true);
	ck_assert_int_eq(confirm(Q, a), WQ_OK);
	UNTIL(state_of(Q, b) == MESSAGE_AVAILABLE);
}
END_TEST

START_TEST(purge_ends_messages_in_every_state)
{
	struct id available, locked, delayed, grouped;
	struct queue_info i;

	locked = push(Q, "a");
	receive_one(Q, "a");
	available = push(Q, "b");
	delayed = push_delay(Q, "c", HOUR_MS);
	grouped = push_group(Q, "d", "g");
	push(NULL, "other");
	purge(Q);
	ck_assert_int_eq(state_of(Q, available), MESSAGE_GONE);
	ck_assert_int_eq(state_of(Q, locked), MESSAGE_GONE);
	ck_assert_int_eq(state_of(Q, delayed), MESSAGE_GONE);
	ck_assert_int_eq(state_of(Q, grouped), MESSAGE_GONE);
	i = info(Q);
	ck_assert_uint_eq(i.available_count + i.locked_count +
	    i.delayed_count, 0);
	ck_assert_uint_eq(i.body_bytes, 0);
	ck_assert_int_eq(confirm(Q, locked), WQ_NO_MESSAGE);
	ck_assert_str_eq(drain(NULL), "other");
}
END_TEST

START_TEST(purged_queue_keeps_its_settings_and_takes_pushes)
{
	set(Q, SETTING_MAX_MESSAGES, 1);
	push(Q, "a");
	purge(Q);
	ck_assert_int_eq(info(Q).settings.max_messages, 1);
	push(Q, "b");
	ck_assert_str_eq(drain(Q), "b");
}
END_TEST

START_TEST(deleted_queue_is_gone_with_its_messages)
{
	struct id id = push(Q, "a");

	set(Q, SETTING_DELAY, 5);
	receive_one(Q, "a");
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	ck_assert(!queue_exists(Q));
	ck_assert_int_eq(confirm(Q, id), WQ_NO_QUEUE);
	ck_assert_int_eq(delete_queue(Q), WQ_NO_QUEUE);
	/* The next of that name is a new one. */
	ck_assert_status(configure_call(Q), WQ_OK);
	ck_assert_int_eq(info(Q).settings.delay_ms, 0);
	ck_assert_uint_eq(info(Q).totals.pushed, 0);
	ck_assert_int_eq(confirm(Q, id), WQ_NO_MESSAGE);
}
END_TEST

START_TEST(receiver_may_read_what_was_in_a_deleted_queue)
{
	struct seen *s;

	push_group(Q, "a", "g");
	s = receive_one(Q, "a");
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	ck_assert_mem_eq(s->delivery->message->body, "a", 1);
}
END_TEST

START_TEST(default_queue_is_not_deleted)
{
	push(NULL, "a");
	ck_assert_int_eq(delete_queue(NULL), WQ_ROOT);
	ck_assert_int_eq(delete_queue("default"), WQ_ROOT);
	ck_assert_str_eq(drain(NULL), "a");
}
END_TEST

START_TEST(queue_of_dead_letters_is_not_deleted)
{
	set_target("a", "letters", 1);
	set_target("b", "letters", 1);
	ck_assert_int_eq(delete_queue("letters"), WQ_IS_TARGET);
	set_target("a", "", 0);
	ck_assert_int_eq(delete_queue("letters"), WQ_IS_TARGET);
	ck_assert_int_eq(delete_queue("b"), WQ_OK);
	ck_assert_int_eq(delete_queue("letters"), WQ_OK);
}
END_TEST

/* A call of each verb that needs its queue to be there. */
static struct call *
any_call(enum op_verb verb, const char *queue)
{
	static const struct id id;

	switch (verb) {
	case OP_RECEIVE:
		return receive_call(queue, 1);
	case OP_PEEK:
		return peek_call(queue, STATES_ALL, 1);
	case OP_CONFIRM_MANY:
		return confirm_many_call(queue, &id, 1);
	default:
		return call_new(verb, queue);
	}
}

static const enum op_verb needing[] = {
	OP_RECEIVE, OP_RELEASE, OP_CONFIRM, OP_CONFIRM_MANY, OP_EXTEND,
	OP_LOOK, OP_INFO, OP_DELETE, OP_PURGE, OP_PAUSE, OP_PEEK, OP_REDRIVE
};

START_TEST(verb_on_no_queue_is_refused_and_makes_none)
{
	ck_assert_status(any_call(needing[_i], Q), WQ_NO_QUEUE);
	ck_assert_status(any_call(needing[_i], "no name"), WQ_BAD_NAME);
	ck_assert_str_eq(list("", "", 10), "default");
}
END_TEST

START_TEST(configure_of_a_bad_name_is_refused)
{
	ck_assert_status(configure_call("no name"), WQ_BAD_NAME);
	ck_assert_status(configure_call(""), WQ_BAD_NAME);
}
END_TEST

START_TEST(queue_is_fifo_exactly_where_its_name_says_so)
{
	push("a.fifo", "1");
	push("fifo", "1");
	ck_assert(info("a.fifo").fifo);
	ck_assert(!info("fifo").fifo);
	ck_assert(!info(NULL).fifo);
}
END_TEST

TCase *
manage_tests(void)
{
	TCase *t = tcase_create("manage");

	tcase_add_test(t, configure_makes_a_queue_once);
	tcase_add_test(t, configure_sets_all_and_tells_all);
	tcase_add_test(t, settings_that_are_not_named_keep_their_values);
	tcase_add_test(t, tags_are_set_and_unset);
	tcase_add_test(t, dead_letter_queue_is_made_with_the_presets);
	tcase_add_test(t, dead_letters_do_not_come_back_to_their_queue);
	tcase_add_test(t, dead_letter_queue_has_a_good_name);
	tcase_add_test(t, max_receives_needs_a_dead_letter_queue);
	tcase_add_test(t,
	    refused_configure_changes_nothing_and_makes_nothing);
	tcase_add_test(t, pause_shows_and_is_said_twice_in_vain);
	tcase_add_test(t, paused_queue_confirms_and_lets_locks_run_out);
	tcase_add_test(t, purge_ends_messages_in_every_state);
	tcase_add_test(t, purged_queue_keeps_its_settings_and_takes_pushes);
	tcase_add_test(t, deleted_queue_is_gone_with_its_messages);
	tcase_add_test(t, receiver_may_read_what_was_in_a_deleted_queue);
	tcase_add_test(t, default_queue_is_not_deleted);
	tcase_add_test(t, queue_of_dead_letters_is_not_deleted);
	tcase_add_loop_test(t, verb_on_no_queue_is_refused_and_makes_none, 0,
	    sizeof(needing) / sizeof(needing[0]));
	tcase_add_test(t, configure_of_a_bad_name_is_refused);
	tcase_add_test(t, queue_is_fifo_exactly_where_its_name_says_so);
	return t;
}
