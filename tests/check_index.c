/* The index by id, beside uthash. */
#include <string.h>
#include <uthash.h>

#include "base/id.h"
#include "base/mem.h"
#include "check_wq.h"
#include "core/index.h"
#include "core/message.h"

#define STEPS	200000
#define LIVE	20000

struct known {
	struct message *message;
	struct id id;
	UT_hash_handle hh;
};

static unsigned
random_below(unsigned n)
{
	unsigned v;

	id_random(&v, sizeof(v));
	return v % n;
}

static void
compare(const struct index *x, struct known *all)
{
	struct known *k;

	for (k = all; k != NULL; k = k->hh.next)
		ck_assert_ptr_eq(index_find(x, &k->id), k->message);
}

static void
add(struct index *x, struct known **all)
{
	struct known *k = calloc(1, sizeof(*k));
	struct message *m = message_new(id_new(), "", 0);

	k->message = m;
	k->id = m->id;
	HASH_ADD(hh, *all, id, sizeof(k->id), k);
	index_insert(x, m);
}

static void
drop(struct index *x, struct known **all, struct known *k)
{
	HASH_DEL(*all, k);
	index_remove(x, k->message);
	ck_assert_ptr_null(index_find(x, &k->id));
	message_unref(k->message);
	free(k);
}

START_TEST(it_agrees_with_uthash_while_it_grows_and_shrinks)
{
	struct known *all = NULL, *k, *next;
	struct index x;
	struct id none;
	unsigned i, up;

	ck_assert_int_eq(index_init(&x), 0);
	for (i = 0; i < STEPS; i++) {
		/* Up to LIVE, down again, and so on. */
		up = (i / LIVE) % 2 == 0;
		if (all == NULL || random_below(10) < (up ? 9u : 2u))
			add(&x, &all);
		else
			drop(&x, &all, all);
		if (i % 20011 == 0)
			compare(&x, all);
		none = id_new();
		ck_assert_ptr_null(index_find(&x, &none));
		ck_assert_uint_eq(x.count, HASH_COUNT(all));
	}
	compare(&x, all);
	HASH_ITER(hh, all, k, next)
		drop(&x, &all, k);
	index_fini(&x);
}
END_TEST

START_TEST(without_memory_to_grow_it_goes_on)
{
	struct known *all = NULL, *k, *next;
	struct index x;
	int i;

	ck_assert_int_eq(index_init(&x), 0);
	for (i = 0; i < 3000; i++) {
		add(&x, &all);
		/* Each attempt to grow fails; the messages' own do not. */
		mem_fail_after(1);
	}
	mem_fail_after(-1);
	compare(&x, all);
	HASH_ITER(hh, all, k, next)
		drop(&x, &all, k);
	index_fini(&x);
}
END_TEST

START_TEST(it_needs_memory_to_begin)
{
	struct index x;

	mem_fail_after(0);
	ck_assert_int_eq(index_init(&x), -1);
	mem_fail_after(-1);
	index_fini(&x);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("index");
	TCase *t = tcase_create("index");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, it_agrees_with_uthash_while_it_grows_and_shrinks);
	tcase_add_test(t, without_memory_to_grow_it_goes_on);
	tcase_add_test(t, it_needs_memory_to_begin);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
