/* The semantics of a queue, with a clock that the tests hold. */
#include <string.h>

#include "base/id.h"
#include "base/mem.h"
#include "check_wq.h"
#include "core/coming.h"
#include "core/dedup.h"
#include "core/queue.h"
#include "core/registry.h"

#define MS	INT64_C(1000000)
#define START	(1000 * MS)
#define LOCK	1000			/* ms: the queue's own */
#define MANY	1000

static struct registry	*r;
static struct queue	*q;
static int64_t		now_ns;
static int		armed, disarmed;
static const struct push_terms	plain = { .lock_ms = -1 };

static void
count_arm(void *arg, struct hold *h, int64_t due_ns, int64_t usual_ns)
{
	(void)arg;
	(void)usual_ns;
	ck_assert_int_eq(hold_due_ns(h), due_ns);
	armed++;
}

static void
count_disarm(void *arg, struct hold *h)
{
	(void)arg;
	(void)h;
	disarmed++;
}

static void
setup(void)
{
	struct queue_settings settings = { .lock_timeout_ms = LOCK };
	struct lock_timers timers = { .timer_bytes = 16, .arm = count_arm,
	    .disarm = count_disarm };

	now_ns = START;
	armed = disarmed = 0;
	r = registry_new(&settings, &timers, 1);
	ck_assert_ptr_nonnull(r);
	q = registry_find(r, NULL);
}

static void
teardown(void)
{
	queue_check(q);
	registry_free(r);
	ck_assert_int_eq(armed >= disarmed, 1);
}

static void
pass(int64_t ms)
{
	now_ns += ms * MS;
	ck_assert(!registry_expire(r, now_ns, 1000000));
	queue_check(q);
}

static struct id
push(const char *body)
{
	struct message *m = message_new(id_new(), body, strlen(body));
	struct id id;

	ck_assert_ptr_nonnull(m);
	id = m->id;
	queue_push(q, m, &plain, now_ns++);
	queue_check(q);
	return id;
}

/* Receive one; false when there is none. */
static bool
receive(int64_t lock_ms, struct delivery *out)
{
	size_t n = 99;

	ck_assert_int_eq(queue_receive(q, 1, 1 << 20, lock_ms, now_ns, out,
	    &n), WQ_OK);
	queue_check(q);
	if (n == 0)
		return false;
	ck_assert_uint_eq(n, 1);
	message_unref(out->message);	/* the queue's own ref keeps it */
	return true;
}

/* The bodies of all that is available, as one string; all get locked. */
static const char *
drain(void)
{
	static char all[MANY];
	struct delivery d;

	all[0] = '\0';
	while (receive(-1, &d))
		strncat(all, d.message->body, d.message->body_bytes);
	return all;
}

static enum wq_status
confirm(struct id id)
{
	struct op_confirm c = { .id = id };
	enum wq_status st = queue_confirm(q, &c, now_ns);

	queue_check(q);
	return st;
}

static enum wq_status
confirm_with(struct id id, const struct delivery *d)
{
	struct op_confirm c = { .id = id, .receipt = { .given = true,
	    .receives = d->receives, .receipt = d->receipt } };

	return queue_confirm(q, &c, now_ns);
}

static enum wq_status
extend(struct id id, int64_t ms)
{
	struct op_extend e = { .id = id, .lock_ms = ms };
	enum wq_status st = queue_extend(q, &e, now_ns);

	queue_check(q);
	return st;
}

START_TEST(messages_come_in_the_order_of_their_push)
{
	push("a");
	push("b");
	push("c");
	ck_assert_str_eq(drain(), "abc");
}
END_TEST

START_TEST(an_empty_queue_gives_nothing)
{
	struct delivery d;

	ck_assert(!receive(-1, &d));
}
END_TEST

START_TEST(a_locked_message_is_not_given_out)
{
	struct delivery d;

	push("a");
	ck_assert(receive(-1, &d));
	ck_assert(!receive(-1, &d));
	pass(LOCK - 1);
	ck_assert(!receive(-1, &d));
}
END_TEST

START_TEST(a_lock_ends_at_its_time_and_not_before)
{
	struct delivery d;

	push("a");
	ck_assert(receive(50, &d));
	ck_assert_int_eq(d.until_ns, now_ns + 50 * MS);
	now_ns += 50 * MS - 1;
	registry_expire(r, now_ns, 10);
	ck_assert(!receive(-1, &d));
	now_ns += 1;
	registry_expire(r, now_ns, 10);
	ck_assert(receive(-1, &d));
}
END_TEST

START_TEST(an_expired_message_goes_to_the_end)
{
	struct delivery d;

	push("a");
	ck_assert(receive(-1, &d));
	push("b");
	pass(LOCK);
	push("c");
	ck_assert_str_eq(drain(), "bac");
}
END_TEST

START_TEST(expired_messages_keep_the_order_of_their_expiry)
{
	struct delivery d;

	push("a");
	push("b");
	push("c");
	ck_assert(receive(300, &d));
	ck_assert(receive(100, &d));
	ck_assert(receive(200, &d));
	pass(1000);
	ck_assert_str_eq(drain(), "bca");
}
END_TEST

START_TEST(order_is_kept_when_expiries_take_several_turns)
{
	struct delivery d;
	int i;

	for (i = 0; i < 5; i++) {
		char body[2] = { (char)('a' + i), '\0' };

		push(body);
		ck_assert(receive(10 + i, &d));
	}
	now_ns += 12 * MS;	/* a, b and c are due; one is let in */
	ck_assert(registry_expire(r, now_ns, 1));
	push("x");
	now_ns += MS;
	ck_assert(registry_expire(r, now_ns, 1));
	push("y");
	pass(10);
	ck_assert_str_eq(drain(), "abcxdye");
}
END_TEST

START_TEST(receives_are_counted)
{
	struct delivery d;
	uint32_t i;

	push("a");
	for (i = 1; i < 4; i++) {
		ck_assert(receive(-1, &d));
		ck_assert_uint_eq(d.receives, i);
		pass(LOCK);
	}
}
END_TEST

START_TEST(a_confirmed_message_is_gone)
{
	struct delivery d;
	struct id id = push("a");

	ck_assert(receive(-1, &d));
	ck_assert_int_eq(confirm(id), WQ_OK);
	ck_assert_int_eq(confirm(id), WQ_NO_MESSAGE);
	pass(10 * LOCK);
	ck_assert(!receive(-1, &d));
}
END_TEST

START_TEST(confirm_without_a_receive_is_not_locked)
{
	ck_assert_int_eq(confirm(push("a")), WQ_NOT_LOCKED);
	ck_assert_str_eq(drain(), "a");
}
END_TEST

START_TEST(confirm_after_expiry_is_not_locked)
{
	struct delivery d;
	struct id id = push("a");

	ck_assert(receive(-1, &d));
	pass(LOCK);
	ck_assert_int_eq(confirm(id), WQ_NOT_LOCKED);
	ck_assert_str_eq(drain(), "a");
}
END_TEST

START_TEST(a_lock_that_is_due_is_over_before_its_turn)
{
	struct delivery d;
	struct id id = push("a");

	ck_assert(receive(-1, &d));
	now_ns += LOCK * MS;	/* nobody has called registry_expire() */
	ck_assert_int_eq(confirm(id), WQ_NOT_LOCKED);
	ck_assert_int_eq(extend(id, 100), WQ_NOT_LOCKED);
}
END_TEST

START_TEST(confirm_of_an_unknown_id_is_no_message)
{
	ck_assert_int_eq(confirm(id_new()), WQ_NO_MESSAGE);
}
END_TEST

START_TEST(a_receipt_confirms_also_after_expiry)
{
	struct delivery d;
	struct id id = push("a");

	ck_assert(receive(-1, &d));
	pass(LOCK);
	ck_assert_int_eq(confirm_with(id, &d), WQ_OK);
	ck_assert_str_eq(drain(), "");
}
END_TEST

START_TEST(a_stale_receipt_tells_what_came_since)
{
	struct delivery first, second;
	struct id id = push("a");
	struct op_confirm c = { .id = id };

	ck_assert(receive(-1, &first));
	pass(LOCK);
	ck_assert(receive(-1, &second));
	c.receipt = (struct op_receipt){ .given = true,
	    .receives = first.receives, .receipt = first.receipt };
	ck_assert_int_eq(queue_confirm(q, &c, now_ns), WQ_STALE_RECEIPT);
	ck_assert_uint_eq(c.receives_since, 1);
	ck_assert_int_eq(c.ended_ns, first.until_ns);
	ck_assert_int_eq(confirm_with(id, &second), WQ_OK);
}
END_TEST

START_TEST(a_receipt_of_another_message_is_stale)
{
	struct delivery a, b;
	struct id id = push("a");

	push("b");
	ck_assert(receive(-1, &a));
	ck_assert(receive(-1, &b));
	ck_assert_int_eq(confirm_with(id, &b), WQ_STALE_RECEIPT);
}
END_TEST

START_TEST(extend_moves_the_end_of_the_lock)
{
	struct delivery d;
	struct id id = push("a");

	ck_assert(receive(-1, &d));
	pass(LOCK / 2);
	ck_assert_int_eq(extend(id, 2 * LOCK), WQ_OK);
	pass(2 * LOCK - 1);
	ck_assert(!receive(-1, &d));
	pass(1);
	ck_assert(receive(-1, &d));
	/* It is not remembered for the next receive. */
	ck_assert_int_eq(d.until_ns, now_ns + LOCK * MS);
}
END_TEST

START_TEST(extend_by_0_gives_back_at_once_and_is_no_expiry)
{
	struct delivery d;
	struct queue_info info;
	struct id id = push("a");

	ck_assert(receive(-1, &d));
	push("b");
	ck_assert_int_eq(extend(id, 0), WQ_OK);
	ck_assert_str_eq(drain(), "ba");
	queue_info(q, &info);
	ck_assert_uint_eq(info.totals.expired, 0);
}
END_TEST

START_TEST(extend_of_what_is_not_locked_fails)
{
	struct id id = push("a");

	ck_assert_int_eq(extend(id, 100), WQ_NOT_LOCKED);
	ck_assert_int_eq(extend(id_new(), 100), WQ_NO_MESSAGE);
}
END_TEST

START_TEST(a_receive_takes_no_more_bytes_than_asked_but_one_message)
{
	struct delivery d[4];
	size_t n;

	push("aaaa");
	push("bbbb");
	push("cc");
	ck_assert_int_eq(queue_receive(q, 4, 3, -1, now_ns, d, &n), WQ_OK);
	ck_assert_uint_eq(n, 1);
	message_unref(d[0].message);
	ck_assert_int_eq(queue_receive(q, 4, 6, -1, now_ns, d, &n), WQ_OK);
	ck_assert_uint_eq(n, 2);
	message_unref(d[0].message);
	message_unref(d[1].message);
}
END_TEST

START_TEST(a_delivery_keeps_its_message_after_the_confirm)
{
	struct delivery d;
	size_t n;
	struct id id = push("body");

	ck_assert_int_eq(queue_receive(q, 1, 100, -1, now_ns, &d, &n), WQ_OK);
	ck_assert_int_eq(confirm(id), WQ_OK);
	ck_assert_mem_eq(d.message->body, "body", 4);
	ck_assert_int_eq(d.message->state, MESSAGE_GONE);
	message_unref(d.message);
}
END_TEST

START_TEST(without_memory_nothing_is_received_and_nothing_lost)
{
	struct delivery d;
	size_t n = 99;

	push("a");
	mem_fail_after(0);
	ck_assert_int_eq(queue_receive(q, 1, 100, -1, now_ns, &d, &n),
	    WQ_NOMEM);
	mem_fail_after(-1);
	ck_assert_uint_eq(n, 0);
	ck_assert_str_eq(drain(), "a");
}
END_TEST

START_TEST(looking_changes_nothing)
{
	struct op_look look = { .id = push("a") };
	struct queue_info before, after;
	struct delivery d;

	queue_info(q, &before);
	ck_assert_int_eq(queue_look(q, &look), WQ_OK);
	ck_assert_int_eq(look.out.state, MESSAGE_AVAILABLE);
	message_unref(look.out.message);
	queue_info(q, &after);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	ck_assert(receive(-1, &d));
	ck_assert_int_eq(queue_look(q, &look), WQ_OK);
	ck_assert_int_eq(look.out.state, MESSAGE_LOCKED);
	ck_assert_int_eq(look.out.until_ns, now_ns + LOCK * MS);
	message_unref(look.out.message);
	look.id = id_new();
	ck_assert_int_eq(queue_look(q, &look), WQ_NO_MESSAGE);
}
END_TEST

START_TEST(info_counts)
{
	struct queue_info info;
	struct delivery d;

	push("aaa");
	push("bb");
	ck_assert(receive(-1, &d));
	queue_info(q, &info);
	ck_assert_uint_eq(info.available_count, 1);
	ck_assert_uint_eq(info.locked_count, 1);
	ck_assert_uint_eq(info.body_bytes, 5);
	ck_assert_uint_eq(info.totals.pushed, 2);
	ck_assert_uint_eq(info.totals.received, 1);
	pass(LOCK);
	queue_info(q, &info);
	ck_assert_uint_eq(info.available_count, 2);
	ck_assert_uint_eq(info.totals.expired, 1);
}
END_TEST

START_TEST(each_lock_has_its_timer_and_it_goes_with_the_lock)
{
	struct delivery d;
	struct id id = push("a");

	ck_assert(receive(-1, &d));
	ck_assert_int_eq(armed, 1);
	ck_assert_int_eq(extend(id, 100), WQ_OK);
	ck_assert_int_eq(armed, 2);	/* the same one, anew */
	ck_assert_int_eq(disarmed, 0);
	pass(100);
	ck_assert_int_eq(disarmed, 1);
	ck_assert(receive(-1, &d));
	ck_assert_int_eq(confirm(id), WQ_OK);
	ck_assert_int_eq(disarmed, 2);
}
END_TEST

START_TEST(pushes_in_one_instant_keep_their_order)
{
	int i;

	for (i = 0; i < 26; i++) {
		char body[2] = { (char)('a' + i), '\0' };

		push(body);
	}
	ck_assert_str_eq(drain(), "abcdefghijklmnopqrstuvwxyz");
}
END_TEST

/* A queue beside the default one, with settings. */
static struct queue *
make(const char *name, const struct op_configure *configure)
{
	struct op_configure c = *configure;
	struct queue *other;
	bool created;

	ck_assert_int_eq(registry_make(r, name, &other, 0, &created), WQ_OK);
	ck_assert(created);
	ck_assert_int_eq(queue_configure(other, &c, true, 0), WQ_OK);
	return other;
}

static const struct op_configure nothing;

static struct id
push_in(const char *body, const char *group, int64_t delay_ms, int64_t ttl_ms)
{
	struct push_terms t = { .lock_ms = -1, .delay_ms = delay_ms,
	    .ttl_ms = ttl_ms, .group = group,
	    .group_bytes = group != NULL ? strlen(group) : 0 };
	struct message *m = message_new(id_new(), body, strlen(body));
	struct id id = m->id;

	ck_assert_int_eq(queue_prepare(q, m, &t), WQ_OK);
	queue_push(q, m, &t, now_ns++);
	queue_check(q);
	return id;
}

START_TEST(a_delayed_message_becomes_available_at_its_time)
{
	push_in("a", NULL, 100, 0);
	push("b");
	ck_assert_str_eq(drain(), "b");
	pass(99);
	ck_assert_str_eq(drain(), "");
	pass(1);
	ck_assert_str_eq(drain(), "a");
}
END_TEST

START_TEST(at_the_end_of_its_ttl_a_message_is_gone_also_when_locked)
{
	struct delivery d;
	struct id id;

	id = push_in("a", NULL, 0, 100);
	push_in("b", NULL, 0, 100);
	ck_assert(receive(10000, &d));
	pass(101);
	ck_assert_int_eq(confirm(id), WQ_NO_MESSAGE);
	ck_assert_str_eq(drain(), "");
}
END_TEST

START_TEST(a_fifo_group_waits_for_its_locked_message)
{
	struct delivery d;
	struct id first;

	q = make("q.fifo", &nothing);
	first = push_in("a", "g", 0, 0);
	push_in("b", "g", 0, 0);
	push_in("c", "h", 0, 0);
	ck_assert(receive(-1, &d));
	ck_assert_str_eq(drain(), "c");
	ck_assert_int_eq(confirm(first), WQ_OK);
	ck_assert_str_eq(drain(), "b");
}
END_TEST

START_TEST(in_a_fifo_queue_an_expired_message_is_first_again)
{
	struct delivery d;

	q = make("q.fifo", &nothing);
	push_in("a", "g", 0, 0);
	push_in("b", "g", 0, 0);
	ck_assert(receive(10, &d));
	push_in("c", "g", 0, 0);
	pass(10);
	ck_assert(receive(10, &d));
	ck_assert_mem_eq(d.message->body, "a", 1);
}
END_TEST

START_TEST(a_loud_group_goes_behind_the_others)
{
	struct delivery d;
	int i;

	for (i = 0; i < 100; i++)
		push_in("L", "loud", 0, 0);
	for (i = 0; i < 30; i++)
		ck_assert(receive(-1, &d));
	push_in("q", "quiet", 0, 0);
	push("n");
	/* Older ones of the loud group are there, and wait. */
	ck_assert(receive(-1, &d));
	ck_assert_mem_eq(d.message->body, "q", 1);
	ck_assert(receive(-1, &d));
	ck_assert_mem_eq(d.message->body, "n", 1);
	ck_assert(receive(-1, &d));
	ck_assert_mem_eq(d.message->body, "L", 1);
}
END_TEST

START_TEST(below_the_thresholds_no_group_is_loud)
{
	struct delivery d;
	int i;

	for (i = 0; i < 100; i++)
		push_in("L", "loud", 0, 0);
	for (i = 0; i < 29; i++)
		ck_assert(receive(-1, &d));
	push_in("q", "quiet", 0, 0);
	ck_assert(receive(-1, &d));
	ck_assert_mem_eq(d.message->body, "L", 1);
}
END_TEST

START_TEST(who_has_used_up_its_receives_is_a_dead_letter)
{
	struct op_configure c = { .given = SETTING_MAX_RECEIVES |
	    SETTING_DEAD_LETTER_QUEUE, .settings.max_receives = 2,
	    .dead_letter_queue = "dead" };
	struct op_redrive back = { .max = 10 };
	struct queue *source, *dead;
	struct op_look look;
	struct delivery d;
	struct id id;

	source = q = make("source", &c);
	id = push("a");
	ck_assert(receive(10, &d));
	pass(10);
	ck_assert(receive(10, &d));
	pass(10);
	ck_assert_str_eq(drain(), "");
	dead = q = registry_find(r, "dead");
	queue_check(q);
	look.id = id;
	ck_assert_int_eq(queue_look(q, &look), WQ_OK);
	ck_assert_uint_eq(look.out.receives, 0);
	ck_assert_uint_eq(message_dead_letter(look.out.message)->receives, 2);
	ck_assert_str_eq(message_dead_letter(look.out.message)->queue,
	    "source");
	message_unref(look.out.message);
	ck_assert_int_eq(queue_delete(dead, false, 0), WQ_IS_TARGET);
	back.began_ns = now_ns;
	ck_assert(queue_redrive(dead, &back, NULL, now_ns, 100));
	ck_assert_uint_eq(back.moved, 1);
	queue_check(dead);
	q = source;
	ck_assert_str_eq(drain(), "a");
}
END_TEST

START_TEST(a_cycle_of_dead_letters_is_refused)
{
	struct op_configure to_b = { .given = SETTING_DEAD_LETTER_QUEUE,
	    .dead_letter_queue = "b" }, to_a = to_b, to_new = to_b,
	    receives = {
	    .given = SETTING_MAX_RECEIVES, .settings.max_receives = 1 };

	make("a", &to_b);
	strcpy(to_a.dead_letter_queue, "a");
	strcpy(to_new.dead_letter_queue, "new");
	ck_assert_int_eq(queue_configure(registry_find(r, "b"), &to_a, true, 0),
	    WQ_CYCLE);
	ck_assert_int_eq(queue_configure(registry_find(r, "a"), &to_a, true, 0),
	    WQ_CYCLE);
	ck_assert_int_eq(queue_configure(q, &receives, true, 0), WQ_NO_TARGET);
	ck_assert_int_eq(queue_configure(q, &to_new, false, 0),
	    WQ_TARGET_MISSING);
	ck_assert_ptr_null(registry_find(r, "new"));
}
END_TEST

START_TEST(a_repeat_is_known_for_five_minutes)
{
	uint8_t key[DIGEST_BYTES] = { 1 }, other[DIGEST_BYTES] = { 2 };
	struct id id = push("a");

	ck_assert_ptr_null(queue_find_dedup(q, key));
	ck_assert_int_eq(queue_add_dedup(q, key, &id, now_ns), WQ_OK);
	ck_assert_ptr_null(queue_find_dedup(q, other));
	pass(5 * 60 * 1000 - 1);
	ck_assert_mem_eq(queue_find_dedup(q, key), &id, sizeof(id));
	pass(1);
	ck_assert_ptr_null(queue_find_dedup(q, key));
}
END_TEST

START_TEST(waiters_are_served_first_come_first_served)
{
	struct waiter first, second;

	queue_wait(q, &first, 1000, now_ns);
	queue_wait(q, &second, 1000, now_ns);
	ck_assert_ptr_null(registry_next_served(r));
	push("a");
	ck_assert_ptr_eq(registry_next_served(r), q);
	ck_assert_ptr_eq(queue_served_waiter(q), &first);
	queue_unwait(&first);
	ck_assert_str_eq(drain(), "a");
	ck_assert_ptr_null(queue_served_waiter(q));
	now_ns += 1000 * MS;
	registry_expire(r, now_ns, 10);
	ck_assert_ptr_eq(registry_next_timed_out(r), &second);
	ck_assert_ptr_null(registry_next_timed_out(r));
}
END_TEST

START_TEST(what_did_not_reach_its_client_is_as_before)
{
	struct delivery d[2];
	size_t n;

	push("a");
	push("b");
	push("c");
	ck_assert_int_eq(queue_receive(q, 2, 100, -1, now_ns, d, &n), WQ_OK);
	queue_release(q, &d[1], now_ns);
	queue_release(q, &d[0], now_ns);
	queue_check(q);
	ck_assert_uint_eq(d[0].message->receives, 0);
	message_unref(d[0].message);
	message_unref(d[1].message);
	ck_assert_str_eq(drain(), "abc");
}
END_TEST

START_TEST(a_paused_queue_gives_out_nothing)
{
	push("a");
	ck_assert_int_eq(queue_pause(q, true), WQ_OK);
	ck_assert_str_eq(drain(), "");
	push("b");
	ck_assert_int_eq(queue_pause(q, false), WQ_OK);
	ck_assert_str_eq(drain(), "ab");
}
END_TEST

START_TEST(limits_refuse_the_new_and_keep_the_old)
{
	struct op_configure c = { .given = SETTING_MAX_MESSAGES |
	    SETTING_MAX_BYTES | SETTING_MAX_LOCKED,
	    .settings = { .max_messages = 2, .max_bytes = 3,
	    .max_locked = 1 } };

	ck_assert_int_eq(queue_configure(q, &c, true, 0), WQ_OK);
	ck_assert_int_eq(queue_has_room(q, 2, 3), WQ_OK);
	ck_assert_int_eq(queue_has_room(q, 3, 3), WQ_TOO_LARGE);
	ck_assert_int_eq(queue_has_room(q, 1, 4), WQ_TOO_LARGE);
	push("a");
	ck_assert_int_eq(queue_has_room(q, 1, 3), WQ_FULL_BYTES);
	push("b");
	ck_assert_int_eq(queue_has_room(q, 1, 1), WQ_FULL_MESSAGES);
	ck_assert_str_eq(drain(), "a");
	pass(LOCK);
	ck_assert_str_eq(drain(), "b");
}
END_TEST

START_TEST(pages_show_all_and_each_once)
{
	struct delivery out[2], d;
	struct op_peek p = { .states = ~0u, .max = 2, .max_bytes = 100,
	    .out = out };
	char seen[16] = "";
	size_t i;

	push("a");
	ck_assert(receive(100000, &d));
	push_in("d", NULL, 100000, 0);
	push("b");
	push_in("c", "g", 0, 0);
	push_in("e", NULL, 0, 0);
	do {
		ck_assert_int_eq(queue_peek(q, &p), WQ_OK);
		for (i = 0; i < p.count; i++) {
			strncat(seen, out[i].message->body, 1);
			p.after = out[i].message->id;
			p.has_after = true;
			message_unref(out[i].message);
		}
	} while (p.count > 0);
	/* Available ones first, without and with a group; locked; delayed. */
	ck_assert_str_eq(seen, "becad");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("queue");
	TCase *t = tcase_create("queue");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, messages_come_in_the_order_of_their_push);
	tcase_add_test(t, an_empty_queue_gives_nothing);
	tcase_add_test(t, a_locked_message_is_not_given_out);
	tcase_add_test(t, a_lock_ends_at_its_time_and_not_before);
	tcase_add_test(t, an_expired_message_goes_to_the_end);
	tcase_add_test(t, expired_messages_keep_the_order_of_their_expiry);
	tcase_add_test(t, order_is_kept_when_expiries_take_several_turns);
	tcase_add_test(t, receives_are_counted);
	tcase_add_test(t, a_confirmed_message_is_gone);
	tcase_add_test(t, confirm_without_a_receive_is_not_locked);
	tcase_add_test(t, confirm_after_expiry_is_not_locked);
	tcase_add_test(t, a_lock_that_is_due_is_over_before_its_turn);
	tcase_add_test(t, confirm_of_an_unknown_id_is_no_message);
	tcase_add_test(t, a_receipt_confirms_also_after_expiry);
	tcase_add_test(t, a_stale_receipt_tells_what_came_since);
	tcase_add_test(t, a_receipt_of_another_message_is_stale);
	tcase_add_test(t, extend_moves_the_end_of_the_lock);
	tcase_add_test(t, extend_by_0_gives_back_at_once_and_is_no_expiry);
	tcase_add_test(t, extend_of_what_is_not_locked_fails);
	tcase_add_test(t,
	    a_receive_takes_no_more_bytes_than_asked_but_one_message);
	tcase_add_test(t, a_delivery_keeps_its_message_after_the_confirm);
	tcase_add_test(t, without_memory_nothing_is_received_and_nothing_lost);
	tcase_add_test(t, looking_changes_nothing);
	tcase_add_test(t, info_counts);
	tcase_add_test(t, each_lock_has_its_timer_and_it_goes_with_the_lock);
	tcase_add_test(t, pushes_in_one_instant_keep_their_order);
	tcase_add_test(t, a_delayed_message_becomes_available_at_its_time);
	tcase_add_test(t,
	    at_the_end_of_its_ttl_a_message_is_gone_also_when_locked);
	tcase_add_test(t, a_fifo_group_waits_for_its_locked_message);
	tcase_add_test(t, in_a_fifo_queue_an_expired_message_is_first_again);
	tcase_add_test(t, a_loud_group_goes_behind_the_others);
	tcase_add_test(t, below_the_thresholds_no_group_is_loud);
	tcase_add_test(t, who_has_used_up_its_receives_is_a_dead_letter);
	tcase_add_test(t, a_cycle_of_dead_letters_is_refused);
	tcase_add_test(t, a_repeat_is_known_for_five_minutes);
	tcase_add_test(t, waiters_are_served_first_come_first_served);
	tcase_add_test(t, what_did_not_reach_its_client_is_as_before);
	tcase_add_test(t, a_paused_queue_gives_out_nothing);
	tcase_add_test(t, limits_refuse_the_new_and_keep_the_old);
	tcase_add_test(t, pages_show_all_and_each_once);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
