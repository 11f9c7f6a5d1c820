/* What is done in slices, or must not take longer the more there is. */
#include <string.h>

#include "base/id.h"
#include "core/coming.h"
#include "core/dedup.h"
#include "core/queue.h"
#include "one_registry.h"

#define MANY	1000

static void
setup(void)
{
	now_ns = 1000 * MS;
	open_registry();
}

static void
teardown(void)
{
	registry_free(r);
}

static struct id
push_group(struct queue *q, const char *group)
{
	struct push_terms terms = { .lock_ms = -1, .group = group,
	    .group_bytes = group != NULL ? strlen(group) : 0 };
	struct message *m = message_new(id_new(), "x", 1);
	struct id id = m->id;

	ck_assert_int_eq(queue_prepare(q, m, &terms), WQ_OK);
	queue_push(q, m, &terms, now_ns++);
	return id;
}

static void
push_many(struct queue *q, size_t n, const char *group)
{
	while (n-- > 0)
		push_group(q, group);
}

/* Receive up to n, without keeping them; how many there were. */
static size_t
receive(struct queue *q, size_t n, struct id *first)
{
	static struct delivery out[MANY];
	size_t count, i;

	ck_assert_uint_le(n, MANY);
	ck_assert_int_eq(queue_receive(q, n, 1 << 20, -1, now_ns, out,
	    &count), WQ_OK);
	if (first != NULL && count > 0)
		*first = out[0].message->id;
	for (i = 0; i < count; i++)
		message_unref(out[i].message);
	return count;
}

static void
dead_letters_to(struct queue *q, const char *name)
{
	struct op_configure c = { .settings = { .max_receives = 1 },
	    .given = SETTING_MAX_RECEIVES | SETTING_DEAD_LETTER_QUEUE };

	strcpy(c.dead_letter_queue, name);
	ck_assert_int_eq(queue_configure(q, &c, true, 0), WQ_OK);
}

static size_t
count(struct queue *q)
{
	struct queue_info info;

	queue_check(q);
	queue_info(q, &info);
	queue_info_fini(&info);
	return info.available_count + info.locked_count + info.delayed_count;
}

START_TEST(a_purge_takes_all_at_once_and_frees_it_in_slices)
{
	struct queue *q = queue("a");
	uint64_t empty = registry_memory_bytes(r);
	struct op_look look = { .paused = false };
	size_t slices = 1;

	push_many(q, MANY, NULL);
	push_many(q, MANY, "g");
	look.id = push_group(q, NULL);
	ck_assert_uint_eq(receive(q, 10, NULL), 10);
	ck_assert_int_eq(queue_purge(q, 0), WQ_OK);
	q = registry_find(r, "a");
	ck_assert_uint_eq(count(q), 0);
	ck_assert_int_eq(queue_look(q, &look), WQ_NO_MESSAGE);
	ck_assert_uint_eq(receive(q, 10, NULL), 0);
	ck_assert_uint_gt(registry_memory_bytes(r), empty);
	while (registry_reap(r, 100))
		slices++;
	ck_assert_uint_gt(slices, 2 * MANY / 100);
	ck_assert_uint_eq(registry_memory_bytes(r), empty);
}
END_TEST

static void
retain(struct queue *q, int64_t ms)
{
	struct op_configure c = { .settings = { .retention_ms = ms },
	    .given = SETTING_RETENTION };

	ck_assert_int_eq(queue_configure(q, &c, true, now_ns), WQ_OK);
	queue_info_fini(&c.now);
}

START_TEST(a_change_of_retention_looks_at_all_in_slices)
{
	struct queue *q = queue("a");
	size_t slices = 1;

	push_many(q, MANY, NULL);
	push_many(q, MANY, "g");
	pass(1000);
	push_many(q, 10, "h");
	retain(q, 900);
	now_ns += MS;
	for (; registry_expire(r, now_ns, 1); slices++)
		ck_assert_uint_gt(count(q), 0);
	ck_assert_uint_ge(slices, 2 * MANY / 50);
	ck_assert_uint_eq(count(q), 10);
	pass(900);
	ck_assert_uint_eq(count(q), 0);
}
END_TEST

/* Or a restart would do again what had taken effect by now. */
START_TEST(a_release_of_one_too_old_sets_nothing_due_before_now)
{
	struct queue *q = queue("a");
	struct delivery out;
	size_t n;

	retain(q, 1000);
	push_group(q, "g");
	ck_assert_int_eq(queue_receive(q, 1, 10, 5000, now_ns, &out, &n),
	    WQ_OK);
	pass(2000);
	ck_assert_int_eq(registry_settled_ns(r, now_ns), now_ns);
	queue_release(q, &out, now_ns);
	message_unref(out.message);
	ck_assert_int_eq(registry_settled_ns(r, now_ns), now_ns);
	ck_assert_uint_eq(count(q), 0);
}
END_TEST

START_TEST(a_change_of_retention_begins_anew_where_it_was_lost)
{
	struct queue *q = queue("a");
	size_t i;

	push_many(q, 500, "g");
	push_many(q, 500, "h");
	retain(q, 5000);
	now_ns += MS;
	/* At times one is taken that it was to go on with. */
	for (i = 0; registry_expire(r, now_ns, 1); i++)
		if (i % 3 == 0)
			ck_assert_uint_eq(receive(q, 45, NULL), 45);
	pass(4000);
	ck_assert_uint_eq(count(q), 1000);
	pass(1001);
	ck_assert_uint_eq(count(q), 0);
}
END_TEST

START_TEST(locks_that_end_after_a_purge_bring_nothing_back)
{
	struct queue *q = queue("a"), *dead;

	dead_letters_to(q, "dead");
	push_many(q, 10, NULL);
	ck_assert_uint_eq(receive(q, 5, NULL), 5);
	ck_assert_int_eq(queue_purge(q, 0), WQ_OK);
	pass(LOCK);
	dead = registry_find(r, "dead");
	ck_assert_uint_eq(count(registry_find(r, "a")), 0);
	ck_assert_uint_eq(count(dead), 0);
}
END_TEST

START_TEST(a_purge_leaves_all_but_the_messages)
{
	struct queue *q = queue("a"), *source = queue("source");
	const uint8_t key[DIGEST_BYTES] = { 1 };
	struct id id = push_group(q, NULL);
	struct waiter w = { .queue = NULL };
	struct queue_info info;

	dead_letters_to(source, "a");
	dead_letters_to(q, "b");
	ck_assert_int_eq(queue_add_dedup(q, key, &id, now_ns), WQ_OK);
	ck_assert_int_eq(queue_pause(q, true), WQ_OK);
	queue_wait(q, &w, 1000, now_ns);
	ck_assert_int_eq(queue_purge(q, 0), WQ_OK);
	ck_assert(!registry_reap(r, SIZE_MAX));
	q = registry_find(r, "a");
	queue_info(q, &info);
	ck_assert(info.paused);
	ck_assert_uint_eq(info.totals.pushed, 1);
	ck_assert_uint_eq(info.waiter_count, 1);
	ck_assert_int_eq(info.settings.max_receives, 1);
	ck_assert_str_eq(info.dead_letter_queue, "b");
	ck_assert_ptr_nonnull(queue_find_dedup(q, key));
	ck_assert_int_eq(queue_delete(q, false, 0), WQ_IS_TARGET);
	ck_assert_int_eq(queue_pause(q, false), WQ_OK);
	push_group(q, NULL);
	ck_assert_ptr_eq(queue_served_waiter(q), &w);
	queue_unwait(&w);
}
END_TEST

START_TEST(dead_letters_still_go_to_a_queue_that_was_purged)
{
	struct queue *q = queue("source");

	dead_letters_to(q, "dead");
	ck_assert_int_eq(queue_purge(registry_find(r, "dead"), 0), WQ_OK);
	push_group(q, NULL);
	ck_assert_uint_eq(receive(q, 1, NULL), 1);
	pass(LOCK);
	ck_assert_uint_eq(count(registry_find(r, "dead")), 1);
}
END_TEST

START_TEST(a_deleted_queue_is_no_more_though_it_is_not_free_yet)
{
	struct queue *q = queue("a");

	push_many(q, MANY, "g");
	ck_assert_int_eq(queue_delete(q, false, 0), WQ_OK);
	ck_assert_ptr_null(registry_find(r, "a"));
	ck_assert(registry_reap(r, 10));
	q = queue("a");
	push_group(q, "g");
	ck_assert_uint_eq(count(q), 1);
	ck_assert(!registry_reap(r, SIZE_MAX));
	ck_assert_uint_eq(count(q), 1);
}
END_TEST

/* Two of each: of "there", which is, and of "gone", which is not any more. */
static struct queue *
letters(void)
{
	static const char *const names[] = { "gone", "there", "gone",
	    "there" };
	struct queue *q;
	size_t i;

	for (i = 0; i < 4; i++) {
		q = queue(names[i]);
		dead_letters_to(q, "dead");
		push_group(q, i % 2 == 0 ? NULL : "g");
		ck_assert_uint_eq(receive(q, 1, NULL), 1);
		pass(LOCK);
	}
	ck_assert_int_eq(queue_delete(registry_find(r, "gone"), false, 0),
	    WQ_OK);
	ck_assert_uint_eq(count(registry_find(r, "dead")), 4);
	return registry_find(r, "dead");
}

START_TEST(a_redrive_goes_on_where_its_last_slice_ended)
{
	struct queue *dead = letters();
	struct op_redrive op = { .max = 10, .began_ns = now_ns };
	size_t slices = 1;

	while (!queue_redrive(dead, &op, NULL, now_ns, 1))
		ck_assert_uint_lt(slices++, 6);
	ck_assert_uint_gt(slices, 3);
	ck_assert_uint_eq(op.moved, 2);
	ck_assert_ptr_null(op.reached);
	ck_assert_uint_eq(count(dead), 2);
	ck_assert_uint_eq(count(registry_find(r, "there")), 2);
}
END_TEST

START_TEST(a_redrive_starts_anew_where_its_place_has_gone)
{
	struct queue *dead = letters();
	struct op_redrive op = { .max = 10, .began_ns = now_ns };

	ck_assert(!queue_redrive(dead, &op, NULL, now_ns, 1));
	ck_assert_uint_eq(receive(dead, 1, NULL), 1);
	ck_assert(queue_redrive(dead, &op, NULL, now_ns, 10));
	ck_assert_uint_eq(op.moved, 2);
}
END_TEST

START_TEST(a_redrive_that_ends_early_keeps_nothing)
{
	struct queue *dead = letters();
	struct op_redrive op = { .max = 10, .began_ns = now_ns };

	ck_assert(!queue_redrive(dead, &op, NULL, now_ns, 1));
	redrive_end(&op);
	ck_assert_ptr_null(op.reached);
}
END_TEST

/* Locks that others take and give up change who is noisy. */
START_TEST(a_group_is_noisy_no_longer_when_others_hold_more)
{
	struct queue *q = queue("a");
	struct id id, first;

	push_many(q, 60, "loud");
	push_many(q, 40, "mild");
	ck_assert_uint_eq(receive(q, 100, NULL), 100);
	push_many(q, 20, "loud");
	id = push_group(q, "mild");
	push_many(q, 320, NULL);
	/* Both are noisy; of 400 locked ones 40 are no more than 10 %. */
	ck_assert_uint_eq(receive(q, 300, NULL), 300);
	ck_assert_uint_eq(receive(q, 1, &first), 1);
	ck_assert_mem_eq(&first, &id, sizeof(id));
}
END_TEST

START_TEST(a_fifo_queue_keeps_its_order_through_delays)
{
	struct queue *q = queue("a.fifo");
	struct op_configure c = { .settings = { .delay_ms = 100 },
	    .given = SETTING_DELAY };
	struct push_terms terms = { .delay_ms = 100, .lock_ms = -1,
	    .group = "g", .group_bytes = 1 };
	struct delivery out[10];
	struct message *m[10];
	size_t i, n;

	ck_assert_int_eq(queue_configure(q, &c, true, 0), WQ_OK);
	for (i = 0; i < 10; i++) {
		m[i] = message_new(id_new(), "x", 1);
		if (i == 5)
			terms.delay_ms = 0;	/* waits for those before */
		ck_assert_int_eq(queue_prepare(q, m[i], &terms), WQ_OK);
		queue_push(q, m[i], &terms, now_ns += MS);
	}
	ck_assert_uint_eq(receive(q, 10, NULL), 0);
	pass(200);
	ck_assert_int_eq(queue_receive(q, 10, 1000, -1, now_ns, out, &n),
	    WQ_OK);
	ck_assert_uint_eq(n, 10);
	for (i = 0; i < 10; i++) {
		ck_assert_ptr_eq(out[i].message, m[i]);
		message_unref(out[i].message);
	}
}
END_TEST

START_TEST(lock_leaves_no_memory_behind)
{
	struct queue *q = queue("a");
	uint64_t full;

	push_group(q, NULL);
	full = registry_memory_bytes(r);
	ck_assert_uint_eq(registry_hold_bytes(r), 0);
	ck_assert_uint_eq(receive(q, 1, NULL), 1);
	ck_assert_uint_eq(registry_memory_bytes(r), full +
	    registry_hold_bytes(r));
	ck_assert_uint_gt(registry_hold_bytes(r), 0);
	pass(LOCK);
	ck_assert_uint_eq(registry_hold_bytes(r), 0);
	ck_assert_uint_eq(registry_memory_bytes(r), full);
}
END_TEST

START_TEST(what_a_queue_holds_is_counted_as_memory_and_given_back)
{
	struct queue *q = queue("a");
	uint64_t empty = registry_memory_bytes(r), full, locked;
	const uint8_t key[DIGEST_BYTES] = { 1 };
	struct id id;

	id = push_group(q, "g");
	full = registry_memory_bytes(r);
	ck_assert_uint_gt(full, empty + 1);
	ck_assert_uint_eq(receive(q, 1, NULL), 1);
	locked = registry_memory_bytes(r);
	ck_assert_uint_gt(locked, full);
	pass(LOCK);
	ck_assert_uint_eq(registry_memory_bytes(r), full);
	ck_assert_int_eq(queue_add_dedup(q, key, &id, now_ns), WQ_OK);
	ck_assert_uint_gt(registry_memory_bytes(r), full);
	pass(300000);
	ck_assert_uint_eq(registry_memory_bytes(r), full);
	ck_assert_uint_gt(registry_memory_bytes(r), empty);
	ck_assert_int_eq(queue_delete(q, false, 0), WQ_OK);
	ck_assert(!registry_reap(r, SIZE_MAX));
	ck_assert_uint_lt(registry_memory_bytes(r), empty);
}
END_TEST

static void
set_delay(struct queue *q, int64_t delay_ms)
{
	struct op_configure c = { .settings = { .delay_ms = delay_ms,
	    .delay_for_all = 1 }, .given = SETTING_DELAY |
	    SETTING_DELAY_FOR_ALL };

	ck_assert_int_eq(queue_configure(q, &c, true, now_ns), WQ_OK);
	queue_info_fini(&c.now);
}

static void
push_delayed(struct queue *q, size_t n, int64_t delay_ms)
{
	struct push_terms terms = { .lock_ms = -1, .delay_ms = delay_ms };
	struct message *m;

	while (n-- > 0) {
		m = message_new(id_new(), "x", 1);
		ck_assert_int_eq(queue_prepare(q, m, &terms), WQ_OK);
		queue_push(q, m, &terms, now_ns++);
	}
}

static size_t
available(struct queue *q)
{
	struct queue_info info;

	queue_check(q);
	queue_info(q, &info);
	queue_info_fini(&info);
	return info.available_count;
}

START_TEST(a_change_of_delays_goes_in_slices)
{
	struct queue *q = queue("a.fifo");
	size_t slices = 0, before = 0, now;

	set_delay(q, 5000);
	push_delayed(q, MANY, 5000);
	set_delay(q, 0);
	now_ns += MS;
	while (registry_expire(r, now_ns, 1)) {
		now = available(q);
		/* At one instant: those are available that it came to. */
		ck_assert_uint_le(now - before, 100);
		before = now;
		slices++;
		/* Nothing overtakes what is yet to be changed. */
		push_delayed(q, 1, 0);
		ck_assert(available(q) == now || now >= MANY);
	}
	ck_assert_uint_ge(slices, MANY / 100);
	ck_assert_uint_eq(available(q), MANY + slices);
	push_delayed(q, 1, 0);
	ck_assert_uint_eq(available(q), MANY + slices + 1);
}
END_TEST

START_TEST(in_a_change_of_delays_what_arrives_does_not_overtake)
{
	struct push_terms terms = { .lock_ms = -1, .delay_ms = 5000 };
	struct message *m = message_new(id_new(), "x", 1);
	struct queue *q = queue("a.fifo");

	set_delay(q, 5000);
	push_delayed(q, MANY, 5000);
	ck_assert_int_eq(queue_prepare(q, m, &terms), WQ_OK);
	queue_come(q, m, &terms, NULL, now_ns);
	set_delay(q, 0);
	now_ns += MS;
	ck_assert(registry_expire(r, now_ns, 1));
	message_arrive(m);
	while (registry_expire(r, now_ns, 1))
		ck_assert(m->state == MESSAGE_DELAYED ||
		    available(q) > MANY);
	ck_assert_uint_eq(available(q), MANY + 1);
}
END_TEST

START_TEST(after_a_change_of_delays_nothing_is_waited_for_that_is_gone)
{
	struct push_terms terms = { .lock_ms = -1, .delay_ms = 5000,
	    .ttl_ms = 1000 };
	struct message *m = message_new(id_new(), "x", 1);
	struct queue *q = queue("a.fifo");

	set_delay(q, 5000);
	ck_assert_int_eq(queue_prepare(q, m, &terms), WQ_OK);
	queue_push(q, m, &terms, now_ns);
	pass(2000);
	ck_assert_uint_eq(count(q), 0);
	set_delay(q, 0);
	push_delayed(q, 1, 0);
	ck_assert_uint_eq(available(q), 1);
}
END_TEST

START_TEST(a_change_of_delays_ends_another)
{
	struct queue *q = queue("a.fifo");
	size_t before;

	set_delay(q, 5000);
	push_delayed(q, MANY, 5000);
	set_delay(q, 0);
	now_ns += MS;
	ck_assert(registry_expire(r, now_ns, 1));
	before = available(q);
	ck_assert_uint_lt(before, MANY);
	set_delay(q, 9000);
	pass(5000);
	ck_assert_uint_eq(available(q), before);
	/* All but the first are delayed for longer now: none is overtaken. */
	set_delay(q, 0);
	push_delayed(q, 1, 0);
	ck_assert_uint_eq(available(q), before);
	set_delay(q, 9000);
	pass(3000);
	ck_assert_uint_eq(available(q), before);
	pass(1000);
	ck_assert_uint_eq(available(q), MANY);
	pass(5000);
	ck_assert_uint_eq(available(q), MANY + 1);
	/* Purged, and deleted, in the middle of it. */
	set_delay(q, 5000);
	push_delayed(q, MANY, 5000);
	set_delay(q, 0);
	ck_assert(registry_expire(r, now_ns + 1, 1) ||
	    registry_next_due_ns(r) < now_ns + MS);
	ck_assert_int_eq(queue_purge(q, now_ns), WQ_OK);
	ck_assert(registry_reap(r, MANY / 2));
	pass(1);
	while (registry_reap(r, 10))
		pass(0);
	ck_assert_uint_eq(count(queue("a.fifo")), 0);
}
END_TEST

static Suite *
slices_suite(void)
{
	Suite *s = suite_create("slices");
	TCase *t = tcase_create("core");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_purge_takes_all_at_once_and_frees_it_in_slices);
	tcase_add_test(t, a_change_of_retention_looks_at_all_in_slices);
	tcase_add_test(t, a_change_of_retention_begins_anew_where_it_was_lost);
	tcase_add_test(t,
	    a_release_of_one_too_old_sets_nothing_due_before_now);
	tcase_add_test(t, locks_that_end_after_a_purge_bring_nothing_back);
	tcase_add_test(t, a_purge_leaves_all_but_the_messages);
	tcase_add_test(t, dead_letters_still_go_to_a_queue_that_was_purged);
	tcase_add_test(t, a_deleted_queue_is_no_more_though_it_is_not_free_yet);
	tcase_add_test(t, a_redrive_goes_on_where_its_last_slice_ended);
	tcase_add_test(t, a_redrive_starts_anew_where_its_place_has_gone);
	tcase_add_test(t, a_redrive_that_ends_early_keeps_nothing);
	tcase_add_test(t, a_group_is_noisy_no_longer_when_others_hold_more);
	tcase_add_test(t, a_fifo_queue_keeps_its_order_through_delays);
	tcase_add_test(t, a_change_of_delays_goes_in_slices);
	tcase_add_test(t, a_change_of_delays_ends_another);
	tcase_add_test(t,
	    in_a_change_of_delays_what_arrives_does_not_overtake);
	tcase_add_test(t,
	    after_a_change_of_delays_nothing_is_waited_for_that_is_gone);
	tcase_add_test(t, lock_leaves_no_memory_behind);
	tcase_add_test(t,
	    what_a_queue_holds_is_counted_as_memory_and_given_back);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(slices_suite)
