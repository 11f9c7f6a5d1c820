/* The store: batches, what they need not write, the way to disk and back. */
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/outbox.h"
#include "base/mem.h"
#include "check_wq.h"
#include "store/coalesce.h"
#include "store/store.h"

#define TURNS_MAX	100000

static struct event_base	*base;
static struct store		*store;
static char			dir[] = "/tmp/wq-store-XXXXXX";
static uint64_t			kept;
static size_t			rows;
static int			slice = 100;	/* rows a call */
static bool			bodies_wanted = true;
static int64_t			last_seq;
static char			error[STORE_ERROR_BYTES];

static void
kept_cb(void *arg, struct store_batch *b)
{
	(void)arg;
	ck_assert_uint_eq(b->number, kept + 1);
	ck_assert_int_eq(b->result, STORE_OK);
	kept = b->number;
}

static void
lost_cb(void *arg, struct store_batch *b)
{
	(void)arg;
	(void)b;
	ck_abort_msg("a batch is lost");
}

static void
refused_cb(void *arg, uint64_t number, enum store_result why)
{
	(void)arg;
	(void)number;
	(void)why;
	ck_abort_msg("pushes are refused");
}

static void
health_cb(void *arg, enum store_health health, const char *why)
{
	(void)arg;
	(void)health;
	(void)why;
}

static void
copied_cb(void *arg, const char *path, const char *why)
{
	(void)arg;
	(void)path;
	(void)why;
}

static const struct store_events events = { .kept = kept_cb, .lost = lost_cb,
	.refused = refused_cb, .health = health_cb, .copied = copied_cb };

static enum wq_status
skip(void *arg, const struct store_row *row)
{
	(void)arg;
	(void)row;
	return WQ_OK;
}

static enum wq_status
count_message(void *arg, const struct store_row *row)
{
	(void)arg;
	ck_assert_int_gt(row->seq, last_seq);
	last_seq = row->seq;
	rows++;
	return WQ_OK;
}

static bool
wants(void *arg)
{
	(void)arg;
	return bodies_wanted;
}

/* Open the directory again, reading what it has. */
static void
open_store(void)
{
	const struct store_reader reader = { .queue = skip, .task = skip,
	    .key = skip,
	    .message = count_message, .wants_bodies = wants };
	bool more = true;

	store = store_open(dir, STORE_SYNC_FULL, error);
	ck_assert_msg(store != NULL, "%s", error);
	rows = 0;
	kept = 0;
	last_seq = 0;
	while (more)
		ck_assert_int_eq(store_read(store, &reader, slice, &more,
		    error), 0);
	ck_assert_int_eq(store_start(store, base, &events, error), 0);
}

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	base = event_base_new();
	open_store();
}

static void
teardown(void)
{
	char command[64];

	store_close(store);
	event_base_free(base);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
	strcpy(dir, "/tmp/wq-store-XXXXXX");
}

static struct store_batch *
batch(size_t records)
{
	struct store_batch *b = store_batch(store);

	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(batch_reserve(b, records, 100), 0);
	return b;
}

static void
add_push(struct store_batch *b, int64_t seq)
{
	struct store_record *r = batch_add(b, STORE_PUSH, seq, 1);

	r->push.body = "body";
	r->push.body_bytes = 4;
	r->push.lock_ms = -1;
	r->push.group = batch_text(b, NULL, 0);
}

static void
wait_for(uint64_t number)
{
	int turns = 0;

	while (kept < number && turns++ < TURNS_MAX)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_ge(kept, number);
}

START_TEST(what_is_handed_over_is_kept_in_order_and_comes_back)
{
	uint64_t number = 0;
	int64_t seq = 0;
	struct store_batch *b;
	int i, j;

	for (i = 0; i < 100; i++) {
		b = batch(20);
		for (j = 0; j < 10; j++)
			add_push(b, ++seq);
		if (i > 0)		/* one of the batch before */
			batch_add(b, STORE_GONE, seq - 15, 0);
		number = store_hand_over(store, b, seq);
		if (i % 7 == 0)
			wait_for(number);
	}
	wait_for(number);
	store_close(store);
	open_store();
	ck_assert_uint_eq(rows, 1000 - 99);
}
END_TEST

START_TEST(closing_writes_what_was_handed_over)
{
	struct store_batch *b = batch(1);

	add_push(b, 1);
	store_hand_over(store, b, 1);
	store_close(store);
	open_store();
	ck_assert_uint_eq(rows, 1);
}
END_TEST

START_TEST(a_second_store_is_refused_with_the_process_that_has_it)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char text[32], why[STORE_ERROR_BYTES] = "";

		snprintf(text, sizeof(text), "process %d", (int)getppid());
		_exit(store_open(dir, STORE_SYNC_FULL, why) == NULL &&
		    strstr(why, text) != NULL ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* A slice may end between two tables, and memory may be short by then. */
START_TEST(messages_older_than_the_last_key_are_read_without_bodies_too)
{
	struct store_batch *b = batch(3);
	uint64_t number;

	add_push(b, 10);
	add_push(b, 20);
	batch_add(b, STORE_KEY, 20, 1)->key.until_ns = INT64_MAX;
	number = store_hand_over(store, b, 20);
	wait_for(number);
	bodies_wanted = false;
	for (slice = 1; slice < 6; slice++) {
		store_close(store);
		open_store();
		ck_assert_uint_eq(rows, 2);
	}
}
END_TEST

static void
add_lock(struct store_batch *b, int64_t seq)
{
	batch_add(b, STORE_LOCK, seq, 1)->lock.until_ns = 5;
}

static size_t
count_verb(const struct store_batch *b, enum store_verb verb)
{
	size_t i, n = 0;

	for (i = 0; i < b->count; i++)
		n += b->record[i].verb == verb;
	return n;
}

START_TEST(locks_of_what_is_gone_are_not_written_and_others_are)
{
	struct store_batch *a = batch(200), *b = batch(200);
	struct coalescer c = { NULL, 0 };
	struct store_batches work;
	int64_t i;

	TAILQ_INIT(&work);
	TAILQ_INSERT_TAIL(&work, a, link);
	TAILQ_INSERT_TAIL(&work, b, link);
	for (i = 1; i <= 100; i++)
		add_lock(a, i * 1000003);
	for (i = 1; i <= 100; i += 2)
		batch_add(b, STORE_GONE, i * 1000003, 0);
	/* Moved and locked again under the same number: it stands. */
	batch_add(b, STORE_MOVE, 2 * 1000003, 1)->move.was = 2 * 1000003;
	add_lock(b, 2 * 1000003);
	coalesce(&c, &work);
	ck_assert_uint_eq(count_verb(a, STORE_LOCK), 50);
	ck_assert_uint_eq(count_verb(a, STORE_NOTHING), 50);
	ck_assert_uint_eq(count_verb(b, STORE_LOCK), 1);
	for (i = 0; i < 100; i++)
		ck_assert_int_eq(a->record[i].verb,
		    i % 2 == 0 ? STORE_NOTHING : STORE_LOCK);
	coalescer_fini(&c);
	batch_free(a);
	batch_free(b);
}
END_TEST

START_TEST(without_memory_locks_are_written_all_the_same)
{
	struct store_batch *a = batch(2);
	struct coalescer c = { NULL, 0 };
	struct store_batches work;

	TAILQ_INIT(&work);
	TAILQ_INSERT_TAIL(&work, a, link);
	add_lock(a, 7);
	batch_add(a, STORE_GONE, 7, 0);
	mem_fail_after(0);
	coalesce(&c, &work);
	mem_fail_after(-1);
	ck_assert_uint_eq(count_verb(a, STORE_LOCK), 1);
	batch_free(a);
}
END_TEST

START_TEST(a_batch_without_memory_stays_as_it_was)
{
	struct store_batch *b = batch(1);

	add_push(b, 1);
	mem_fail_after(0);
	ck_assert_int_eq(batch_reserve(b, 1000, 0), -1);
	mem_fail_after(0);
	ck_assert_int_eq(batch_reserve(b, 0, 100000), -1);
	mem_fail_after(-1);
	ck_assert_uint_eq(b->count, 1);
	ck_assert_int_eq(b->record[0].seq, 1);
	batch_free(b);
}
END_TEST

static size_t	begun;

static void
begun_cb(void *arg)
{
	(void)arg;
	begun++;
}

static void
gather(struct outbox *o, int n, int64_t *seq)
{
	for (; n > 0; n--)
		ck_assert(records_orphan(&o->records, ++*seq));
}

/* What was handed over is "being written" until the loop knows better. */
START_TEST(records_are_gathered_while_the_writer_is_busy)
{
	struct outbox o;
	int64_t seq = 0;

	outbox_init(&o, store, begun_cb, NULL);
	begun = 0;
	gather(&o, 8, &seq);
	ck_assert_uint_eq(begun, 1);
	ck_assert(outbox_is_time(&o));		/* it has nothing to do */
	ck_assert_uint_eq(outbox_told(&o), 1);
	outbox_hand_over(&o, seq);
	ck_assert_uint_eq(outbox_gathered(&o), 0);
	gather(&o, 5, &seq);
	ck_assert_uint_eq(begun, 2);
	ck_assert_uint_eq(outbox_told(&o), 2);
	ck_assert_uint_eq(outbox_records(&o), 13);
	ck_assert(!outbox_is_time(&o));
	gather(&o, 1, &seq);			/* three quarters of 8 */
	ck_assert(outbox_is_time(&o));
	outbox_hand_over(&o, seq);
	gather(&o, 1, &seq);			/* the next are enough already */
	ck_assert(outbox_is_time(&o));
	outbox_hand_over(&o, seq);
	wait_for(3);
	outbox_kept(&o, kept);
	ck_assert_uint_eq(outbox_records(&o), 0);
	gather(&o, 1, &seq);
	ck_assert(outbox_is_time(&o));
	outbox_fini(&o);
}
END_TEST

START_TEST(a_great_many_records_go_to_a_busy_writer_too)
{
	struct outbox o;
	int64_t seq = 0;

	outbox_init(&o, store, begun_cb, NULL);
	gather(&o, 10000, &seq);
	outbox_hand_over(&o, seq);
	gather(&o, 4095, &seq);
	ck_assert(!outbox_is_time(&o));
	gather(&o, 1, &seq);
	ck_assert(outbox_is_time(&o));
	outbox_fini(&o);
	wait_for(1);
}
END_TEST

static Suite *
store_suite(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_handed_over_is_kept_in_order_and_comes_back);
	tcase_add_test(t, closing_writes_what_was_handed_over);
	tcase_add_test(t, a_second_store_is_refused_with_the_process_that_has_it);
	tcase_add_test(t, locks_of_what_is_gone_are_not_written_and_others_are);
	tcase_add_test(t, without_memory_locks_are_written_all_the_same);
	tcase_add_test(t, a_batch_without_memory_stays_as_it_was);
	tcase_add_test(t,
	    messages_older_than_the_last_key_are_read_without_bodies_too);
	tcase_add_test(t, records_are_gathered_while_the_writer_is_busy);
	tcase_add_test(t, a_great_many_records_go_to_a_busy_writer_too);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(store_suite)
