/*
 * A start with data on disk, with each allocation failing in turn: it comes to
 * serve all of it, or it says that it cannot start; the next one can.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "base/config.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "check_wq.h"

#define PLACES_MAX	2000
#define TURNS_MAX	20000
#define MESSAGES	4

static struct config		config;
static struct event_base	*base;
static struct event		*tick;
static struct backend		*backend;
static bool			has_failed, is_done, is_stopped;
static char			dir[] = "/tmp/wq-oom-start-XXXXXX";

static void
failed_cb(void *arg)
{
	(void)arg;
	has_failed = true;
}

static void
done_cb(struct op *op, void *arg)
{
	(void)op;
	(void)arg;
	is_done = true;
}

static void
stopped_cb(void *arg)
{
	(void)arg;
	is_stopped = true;
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
turn(int *turns)
{
	ck_assert_int_lt(++*turns, TURNS_MAX);
	event_base_loop(base, EVLOOP_ONCE);
}

/* Does it come to serve? */
static bool
open_backend(void)
{
	int turns = 0;

	has_failed = is_stopped = false;
	if ((backend = local_new(base, &config)) == NULL)
		return false;
	backend->failed = failed_cb;
	while (backend->trouble != NULL && !has_failed)
		turn(&turns);
	return !has_failed;
}

static void
close_backend(void)
{
	int turns = 0;

	if (backend == NULL)
		return;
	if (!has_failed) {
		backend->ops->stop(backend, stopped_cb, NULL);
		while (!is_stopped)
			turn(&turns);
	}
	backend->ops->free(backend);
	backend = NULL;
}

static enum wq_status
run(struct op *op)
{
	int turns = 0;

	is_done = false;
	op->done = done_cb;
	backend_submit(backend, op);
	while (!is_done)
		turn(&turns);
	return op->status;
}

static struct queue_info
info(const char *queue)
{
	struct op op = { .verb = OP_INFO, .queue = queue };

	ck_assert_int_eq(run(&op), WQ_OK);
	ck_assert_str_eq(op.info.text[QUEUE_ATTRIBUTES]->text, "{}");
	queue_info_fini(&op.info);
	return op.info;
}

/* A queue with texts and retention, and messages of all kinds in it. */
static void
fill(const char *queue, const char *target)
{
	struct op c = { .verb = OP_CONFIGURE, .queue = queue, .configure = {
	    .given = SETTING_ATTRIBUTES | SETTING_TAGS | SETTING_RETENTION |
	    SETTING_DEAD_LETTER_QUEUE, .settings = { .retention_ms = 3600000 },
	    .text = { "{\"a\":\"b\"}", "{}", NULL } } };
	struct op_body b = { .data = "body", .bytes = 4, .is_text = true,
	    .attributes = "{\"a\":1}", .attributes_bytes = 7 };
	struct op p = { .verb = OP_PUSH, .queue = queue, .push = {
	    .bodies = &b, .count = 1, .delay_ms = -1, .lock_ms = -1,
	    .ttl_ms = -1, .group = "g", .group_bytes = 1 } };
	struct delivery out;
	struct op r = { .verb = OP_RECEIVE, .queue = queue, .receive = {
	    .max = 1, .max_bytes = 10, .lock_ms = 3600000, .out = &out } };
	int i;

	strcpy(c.configure.dead_letter_queue, target);
	ck_assert_int_eq(run(&c), WQ_OK);
	queue_info_fini(&c.configure.now);
	for (i = 0; i < MESSAGES; i++) {
		if (i == MESSAGES - 1) {
			p.push.group = NULL;
			p.push.group_bytes = 0;
			p.push.dedup = "k";
			p.push.dedup_bytes = 1;
			p.push.delay_ms = 3600000;
		}
		ck_assert_int_eq(run(&p), WQ_OK);
	}
	ck_assert_int_eq(run(&r), WQ_OK);
	ck_assert_uint_eq(r.receive.count, 1);
	message_unref(out.message);
}

static void
start_task(void)
{
	struct op t = { .verb = OP_TASK_START, .queue = "dead",
	    .task_start = { .rate = 1, .id = id_new() } };

	ck_assert_int_eq(run(&t), WQ_OK);
}

static size_t
tasks(void)
{
	struct task_info out;
	struct op l = { .verb = OP_TASK_LIST, .queue = "dead",
	    .task_list = { .max = 1, .out = &out } };

	ck_assert_int_eq(run(&l), WQ_OK);
	return l.task_list.count;
}

static void
check_all(void)
{
	static const char *const names[] = { "jobs", "dead" };
	struct queue_info i;
	size_t n;

	for (n = 0; n < 2; n++) {
		i = info(names[n]);
		ck_assert_uint_eq(i.locked_count, 1);
		ck_assert_uint_eq(i.delayed_count, 1);
		ck_assert_uint_eq(i.available_count, MESSAGES - 2);
		ck_assert_int_eq(i.settings.retention_ms, 3600000);
	}
	ck_assert_uint_eq(tasks(), 1);
}

START_TEST(each_allocation_may_fail)
{
	bool serves, failed = false;
	int n;

	ck_assert(open_backend());
	fill("dead", "");
	fill("jobs", "dead");
	start_task();
	close_backend();
	for (n = 0; n < PLACES_MAX; n++) {
		mem_fail_after(n);
		serves = open_backend();
		failed = mem_has_failed();
		mem_fail_after(-1);
		if (serves)
			check_all();
		close_backend();
		if (!failed)
			break;
	}
	ck_assert(serves);
	ck_assert_int_lt(n, PLACES_MAX);
	ck_assert_int_gt(n, 50);	/* or the failing is not in use */
}
END_TEST

static void
setup(void)
{
	static const struct timeval often = { 0, 500 };
	const struct config_option *o = config_options;
	char error[CONFIG_ERROR_BYTES];

	log_init(LOG_LEVEL_ERROR, 0);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(config_init(&config), 0);
	while (strcmp(o->name, "data") != 0)
		o++;
	ck_assert_int_eq(config_set(&config, o, dir, error), 0);
	base = event_base_new();
	tick = event_new(base, -1, EV_PERSIST, tick_cb, NULL);
	event_add(tick, &often);
}

static void
teardown(void)
{
	char command[64];

	event_free(tick);
	event_base_free(base);
	config_fini(&config);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("oom_start");
	TCase *t = tcase_create("oom_start");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_allocation_may_fail);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
