/* Tasks that move dead letters, by and by. */
#include "base/clock.h"
#include "base/id.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define DEAD	"letters"
#define TASKS	12

static struct call *
task_call(const char *to, int64_t rate)
{
	struct call *c = call_new(OP_TASK_START, DEAD);

	c->op.task_start.to = to;
	c->op.task_start.rate = rate;
	c->op.task_start.id = id_new();
	return c;
}

static struct id
task_start(const char *to, int64_t rate)
{
	struct call *c = task_call(to, rate);

	ck_assert_status(c, WQ_OK);
	return c->op.task_start.id;
}

static struct call *
cancel_call(struct id id)
{
	struct call *c = call_new(OP_TASK_CANCEL, NULL);

	c->op.task_cancel.id = id;
	return c;
}

/* The tasks of queue, newest first; *count of them. */
static const struct task_info *
tasks(const char *queue, size_t *count)
{
	struct call *c = call_new(OP_TASK_LIST, queue);
	struct op_task_list *l = &c->op.task_list;

	l->max = TASKS;
	l->out = world_alloc(TASKS * sizeof(*l->out));
	ck_assert_status(c, WQ_OK);
	*count = l->count;
	return l->out;
}

/* The newest task of DEAD. */
static struct task_info
task(void)
{
	size_t n;
	const struct task_info *t = tasks(DEAD, &n);

	ck_assert_uint_gt(n, 0);
	return t[0];
}

static void
wait_for_end(enum task_state state)
{
	UNTIL(task().state != TASK_RUNNING);
	ck_assert_int_eq(task().state, state);
}

/* So many letters of queue are in DEAD. */
static void
make_letters(const char *queue, size_t n)
{
	struct call *c = push_many_call(queue, n);
	size_t before;

	set_target(queue, DEAD, 1);
	before = info(DEAD).available_count;
	ck_assert_status(c, WQ_OK);
	c = receive_call(queue, n);
	c->op.receive.lock_ms = 1;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, n);
	world_pass(1);
	UNTIL(info(DEAD).available_count == before + n);
}

START_TEST(task_moves_letters_to_their_sources_in_order)
{
	struct task_info t;
	struct id id;

	make_letters(Q, 3);
	make_letters("other", 1);
	id = task_start(NULL, 0);
	wait_for_end(TASK_COMPLETED);
	t = task();
	ck_assert_id(t.id, id);
	ck_assert_uint_eq(t.moved, 4);
	ck_assert_uint_eq(t.to_move, 4);
	ck_assert_str_eq(t.to, "");
	ck_assert_int_eq(t.rate, 0);
	ck_assert_int_gt(t.started_ns, 0);
	ck_assert_uint_eq(info(DEAD).available_count, 0);
	ck_assert(!peek(Q, STATES_ALL)->seen->is_letter);
	ck_assert_str_eq(drain(Q), "0 1 2");
	ck_assert_str_eq(drain("other"), "0");
}
END_TEST

START_TEST(task_moves_all_to_one_queue)
{
	make_letters(Q, 2);
	push(DEAD, "plain");
	ck_assert_status(configure_call("to"), WQ_OK);
	task_start("to", 0);
	wait_for_end(TASK_COMPLETED);
	ck_assert_str_eq(task().to, "to");
	ck_assert_uint_eq(task().moved, 3);
	ck_assert_str_eq(drain("to"), "0 1 plain");
	ck_assert_uint_eq(info(Q).available_count, 0);
}
END_TEST

START_TEST(task_keeps_its_rate)
{
	make_letters(Q, 30);
	task_start(NULL, 2);
	world_pass(400);
	ck_assert_uint_eq(task().moved, 0);
	world_pass(200);
	ck_assert_uint_eq(task().moved, 1);
	world_pass(4900);
	ck_assert_uint_eq(task().moved, 11);
	ck_assert_uint_eq(info(Q).available_count, 11);
	ck_assert_uint_eq(info(DEAD).available_count, 19);
	ck_assert_int_eq(task().state, TASK_RUNNING);
	ck_assert_int_eq(task().rate, 2);
	world_pass(11000);
	wait_for_end(TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 30);
}
END_TEST

START_TEST(task_that_is_canceled_moves_no_more)
{
	struct call *c;
	struct id id;

	make_letters(Q, 10);
	id = task_start(NULL, 1);
	world_pass(3500);
	c = cancel_call(id);
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->op.task_cancel.moved, 3);
	world_pass(HOUR_MS);
	ck_assert_uint_eq(info(Q).available_count, 3);
	ck_assert_int_eq(task().state, TASK_CANCELED);
	ck_assert_uint_eq(task().moved, 3);
	ck_assert_status(cancel_call(id), WQ_NO_TASK);
	ck_assert_status(cancel_call(id_new()), WQ_NO_TASK);
	/* The next moves the rest. */
	task_start(NULL, 0);
	wait_for_end(TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 7);
	ck_assert_uint_eq(info(Q).available_count, 10);
}
END_TEST

START_TEST(task_that_ended_is_not_canceled)
{
	struct id id;

	make_letters(Q, 1);
	id = task_start(NULL, 0);
	wait_for_end(TASK_COMPLETED);
	ck_assert_status(cancel_call(id), WQ_NO_TASK);
	ck_assert_int_eq(task().state, TASK_COMPLETED);
}
END_TEST

START_TEST(queue_has_one_task_at_a_time)
{
	struct id id;

	make_letters(Q, 5);
	id = task_start(NULL, 1);
	ck_assert_status(task_call(NULL, 1), WQ_TASK_RUNS);
	ck_assert_status(cancel_call(id), WQ_OK);
	ck_assert_status(task_call(NULL, 1), WQ_OK);
}
END_TEST

START_TEST(task_needs_a_target_and_a_destination)
{
	struct call *c = call_new(OP_TASK_START, "none");

	c->op.task_start.id = id_new();
	ck_assert_status(c, WQ_NO_QUEUE);
	push(DEAD, "a");
	ck_assert_status(task_call(NULL, 0), WQ_NOT_TARGET);
	make_letters(Q, 1);
	ck_assert_status(task_call("none", 0), WQ_NO_QUEUE);
	ck_assert_status(task_call("no name", 0), WQ_BAD_NAME);
	c = call_new(OP_TASK_LIST, "none");
	ck_assert_status(c, WQ_NO_QUEUE);
}
END_TEST

START_TEST(last_ten_tasks_are_listed)
{
	struct id ids[15];
	const struct task_info *t;
	size_t i, n;

	make_letters(Q, 1);
	make_letters("other", 1);
	tasks(DEAD, &n);
	ck_assert_uint_eq(n, 0);
	for (i = 0; i < 14; i++) {
		ids[i] = task_start(NULL, i % 2 == 0 ? 1 : 0);
		if (i % 2 == 0)
			ck_assert_status(cancel_call(ids[i]), WQ_OK);
		else
			wait_for_end(TASK_COMPLETED);
	}
	ids[14] = task_start(NULL, 1);
	t = tasks(DEAD, &n);
	ck_assert_uint_eq(n, 10);
	for (i = 0; i < 10; i++)
		ck_assert_id(t[i].id, ids[14 - i]);
	ck_assert_int_eq(t[0].state, TASK_RUNNING);
	ck_assert_int_eq(t[1].state, TASK_COMPLETED);
	ck_assert_int_eq(t[2].state, TASK_CANCELED);
	tasks(Q, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(task_is_forgotten_when_its_queue_is_deleted)
{
	struct call *c;
	struct id id;

	make_letters(Q, 5);
	id = task_start(NULL, 1);
	world_pass(1500);
	c = call_new(OP_DELETE, DEAD);
	c->op.delete.even_target = true;
	ck_assert_status(c, WQ_OK);
	world_pass(5000);
	ck_assert_status(cancel_call(id), WQ_NO_TASK);
	ck_assert_uint_eq(info(Q).available_count, 1);
}
END_TEST

START_TEST(task_fails_when_its_destination_is_deleted)
{
	make_letters(Q, 5);
	ck_assert_status(configure_call("to"), WQ_OK);
	task_start("to", 1);
	world_pass(1500);
	ck_assert_int_eq(delete_queue("to"), WQ_OK);
	world_pass(5000);
	ck_assert_int_eq(task().state, TASK_FAILED);
	ck_assert_int_eq(task().failure, WQ_NO_QUEUE);
	ck_assert_uint_eq(task().moved, 1);
	ck_assert_uint_eq(info(DEAD).available_count, 4);
}
END_TEST

START_TEST(letters_without_a_source_stay)
{
	make_letters(Q, 300);
	make_letters("other", 500);
	push(DEAD, "plain");
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	task_start(NULL, 0);
	wait_for_end(TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 500);
	ck_assert_uint_eq(info(DEAD).available_count, 301);
	ck_assert(!queue_exists(Q));
}
END_TEST

START_TEST(letters_that_come_since_or_are_locked_stay)
{
	struct call *c;

	make_letters(Q, 5);
	c = receive(DEAD, 1);
	task_start(NULL, 1);
	world_pass(1500);
	make_letters(Q, 1);
	world_pass(20000);
	wait_for_end(TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 4);
	ck_assert_uint_eq(info(DEAD).available_count, 1);
	ck_assert_status(confirm_call(DEAD, c->seen), WQ_OK);
}
END_TEST

START_TEST(task_without_a_rate_moves_thousands)
{
	size_t i;

	for (i = 0; i < 5; i++)
		make_letters(Q, 1000);
	task_start(NULL, 0);
	wait_for_end(TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 5000);
	ck_assert_uint_eq(info(Q).available_count, 5000);
	ck_assert_uint_eq(info(DEAD).available_count, 0);
}
END_TEST

START_TEST(task_goes_on_while_letters_are_taken)
{
	struct call *c;
	size_t taken = 0;

	make_letters(Q, 1000);
	task_start(NULL, 500);
	while (task().state == TASK_RUNNING) {
		world_pass(100);
		c = receive(DEAD, 3);
		taken += c->count;
	}
	ck_assert_uint_eq(task().moved + taken, 1000);
	ck_assert_uint_eq(info(Q).available_count, task().moved);
}
END_TEST

START_TEST(purge_leaves_a_task_nothing)
{
	make_letters(Q, 10);
	task_start(NULL, 1);
	world_pass(2500);
	purge(DEAD);
	world_pass(5000);
	ck_assert_int_eq(task().state, TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 2);
	ck_assert_uint_eq(info(Q).available_count, 2);
}
END_TEST

START_TEST(paused_queue_takes_redriven_letters)
{
	make_letters(Q, 2);
	set_paused(Q, true);
	set_paused(DEAD, true);
	task_start(NULL, 0);
	wait_for_end(TASK_COMPLETED);
	ck_assert_uint_eq(info(Q).available_count, 2);
}
END_TEST

START_TEST(task_goes_on_after_a_restart)
{
	struct task_info before, after;

	make_letters(Q, 10);
	task_start(NULL, 1);
	world_pass(3500);
	before = task();
	ck_assert_uint_eq(before.moved, 3);
	world_restart();
	after = task();
	ck_assert_id(after.id, before.id);
	ck_assert_int_eq(after.state, TASK_RUNNING);
	ck_assert_uint_eq(after.moved, 3);
	ck_assert_uint_eq(after.to_move, 10);
	ck_assert_int_eq(after.rate, 1);
	ck_assert_int_eq(after.started_ns, before.started_ns);
	ck_assert_str_eq(after.to, "");
	ck_assert_status(task_call(NULL, 0), WQ_TASK_RUNS);
	world_pass(1000);
	ck_assert_uint_eq(task().moved, 4);
	world_pass(10000);
	ck_assert_int_eq(task().state, TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 10);
	ck_assert_uint_eq(info(Q).available_count, 10);
	world_restart();
	ck_assert_int_eq(task().state, TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 10);
}
END_TEST

START_TEST(task_to_one_queue_goes_on_after_a_restart)
{
	make_letters(Q, 5);
	push(DEAD, "plain");
	ck_assert_status(configure_call("to"), WQ_OK);
	task_start("to", 1);
	world_pass(1500);
	world_restart();
	ck_assert_str_eq(task().to, "to");
	world_pass(10000);
	ck_assert_int_eq(task().state, TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 6);
	ck_assert_str_eq(drain("to"), "0 1 2 3 4 plain");
}
END_TEST

START_TEST(task_that_runs_may_be_canceled_after_a_restart)
{
	struct call *c;
	struct id id;

	make_letters(Q, 5);
	id = task_start(NULL, 1);
	world_pass(2500);
	world_restart();
	c = cancel_call(id);
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->op.task_cancel.moved, 2);
	world_pass(HOUR_MS);
	world_restart();
	ck_assert_int_eq(task().state, TASK_CANCELED);
	ck_assert_uint_eq(task().moved, 2);
	ck_assert_uint_eq(info(DEAD).available_count, 3);
	ck_assert_status(task_call(NULL, 0), WQ_OK);
}
END_TEST

START_TEST(last_ten_tasks_come_back)
{
	struct id ids[14];
	const struct task_info *t;
	size_t i, n;

	make_letters(Q, 2);
	make_letters("other", 1);
	ck_assert_status(configure_call("to"), WQ_OK);
	for (i = 0; i < 12; i++) {
		ids[i] = task_start(NULL, 1);
		ck_assert_status(cancel_call(ids[i]), WQ_OK);
	}
	ids[12] = task_start("to", 1);
	ck_assert_int_eq(delete_queue("to"), WQ_OK);
	world_pass(1000);
	ck_assert_int_eq(task().state, TASK_FAILED);
	ids[13] = task_start(NULL, 1);
	world_restart();
	t = tasks(DEAD, &n);
	ck_assert_uint_eq(n, 10);
	for (i = 0; i < n; i++)
		ck_assert_id(t[i].id, ids[13 - i]);
	ck_assert_int_eq(t[0].state, TASK_RUNNING);
	ck_assert_int_eq(t[1].state, TASK_FAILED);
	ck_assert_int_eq(t[1].failure, WQ_NO_QUEUE);
	ck_assert_str_eq(t[1].to, "to");
	ck_assert_int_eq(t[2].state, TASK_CANCELED);
	ck_assert_int_eq(t[9].state, TASK_CANCELED);
}
END_TEST

START_TEST(task_does_not_make_up_for_the_time_it_was_down)
{
	make_letters(Q, 10);
	task_start(NULL, 20);
	world_restart_after(clock_now_ns() + 110 * CLOCK_NS_PER_MS);
	ck_assert_uint_lt(task().moved, world_backend->durable ? 3 : 11);
	UNTIL(task().state == TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 10);
}
END_TEST

START_TEST(next_queue_of_a_name_has_no_tasks)
{
	struct call *c;
	size_t n;

	make_letters(Q, 5);
	ck_assert_status(cancel_call(task_start(NULL, 1)), WQ_OK);
	task_start(NULL, 1);
	/* It is the same queue after a purge. */
	purge(DEAD);
	tasks(DEAD, &n);
	ck_assert_uint_eq(n, 2);
	c = call_new(OP_DELETE, DEAD);
	c->op.delete.even_target = true;
	ck_assert_status(c, WQ_OK);
	make_letters(Q, 5);
	tasks(DEAD, &n);
	ck_assert_uint_eq(n, 0);
	world_restart();
	tasks(DEAD, &n);
	ck_assert_uint_eq(n, 0);
	world_pass(5000);
	ck_assert_uint_eq(info(Q).available_count, 0);
	/* Those of others stay: here the new one's. */
	task_start(NULL, 1);
	ck_assert_int_eq(delete_queue(Q), WQ_OK);
	tasks(DEAD, &n);
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(task_moves_thousands_over_restarts)
{
	size_t i;

	for (i = 0; i < 3; i++)
		make_letters(Q, 1000);
	task_start(NULL, 500);
	for (i = 0; i < 4; i++) {
		world_pass(500);
		UNTIL(task().moved >= 240 * (i + 1));
		world_pass(500);
		/* Some of it is yet to be done. */
		world_restart();
	}
	world_pass(10000);
	wait_for_end(TASK_COMPLETED);
	ck_assert_uint_eq(task().moved, 3000);
	ck_assert_uint_eq(info(Q).available_count, 3000);
	ck_assert_uint_eq(info(DEAD).available_count, 0);
}
END_TEST

TCase *
task_tests(void)
{
	TCase *t = tcase_create("task");

	tcase_add_test(t, task_moves_letters_to_their_sources_in_order);
	tcase_add_test(t, task_moves_all_to_one_queue);
	tcase_add_test(t, task_keeps_its_rate);
	tcase_add_test(t, task_that_is_canceled_moves_no_more);
	tcase_add_test(t, task_that_ended_is_not_canceled);
	tcase_add_test(t, queue_has_one_task_at_a_time);
	tcase_add_test(t, task_needs_a_target_and_a_destination);
	tcase_add_test(t, last_ten_tasks_are_listed);
	tcase_add_test(t, task_is_forgotten_when_its_queue_is_deleted);
	tcase_add_test(t, task_fails_when_its_destination_is_deleted);
	tcase_add_test(t, letters_without_a_source_stay);
	tcase_add_test(t, letters_that_come_since_or_are_locked_stay);
	tcase_add_test(t, task_without_a_rate_moves_thousands);
	tcase_add_test(t, task_goes_on_while_letters_are_taken);
	tcase_add_test(t, purge_leaves_a_task_nothing);
	tcase_add_test(t, paused_queue_takes_redriven_letters);
	tcase_add_test(t, task_goes_on_after_a_restart);
	tcase_add_test(t, task_to_one_queue_goes_on_after_a_restart);
	tcase_add_test(t, task_that_runs_may_be_canceled_after_a_restart);
	tcase_add_test(t, last_ten_tasks_come_back);
	tcase_add_test(t, task_does_not_make_up_for_the_time_it_was_down);
	tcase_add_test(t, next_queue_of_a_name_has_no_tasks);
	tcase_add_test(t, task_moves_thousands_over_restarts);
	return t;
}
