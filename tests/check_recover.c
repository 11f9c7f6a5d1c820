/* What a journal has kept becomes queues and messages again. */
#include <string.h>

#include "base/id.h"
#include "check_wq.h"
#include "core/coming.h"
#include "core/dedup.h"
#include "core/journal.h"
#include "core/queue.h"
#include "core/recover.h"
#include "core/registry.h"

#define MS	INT64_C(1000000)
#define NOW	(1000 * MS)
#define OUT_MAX	8

static struct registry	*r;
static struct recovery	*rec;

static void
setup(void)
{
	struct queue_settings settings = { .lock_timeout_ms = 1000 };
	struct lock_timers none = { .timer_bytes = 0 };

	r = registry_new(&settings, &none, 1);
	ck_assert_ptr_nonnull(r);
	rec = recovery_new(r);
	ck_assert_ptr_nonnull(rec);
}

static void
teardown(void)
{
	recovery_free(rec);
	registry_free(r);
}

static void
queue_row(const char *name, int64_t number, int64_t keys_number)
{
	struct recovered_queue q = { .number = number,
	    .keys_number = keys_number, .name = name,
	    .settings = { .lock_timeout_ms = 1000 }, .settled_ns = NOW };

	ck_assert_int_eq(recover_queue(rec, &q), WQ_OK);
}

static struct recovered_message
message_row(int64_t queue, const char *body, int64_t seq)
{
	struct recovered_message m = { .seq = seq, .queue = queue,
	    .id = id_new(), .body = body, .body_bytes = strlen(body),
	    .lock_ms = -1 };

	return m;
}

static void
places(void)
{
	bool more;

	do
		ck_assert_int_eq(recover_places(rec, 1, &more), WQ_OK);
	while (more);
}

static const char *
receive(const char *name, int64_t now_ns)
{
	static char names[OUT_MAX + 1];
	struct queue *q = registry_find(r, name);
	struct delivery out[OUT_MAX];
	size_t n, i;

	ck_assert_ptr_nonnull(q);
	queue_check(q);
	ck_assert_int_eq(queue_receive(q, OUT_MAX, SIZE_MAX, -1, now_ns, out,
	    &n), WQ_OK);
	for (i = 0; i < n; i++) {
		names[i] = out[i].message->body[0];
		message_unref(out[i].message);
	}
	names[n] = '\0';
	return names;
}

START_TEST(what_was_purged_does_not_come_back_with_the_keys)
{
	const uint8_t key[DIGEST_BYTES] = { 1 };
	struct recovered_message m = message_row(2, "a", NOW - 2);
	struct id id = m.id;

	queue_row("a", 5, 2);
	ck_assert_int_eq(recover_dedup(rec, 2, key, &id, 0, NOW + MS), WQ_OK);
	ck_assert_int_eq(recover_message(rec, &m), WQ_NO_QUEUE);
	places();
	ck_assert_ptr_nonnull(queue_find_dedup(registry_find(r, "a"), key));
	ck_assert_str_eq(receive("a", NOW), "");
}
END_TEST

START_TEST(a_new_queue_has_not_the_number_of_what_is_left)
{
	const uint8_t key[DIGEST_BYTES] = { 1 };
	struct recovered_message m = message_row(8, "a", NOW - 2);
	struct queue_facts facts;
	struct queue *q;
	bool created;

	queue_row("a", 2, 2);
	ck_assert_int_eq(recover_dedup(rec, 7, key, &m.id, 0, NOW + MS),
	    WQ_NO_QUEUE);
	ck_assert_int_eq(registry_make(r, "b", &q, 0, &created), WQ_OK);
	queue_facts(q, &facts);
	ck_assert_int_gt(facts.number, 7);
	m.queue = facts.number + 3;
	ck_assert_int_eq(recover_message(rec, &m), WQ_NO_QUEUE);
	ck_assert_int_eq(registry_make(r, "c", &q, 0, &created), WQ_OK);
	queue_facts(q, &facts);
	ck_assert_int_gt(facts.number, m.queue);
}
END_TEST

START_TEST(what_was_released_is_before_those_available_for_as_long)
{
	struct recovered_message a = message_row(2, "a", NOW - 9);
	struct recovered_message b = message_row(2, "b", NOW - 8);
	struct recovered_message c = message_row(2, "c", NOW - 7);

	a.lock = (struct recovered_lock){ .given = true, .until_ns = NOW - 1,
	    .order = 3, .receives = 1 };
	b.lock = (struct recovered_lock){ .given = true, .until_ns = NOW - 1,
	    .order = -5, .receives = 1, .back = true };
	c.lock = (struct recovered_lock){ .given = true, .until_ns = NOW - 1,
	    .order = -6, .receives = 1, .back = true };
	queue_row("a", 2, 2);
	ck_assert_int_eq(recover_message(rec, &a), WQ_OK);
	ck_assert_int_eq(recover_message(rec, &b), WQ_OK);
	ck_assert_int_eq(recover_message(rec, &c), WQ_OK);
	places();
	ck_assert_str_eq(receive("a", NOW), "cba");
}
END_TEST

/* A stamp may be ahead of the clock, and of what was settled. */
START_TEST(what_was_released_is_never_locked)
{
	struct recovered_message m = message_row(2, "a", NOW + 3);

	m.lock = (struct recovered_lock){ .given = true, .until_ns = NOW + 3,
	    .order = -1, .back = true };
	queue_row("a", 2, 2);
	ck_assert_int_eq(recover_message(rec, &m), WQ_OK);
	places();
	ck_assert_str_eq(receive("a", NOW), "a");
}
END_TEST

/* When a message with that lock was received first, as a look tells it. */
static int64_t
first_received(struct recovered_lock lock)
{
	struct recovered_message m = message_row(2, "a", NOW - 9);
	struct op_look look = { .id = m.id };

	m.lock = lock;
	ck_assert_int_eq(recover_message(rec, &m), WQ_OK);
	places();
	ck_assert_int_eq(queue_look(registry_find(r, "a"), &look), WQ_OK);
	message_unref(look.out.message);
	return look.out.first_received_ns;
}

START_TEST(the_first_receive_is_never_in_the_future)
{
	queue_row("a", 2, 2);
	ck_assert_int_eq(first_received((struct recovered_lock){
	    .given = true, .until_ns = NOW + 5, .order = 1, .receives = 2,
	    .received_ns = NOW - 2, .first_received_ns = NOW - 4 }), NOW - 4);
	ck_assert_int_eq(first_received((struct recovered_lock){
	    .given = true, .until_ns = NOW + 5, .order = 2, .receives = 1,
	    .received_ns = NOW - 2 }), NOW - 2);
	/* Version 1 of the database knew nothing of it. */
	ck_assert_int_eq(first_received((struct recovered_lock){
	    .given = true, .until_ns = NOW - 3, .order = 3, .receives = 1 }),
	    NOW - 3);
	ck_assert_int_eq(first_received((struct recovered_lock){
	    .given = true, .until_ns = NOW + 5, .order = 4, .receives = 1 }),
	    NOW);
}
END_TEST

START_TEST(the_time_of_the_first_push_is_kept)
{
	struct recovered_message m = message_row(2, "a", NOW - 1);
	struct op_look look = { .id = m.id };

	m.first_pushed_ns = NOW - 9;
	queue_row("a.fifo", 2, 2);
	ck_assert_int_eq(recover_message(rec, &m), WQ_OK);
	places();
	ck_assert_int_eq(queue_look(registry_find(r, "a.fifo"), &look), WQ_OK);
	ck_assert_int_eq(message_pushed_ns(look.out.message), NOW - 9);
	message_unref(look.out.message);
}
END_TEST

/* So many that were pushed a while ago; the first half has its new end. */
static void
half_redelayed(int64_t queue, size_t n, int64_t new_ms, int64_t old_ms)
{
	struct recovered_message m;
	size_t i;

	for (i = 0; i < n; i++) {
		m = message_row(queue, "x", NOW - 50 * MS + (int64_t)i);
		m.delay_ns = m.seq + MS * (i < n / 2 ? new_ms : old_ms);
		ck_assert_int_eq(recover_message(rec, &m), WQ_OK);
	}
}

static void
delay_row(int64_t delay_ms)
{
	struct recovered_queue q = { .number = 5, .keys_number = 5,
	    .name = "a.fifo", .settled_ns = NOW, .settings = {
	    .lock_timeout_ms = 1000, .delay_ms = delay_ms,
	    .delay_for_all = 1 } };

	ck_assert_int_eq(recover_queue(rec, &q), WQ_OK);
}

/* All of n, which are in order, end their delay so long after their push. */
static void
check_ends(size_t n, int64_t delay_ms)
{
	struct delivery out[200];
	struct op_peek p = { .states = 1u << MESSAGE_DELAYED, .max = 200,
	    .max_bytes = SIZE_MAX, .out = out };
	size_t i;

	ck_assert_int_eq(queue_peek(registry_find(r, "a.fifo"), &p), WQ_OK);
	ck_assert_uint_eq(p.count, n);
	for (i = 0; i < n; i++) {
		ck_assert_int_eq(out[i].pushed_ns, NOW - 50 * MS + (int64_t)i);
		ck_assert_int_eq(out[i].until_ns, out[i].pushed_ns +
		    delay_ms * MS);
		message_unref(out[i].message);
	}
}

START_TEST(delays_that_were_half_shortened_are_so_in_the_end)
{
	delay_row(100);
	half_redelayed(5, 100, 100, 5000);
	places();
	ck_assert(!registry_expire(r, NOW + MS, SIZE_MAX));
	check_ends(100, 100);
	ck_assert(!registry_expire(r, NOW + 60 * MS, SIZE_MAX));
	check_ends(0, 0);
}
END_TEST

START_TEST(delays_that_were_half_lengthened_are_so_in_the_end)
{
	delay_row(5000);
	half_redelayed(5, 100, 5000, 60);
	places();
	ck_assert(!registry_expire(r, NOW + MS, SIZE_MAX));
	ck_assert(!registry_expire(r, NOW + 60 * MS, SIZE_MAX));
	check_ends(100, 5000);
	ck_assert(!registry_expire(r, NOW + 5000 * MS, SIZE_MAX));
	check_ends(0, 0);
}
END_TEST

static bool
has_room(void *arg, size_t calls, size_t text_bytes)
{
	(void)arg;
	(void)calls;
	(void)text_bytes;
	return true;
}

static void
tell_queue(void *arg, struct queue *q)
{
	(void)arg;
	(void)q;
}

static void
tell_push(void *arg, const struct message *m, const uint8_t *key,
    int64_t key_until_ns)
{
	(void)arg;
	(void)m;
	(void)key;
	(void)key_until_ns;
}

/* All else of it is NULL: it must not be called. */
static const struct journal	few = { .reserve = has_room,
	.queue = tell_queue, .push = tell_push };

START_TEST(the_end_of_the_process_is_not_told_as_the_end_of_its_messages)
{
	struct push_terms terms = { .lock_ms = -1 };
	struct message *m = message_new(id_new(), "a", 1);
	struct queue *q = registry_find(r, NULL);

	ck_assert(registry_attach(r, &few));
	ck_assert_int_eq(queue_prepare(q, m, &terms), WQ_OK);
	queue_push(q, m, &terms, NOW);
	/* teardown() would crash. */
}
END_TEST

START_TEST(it_is_kept_that_a_delay_has_ended)
{
	struct push_terms terms = { .lock_ms = -1, .delay_ms = 1 };
	struct message *m = message_new(id_new(), "a", 1);
	struct queue *q = registry_find(r, NULL);

	ck_assert(registry_attach(r, &few));
	ck_assert_int_eq(queue_prepare(q, m, &terms), WQ_OK);
	queue_push(q, m, &terms, NOW);
	ck_assert_ptr_eq(registry_next_touched(r), q);
	ck_assert_ptr_null(registry_next_touched(r));
	ck_assert(!registry_expire(r, NOW + MS, 1));
	ck_assert_ptr_eq(registry_next_touched(r), q);
}
END_TEST

static int64_t	told_created_ns;

static void
see_queue(void *arg, struct queue *q)
{
	struct queue_facts facts;

	(void)arg;
	queue_facts(q, &facts);
	told_created_ns = facts.created_ns;
}

/* Of a database that is older than that, it is the time of this start. */
START_TEST(a_default_queue_that_is_known_keeps_its_time)
{
	const struct journal see = { .reserve = has_room,
	    .queue = see_queue };
	struct recovered_queue q = { .number = 1, .keys_number = 1,
	    .name = "default", .created_ns = 7, .changed_ns = 8 };

	told_created_ns = -1;
	ck_assert_int_eq(recover_queue(rec, &q), WQ_OK);
	places();
	registry_make_root(r, NOW);
	ck_assert(registry_attach(r, &see));
	ck_assert_int_eq(told_created_ns, -1);
	registry_detach(r);
	q.created_ns = 0;
	ck_assert_int_eq(recover_queue(rec, &q), WQ_OK);
	registry_make_root(r, NOW);
	ck_assert(registry_attach(r, &see));
	ck_assert_int_eq(told_created_ns, NOW);
	registry_make_root(r, NOW + 1);
	ck_assert(registry_attach(r, &see));
	ck_assert_int_eq(told_created_ns, NOW);
}
END_TEST

static Suite *
recover_suite(void)
{
	Suite *s = suite_create("recover");
	TCase *t = tcase_create("core");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_was_purged_does_not_come_back_with_the_keys);
	tcase_add_test(t, a_new_queue_has_not_the_number_of_what_is_left);
	tcase_add_test(t,
	    what_was_released_is_before_those_available_for_as_long);
	tcase_add_test(t, what_was_released_is_never_locked);
	tcase_add_test(t, the_first_receive_is_never_in_the_future);
	tcase_add_test(t, the_time_of_the_first_push_is_kept);
	tcase_add_test(t,
	    the_end_of_the_process_is_not_told_as_the_end_of_its_messages);
	tcase_add_test(t, it_is_kept_that_a_delay_has_ended);
	tcase_add_test(t, delays_that_were_half_shortened_are_so_in_the_end);
	tcase_add_test(t, delays_that_were_half_lengthened_are_so_in_the_end);
	tcase_add_test(t, a_default_queue_that_is_known_keeps_its_time);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(recover_suite)
