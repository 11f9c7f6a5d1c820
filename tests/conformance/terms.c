/*
 * On what terms a queue is made, changed or deleted; its texts; who may have
 * it for a dead-letter queue; and what was deleted or purged a moment ago.
 */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define F	"orders.fifo"
#define DEAD	"letters"

static struct call *
info_call(const char *queue)
{
	struct call *c = call_new(OP_INFO, queue);

	ck_assert_status(c, WQ_OK);
	return c;
}

static void
check_settings(const struct queue_settings *s)
{
	ck_assert_int_eq(s->retention_ms, 3600011);
	ck_assert_int_eq(s->wait_ms, 12);
	ck_assert_int_eq(s->max_message_bytes, 13);
	ck_assert_int_eq(s->dedup_by_group, 1);
	ck_assert_int_eq(s->redrive_allow, REDRIVE_BY_QUEUE);
}

static void
check_texts(const struct call *c)
{
	ck_assert_str_eq(c->text[QUEUE_TAGS], "{\"t\":\"1\"}");
	ck_assert_str_eq(c->text[QUEUE_ATTRIBUTES], "{\"Policy\":\"p\"}");
	ck_assert_str_eq(c->text[QUEUE_SOURCES], "a b.fifo");
}

static struct call *
set_all(const char *queue)
{
	struct call *c = configure_call(queue);

	set_on(c, SETTING_RETENTION, 3600011);
	set_on(c, SETTING_WAIT, 12);
	set_on(c, SETTING_MAX_MESSAGE, 13);
	set_on(c, SETTING_DEDUP_BY_GROUP, 1);
	set_on(c, SETTING_REDRIVE_ALLOW, REDRIVE_BY_QUEUE);
	set_text_on(c, QUEUE_TAGS, "{\"t\":\"1\"}");
	set_text_on(c, QUEUE_ATTRIBUTES, "{\"Policy\":\"p\"}");
	set_text_on(c, QUEUE_SOURCES, "a b.fifo");
	ck_assert_status(c, WQ_OK);
	return c;
}

START_TEST(settings_and_texts_are_set_and_told_and_come_back)
{
	struct call *c = set_all(Q);

	check_settings(&c->op.configure.settings);
	check_settings(&c->op.configure.now.settings);
	check_texts(c);
	set_all(NULL);
	world_restart();
	c = info_call(Q);
	check_settings(&c->op.info.settings);
	check_texts(c);
	check_texts(info_call(NULL));
	purge(Q);
	check_texts(info_call(Q));
	world_restart();
	c = info_call(Q);
	check_settings(&c->op.info.settings);
	check_texts(c);
}
END_TEST

START_TEST(what_is_not_named_keeps_its_value)
{
	struct call *c;

	set_all(Q);
	c = configure_call(Q);
	c->op.configure.settings.retention_ms = 99;
	c->op.configure.text[QUEUE_ATTRIBUTES] = "{}";
	c->op.configure.text[QUEUE_SOURCES] = "c";
	ck_assert_status(c, WQ_OK);
	check_settings(&c->op.configure.settings);
	check_texts(c);
	c = configure_call(Q);
	set_text_on(c, QUEUE_ATTRIBUTES, NULL);
	ck_assert_status(c, WQ_OK);
	ck_assert_ptr_null(c->text[QUEUE_ATTRIBUTES]);
	ck_assert_str_eq(c->text[QUEUE_SOURCES], "a b.fifo");
	world_restart();
	ck_assert_ptr_null(info_call(Q)->text[QUEUE_ATTRIBUTES]);
}
END_TEST

START_TEST(only_a_new_queue_is_configured)
{
	struct call *c = configure_call(Q);

	set_on(c, SETTING_DELAY, 5);
	c->op.configure.only_new = true;
	ck_assert_status(c, WQ_OK);
	ck_assert(c->op.configure.created);
	ck_assert_int_eq(c->op.configure.now.settings.delay_ms, 5);
	c = configure_call(Q);
	set_on(c, SETTING_DELAY, 6);
	set_text_on(c, QUEUE_TAGS, "{}");
	c->op.configure.only_new = true;
	ck_assert_status(c, WQ_OK);
	ck_assert(!c->op.configure.created);
	/* It tells how it is. */
	ck_assert_int_eq(c->op.configure.now.settings.delay_ms, 5);
	ck_assert_int_eq(c->op.configure.settings.delay_ms, 5);
	ck_assert_ptr_null(c->text[QUEUE_TAGS]);
	ck_assert_int_eq(info(Q).settings.delay_ms, 5);
}
END_TEST

START_TEST(queue_that_must_exist_is_not_made)
{
	struct call *c = configure_call(Q);

	c->op.configure.must_exist = true;
	ck_assert_status(c, WQ_NO_QUEUE);
	ck_assert(!queue_exists(Q));
	ck_assert_status(configure_call(Q), WQ_OK);
	c = configure_call(Q);
	c->op.configure.must_exist = true;
	set_on(c, SETTING_DELAY, 7);
	ck_assert_status(c, WQ_OK);
	ck_assert_int_eq(info(Q).settings.delay_ms, 7);
	c = configure_call("no name");
	c->op.configure.must_exist = true;
	ck_assert_status(c, WQ_BAD_NAME);
}
END_TEST

/* A configure of queue whose dead letters are to go to target. */
static enum wq_status
strict(const char *queue, const char *target)
{
	struct call *c = configure_call(queue);

	set_target_on(c, target, 3);
	c->op.configure.strict_target = true;
	return call_run(c);
}

START_TEST(strict_target_must_be_there)
{
	ck_assert_int_eq(strict(Q, DEAD), WQ_TARGET_MISSING);
	ck_assert_int_eq(strict(Q, "no name"), WQ_BAD_TARGET);
	ck_assert(!queue_exists(DEAD));
	/* Nor is what was to be made for it. */
	ck_assert(!queue_exists(Q));
	ck_assert_status(configure_call(DEAD), WQ_OK);
	ck_assert_int_eq(strict(Q, DEAD), WQ_OK);
	ck_assert_str_eq(info(Q).dead_letter_queue, DEAD);
	ck_assert_int_eq(strict(DEAD, Q), WQ_CYCLE);
}
END_TEST

START_TEST(strict_target_is_of_the_same_kind)
{
	ck_assert_status(configure_call(DEAD), WQ_OK);
	ck_assert_status(configure_call(F), WQ_OK);
	ck_assert_int_eq(strict(Q, F), WQ_TARGET_KIND);
	ck_assert_int_eq(strict("more.fifo", DEAD), WQ_TARGET_KIND);
	ck_assert_int_eq(strict("more.fifo", F), WQ_OK);
	ck_assert_int_eq(strict(Q, DEAD), WQ_OK);
	/* Who is not strict may have any. */
	set_target("third", F, 1);
}
END_TEST

static void
allow(const char *queue, int64_t which, const char *sources)
{
	struct call *c = configure_call(queue);

	set_on(c, SETTING_REDRIVE_ALLOW, which);
	set_text_on(c, QUEUE_SOURCES, sources);
	ck_assert_status(c, WQ_OK);
}

START_TEST(strict_target_may_deny)
{
	allow(DEAD, REDRIVE_DENY_ALL, NULL);
	ck_assert_int_eq(strict(Q, DEAD), WQ_TARGET_DENIES);
	allow(DEAD, REDRIVE_BY_QUEUE, NULL);
	ck_assert_int_eq(strict(Q, DEAD), WQ_TARGET_DENIES);
	allow(DEAD, REDRIVE_BY_QUEUE, "job jobs2 xjobs");
	ck_assert_int_eq(strict(Q, DEAD), WQ_TARGET_DENIES);
	allow(DEAD, REDRIVE_BY_QUEUE, "other jobs");
	ck_assert_int_eq(strict(Q, DEAD), WQ_OK);
	ck_assert_int_eq(strict("other", DEAD), WQ_OK);
	ck_assert_int_eq(strict("third", DEAD), WQ_TARGET_DENIES);
	world_restart();
	ck_assert_int_eq(strict("third", DEAD), WQ_TARGET_DENIES);
	/* One that is its target stays so. */
	allow(DEAD, REDRIVE_DENY_ALL, NULL);
	set(Q, SETTING_DELAY, 1);
	ck_assert_str_eq(info(Q).dead_letter_queue, DEAD);
	allow(DEAD, REDRIVE_ALLOW_ALL, "other");
	ck_assert_int_eq(strict("third", DEAD), WQ_OK);
	/* Who is not strict does not ask. */
	allow(DEAD, REDRIVE_DENY_ALL, NULL);
	set_target("fourth", DEAD, 1);
}
END_TEST

static enum wq_status
swap(enum queue_text which, const char *expected, const char *text)
{
	struct call *c = configure_call(Q);

	set_text_on(c, which, text);
	c->op.configure.expected[which] = expected;
	set_on(c, SETTING_DELAY, 9);
	return call_run(c);
}

START_TEST(text_is_changed_only_from_what_is_expected)
{
	ck_assert_status(configure_call(Q), WQ_OK);
	ck_assert_int_eq(swap(QUEUE_TAGS, "{}", "{\"a\":\"1\"}"), WQ_CHANGED);
	ck_assert_int_eq(info(Q).settings.delay_ms, 0);
	ck_assert_int_eq(swap(QUEUE_TAGS, "", "{\"a\":\"1\"}"), WQ_OK);
	ck_assert_int_eq(info(Q).settings.delay_ms, 9);
	ck_assert_int_eq(swap(QUEUE_TAGS, "", NULL), WQ_CHANGED);
	ck_assert_int_eq(swap(QUEUE_TAGS, "{\"a\":\"1\"} ", NULL),
	    WQ_CHANGED);
	ck_assert_str_eq(info_call(Q)->text[QUEUE_TAGS], "{\"a\":\"1\"}");
	ck_assert_int_eq(swap(QUEUE_TAGS, "{\"a\":\"1\"}", NULL), WQ_OK);
	ck_assert_ptr_null(info_call(Q)->text[QUEUE_TAGS]);
	ck_assert_int_eq(swap(QUEUE_ATTRIBUTES, "", "{}"), WQ_OK);
	ck_assert_int_eq(swap(QUEUE_ATTRIBUTES, "", "{}"), WQ_CHANGED);
	ck_assert_int_eq(swap(QUEUE_SOURCES, "a", "b"), WQ_CHANGED);
	/* Who expects nothing gets what he asks for. */
	ck_assert_int_eq(swap(QUEUE_ATTRIBUTES, NULL, "[]"), WQ_OK);
}
END_TEST

START_TEST(text_of_a_new_queue_is_expected_to_be_none)
{
	ck_assert_int_eq(swap(QUEUE_TAGS, "{}", "{}"), WQ_CHANGED);
	ck_assert(!queue_exists(Q));
	ck_assert_int_eq(swap(QUEUE_TAGS, "", "{}"), WQ_OK);
}
END_TEST

START_TEST(queue_tells_when_it_was_made_and_changed)
{
	int64_t before_ns = clock_now_ns();
	struct queue_info i;

	push(Q, "a");
	i = info(Q);
	ck_assert_int_ge(i.created_ns, before_ns);
	ck_assert_int_le(i.created_ns, clock_now_ns());
	ck_assert_int_eq(i.changed_ns, i.created_ns);
	world_pass(1000);
	set(Q, SETTING_DELAY, 1);
	set_paused(Q, true);
	ck_assert_int_eq(info(Q).created_ns, i.created_ns);
	ck_assert_int_ge(info(Q).changed_ns,
	    i.created_ns + 1000 * CLOCK_NS_PER_MS);
	i = info(Q);
	world_pass(1000);
	/* None of these changes its settings. */
	push(Q, "b");
	purge(Q);
	ck_assert_int_eq(call_run(configure_call("new")), WQ_OK);
	world_restart();
	ck_assert_int_eq(info(Q).created_ns, i.created_ns);
	ck_assert_int_eq(info(Q).changed_ns, i.changed_ns);
	ck_assert_int_gt(info("new").created_ns, i.changed_ns);
}
END_TEST

START_TEST(default_queue_was_made_at_the_first_start)
{
	struct queue_info i = info(NULL);
	int64_t since_ns = clock_now_ns() - i.created_ns;

	ck_assert_int_ge(since_ns, 0);
	ck_assert_int_lt(since_ns, 60 * CLOCK_NS_PER_S);
	ck_assert_int_eq(i.changed_ns, i.created_ns);
	world_pass(1000);
	push(NULL, "a");
	world_restart();
	ck_assert_int_eq(info(NULL).created_ns, i.created_ns);
	ck_assert_int_eq(info(NULL).changed_ns, i.created_ns);
	set(NULL, SETTING_DELAY, 1);
	purge(NULL);
	world_restart();
	ck_assert_int_eq(info(NULL).created_ns, i.created_ns);
	ck_assert_int_ge(info(NULL).changed_ns,
	    i.created_ns + 1000 * CLOCK_NS_PER_MS);
}
END_TEST

START_TEST(queue_knows_whether_it_is_a_target)
{
	set_target(Q, DEAD, 1);
	ck_assert(info(DEAD).is_target);
	ck_assert(!info(Q).is_target);
	world_restart();
	ck_assert(info(DEAD).is_target);
	set_target(Q, "", 0);
	ck_assert(!info(DEAD).is_target);
}
END_TEST

static enum wq_status
delete_even_target(const char *queue)
{
	struct call *c = call_new(OP_DELETE, queue);

	c->op.delete.even_target = true;
	return call_run(c);
}

START_TEST(target_may_be_deleted_and_messages_stay_with_their_sources)
{
	struct id id;
	int64_t before_ns, changed_ns;

	set_target(Q, DEAD, 1);
	set_target("other", DEAD, 2);
	world_pass(1000);
	before_ns = clock_now_ns();
	ck_assert_int_eq(delete_queue(DEAD), WQ_IS_TARGET);
	push(Q, "a");
	ck_assert_int_eq(delete_even_target(DEAD), WQ_OK);
	ck_assert(!queue_exists(DEAD));
	ck_assert_str_eq(info(Q).dead_letter_queue, "");
	ck_assert_int_eq(info(Q).settings.max_receives, 0);
	changed_ns = info("other").changed_ns;
	ck_assert_int_ge(changed_ns, before_ns);
	ck_assert_int_ge(info(Q).changed_ns, before_ns);
	id = receive_lock(Q, "a", 1)->id;
	world_pass(1000);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	world_restart();
	ck_assert_str_eq(info("other").dead_letter_queue, "");
	ck_assert_int_eq(info("other").settings.max_receives, 0);
	ck_assert_int_eq(info("other").changed_ns, changed_ns);
	ck_assert(!queue_exists(DEAD));
	ck_assert_int_eq(delete_even_target(NULL), WQ_ROOT);
	ck_assert_int_eq(delete_even_target(DEAD), WQ_NO_QUEUE);
}
END_TEST

/* Names of those whose dead letters go to queue. */
static const char *
sources(const char *queue, const char *after, size_t max)
{
	struct call *c = call_new(OP_LIST, queue);
	struct op_list *l = &c->op.list;
	const char *names = "";
	size_t i;

	l->sources = true;
	l->prefix = "";
	l->after = after;
	l->max = max;
	l->out = world_alloc(max * sizeof(*l->out));
	ck_assert_status(c, WQ_OK);
	for (i = 0; i < l->count; i++)
		names = world_text("%s%s%s", names, i > 0 ? " " : "",
		    l->out[i].name);
	return names;
}

START_TEST(sources_of_a_target_are_listed)
{
	struct call *c;

	set_target("c", DEAD, 1);
	set_target("a", DEAD, 1);
	set_target("b", "graves", 1);
	set_target("d", DEAD, 1);
	ck_assert_str_eq(sources(DEAD, "", 10), "a c d");
	ck_assert_str_eq(sources(DEAD, "", 2), "a c");
	ck_assert_str_eq(sources(DEAD, "c", 2), "d");
	ck_assert_str_eq(sources("a", "", 2), "");
	set_target("c", "", 0);
	world_restart();
	ck_assert_str_eq(sources(DEAD, "", 10), "a d");
	c = call_new(OP_LIST, "none");
	c->op.list.sources = true;
	c->op.list.prefix = c->op.list.after = "";
	ck_assert_status(c, WQ_NO_QUEUE);
	ck_assert_uint_eq(c->op.list.count, 0);
}
END_TEST

static enum wq_status
make_new(const char *queue)
{
	struct call *c = configure_call(queue);

	c->op.configure.only_new = true;
	return call_run(c);
}

START_TEST(queue_that_was_deleted_a_moment_ago_is_not_made_again)
{
	world_open_with("sqs-waits", "true");
	ck_assert_int_eq(make_new(Q), WQ_OK);
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	ck_assert_int_eq(make_new(Q), WQ_RECENT);
	ck_assert_int_eq(make_new("other"), WQ_OK);
	world_pass(59000);
	ck_assert_int_eq(make_new(Q), WQ_RECENT);
	world_pass(1000);
	ck_assert_int_eq(make_new(Q), WQ_OK);
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	/* Who does not ask for it that way makes one. */
	push(Q, "a");
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	ck_assert_int_eq(make_new(Q), WQ_RECENT);
}
END_TEST

START_TEST(queue_whose_making_failed_was_not_deleted)
{
	struct call *c = configure_call(Q);

	world_open_with("sqs-waits", "true");
	c = configure_call(Q);
	c->op.configure.only_new = true;
	set_on(c, SETTING_MAX_RECEIVES, 1);
	ck_assert_status(c, WQ_NO_TARGET);
	ck_assert(!queue_exists(Q));
	ck_assert_int_eq(make_new(Q), WQ_OK);
}
END_TEST

START_TEST(queue_that_was_purged_a_moment_ago_is_not_purged_again)
{
	world_open_with("sqs-waits", "true");
	push(Q, "a");
	purge(Q);
	push(Q, "b");
	ck_assert_status(call_new(OP_PURGE, Q), WQ_RECENT);
	ck_assert_uint_eq(info(Q).available_count, 1);
	world_pass(59000);
	ck_assert_status(call_new(OP_PURGE, Q), WQ_RECENT);
	world_pass(1000);
	purge(Q);
	ck_assert_uint_eq(info(Q).available_count, 0);
	push("other", "c");
	purge("other");
}
END_TEST

START_TEST(nothing_is_recent_where_nobody_wants_it)
{
	ck_assert_int_eq(make_new(Q), WQ_OK);
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	ck_assert_int_eq(make_new(Q), WQ_OK);
	purge(Q);
	purge(Q);
}
END_TEST

TCase *
terms_tests(void)
{
	TCase *t = tcase_create("terms");

	tcase_add_test(t, settings_and_texts_are_set_and_told_and_come_back);
	tcase_add_test(t, what_is_not_named_keeps_its_value);
	tcase_add_test(t, only_a_new_queue_is_configured);
	tcase_add_test(t, queue_that_must_exist_is_not_made);
	tcase_add_test(t, strict_target_must_be_there);
	tcase_add_test(t, strict_target_is_of_the_same_kind);
	tcase_add_test(t, strict_target_may_deny);
	tcase_add_test(t, text_is_changed_only_from_what_is_expected);
	tcase_add_test(t, text_of_a_new_queue_is_expected_to_be_none);
	tcase_add_test(t, queue_tells_when_it_was_made_and_changed);
	tcase_add_test(t, default_queue_was_made_at_the_first_start);
	tcase_add_test(t, queue_knows_whether_it_is_a_target);
	tcase_add_test(t,
	    target_may_be_deleted_and_messages_stay_with_their_sources);
	tcase_add_test(t, sources_of_a_target_are_listed);
	tcase_add_test(t,
	    queue_that_was_deleted_a_moment_ago_is_not_made_again);
	tcase_add_test(t, queue_whose_making_failed_was_not_deleted);
	tcase_add_test(t,
	    queue_that_was_purged_a_moment_ago_is_not_purged_again);
	tcase_add_test(t, nothing_is_recent_where_nobody_wants_it);
	return t;
}
