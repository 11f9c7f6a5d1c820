/* What is due when. */
#include <string.h>

#include "base/id.h"
#include "check_wq.h"
#include "core/deadline.h"

#define COUNT	2000
#define STEPS	60000

static struct deadlines	all;
static struct deadline	d[COUNT];
static bool		live[COUNT];

static void
setup(void)
{
	deadlines_init(&all);
	memset(d, 0, sizeof(d));
	memset(live, 0, sizeof(live));
}

static unsigned
random_below(unsigned n)
{
	unsigned v;

	id_random(&v, sizeof(v));
	return v % n;
}

static int64_t
naive_first_ns(void)
{
	int64_t first = INT64_MAX;
	int i;

	for (i = 0; i < COUNT; i++)
		if (live[i] && d[i].due_ns < first)
			first = d[i].due_ns;
	return first;
}

START_TEST(none_is_first_of_none)
{
	ck_assert_ptr_null(deadlines_first(&all));
}
END_TEST

START_TEST(equal_ones_of_a_duration_keep_their_order)
{
	int i;

	for (i = 0; i < 5; i++)
		deadlines_add(&all, &d[i], DEADLINE_LOCK, 10, 7);
	for (i = 0; i < 5; i++) {
		ck_assert_ptr_eq(deadlines_first(&all), &d[i]);
		deadlines_remove(&all, &d[i]);
	}
}
END_TEST

START_TEST(equal_ones_keep_their_order_also_between_lanes_and_tree)
{
	int i;

	/* All lanes are taken, so the next goes to the tree. */
	for (i = 0; i < DEADLINE_LANES; i++)
		deadlines_add(&all, &d[i], DEADLINE_LOCK, 5 + i, 100 + i);
	deadlines_add(&all, &d[30], DEADLINE_LOCK, 1000, 7);
	deadlines_remove(&all, &d[0]);
	deadlines_add(&all, &d[31], DEADLINE_LOCK, 1000, 7);
	deadlines_remove(&all, &d[1]);
	deadlines_add(&all, &d[32], DEADLINE_LOCK, 1000, 8);
	for (i = 2; i < DEADLINE_LANES; i++)
		deadlines_remove(&all, &d[i]);
	for (i = 30; i < 33; i++) {
		ck_assert_ptr_eq(deadlines_first(&all), &d[i]);
		deadlines_remove(&all, &d[i]);
	}
}
END_TEST

START_TEST(a_clock_that_goes_back_does_not_break_a_lane)
{
	deadlines_add(&all, &d[0], DEADLINE_LOCK, 10, 7);
	deadlines_add(&all, &d[1], DEADLINE_LOCK, 5, 7);
	ck_assert_ptr_eq(deadlines_first(&all), &d[1]);
	deadlines_remove(&all, &d[1]);
	ck_assert_ptr_eq(deadlines_first(&all), &d[0]);
}
END_TEST

/* Few durations and many, so that lanes run out and are used again. */
START_TEST(the_first_is_the_earliest)
{
	unsigned durations = _i == 0 ? 3 : _i == 1 ? 40 : 100000;
	int64_t now = 0;
	unsigned step, i;

	for (step = 0; step < STEPS; step++) {
		i = random_below(COUNT);
		now += random_below(3);
		if (live[i]) {
			deadlines_remove(&all, &d[i]);
		} else {
			int64_t duration = random_below(durations);

			deadlines_add(&all, &d[i], DEADLINE_LOCK,
			    now + duration, duration);
		}
		live[i] = !live[i];
		if (step % 16 == 0) {
			struct deadline *first = deadlines_first(&all);

			ck_assert_int_eq(first != NULL ? first->due_ns :
			    INT64_MAX, naive_first_ns());
		}
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("deadline");
	TCase *t = tcase_create("deadline");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, none_is_first_of_none);
	tcase_add_test(t, equal_ones_of_a_duration_keep_their_order);
	tcase_add_test(t,
	    equal_ones_keep_their_order_also_between_lanes_and_tree);
	tcase_add_test(t, a_clock_that_goes_back_does_not_break_a_lane);
	tcase_add_loop_test(t, the_first_is_the_earliest, 0, 3);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
