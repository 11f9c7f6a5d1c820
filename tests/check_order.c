/* Who is next, and since when, where the simple case is not all there is. */
#include <string.h>

#include "base/id.h"
#include "core/coming.h"
#include "core/queue.h"
#include "one_registry.h"

#define CROWD	2000			/* more than one receive sees to */
#define OUT_MAX	16

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

static void
set(struct queue *q, struct queue_settings settings, unsigned given,
    const char *dead_letters)
{
	struct op_configure c = { .settings = settings, .given = given };

	if (dead_letters != NULL) {
		c.given |= SETTING_DEAD_LETTER_QUEUE;
		strcpy(c.dead_letter_queue, dead_letters);
	}
	ck_assert_int_eq(queue_configure(q, &c, true, 0), WQ_OK);
}

/* Dead after one receive. */
static struct queue *
source(const char *name, const char *dead_letters)
{
	struct queue_settings s = { .max_receives = 1 };
	struct queue *q = queue(name);

	set(q, s, SETTING_MAX_RECEIVES, dead_letters);
	return q;
}

static struct message *
come(struct queue *q, char name, const struct push_terms *terms)
{
	struct message *m = message_new(id_new(), &name, 1);

	ck_assert_int_eq(queue_prepare(q, m, terms), WQ_OK);
	queue_come(q, m, terms, NULL, now_ns);
	return m;
}

static struct id
push_with(struct queue *q, char name, const struct push_terms *terms)
{
	struct message *m = come(q, name, terms);

	message_arrive(m);
	return m->id;
}

static struct id
push(struct queue *q, char name)
{
	struct push_terms terms = { .lock_ms = -1 };

	return push_with(q, name, &terms);
}

/* Receive up to n without keeping them; their names. */
static const char *
receive_for(struct queue *q, size_t n, int64_t lock_ms)
{
	static char names[OUT_MAX + 1];
	struct delivery out[OUT_MAX];
	size_t count, i;

	ck_assert_uint_le(n, OUT_MAX);
	ck_assert_int_eq(queue_receive(q, n, SIZE_MAX, lock_ms, now_ns, out,
	    &count), WQ_OK);
	for (i = 0; i < count; i++) {
		names[i] = out[i].message->body[0];
		message_unref(out[i].message);
	}
	names[count] = '\0';
	queue_check(q);
	return names;
}

static const char *
receive(struct queue *q, size_t n)
{
	return receive_for(q, n, -1);
}

/* So many deadlines of another queue, which fall due one after the other. */
static void
crowd(size_t n)
{
	struct push_terms terms = { .lock_ms = -1, .delay_ms = 10 };
	struct queue *q = queue("crowd");

	while (n-- > 0)
		push_with(q, 'x', &terms);
}

static void
redrive(struct queue *q, struct queue *to, size_t slice)
{
	struct op_redrive op = { .max = 1000, .began_ns = now_ns };

	while (!queue_redrive(q, &op, to, now_ns, slice))
		now_ns++;
}

START_TEST(one_who_waits_in_a_crowd_is_served_what_is_there)
{
	struct queue *q = queue("a");
	struct waiter w = { .queue = NULL };

	crowd(CROWD);
	now_ns += 20 * MS;
	push(q, 'a');
	now_ns += MS;
	ck_assert_str_eq(receive(q, 1), "");
	queue_wait(q, &w, 1000, now_ns);
	ck_assert_ptr_eq(registry_next_served(r), q);
	ck_assert_ptr_eq(queue_served_waiter(q), &w);
	queue_unwait(&w);
}
END_TEST

/* Locks of b, c and d are due before the redrive that brings a back. */
static void
redrive_in_crowd(size_t slice)
{
	struct queue *q = source("a", "dead");
	struct queue_settings many = { .max_receives = 9 };

	push(q, 'a');
	ck_assert_str_eq(receive(q, 1), "a");
	pass(LOCK);
	set(q, many, SETTING_MAX_RECEIVES, NULL);
	push(q, 'b');
	push(q, 'c');
	push(q, 'd');
	ck_assert_str_eq(receive_for(q, 1, 10), "b");
	ck_assert_str_eq(receive_for(q, 1, 11), "c");
	ck_assert_str_eq(receive_for(q, 1, 12), "d");
	now_ns += 20 * MS;
	redrive(registry_find(r, "dead"), NULL, slice);
	queue_check(q);
	pass(0);
	ck_assert_str_eq(receive(q, 9), "bcda");
}

START_TEST(what_is_due_comes_before_what_a_redrive_brings)
{
	redrive_in_crowd(100);
}
END_TEST

START_TEST(what_is_due_comes_before_a_redrive_in_slices)
{
	redrive_in_crowd(1);
}
END_TEST

START_TEST(in_a_crowd_a_message_past_its_ttl_is_not_given_out)
{
	struct push_terms terms = { .lock_ms = -1, .ttl_ms = 10 };
	struct queue *q = queue("a");
	struct queue_info info;

	push_with(q, 'a', &terms);
	now_ns += MS;
	push(q, 'b');
	now_ns -= 2 * MS;
	crowd(40);		/* due before the ttl ends */
	now_ns += 50 * MS;
	ck_assert_str_eq(receive(q, 2), "b");
	queue_info(q, &info);
	ck_assert_uint_eq(info.totals.timed_out, 1);
}
END_TEST

START_TEST(in_a_crowd_locks_that_are_due_do_not_count_as_locked)
{
	struct queue_settings one = { .max_locked = 1 };
	struct queue *q = queue("a");

	set(q, one, SETTING_MAX_LOCKED, NULL);
	push(q, 'a');
	push(q, 'b');
	ck_assert_str_eq(receive_for(q, 2, 10), "a");
	now_ns += 20 * MS;
	ck_assert_str_eq(receive(q, 2), "b");
	ck_assert_str_eq(receive(q, 2), "");
}
END_TEST

START_TEST(what_is_released_goes_before_those_available_for_as_long)
{
	struct delivery out[3];
	struct queue *q = queue("a");
	size_t n, i;

	push(q, 'a');
	push(q, 'b');
	push(q, 'c');
	push(q, 'd');
	ck_assert_str_eq(receive(q, 4), "abcd");
	pass(LOCK);
	ck_assert_int_eq(queue_receive(q, 3, SIZE_MAX, -1, now_ns, out, &n),
	    WQ_OK);
	ck_assert_uint_eq(n, 3);
	for (i = n; i-- > 0; ) {
		queue_release(q, &out[i], now_ns);
		message_unref(out[i].message);
	}
	ck_assert_str_eq(receive(q, 4), "abcd");
}
END_TEST

START_TEST(the_time_of_the_push_outlives_fifo_queues_and_redrives)
{
	struct queue *q = source("a", "dead.fifo");
	struct queue *dead = registry_find(r, "dead.fifo");
	struct op_look look = { .paused = false };
	int64_t pushed_ns = now_ns;
	struct queue_info info;

	look.id = push(q, 'a');
	ck_assert_str_eq(receive(q, 1), "a");
	pass(LOCK);
	queue_info(dead, &info);
	ck_assert_int_eq(info.oldest_ns, pushed_ns);
	pass(LOCK);
	redrive(dead, NULL, 10);
	ck_assert_int_eq(queue_look(q, &look), WQ_OK);
	ck_assert_ptr_null(message_dead_letter(look.out.message));
	ck_assert_int_eq(message_pushed_ns(look.out.message), pushed_ns);
	message_unref(look.out.message);
	queue_info(q, &info);
	ck_assert_int_eq(info.oldest_ns, pushed_ns);
}
END_TEST

START_TEST(pages_miss_none_of_those_available_for_as_long)
{
	struct queue *q = source("a", "dead");
	struct delivery out[1];
	struct op_peek p = { .states = ~0u, .max = 1, .max_bytes = 1,
	    .out = out };
	char names[4] = "";
	size_t n = 0;

	push(q, 'a');
	ck_assert_str_eq(receive(q, 1), "a");
	pass(LOCK);
	push(q, 'b');
	redrive(registry_find(r, "dead"), NULL, 10);
	while (n < 3 && queue_peek(q, &p) == WQ_OK && p.count == 1) {
		names[n++] = out[0].message->body[0];
		p.has_after = true;
		p.after = out[0].message->id;
		message_unref(out[0].message);
	}
	ck_assert_str_eq(names, "ab");
	ck_assert_str_eq(receive(q, 3), names);
}
END_TEST

START_TEST(those_of_a_fifo_queue_without_a_group_have_none_elsewhere)
{
	struct queue *q = queue("a.fifo"), *to = queue("to");
	struct push_terms terms = { .lock_ms = -1 };
	size_t i;

	for (i = 0; i < 40; i++)
		push(q, 'a');
	now_ns += MS;
	redrive(q, to, 100);
	now_ns++;
	for (i = 0; i < 35; i++)
		ck_assert_str_eq(receive(to, 1), "a");
	/* They are not one group that holds too much of what is locked. */
	terms.group = "g";
	terms.group_bytes = 1;
	push_with(to, 'b', &terms);
	ck_assert_str_eq(receive(to, 6), "aaaaab");
}
END_TEST

START_TEST(in_a_fifo_queue_what_was_coming_keeps_its_place)
{
	struct push_terms terms = { .lock_ms = -1 };
	struct queue *q = source("a", "dead.fifo");
	struct queue *dead = registry_find(r, "dead.fifo");
	struct message *m, *n;

	push(dead, 'a');
	push(dead, 'b');
	push(q, 'e');
	ck_assert_str_eq(receive(q, 1), "e");
	now_ns += LOCK * MS;
	m = come(dead, 'c', &terms);
	n = come(dead, 'd', &terms);
	pass(0);
	message_arrive(m);
	message_arrive(n);
	ck_assert_str_eq(receive(dead, 9), "abcde");
}
END_TEST

/* c was delayed, and is before d, a dead letter, though available later. */
START_TEST(in_a_crowd_a_fifo_queue_keeps_its_order)
{
	struct push_terms late = { .lock_ms = -1, .delay_ms = 50 };
	struct queue *q = source("a", "dead.fifo");
	struct queue *dead = registry_find(r, "dead.fifo");

	push(q, 'd');
	ck_assert_str_eq(receive_for(q, 1, 10), "d");
	push_with(dead, 'c', &late);
	now_ns += 100 * MS;
	registry_expire(r, now_ns, 1);
	ck_assert_str_eq(receive(dead, 2), "cd");
}
END_TEST

/* The same where c is no longer delayed, which is yet to take effect. */
START_TEST(in_a_crowd_a_change_of_delays_keeps_the_order)
{
	struct push_terms late = { .lock_ms = -1, .delay_ms = 5000 };
	struct queue *q = source("a", "dead.fifo");
	struct queue *dead = registry_find(r, "dead.fifo");
	struct op_configure c = { .settings = { .delay_for_all = 1 },
	    .given = SETTING_DELAY_FOR_ALL };

	push(q, 'd');
	ck_assert_str_eq(receive_for(q, 1, 10), "d");
	push_with(dead, 'c', &late);
	pass(10);
	ck_assert_int_eq(queue_configure(dead, &c, true, now_ns), WQ_OK);
	queue_info_fini(&c.now);
	now_ns += MS;
	ck_assert_str_eq(receive(dead, 2), "cd");
}
END_TEST

/* As on a disk that is slower than the delay. */
START_TEST(a_delay_that_is_over_before_its_message_arrives_keeps_its_place)
{
	struct push_terms late = { .delay_ms = 1, .lock_ms = -1 };
	struct push_terms plain = { .lock_ms = -1 };
	struct message *first = message_new(id_new(), "x", 1), *m;
	struct queue *q = queue("a");
	struct delivery out[2];
	size_t n;

	m = message_new(id_new(), "y", 1);
	ck_assert_int_eq(queue_prepare(q, m, &plain), WQ_OK);
	queue_push(q, m, &plain, now_ns);
	ck_assert_int_eq(queue_receive(q, 1, 10, 5, now_ns, out, &n), WQ_OK);
	message_unref(out[0].message);
	ck_assert_int_eq(queue_prepare(q, first, &late), WQ_OK);
	queue_come(q, first, &late, NULL, now_ns);
	pass(10);		/* the lock has ended after the delay did */
	message_arrive(first);
	pass(1);
	queue_check(q);
	ck_assert_int_eq(queue_receive(q, 2, 10, -1, now_ns, out, &n), WQ_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_ptr_eq(out[0].message, first);
	ck_assert_ptr_eq(out[1].message, m);
	message_unref(out[0].message);
	message_unref(out[1].message);
}
END_TEST

static Suite *
order_suite(void)
{
	Suite *s = suite_create("order");
	TCase *t = tcase_create("core");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, one_who_waits_in_a_crowd_is_served_what_is_there);
	tcase_add_test(t, what_is_due_comes_before_what_a_redrive_brings);
	tcase_add_test(t, what_is_due_comes_before_a_redrive_in_slices);
	tcase_add_test(t, in_a_crowd_a_message_past_its_ttl_is_not_given_out);
	tcase_add_test(t, in_a_crowd_locks_that_are_due_do_not_count_as_locked);
	tcase_add_test(t,
	    what_is_released_goes_before_those_available_for_as_long);
	tcase_add_test(t,
	    the_time_of_the_push_outlives_fifo_queues_and_redrives);
	tcase_add_test(t, pages_miss_none_of_those_available_for_as_long);
	tcase_add_test(t,
	    those_of_a_fifo_queue_without_a_group_have_none_elsewhere);
	tcase_add_test(t, in_a_crowd_a_fifo_queue_keeps_its_order);
	tcase_add_test(t, in_a_crowd_a_change_of_delays_keeps_the_order);
	tcase_add_test(t, in_a_fifo_queue_what_was_coming_keeps_its_place);
	tcase_add_test(t,
	    a_delay_that_is_over_before_its_message_arrives_keeps_its_place);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(order_suite)
