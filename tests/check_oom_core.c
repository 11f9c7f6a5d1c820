/*
 * The core with each allocation failing in turn: what is refused has changed
 * nothing and can be asked for again, what cannot be refused is done all the
 * same, and all memory is counted and comes back.
 */
#include <string.h>

#include "backend/push.h"
#include "base/id.h"
#include "base/mem.h"
#include "core/attempt.h"
#include "core/journal.h"
#include "core/queue.h"
#include "core/recent.h"
#include "core/recover.h"
#include "core/task.h"
#include "one_registry.h"
#include "silent_journal.h"

#define PLACES_MAX	200		/* allocations of one scene */
#define GIVEN_MAX	8

static uint64_t		empty_bytes;
static bool		has_failed;

static void
fail_no_more(void)
{
	has_failed = has_failed || mem_has_failed();
	mem_fail_after(-1);
}

/* A journal that needs memory for its room. */
static bool
reserve(void *arg, size_t calls, size_t text_bytes)
{
	void *room = mem_alloc(1 + calls + text_bytes);

	(void)arg;
	mem_free(room);
	return room != NULL;
}

static const struct journal journal = { SILENT_JOURNAL,
	.reserve = reserve, .task = silent_task, .task_gone = silent_number };

static void
open_empty(void)
{
	now_ns = 1000 * MS;
	open_registry();
	registry_set_moment(r, 60000 * MS);
	empty_bytes = registry_memory_bytes(r);
}

static enum wq_status
configure(const char *name, struct op_configure *c)
{
	enum wq_status st = queue_configure(queue(name), c, true, now_ns);

	if (st == WQ_OK)
		queue_info_fini(&c->now);
	return st;
}

static enum wq_status
push(const char *name, const char *text, int64_t delay_ms)
{
	struct op_body b = { .data = text, .bytes = strlen(text),
	    .is_text = true, .attributes = "{\"a\":1}",
	    .attributes_bytes = 7 };
	struct op_push p = { .bodies = &b, .count = 1, .delay_ms = delay_ms,
	    .lock_ms = -1, .ttl_ms = -1, .group = "g", .group_bytes = 1,
	    .dedup = text, .dedup_bytes = strlen(text) };
	struct push_room room = { UINT64_MAX, UINT64_MAX };
	struct queue *q = queue(name);
	enum wq_status st = push_begin(q, &p, &room, now_ns);

	if (st == WQ_OK)
		push_end(q, &p, true);
	return st;
}

/* As the backend receives; *count of them, without keeping them. */
static enum wq_status
receive(const char *name, size_t max, int64_t lock_ms, size_t *count)
{
	struct delivery out[GIVEN_MAX];
	struct op_receive op = { .max = max, .lock_ms = lock_ms,
	    .attempt = "x", .attempt_bytes = 1, .out = out };
	struct queue *q = queue(name);
	enum wq_status st = WQ_OK;
	size_t i;

	if (!attempt_again(q, &op, now_ns)) {
		st = queue_receive(q, max, SIZE_MAX, lock_ms, now_ns, out,
		    &op.count);
		attempt_keep(q, &op, now_ns);
	}
	*count = op.count;
	for (i = 0; i < op.count; i++) {
		ck_assert(message_is_text(out[i].message));
		message_unref(out[i].message);
	}
	return st;
}

static size_t
count(const char *name)
{
	struct queue *q = registry_find(r, name);
	struct queue_info i;

	if (q == NULL)
		return 0;
	queue_check(q);
	queue_info(q, &i);
	queue_info_fini(&i);
	return i.available_count + i.locked_count + i.delayed_count;
}

/* All is deleted, and all that is remembered is forgotten. */
static void
close_registry(void)
{
	static const char *const names[] = { "a", "b.fifo", "dead", "new" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (registry_find(r, names[i]) != NULL)
			ck_assert_int_eq(queue_delete(registry_find(r,
			    names[i]), true, now_ns), WQ_OK);
	pass(24 * 3600000);
	while (registry_reap(r, 1000))
		;
	ck_assert_uint_eq(registry_memory_bytes(r), empty_bytes);
	registry_free(r);
}

static void
ready_push(void)
{
	queue("a");
}

static enum wq_status
do_push(void)
{
	enum wq_status st = push("a", "one", 1000);

	ck_assert_uint_eq(count("a"), st == WQ_OK);
	return st;
}

static void
ready_receive(void)
{
	queue("b.fifo");
	ck_assert_int_eq(push("b.fifo", "one", -1), WQ_OK);
	ck_assert_int_eq(push("b.fifo", "two", -1), WQ_OK);
}

static enum wq_status
do_receive(void)
{
	size_t first, again;
	enum wq_status st = receive("b.fifo", 2, 5000, &first);

	if (st != WQ_OK)
		ck_assert_uint_eq(first, 0);
	else {
		ck_assert_uint_ge(first, 1);
		/* A repeat is one, or nothing is to be had. */
		if (receive("b.fifo", 2, 5000, &again) == WQ_OK)
			ck_assert(again == first || again == 0);
	}
	ck_assert_uint_eq(count("b.fifo"), 2);
	return st;
}

static void
ready_configure(void)
{
	queue("a");
	ck_assert_int_eq(push("a", "one", -1), WQ_OK);
}

static enum wq_status
do_configure(void)
{
	struct op_configure c = { .given = SETTING_TAGS | SETTING_ATTRIBUTES |
	    SETTING_SOURCES | SETTING_RETENTION | SETTING_MAX_RECEIVES |
	    SETTING_DEAD_LETTER_QUEUE, .text = { "{}", "{}", "x y" },
	    .settings = { .retention_ms = 60000, .max_receives = 1 },
	    .dead_letter_queue = "new" };
	enum wq_status st = configure("a", &c);
	struct queue_info i;

	queue_info(queue("a"), &i);
	ck_assert_int_eq(i.settings.retention_ms, st == WQ_OK ? 60000 : 0);
	ck_assert_int_eq(i.text[QUEUE_SOURCES] != NULL, st == WQ_OK);
	ck_assert_int_eq(i.text[QUEUE_TAGS] != NULL, st == WQ_OK);
	queue_info_fini(&i);
	return st;
}

/* One that is locked, delayed, and one that is neither; all in time go. */
static void
ready_expiry(void)
{
	struct op_configure c = { .given = SETTING_RETENTION,
	    .settings = { .retention_ms = 10000 } };
	struct op_body b = { .data = "plain", .bytes = 5 };
	struct op_push p = { .bodies = &b, .count = 1, .delay_ms = 2000,
	    .lock_ms = -1, .ttl_ms = -1 };
	struct push_room room = { UINT64_MAX, UINT64_MAX };
	struct delivery out;
	size_t n;

	ck_assert_int_eq(configure("a", &c), WQ_OK);
	ck_assert_int_eq(push_begin(queue("a"), &p, &room, now_ns), WQ_OK);
	push_end(queue("a"), &p, true);
	p.delay_ms = -1;
	b.data = "other";
	ck_assert_int_eq(push_begin(queue("a"), &p, &room, now_ns), WQ_OK);
	push_end(queue("a"), &p, true);
	ck_assert_int_eq(queue_receive(queue("a"), 1, SIZE_MAX, 1000, now_ns,
	    &out, &n), WQ_OK);
	ck_assert_uint_eq(n, 1);
	message_unref(out.message);
}

static enum wq_status
do_expiry(void)
{
	struct delivery out[2];
	size_t n;

	pass(3000);
	fail_no_more();
	ck_assert_uint_eq(count("a"), 2);
	pass(8000);
	/* Those without memory for a deadline go when they are asked for. */
	ck_assert_int_eq(queue_receive(queue("a"), 2, SIZE_MAX, 1000, now_ns,
	    out, &n), WQ_OK);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(count("a"), 0);
	return WQ_OK;
}

static void
ready_letters(void)
{
	struct op_configure c = { .given = SETTING_MAX_RECEIVES |
	    SETTING_DEAD_LETTER_QUEUE, .settings = { .max_receives = 1 },
	    .dead_letter_queue = "dead" };
	size_t n;

	ck_assert_int_eq(configure("a", &c), WQ_OK);
	ck_assert_int_eq(push("a", "one", -1), WQ_OK);
	ck_assert_int_eq(receive("a", 1, 1000, &n), WQ_OK);
	pass(1000);
	ck_assert_uint_eq(count("dead"), 1);
}

static enum wq_status
do_delete_target(void)
{
	enum wq_status st = queue_delete(registry_find(r, "dead"), true, 0);
	struct queue_info i;

	if (st == WQ_OK)
		recent_add(r, "dead", now_ns);
	queue_info(queue("a"), &i);
	queue_info_fini(&i);
	ck_assert_int_eq(i.settings.max_receives, st != WQ_OK);
	ck_assert_int_eq(*i.dead_letter_queue != '\0', st != WQ_OK);
	return st;
}

static size_t
tasks(void)
{
	struct task_info out[2];
	struct op_task_list list = { .max = 2, .out = out };

	tasks_list(queue("dead"), &list);
	return list.count;
}

static enum wq_status
do_task(void)
{
	struct op_task_start op = { .id = id_new() };
	enum wq_status st = task_start(queue("dead"), &op, now_ns);

	ck_assert_uint_eq(tasks(), st == WQ_OK);
	if (st != WQ_OK)
		return st;
	pass(1000);
	/* What could not be moved for want of memory is where it was. */
	ck_assert_uint_eq(count("dead") + count("a"), 1);
	tasks_tell(r);
	return WQ_OK;
}

static enum wq_status
do_cancel(void)
{
	struct op_task_start op = { .id = id_new(), .rate = 1 };
	struct op_task_cancel cancel = { .id = op.id };
	struct op_task_list list;
	struct task_info out;
	enum wq_status st;

	if ((st = task_start(queue("dead"), &op, now_ns)) != WQ_OK)
		return st;
	st = task_cancel(r, &cancel);
	list = (struct op_task_list){ .max = 1, .out = &out };
	tasks_list(queue("dead"), &list);
	ck_assert_int_eq(out.state, st == WQ_OK ? TASK_CANCELED :
	    TASK_RUNNING);
	/* It may be tried again. */
	return st == WQ_OK ? WQ_OK : task_cancel(r, &cancel);
}

static void
ready_tasks(void)
{
	struct op_task_start op = { .id = id_new(), .rate = 1 };
	struct op_task_cancel cancel = { .id = op.id };

	ready_letters();
	ck_assert_int_eq(task_start(queue("dead"), &op, now_ns), WQ_OK);
	ck_assert_int_eq(task_cancel(r, &cancel), WQ_OK);
	op.id = id_new();
	ck_assert_int_eq(task_start(queue("dead"), &op, now_ns), WQ_OK);
}

/* One task runs, one does not; both go, or none. */
static enum wq_status
do_delete_with_tasks(void)
{
	enum wq_status st = queue_delete(registry_find(r, "dead"), true,
	    now_ns);

	if (st == WQ_OK)
		recent_add(r, "dead", now_ns);
	else
		ck_assert_uint_eq(tasks(), 2);
	return st;
}

static void
ready_redelay(void)
{
	struct op_configure c = { .given = SETTING_DELAY |
	    SETTING_DELAY_FOR_ALL, .settings = { .delay_ms = 60000,
	    .delay_for_all = 1 } };

	queue("b.fifo");
	ck_assert_int_eq(configure("b.fifo", &c), WQ_OK);
	ck_assert_int_eq(push("b.fifo", "one", -1), WQ_OK);
	ck_assert_int_eq(push("b.fifo", "two", -1), WQ_OK);
}

/* Shorter and longer: it takes effect even where it cannot be kept. */
static enum wq_status
do_redelay(void)
{
	struct op_configure c = { .given = SETTING_DELAY,
	    .settings = { .delay_ms = 1000 } };
	enum wq_status st;
	size_t n;

	if ((st = configure("b.fifo", &c)) != WQ_OK)
		return st;
	pass(1);
	c.settings.delay_ms = 2000;
	if ((st = configure("b.fifo", &c)) != WQ_OK)
		return st;
	pass(1500);
	fail_no_more();
	ck_assert_int_eq(receive("b.fifo", 2, 1000, &n), WQ_OK);
	ck_assert_uint_eq(n, 0);
	pass(1000);
	ck_assert_int_eq(receive("b.fifo", 2, 1000, &n), WQ_OK);
	ck_assert_uint_eq(n, 2);
	return WQ_OK;
}

static void
ready_recovery(void)
{
}

static enum wq_status
recover(struct recovery *rec)
{
	struct recovered_queue q = { .number = 5, .keys_number = 5,
	    .name = "a", .text = { "{}", "[]", "x" },
	    .settings = { .lock_timeout_ms = 1000, .retention_ms = 60000 } };
	struct recovered_message m = { .seq = now_ns - 5000 * MS, .queue = 5,
	    .id = id_new(), .body = "x", .body_bytes = 1, .lock_ms = -1,
	    .attributes = "{\"a\":1}", .attributes_bytes = 7, .text = true,
	    .lock = { .given = true, .until_ns = now_ns + 5 * MS,
	    .receives = 2, .receipt = 7, .received_ns = now_ns - 3 * MS,
	    .first_received_ns = now_ns - 4 * MS } };
	struct recovered_task t = { .seq = now_ns - 7, .source = "a",
	    .info = { .rate = 1, .started_ns = now_ns }, .now_ns = now_ns };
	enum wq_status st = recover_queue(rec, &q);
	bool more = true;

	if (st == WQ_OK)
		st = recover_task(rec, &t);
	if (st == WQ_OK)
		st = recover_message(rec, &m);
	while (st == WQ_OK && more)
		st = recover_places(rec, 10, &more);
	return st;
}

static enum wq_status
do_recovery(void)
{
	struct recovery *rec = recovery_new(r);
	enum wq_status st = rec != NULL ? recover(rec) : WQ_NOMEM;

	recovery_free(rec);
	if (st == WQ_OK)
		ck_assert_uint_eq(count("a"), 1);
	return st;
}

static const struct {
	void (*ready)(void);
	enum wq_status (*act)(void);
	bool journal;		/* it is attached before */
	bool once;		/* what failed is not tried again */
} scenes[] = {
	{ ready_push, do_push, true, false },
	{ ready_receive, do_receive, true, false },
	{ ready_configure, do_configure, true, false },
	{ ready_expiry, do_expiry, true, true },
	{ ready_letters, do_delete_target, true, false },
	{ ready_tasks, do_delete_with_tasks, true, false },
	{ ready_letters, do_task, true, false },
	{ ready_letters, do_cancel, true, false },
	{ ready_redelay, do_redelay, true, false },
	{ ready_recovery, do_recovery, false, true },
};

START_TEST(each_allocation_may_fail)
{
	enum wq_status st;
	int n;

	for (n = 0; n < PLACES_MAX; n++) {
		open_empty();
		if (scenes[_i].journal)
			ck_assert(registry_attach(r, &journal));
		scenes[_i].ready();
		has_failed = false;
		mem_fail_after(n);
		st = scenes[_i].act();
		fail_no_more();
		ck_assert_msg(st == WQ_OK || st == WQ_NOMEM,
		    "scene %d, allocation %d: status %d", _i, n, st);
		if (st == WQ_NOMEM && !scenes[_i].once)
			ck_assert_int_eq(scenes[_i].act(), WQ_OK);
		close_registry();
		if (!has_failed)
			break;
	}
	ck_assert_int_lt(n, PLACES_MAX);
	ck_assert_int_gt(n, 1);		/* or the failing is not in use */
	ck_assert_int_eq(st, WQ_OK);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("oom_core");
	TCase *t = tcase_create("oom_core");

	tcase_add_loop_test(t, each_allocation_may_fail, 0,
	    sizeof(scenes) / sizeof(scenes[0]));
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
