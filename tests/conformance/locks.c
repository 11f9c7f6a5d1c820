/* What a receiver may do with a lock: confirm, extend, give back, release. */
#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"

/* Receive "a" with a lock that runs out, and wait for that. */
static struct seen *
receive_and_expire(struct id id)
{
	struct seen *s = receive_lock(Q, "a", 1);

	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	return s;
}

START_TEST(confirmed_message_is_gone)
{
	struct id id = push(Q, "a");

	receive_one(Q, "a");
	ck_assert_int_eq(confirm(Q, id), WQ_OK);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_GONE);
	ck_assert_uint_eq(info(Q).totals.confirmed, 1);
	ck_assert_uint_eq(info(Q).locked_count, 0);
	ck_assert_uint_eq(info(Q).body_bytes, 0);
}
END_TEST

START_TEST(second_confirm_finds_no_message)
{
	struct id id = push(Q, "a");
	struct seen *s = receive_one(Q, "a");

	ck_assert_status(confirm_call(Q, s), WQ_OK);
	ck_assert_status(confirm_call(Q, s), WQ_NO_MESSAGE);
	ck_assert_int_eq(confirm(Q, id), WQ_NO_MESSAGE);
}
END_TEST

START_TEST(confirm_of_what_is_not_locked_is_refused)
{
	struct id available = push(Q, "a");
	struct id delayed = push_delay(Q, "b", HOUR_MS);

	ck_assert_int_eq(confirm(Q, available), WQ_NOT_LOCKED);
	ck_assert_int_eq(confirm(Q, delayed), WQ_NOT_LOCKED);
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(confirm_in_another_queue_finds_no_message)
{
	struct id id = push(Q, "a");

	push("other", "b");
	receive_one(Q, "a");
	ck_assert_int_eq(confirm("other", id), WQ_NO_MESSAGE);
	ck_assert_int_eq(confirm(NULL, id), WQ_NO_MESSAGE);
	ck_assert_int_eq(confirm(Q, id), WQ_OK);
}
END_TEST

START_TEST(confirm_after_expiry_is_not_locked)
{
	struct id id = push(Q, "a");

	receive_and_expire(id);
	ck_assert_int_eq(confirm(Q, id), WQ_NOT_LOCKED);
}
END_TEST

START_TEST(newest_receipt_confirms_after_expiry)
{
	struct id id = push(Q, "a");
	struct seen *s = receive_and_expire(id);

	ck_assert_status(confirm_call(Q, s), WQ_OK);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_GONE);
	ck_assert_uint_eq(receive(Q, 1)->count, 0);
}
END_TEST

START_TEST(stale_receipt_confirms_nothing_and_says_why)
{
	struct id id = push(Q, "a");
	struct seen *first = receive_and_expire(id);
	struct call *c = confirm_call(Q, first);

	receive_one(Q, "a");
	ck_assert_status(c, WQ_STALE_RECEIPT);
	ck_assert_uint_eq(c->op.confirm.receives_since, 1);
	ck_assert_int_eq(c->op.confirm.ended_ns / CLOCK_NS_PER_MS,
	    first->until_ns / CLOCK_NS_PER_MS);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_LOCKED);
}
END_TEST

START_TEST(stale_receipt_counts_the_receives_since)
{
	struct id id = push(Q, "a");
	struct seen *first = receive_and_expire(id), *last;
	struct call *c = confirm_call(Q, first);

	receive_and_expire(id);
	last = receive_one(Q, "a");
	ck_assert_status(c, WQ_STALE_RECEIPT);
	ck_assert_uint_eq(c->op.confirm.receives_since, 2);
	ck_assert_status(confirm_call(Q, last), WQ_OK);
}
END_TEST

START_TEST(receipts_differ_from_receive_to_receive)
{
	struct id id = push(Q, "a");
	struct seen *first = receive_and_expire(id);

	ck_assert_uint_ne(receive_one(Q, "a")->receipt, first->receipt);
}
END_TEST

START_TEST(receipt_of_another_message_is_stale)
{
	struct seen *a, *b;

	push_words(Q, "a b");
	a = receive_one(Q, "a");
	b = receive_one(Q, "b");
	b->id = a->id;
	ck_assert_status(confirm_call(Q, b), WQ_STALE_RECEIPT);
	ck_assert_status(confirm_call(Q, a), WQ_OK);
}
END_TEST

START_TEST(confirm_of_many_tells_of_each)
{
	struct call *c, *r;
	struct id ids[5];

	push_words(Q, "a b c");
	r = receive(Q, 2);
	ids[0] = r->seen[1].id;
	memset(&ids[1], 7, sizeof(ids[1]));
	ids[2] = peek(Q, 1u << MESSAGE_AVAILABLE)->seen[0].id;
	ids[3] = r->seen[0].id;
	ids[4] = r->seen[0].id;
	c = confirm_many_call(Q, ids, 5);
	ck_assert_status(c, WQ_OK);
	ck_assert(c->op.confirm_many.confirmed[0]);
	ck_assert(!c->op.confirm_many.confirmed[1]);
	ck_assert(!c->op.confirm_many.confirmed[2]);
	ck_assert(c->op.confirm_many.confirmed[3]);
	ck_assert(!c->op.confirm_many.confirmed[4]);
	ck_assert_uint_eq(info(Q).totals.confirmed, 2);
	ck_assert_str_eq(drain(Q), "c");
}
END_TEST

START_TEST(extend_sets_when_the_lock_ends)
{
	struct id id = push(Q, "a");
	int64_t before_ns, until_ns;

	receive_one(Q, "a");
	before_ns = clock_now_ns();
	ck_assert_int_eq(extend(Q, id, 2 * HOUR_MS), WQ_OK);
	until_ns = look_seen(Q, id)->until_ns;
	ck_assert_int_ge(until_ns, before_ns + (2 * HOUR_MS - 1) *
	    CLOCK_NS_PER_MS);
	ck_assert_int_le(until_ns, clock_now_ns() + (2 * HOUR_MS + 1) *
	    CLOCK_NS_PER_MS);
	ck_assert_int_eq(extend(Q, id, SOON_MS), WQ_OK);
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	ck_assert_uint_eq(info(Q).totals.expired, 1);
}
END_TEST

START_TEST(extended_lock_outlives_its_first_end)
{
	struct id id = push(Q, "a");
	struct seen *s;

	/* Again where this was too slow and the lock has run out. */
	for (;;) {
		s = receive_lock(Q, "a", 10 * SOON_MS);
		if (extend(Q, id, HOUR_MS) == WQ_OK)
			break;
		UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	}
	UNTIL(clock_now_ns() > s->until_ns + SOON_MS * CLOCK_NS_PER_MS);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_LOCKED);
}
END_TEST

START_TEST(extend_keeps_receipt_and_count)
{
	struct id id = push(Q, "a");
	struct seen *s = receive_one(Q, "a");

	ck_assert_status(extend_call(Q, s, 2 * HOUR_MS), WQ_OK);
	ck_assert_uint_eq(look_seen(Q, id)->receives, 1);
	ck_assert_status(confirm_call(Q, s), WQ_OK);
}
END_TEST

START_TEST(extend_to_zero_gives_the_message_back_at_the_end)
{
	struct id id;

	push_words(Q, "a b");
	id = receive_one(Q, "a")->id;
	ck_assert_int_eq(extend(Q, id, 0), WQ_OK);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	push(Q, "c");
	/* It was given back, and no lock ran out. */
	ck_assert_uint_eq(info(Q).totals.expired, 0);
	ck_assert_uint_eq(look_seen(Q, id)->receives, 1);
	ck_assert_str_eq(drain(Q), "b a c");
}
END_TEST

START_TEST(extend_of_what_is_not_locked_is_refused)
{
	struct id id = push(Q, "a");
	struct seen *s;

	ck_assert_int_eq(extend(Q, id, HOUR_MS), WQ_NOT_LOCKED);
	s = receive_and_expire(id);
	ck_assert_int_eq(extend(Q, id, HOUR_MS), WQ_NOT_LOCKED);
	ck_assert_status(extend_call(Q, s, HOUR_MS), WQ_NOT_LOCKED);
	ck_assert_int_eq(extend(NULL, id, HOUR_MS), WQ_NO_MESSAGE);
}
END_TEST

START_TEST(stale_receipt_extends_nothing_and_says_why)
{
	struct id id = push(Q, "a");
	struct seen *first = receive_and_expire(id), *s;
	struct call *c = extend_call(Q, first, 0);

	s = receive_one(Q, "a");
	ck_assert_status(c, WQ_STALE_RECEIPT);
	ck_assert_uint_eq(c->op.extend.receives_since, 1);
	ck_assert_int_eq(c->op.extend.ended_ns / CLOCK_NS_PER_MS,
	    first->until_ns / CLOCK_NS_PER_MS);
	ck_assert_int_eq(look_seen(Q, id)->until_ns / CLOCK_NS_PER_MS,
	    s->until_ns / CLOCK_NS_PER_MS);
}
END_TEST

START_TEST(released_message_is_back_where_it_was)
{
	struct id id;
	struct seen *s;

	push_words(Q, "a b c");
	receive_one(Q, "a");
	s = receive_one(Q, "b");
	id = s->id;
	release(Q, s);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	ck_assert_uint_eq(look_seen(Q, id)->receives, 0);
	ck_assert_uint_eq(info(Q).totals.received, 1);
	ck_assert_uint_eq(info(Q).totals.expired, 0);
	ck_assert_uint_eq(receive_one(Q, "b")->receives, 1);
	ck_assert_str_eq(drain(Q), "c");
}
END_TEST

START_TEST(released_ones_of_many_receives_keep_their_order)
{
	struct call *r, *c = call_new(OP_RELEASE, Q);

	push_words(Q, "a b c d e");
	r = receive(Q, 4);
	c->op.release.deliveries = r->op.receive.out;
	c->op.release.count = 4;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(drain(Q), "a b c d e");
}
END_TEST

START_TEST(released_message_that_had_expired_keeps_that_place)
{
	struct id id = push(Q, "a");
	struct seen *s;

	push(Q, "b");
	receive_and_expire(id);
	push(Q, "c");
	receive_one(Q, "b");
	s = receive_one(Q, "a");
	release(Q, s);
	ck_assert_uint_eq(look_seen(Q, id)->receives, 1);
	ck_assert_str_eq(drain(Q), "a c");
}
END_TEST

START_TEST(release_leaves_alone_what_moved_on)
{
	struct id id = push(Q, "a"), gone = push(Q, "x");
	struct seen *first = receive_and_expire(id), *x;

	x = receive_one(Q, "x");
	ck_assert_int_eq(confirm(Q, gone), WQ_OK);
	release(Q, x);
	release(Q, first);
	ck_assert_uint_eq(look_seen(Q, id)->receives, 1);
	receive_one(Q, "a");
	release(Q, first);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_LOCKED);
	ck_assert_int_eq(state_of(Q, gone), MESSAGE_GONE);
}
END_TEST

START_TEST(receiver_may_read_what_is_confirmed)
{
	struct seen *s;

	push(Q, "a");
	s = receive_one(Q, "a");
	ck_assert_int_eq(confirm(Q, s->id), WQ_OK);
	ck_assert_mem_eq(s->delivery->message->body, "a", 1);
	ck_assert_id(s->delivery->message->id, s->id);
}
END_TEST

TCase *
lock_tests(void)
{
	TCase *t = tcase_create("locks");

	tcase_add_test(t, confirmed_message_is_gone);
	tcase_add_test(t, second_confirm_finds_no_message);
	tcase_add_test(t, confirm_of_what_is_not_locked_is_refused);
	tcase_add_test(t, confirm_in_another_queue_finds_no_message);
	tcase_add_test(t, confirm_after_expiry_is_not_locked);
	tcase_add_test(t, newest_receipt_confirms_after_expiry);
	tcase_add_test(t, stale_receipt_confirms_nothing_and_says_why);
	tcase_add_test(t, stale_receipt_counts_the_receives_since);
	tcase_add_test(t, receipts_differ_from_receive_to_receive);
	tcase_add_test(t, receipt_of_another_message_is_stale);
	tcase_add_test(t, confirm_of_many_tells_of_each);
	tcase_add_test(t, extend_sets_when_the_lock_ends);
	tcase_add_test(t, extended_lock_outlives_its_first_end);
	tcase_add_test(t, extend_keeps_receipt_and_count);
	tcase_add_test(t, extend_to_zero_gives_the_message_back_at_the_end);
	tcase_add_test(t, extend_of_what_is_not_locked_is_refused);
	tcase_add_test(t, stale_receipt_extends_nothing_and_says_why);
	tcase_add_test(t, released_message_is_back_where_it_was);
	tcase_add_test(t, released_ones_of_many_receives_keep_their_order);
	tcase_add_test(t,
	    released_message_that_had_expired_keeps_that_place);
	tcase_add_test(t, release_leaves_alone_what_moved_on);
	tcase_add_test(t, receiver_may_read_what_is_confirmed);
	return t;
}
