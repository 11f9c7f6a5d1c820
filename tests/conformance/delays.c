/* Delays of a FIFO queue that change for the messages that it has. */
#include <stdlib.h>

#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define F	"orders.fifo"
#define GROUPS	7
#define BATCH	50
#define RECEIVES 200

static struct call *
delay_call(const char *queue, int64_t delay_ms)
{
	struct call *c = configure_call(queue);

	set_on(c, SETTING_DELAY, delay_ms);
	set_on(c, SETTING_DELAY_FOR_ALL, 1);
	return c;
}

static void
set_delay(const char *queue, int64_t delay_ms)
{
	ck_assert_status(delay_call(queue, delay_ms), WQ_OK);
}

/* The message of id is delayed for so long since its push. */
static void
check_end(struct id id, int64_t delay_ms)
{
	struct seen *s = look_seen(F, id);

	ck_assert_int_eq(s->state, MESSAGE_DELAYED);
	ck_assert_int_eq(s->until_ns, s->pushed_ns +
	    delay_ms * CLOCK_NS_PER_MS);
}

START_TEST(shorter_delay_is_that_of_those_that_wait)
{
	struct id id;

	set_delay(F, HOUR_MS);
	id = push(F, "a");
	push(F, "b");
	set_delay(F, 60000);
	check_end(id, 60000);
	world_pass(30000);
	push(F, "c");
	ck_assert_str_eq(drain(F), "");
	world_pass(30000);
	UNTIL(info(F).available_count == 2);
	ck_assert_uint_eq(info(F).delayed_count, 1);
	world_pass(30000);
	UNTIL(info(F).available_count == 3);
	ck_assert_str_eq(drain(F), "a b c");
}
END_TEST

START_TEST(those_that_waited_for_long_enough_come_at_once)
{
	set_delay(F, HOUR_MS);
	push_words(F, "a b");
	world_pass(60000);
	push(F, "c");
	set_delay(F, 50000);
	UNTIL(info(F).available_count == 2);
	ck_assert_str_eq(drain(F), "a b");
	ck_assert_uint_eq(info(F).delayed_count, 1);
	set_delay(F, 0);
	push(F, "d");
	UNTIL(info(F).available_count == 2);
	ck_assert_str_eq(drain(F), "c d");
}
END_TEST

START_TEST(one_that_waits_for_it_is_served)
{
	struct call *c;

	set_delay(F, HOUR_MS);
	push(F, "a");
	c = wait_start(F, 1);
	set_delay(F, 0);
	ck_assert_int_eq(call_wait(c), WQ_OK);
	ck_assert_str_eq(bodies(c), "a");
}
END_TEST

START_TEST(longer_delay_is_that_of_those_that_wait)
{
	struct id id;

	set_delay(F, 60000);
	id = push(F, "a");
	set_delay(F, HOUR_MS);
	push(F, "b");
	world_pass(60000);
	check_end(id, HOUR_MS);
	ck_assert_str_eq(drain(F), "");
	world_pass(HOUR_MS - 60000);
	UNTIL(info(F).available_count == 2);
	ck_assert_str_eq(drain(F), "a b");
}
END_TEST

START_TEST(delay_changes_again_and_again)
{
	struct id a, b;

	set_delay(F, 10000);
	a = push(F, "a");
	world_pass(5000);
	b = push(F, "b");
	set_delay(F, HOUR_MS);
	world_pass(5000);
	/* One has its longer end now, the other its old one. */
	check_end(a, HOUR_MS);
	check_end(b, 10000);
	set_delay(F, 20000);
	check_end(a, 20000);
	world_pass(5000);
	check_end(b, 20000);
	set_delay(F, 60000);
	set_delay(F, 30000);
	push(F, "c");
	world_pass(14000);
	ck_assert_uint_eq(info(F).delayed_count, 3);
	world_pass(1000);
	UNTIL(info(F).available_count == 1);
	set_delay(F, 0);
	push(F, "d");
	UNTIL(info(F).available_count == 4);
	ck_assert_str_eq(drain(F), "a b c d");
}
END_TEST

START_TEST(delays_of_a_standard_queue_stay)
{
	struct id a, b;

	set_delay(Q, 60000);
	a = push(Q, "a");
	b = push_delay(Q, "b", 1000);
	world_pass(1000);
	ck_assert_int_eq(state_of(Q, b), MESSAGE_AVAILABLE);
	set_delay(Q, 0);
	world_pass(30000);
	ck_assert_int_eq(state_of(Q, a), MESSAGE_DELAYED);
	set_delay(Q, HOUR_MS);
	world_pass(30000);
	ck_assert_int_eq(state_of(Q, a), MESSAGE_AVAILABLE);
}
END_TEST

START_TEST(delays_stay_where_they_are_not_for_all)
{
	struct id a, b;

	set(F, SETTING_DELAY, 60000);
	a = push(F, "a");
	set(F, SETTING_DELAY, 0);
	check_end(a, 60000);
	/* Nothing overtakes it. */
	b = push(F, "b");
	ck_assert_int_eq(state_of(F, b), MESSAGE_DELAYED);
	set(F, SETTING_DELAY, HOUR_MS);
	world_pass(60000);
	UNTIL(info(F).available_count == 2);
	ck_assert_str_eq(drain(F), "a b");
}
END_TEST

START_TEST(delays_become_those_of_all)
{
	set(F, SETTING_DELAY, HOUR_MS);
	push(F, "a");
	set(F, SETTING_DELAY, 0);
	push(F, "b");
	ck_assert_uint_eq(info(F).delayed_count, 2);
	set(F, SETTING_DELAY_FOR_ALL, 1);
	push(F, "c");
	UNTIL(info(F).available_count == 3);
	ck_assert_str_eq(drain(F), "a b c");
	world_restart();
	ck_assert_int_eq(info(F).settings.delay_for_all, 1);
}
END_TEST

START_TEST(delay_changes_with_all_other_settings)
{
	struct call *c = delay_call(F, 0);

	set_delay(F, HOUR_MS);
	push(F, "a");
	set_on(c, SETTING_RETENTION, 4 * HOUR_MS);
	set_on(c, SETTING_LOCK_TIMEOUT, 1000);
	ck_assert_status(c, WQ_OK);
	UNTIL(info(F).available_count == 1);
}
END_TEST

/* A push that is not on disk yet has the delay of before. */
START_TEST(push_that_is_on_its_way_is_not_overtaken)
{
	struct call *c[4];
	size_t i;

	set_delay(F, HOUR_MS);
	c[0] = call_start(push_call(F, "a"));
	c[1] = call_start(delay_call(F, 0));
	c[2] = call_start(push_call(F, "b"));
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(call_wait(c[i]), WQ_OK);
	UNTIL(info(F).available_count == 2);
	ck_assert_str_eq(drain(F), "a b");
	set_delay(F, HOUR_MS);
	push(F, "c");
	c[0] = call_start(push_call(F, "d"));
	c[1] = call_start(delay_call(F, 60000));
	c[2] = call_start(push_call(F, "e"));
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(call_wait(c[i]), WQ_OK);
	for (i = 0; i < 3; i += 2)
		check_end(c[i]->op.push.bodies[0].id, 60000);
	world_restart();
	for (i = 0; i < 3; i += 2)
		check_end(c[i]->op.push.bodies[0].id, 60000);
	world_pass(60000);
	UNTIL(info(F).available_count == 3);
	ck_assert_str_eq(drain(F), "c d e");
}
END_TEST

START_TEST(push_that_was_on_its_way_keeps_its_place)
{
	struct call *c[2] = { push_call(F, "a") };

	set_delay(F, HOUR_MS);
	set_group(c[0], "g");
	call_start(c[0]);
	c[1] = call_start(delay_call(F, 0));
	ck_assert_int_eq(call_wait(c[0]), WQ_OK);
	ck_assert_int_eq(call_wait(c[1]), WQ_OK);
	UNTIL(info(F).available_count == 1);
	push_group(F, "b", "h");
	world_restart();
	ck_assert_str_eq(drain(F), "a b");
}
END_TEST

/* Numbers that go up in each group. */
struct flow {
	size_t pushed[GROUPS], received[GROUPS];
	size_t pushes;
	struct call *call[256];		/* that were started */
	size_t calls;
};

static struct call *
flow_add(struct flow *f, struct call *c)
{
	ck_assert_uint_lt(f->calls, sizeof(f->call) / sizeof(f->call[0]));
	f->call[f->calls++] = c;
	return call_start(c);
}

/* A batch of the next group. */
static void
flow_push(struct flow *f)
{
	size_t g = f->pushes++ % GROUPS, i;
	struct call *c = push_many_call(F, BATCH);
	struct op_push *p = &c->op.push;
	char *text;

	set_group(c, world_text("%zu", g));
	for (i = 0; i < BATCH; i++) {
		text = world_text("%zu", f->pushed[g]++);
		p->bodies[i].data = text;
		p->bodies[i].bytes = strlen(text);
	}
	flow_add(f, c);
}

/* All that are there, which must be the next of their groups. */
static size_t
flow_receive(struct flow *f)
{
	struct id ids[RECEIVES];
	size_t i, g, all = 0;
	struct call *c;

	while ((c = receive(F, RECEIVES))->count > 0) {
		for (i = 0; i < c->count; i++) {
			g = (size_t)atoi(c->seen[i].group);
			ck_assert_uint_eq((size_t)atoi(c->seen[i].body),
			    f->received[g]);
			f->received[g]++;
			ids[i] = c->seen[i].id;
		}
		ck_assert_status(confirm_many_call(F, ids, c->count), WQ_OK);
		all += c->count;
	}
	return all;
}

static void
flow_wait(struct flow *f)
{
	size_t i;

	for (i = 0; i < f->calls; i++)
		ck_assert_int_eq(call_wait(f->call[i]), WQ_OK);
	f->calls = 0;
}

START_TEST(thousands_keep_their_order_while_delays_change)
{
	static const int64_t delays[] = { HOUR_MS, 4000, 60000, 500, 9000,
	    2000, HOUR_MS, 0 };
	struct flow *f = world_alloc(sizeof(*f));
	size_t i, j, n = 0;

	set_delay(F, 3000);
	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		for (j = 0; j < 10; j++)
			flow_push(f);
		flow_add(f, delay_call(F, delays[i]));
		/* Some are on their way, some come while it changes. */
		for (j = 0; j < 4; j++)
			flow_push(f);
		if (i % 2 == 0)
			n += flow_receive(f);
		flow_wait(f);
		n += flow_receive(f);
		world_pass(1500);
		n += flow_receive(f);
	}
	flow_push(f);
	flow_wait(f);
	UNTIL(info(F).delayed_count == 0);
	n += flow_receive(f);
	ck_assert_uint_eq(n, f->pushes * BATCH);
}
END_TEST

START_TEST(thousands_keep_their_order_over_restarts)
{
	static const int64_t delays[] = { HOUR_MS, 9000, 60000, 0 };
	struct flow *f = world_alloc(sizeof(*f));
	size_t i, j;

	set_delay(F, 3000);
	for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		for (j = 0; j < 10; j++)
			flow_push(f);
		world_pass(2000);
		flow_add(f, delay_call(F, delays[i]));
		flow_wait(f);
		world_restart();
		flow_receive(f);
		world_pass(2000);
		world_restart();
		flow_receive(f);
	}
	UNTIL(info(F).delayed_count == 0);
	flow_receive(f);
	for (j = 0; j < GROUPS; j++)
		ck_assert_uint_eq(f->received[j], f->pushed[j]);
}
END_TEST

START_TEST(purge_and_delete_end_a_change)
{
	struct flow *f = world_alloc(sizeof(*f));
	size_t i;

	set_delay(F, HOUR_MS);
	for (i = 0; i < 60; i++)
		flow_push(f);
	flow_add(f, delay_call(F, 1000));
	flow_add(f, call_new(OP_PURGE, F));
	flow_wait(f);
	ck_assert_uint_eq(info(F).delayed_count, 0);
	set_delay(F, 0);
	push(F, "a");
	ck_assert_str_eq(drain(F), "a");
	set_delay(F, HOUR_MS);
	for (i = 0; i < 60; i++)
		flow_push(f);
	flow_add(f, delay_call(F, 1000));
	flow_add(f, call_new(OP_DELETE, F));
	flow_wait(f);
	ck_assert(!queue_exists(F));
	push(F, "b");
	ck_assert_str_eq(drain(F), "b");
	world_pass(HOUR_MS);
	world_restart();
	ck_assert_uint_eq(info(F).available_count, 0);
}
END_TEST

START_TEST(changed_delays_come_back)
{
	struct id a, b, c;

	set_delay(F, HOUR_MS);
	a = push(F, "a");
	set_delay(F, 60000);
	b = push(F, "b");
	world_restart();
	check_end(a, 60000);
	check_end(b, 60000);
	set_delay(F, HOUR_MS);
	world_restart();
	world_pass(50000);
	c = push(F, "c");
	world_pass(10000);
	check_end(a, HOUR_MS);
	world_restart();
	check_end(a, HOUR_MS);
	check_end(b, HOUR_MS);
	check_end(c, HOUR_MS);
	set_delay(F, 0);
	UNTIL(info(F).available_count == 3);
	world_restart();
	ck_assert_str_eq(drain(F), "a b c");
}
END_TEST

START_TEST(delayed_messages_come_back_in_their_order)
{
	set_delay(F, 10000);
	push(F, "a");
	world_pass(5000);
	push_words(F, "b c");
	set_delay(F, HOUR_MS);
	world_pass(5000);
	/* Only one of them has its longer end by now. */
	world_restart();
	ck_assert_str_eq(bodies(peek(F, 1u << MESSAGE_DELAYED)), "a b c");
}
END_TEST

TCase *
delay_tests(void)
{
	TCase *t = tcase_create("delays");

	tcase_add_test(t, shorter_delay_is_that_of_those_that_wait);
	tcase_add_test(t, those_that_waited_for_long_enough_come_at_once);
	tcase_add_test(t, one_that_waits_for_it_is_served);
	tcase_add_test(t, longer_delay_is_that_of_those_that_wait);
	tcase_add_test(t, delay_changes_again_and_again);
	tcase_add_test(t, delays_of_a_standard_queue_stay);
	tcase_add_test(t, delays_stay_where_they_are_not_for_all);
	tcase_add_test(t, delays_become_those_of_all);
	tcase_add_test(t, delay_changes_with_all_other_settings);
	tcase_add_test(t, push_that_is_on_its_way_is_not_overtaken);
	tcase_add_test(t, push_that_was_on_its_way_keeps_its_place);
	tcase_add_test(t, thousands_keep_their_order_while_delays_change);
	tcase_add_test(t, thousands_keep_their_order_over_restarts);
	tcase_add_test(t, purge_and_delete_end_a_change);
	tcase_add_test(t, changed_delays_come_back);
	tcase_add_test(t, delayed_messages_come_back_in_their_order);
	return t;
}
