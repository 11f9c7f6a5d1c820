/* What the journal is told of a task, and what comes of that after a kill. */
#include <string.h>

#include "base/id.h"
#include "core/coming.h"
#include "core/queue.h"
#include "core/recover.h"
#include "core/task.h"
#include "one_registry.h"
#include "silent_journal.h"

#define LETTERS		100

static size_t		told, forgotten;
static struct task_info	last;		/* as it was told */
static int64_t		last_seq, gone_seq;
static size_t		room;		/* calls that were reserved last */

static bool
reserve(void *arg, size_t calls, size_t text_bytes)
{
	(void)arg, (void)text_bytes;
	room = calls;
	return true;
}

static void
tell_task(void *arg, int64_t seq, const char *source,
    const struct task_info *info)
{
	(void)arg;
	ck_assert_str_eq(source, "dead");
	told++;
	last = *info;
	last_seq = seq;
}

static void
tell_task_gone(void *arg, int64_t seq)
{
	(void)arg;
	forgotten++;
	gone_seq = seq;
}

static const struct journal journal = { SILENT_JOURNAL, .reserve = reserve,
	.task = tell_task, .task_gone = tell_task_gone };

/* Letters that go to `to`, whatever they are. */
static void
setup(void)
{
	struct push_terms terms = { .lock_ms = -1 };
	struct op_configure c = { .given = SETTING_DEAD_LETTER_QUEUE,
	    .dead_letter_queue = "dead" };
	struct message *m;
	int i;

	now_ns = 1000 * MS;
	told = forgotten = 0;
	open_registry();
	ck_assert_int_eq(queue_configure(queue("source"), &c, true, now_ns),
	    WQ_OK);
	queue_info_fini(&c.now);
	queue("to");
	for (i = 0; i < LETTERS; i++) {
		m = message_new(id_new(), "x", 1);
		ck_assert_int_eq(queue_prepare(queue("dead"), m, &terms),
		    WQ_OK);
		queue_push(queue("dead"), m, &terms, now_ns);
	}
	ck_assert(registry_attach(r, &journal));
	now_ns += MS;
}

static void
teardown(void)
{
	registry_free(r);
}

static struct id
start(int64_t rate)
{
	struct op_task_start op = { .to = "to", .rate = rate,
	    .id = id_new() };

	ck_assert_int_eq(task_start(queue("dead"), &op, now_ns), WQ_OK);
	return op.id;
}

START_TEST(task_is_told_of_at_its_start)
{
	start(10);
	ck_assert_uint_eq(told, 1);
	ck_assert_int_eq(last.state, TASK_RUNNING);
	ck_assert_uint_eq(last.moved, 0);
	ck_assert_uint_eq(last.to_move, LETTERS);
	ck_assert_int_eq(last.rate, 10);
	ck_assert_str_eq(last.to, "to");
	ck_assert_int_eq(last.started_ns, now_ns);
}
END_TEST

START_TEST(task_is_told_of_once_a_second_and_at_its_end)
{
	start(10);
	pass(900);
	ck_assert_uint_eq(told, 1);
	pass(100);
	ck_assert_uint_eq(told, 2);
	ck_assert_uint_eq(last.moved, 10);
	pass(1000);
	ck_assert_uint_eq(told, 3);
	pass(8500);
	ck_assert_int_eq(last.state, TASK_COMPLETED);
	ck_assert_uint_eq(last.moved, LETTERS);
	ck_assert_uint_le(told, 12);
	pass(5000);
	ck_assert_uint_le(told, 12);
}
END_TEST

START_TEST(fast_task_is_told_of_twice)
{
	start(0);
	pass(1000);
	ck_assert_uint_eq(told, 2);
	ck_assert_int_eq(last.state, TASK_COMPLETED);
	ck_assert_uint_eq(last.moved, LETTERS);
}
END_TEST

START_TEST(cancel_and_failure_are_told_of)
{
	struct op_task_cancel op = { .id = start(10) };

	pass(250);
	ck_assert_int_eq(task_cancel(r, &op), WQ_OK);
	ck_assert_uint_eq(told, 2);
	ck_assert_int_eq(last.state, TASK_CANCELED);
	ck_assert_uint_eq(last.moved, 2);
	start(10);
	ck_assert_int_eq(queue_delete(queue("to"), false, 0), WQ_OK);
	pass(1000);
	ck_assert_uint_eq(told, 4);
	ck_assert_int_eq(last.state, TASK_FAILED);
	ck_assert_int_eq(last.failure, WQ_NO_QUEUE);
}
END_TEST

START_TEST(one_that_is_forgotten_is_told_of)
{
	struct op_task_cancel op;
	int64_t first_seq = 0;
	int i;

	for (i = 0; i < 11; i++) {
		ck_assert_uint_eq(forgotten, 0);
		op.id = start(1);
		if (i == 0)
			first_seq = last_seq;
		ck_assert_int_eq(task_cancel(r, &op), WQ_OK);
	}
	ck_assert_uint_eq(forgotten, 1);
	ck_assert_int_eq(gone_seq, first_seq);
}
END_TEST

START_TEST(end_of_a_queue_is_that_of_its_tasks)
{
	struct op_task_cancel op = { .id = start(1) };

	ck_assert_int_eq(task_cancel(r, &op), WQ_OK);
	start(1);
	ck_assert_uint_eq(tasks_count(queue("dead")), 2);
	ck_assert_int_eq(queue_delete(queue("dead"), true, now_ns), WQ_OK);
	ck_assert_uint_eq(forgotten, 2);
	/* Both, the queue, and its source, which has no target now. */
	ck_assert_uint_eq(room, 4);
	ck_assert_int_eq(registry_next_due_ns(r), INT64_MAX);
	ck_assert_uint_eq(tasks_count(queue("dead")), 0);
}
END_TEST

START_TEST(end_of_the_process_is_told_how_far_it_is)
{
	start(10);
	pass(550);
	ck_assert_uint_eq(told, 1);
	tasks_tell(r);
	ck_assert_uint_eq(told, 2);
	ck_assert_uint_eq(last.moved, 5);
	ck_assert_int_eq(last.state, TASK_RUNNING);
}
END_TEST

/* What was told comes back, without a step more than its rate allows. */
START_TEST(task_goes_on_from_what_was_told)
{
	struct recovered_queue q = { .number = 7, .keys_number = 7,
	    .name = "dead", .settings = { .lock_timeout_ms = 1000 } };
	struct recovered_task t = { .source = "dead" };
	struct task_info out;
	struct op_task_list list = { .max = 1, .out = &out };
	struct recovery *rec;

	start(10);
	pass(1500);
	t.info = last;
	t.seq = last_seq;
	registry_free(r);
	open_registry();
	now_ns += 60000 * MS;
	t.now_ns = now_ns;
	rec = recovery_new(r);
	ck_assert_int_eq(recover_queue(rec, &q), WQ_OK);
	ck_assert_int_eq(recover_task(rec, &t), WQ_OK);
	recovery_free(rec);
	ck_assert_int_eq(registry_next_due_ns(r), now_ns + 100 * MS);
	tasks_list(registry_find(r, "dead"), &list);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_mem_eq(&out.id, &last.id, sizeof(out.id));
	ck_assert_uint_eq(out.moved, 10);
	ck_assert_int_eq(out.state, TASK_RUNNING);
	/* Its destination is not there. */
	pass(100);
	tasks_list(registry_find(r, "dead"), &list);
	ck_assert_int_eq(out.state, TASK_FAILED);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("task");
	TCase *t = tcase_create("task");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, task_is_told_of_at_its_start);
	tcase_add_test(t, task_is_told_of_once_a_second_and_at_its_end);
	tcase_add_test(t, fast_task_is_told_of_twice);
	tcase_add_test(t, cancel_and_failure_are_told_of);
	tcase_add_test(t, one_that_is_forgotten_is_told_of);
	tcase_add_test(t, end_of_a_queue_is_that_of_its_tasks);
	tcase_add_test(t, end_of_the_process_is_told_how_far_it_is);
	tcase_add_test(t, task_goes_on_from_what_was_told);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
