/*
 * Restarts: after one all is as it would have been without it.  A backend that
 * is not durable shows what that is: world_restart() leaves it alone, and only
 * the time of the restart passes.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define F	"orders.fifo"
#define DEAD	"letters"

/* All that a look tells of a message. */
static const char *
text_of(const char *queue, struct id id)
{
	struct call *c = look(queue, id);
	const struct seen *s = c->seen;

	if (c->op.status != WQ_OK)
		return world_text("status %d", (int)c->op.status);
	return world_text("%s bytes %zu state %d receives %u receipt %u "
	    "until %lld pushed %lld group %s letter %d source %s receives %u "
	    "reason %d pushed %lld", s->body, s->body_bytes, (int)s->state,
	    s->receives, s->receipt, (long long)(s->until_ns /
	    CLOCK_NS_PER_MS), (long long)(s->pushed_ns / CLOCK_NS_PER_MS),
	    s->group != NULL ? s->group : "-", s->is_letter,
	    s->is_letter ? s->source : "-", s->source_receives,
	    (int)s->reason, (long long)(s->source_pushed_ns /
	    CLOCK_NS_PER_MS));
}

/* What a look tells of id is the same after a restart. */
static void
check_same(const char *queue, struct id id)
{
	const char *before = text_of(queue, id);

	world_restart();
	ck_assert_str_eq(text_of(queue, id), before);
}

START_TEST(available_messages_come_back_in_order)
{
	push_words(Q, "a b c");
	push_words(NULL, "d e");
	world_restart();
	push(Q, "z");
	ck_assert_str_eq(drain(Q), "a b c z");
	ck_assert_str_eq(drain(NULL), "d e");
}
END_TEST

START_TEST(message_comes_back_as_it_was)
{
	push(Q, "other");
	check_same(Q, push_group(Q, "a", "tenant"));
}
END_TEST

START_TEST(odd_and_large_bodies_come_back)
{
	static const char odd[] = "\0\xff\n'\"{\0}";
	struct call *c = push_many_call(Q, 3), *r;
	char *large = world_alloc(1 << 20);

	memset(large, 'x', 1 << 20);
	c->op.push.bodies[0].data = odd;
	c->op.push.bodies[0].bytes = sizeof(odd);
	c->op.push.bodies[1].data = large;
	c->op.push.bodies[1].bytes = 1 << 20;
	c->op.push.bodies[2].bytes = 0;
	ck_assert_status(c, WQ_OK);
	world_restart();
	ck_assert_uint_eq(info(Q).body_bytes, sizeof(odd) + (1 << 20));
	r = receive(Q, 3);
	ck_assert_uint_eq(r->count, 3);
	ck_assert_uint_eq(r->seen[0].body_bytes, sizeof(odd));
	ck_assert_mem_eq(r->seen[0].delivery->message->body, odd,
	    sizeof(odd));
	ck_assert_uint_eq(r->seen[1].body_bytes, 1 << 20);
	ck_assert_mem_eq(r->seen[1].delivery->message->body, large, 1 << 20);
	ck_assert_uint_eq(r->seen[2].body_bytes, 0);
}
END_TEST

START_TEST(lock_comes_back_with_its_end)
{
	push(Q, "a");
	check_same(Q, receive_one(Q, "a")->id);
	ck_assert_uint_eq(receive(Q, 10)->count, 0);
	ck_assert_uint_eq(info(Q).locked_count, 1);
}
END_TEST

START_TEST(extended_lock_comes_back_with_its_end)
{
	struct id id = push(Q, "a");

	receive_one(Q, "a");
	ck_assert_int_eq(extend(Q, id, 3 * HOUR_MS), WQ_OK);
	check_same(Q, id);
}
END_TEST

START_TEST(locked_message_can_be_confirmed_and_extended)
{
	struct seen *a, *b;

	push_words(Q, "a b c");
	a = receive_one(Q, "a");
	b = receive_one(Q, "b");
	world_restart();
	ck_assert_status(confirm_call(Q, a), WQ_OK);
	ck_assert_status(extend_call(Q, b, 0), WQ_OK);
	ck_assert_str_eq(drain(Q), "c b");
}
END_TEST

START_TEST(stale_receipt_stays_stale)
{
	struct id id = push(Q, "a");
	struct seen *first = receive_lock(Q, "a", 1);
	struct call *c;

	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	receive_one(Q, "a");
	world_restart();
	c = confirm_call(Q, first);
	ck_assert_status(c, WQ_STALE_RECEIPT);
	ck_assert_uint_eq(c->op.confirm.receives_since, 1);
}
END_TEST

START_TEST(receives_are_counted_on)
{
	struct id id = push(Q, "a");

	receive_lock(Q, "a", 1);
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	world_restart();
	ck_assert_uint_eq(look_seen(Q, id)->receives, 1);
	ck_assert_uint_eq(receive_lock(Q, "a", 1)->receives, 2);
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	world_restart();
	ck_assert_uint_eq(receive_one(Q, "a")->receives, 3);
}
END_TEST

START_TEST(released_message_comes_back_as_never_received)
{
	struct seen *s;

	push_words(Q, "a b");
	s = receive_one(Q, "a");
	release(Q, s);
	world_restart();
	ck_assert_uint_eq(look_seen(Q, s->id)->receives, 0);
	ck_assert_str_eq(drain(Q), "a b");
}
END_TEST

START_TEST(message_that_was_given_back_keeps_its_place)
{
	push_words(Q, "a b");
	ck_assert_int_eq(extend(Q, receive_one(Q, "a")->id, 0), WQ_OK);
	push(Q, "c");
	world_restart();
	ck_assert_str_eq(drain(Q), "b a c");
}
END_TEST

START_TEST(confirmed_message_does_not_come_back)
{
	struct id id;

	push_words(Q, "a b");
	id = receive_one(Q, "a")->id;
	ck_assert_int_eq(confirm(Q, id), WQ_OK);
	world_restart();
	ck_assert_int_eq(state_of(Q, id), MESSAGE_GONE);
	ck_assert_str_eq(drain(Q), "b");
	world_restart();
	ck_assert_str_eq(drain(Q), "");
	ck_assert_uint_eq(info(Q).body_bytes, 0);
}
END_TEST

START_TEST(own_lock_time_comes_back)
{
	push_lock(Q, "a", 5 * HOUR_MS);
	world_restart();
	ck_assert_int_gt(receive_lock(Q, "a", -1)->until_ns,
	    clock_now_ns() + 4 * HOUR_MS * CLOCK_NS_PER_MS);
}
END_TEST

START_TEST(delay_comes_back_with_its_end)
{
	check_same(Q, push_delay(Q, "a", HOUR_MS));
	ck_assert_uint_eq(receive(Q, 10)->count, 0);
}
END_TEST

START_TEST(ttl_goes_on)
{
	struct id id = push_ttl(Q, "a", 10 * SOON_MS);

	push_ttl(Q, "b", HOUR_MS);
	world_restart();
	UNTIL(state_of(Q, id) == MESSAGE_GONE);
	ck_assert_str_eq(drain(Q), "b");
}
END_TEST

START_TEST(ttl_of_a_locked_message_goes_on)
{
	struct id id = push_ttl(Q, "a", 10 * SOON_MS);

	receive(Q, 1);
	world_restart();
	UNTIL(state_of(Q, id) == MESSAGE_GONE);
	ck_assert_uint_eq(info(Q).locked_count, 0);
}
END_TEST

START_TEST(repeats_are_known)
{
	bool duplicate;
	struct id id = push_key(Q, "a", "k", &duplicate);
	struct call *c;

	set("content", SETTING_DEDUP, 1);
	push("content", "a");
	ck_assert_str_eq(drain("content"), "a");
	world_restart();
	ck_assert_id(push_key(Q, "a", "k", &duplicate), id);
	ck_assert(duplicate);
	c = push_call("content", "a");
	ck_assert_status(c, WQ_OK);
	ck_assert(c->op.push.bodies[0].duplicate);
	push_key(Q, "b", "another", &duplicate);
	ck_assert(!duplicate);
}
END_TEST

START_TEST(groups_keep_their_order_and_their_locks)
{
	struct seen *s;
	struct call *c;
	struct id second;

	push_group(F, "a1", "a");
	second = push_group(F, "a2", "a");
	push_group(F, "b1", "b");
	push_group(F, "b2", "b");
	s = receive_one(F, "a1");
	world_restart();
	c = look(F, second);
	ck_assert(c->op.look.blocked);
	ck_assert_id(c->op.look.blocked_by, s->id);
	ck_assert_str_eq(drain(F), "b1 b2");
	ck_assert_status(confirm_call(F, s), WQ_OK);
	ck_assert_str_eq(drain(F), "a2");
}
END_TEST

START_TEST(place_in_a_group_is_kept_when_a_lock_ends_meanwhile)
{
	struct seen *s;

	push_words(F, "a b c");
	s = receive_lock(F, "a", SOON_MS);
	world_restart_after(s->until_ns);
	ck_assert_str_eq(drain(F), "a b c");
}
END_TEST

START_TEST(pause_comes_back)
{
	push(Q, "a");
	push(NULL, "b");
	set_paused(Q, true);
	world_restart();
	ck_assert(info(Q).paused);
	ck_assert(!info(NULL).paused);
	ck_assert_uint_eq(receive(Q, 10)->count, 0);
	set_paused(Q, false);
	world_restart();
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(dead_letter_comes_back_with_its_source)
{
	struct id id;

	set_target(Q, DEAD, 1);
	id = push_group(Q, "a", "g");
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	check_same(DEAD, id);
	ck_assert(look_seen(DEAD, id)->is_letter);
	ck_assert_uint_eq(redrive(DEAD, NULL, 10), 1);
	world_restart();
	ck_assert_str_eq(drain(DEAD), "");
	ck_assert(!look_seen(Q, id)->is_letter);
	ck_assert_str_eq(drain(Q), "a");
}
END_TEST

START_TEST(messages_die_while_it_is_down)
{
	struct id used, old;

	set_target(Q, DEAD, 1);
	used = push_lock(Q, "used", 2 * SOON_MS);
	receive_lock(Q, "used", -1);
	old = push_ttl(Q, "old", SOON_MS);
	world_restart_after(clock_now_ns() + 3 * SOON_MS * CLOCK_NS_PER_MS);
	UNTIL(info(DEAD).available_count == 2);
	ck_assert_int_eq(look_seen(DEAD, old)->reason, DEAD_TTL);
	ck_assert_int_eq(look_seen(DEAD, used)->reason, DEAD_RECEIVES);
	ck_assert_uint_eq(info(Q).totals.dead_lettered, 2);
}
END_TEST

START_TEST(settings_and_tags_and_target_come_back)
{
	struct call *c = configure_call(Q);

	set_on(c, SETTING_LOCK_TIMEOUT, 11);
	set_on(c, SETTING_DELAY, 12);
	set_on(c, SETTING_TTL, 13);
	set_on(c, SETTING_MAX_RECEIVES, 14);
	set_on(c, SETTING_MAX_MESSAGES, 15);
	set_on(c, SETTING_MAX_BYTES, 16);
	set_on(c, SETTING_MAX_LOCKED, 17);
	set_on(c, SETTING_DEDUP, 1);
	c->op.configure.given |= SETTING_DEAD_LETTER_QUEUE | SETTING_TAGS;
	strcpy(c->op.configure.dead_letter_queue, DEAD);
	c->op.configure.text[QUEUE_TAGS] = "{\"team\":\"a\"}";
	ck_assert_status(c, WQ_OK);
	set(NULL, SETTING_DELAY, 21);
	world_restart();
	ck_assert_int_eq(info(NULL).settings.delay_ms, 21);
	ck_assert_int_eq(delete_queue(DEAD), WQ_IS_TARGET);
	c = call_new(OP_INFO, Q);
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(c->text[QUEUE_TAGS], "{\"team\":\"a\"}");
	ck_assert_str_eq(c->op.info.dead_letter_queue, DEAD);
	ck_assert_int_eq(c->op.info.settings.lock_timeout_ms, 11);
	ck_assert_int_eq(c->op.info.settings.delay_ms, 12);
	ck_assert_int_eq(c->op.info.settings.ttl_ms, 13);
	ck_assert_int_eq(c->op.info.settings.max_receives, 14);
	ck_assert_int_eq(c->op.info.settings.max_messages, 15);
	ck_assert_int_eq(c->op.info.settings.max_bytes, 16);
	ck_assert_int_eq(c->op.info.settings.max_locked, 17);
	ck_assert_int_eq(c->op.info.settings.content_based_dedup, 1);
}
END_TEST

START_TEST(deleted_and_purged_stay_so)
{
	push("gone", "a");
	push_words("purged", "a b");
	receive_one("purged", "a");
	ck_assert_status(configure_call("empty"), WQ_OK);
	ck_assert_int_eq(delete_queue("gone"), WQ_OK);
	purge("purged");
	world_restart();
	ck_assert_str_eq(list("", "", 10), "default empty purged");
	ck_assert_str_eq(drain("purged"), "");
	ck_assert_uint_eq(info("purged").locked_count, 0);
	/* A new one of that name has nothing of the old one. */
	push("gone", "b");
	world_restart();
	ck_assert_str_eq(drain("gone"), "b");
}
END_TEST

START_TEST(totals_go_on)
{
	struct queue_totals before, after;
	struct id id;
	bool duplicate;

	set_target(Q, DEAD, 2);
	push_key(Q, "a", "k", &duplicate);
	push_key(Q, "a", "k", &duplicate);
	id = receive_lock(Q, "a", 1)->id;
	UNTIL(state_of(Q, id) == MESSAGE_AVAILABLE);
	receive_lock(Q, "a", 1);
	UNTIL(state_of(DEAD, id) == MESSAGE_AVAILABLE);
	push(Q, "b");
	ck_assert_str_eq(drain(Q), "b");
	before = info(Q).totals;
	world_restart();
	after = info(Q).totals;
	ck_assert_uint_eq(after.pushed, before.pushed);
	ck_assert_uint_eq(after.received, before.received);
	ck_assert_uint_eq(after.confirmed, before.confirmed);
	ck_assert_uint_eq(after.expired, before.expired);
	ck_assert_uint_eq(after.dead_lettered, before.dead_lettered);
	ck_assert_uint_eq(after.timed_out, before.timed_out);
	ck_assert_uint_eq(after.duplicates, before.duplicates);
	push(Q, "c");
	ck_assert_uint_eq(info(Q).totals.pushed, before.pushed + 1);
}
END_TEST

START_TEST(line_of_pushes_expiries_and_delays_comes_back)
{
	push_words(Q, "a b c");
	receive_lock(Q, "a", 1);
	UNTIL(info(Q).available_count == 3);
	push_delay(Q, "d", 1);
	UNTIL(info(Q).available_count == 4);
	push(Q, "e");
	receive_lock(Q, "b", 1);
	UNTIL(info(Q).available_count == 5);
	push(Q, "f");
	world_restart();
	push(Q, "g");
	ck_assert_str_eq(bodies(peek(Q, 1u << MESSAGE_AVAILABLE)),
	    "c a d e b f g");
	ck_assert_str_eq(drain(Q), "c a d e b f g");
}
END_TEST

START_TEST(locks_that_end_while_it_is_down_end_in_order)
{
	struct call *c = receive_call(Q, 4);
	int64_t until_ns = 0;
	size_t i;

	push_lock(Q, "a", 3 * SOON_MS);
	push_lock(Q, "b", SOON_MS);
	push_lock(Q, "c", 4 * SOON_MS);
	push_lock(Q, "d", 2 * SOON_MS);
	push(Q, "e");
	c->op.receive.lock_ms = -1;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "a b c d");
	for (i = 0; i < 4; i++)
		if (c->seen[i].until_ns > until_ns)
			until_ns = c->seen[i].until_ns;
	world_restart_after(until_ns);
	push(Q, "f");
	ck_assert_uint_eq(info(Q).totals.expired, 4);
	ck_assert_str_eq(drain(Q), "e b d a c f");
}
END_TEST

START_TEST(delay_that_ends_while_it_is_down_gives_its_place)
{
	struct id id = push_delay(Q, "late", 2 * SOON_MS);
	struct call *c = push_call(Q, "early"), *l;
	int64_t until_ns;

	c->op.push.delay_ms = SOON_MS;
	ck_assert_status(c, WQ_OK);
	l = look(Q, id);
	until_ns = l->seen->state == MESSAGE_DELAYED ? l->seen->until_ns : 0;
	world_restart_after(until_ns);
	push(Q, "last");
	UNTIL(info(Q).available_count == 3);
	ck_assert_uint_eq(info(Q).delayed_count, 0);
	ck_assert_str_eq(only('l', drain(Q)), "late last");
}
END_TEST

START_TEST(thousand_messages_come_back_in_order)
{
	struct call *r;
	size_t i;

	ck_assert_status(push_many_call(Q, 1000), WQ_OK);
	r = receive(Q, 500);
	for (i = 0; i < 500; i += 2)
		ck_assert_int_eq(confirm(Q, r->seen[i].id), WQ_OK);
	world_restart();
	ck_assert_uint_eq(info(Q).locked_count, 250);
	ck_assert_uint_eq(info(Q).available_count, 500);
	for (i = 1; i < 500; i += 2)
		ck_assert_int_eq(extend(Q, r->seen[i].id, 0), WQ_OK);
	world_restart();
	r = receive(Q, 1000);
	ck_assert_uint_eq(r->count, 750);
	for (i = 0; i < 750; i++)
		ck_assert_str_eq(r->seen[i].body, world_text("%zu",
		    i < 500 ? 500 + i : 2 * (i - 500) + 1));
}
END_TEST

TCase *
restart_tests(void)
{
	TCase *t = tcase_create("restart");

	tcase_add_test(t, available_messages_come_back_in_order);
	tcase_add_test(t, message_comes_back_as_it_was);
	tcase_add_test(t, odd_and_large_bodies_come_back);
	tcase_add_test(t, lock_comes_back_with_its_end);
	tcase_add_test(t, extended_lock_comes_back_with_its_end);
	tcase_add_test(t, locked_message_can_be_confirmed_and_extended);
	tcase_add_test(t, stale_receipt_stays_stale);
	tcase_add_test(t, receives_are_counted_on);
	tcase_add_test(t, released_message_comes_back_as_never_received);
	tcase_add_test(t, message_that_was_given_back_keeps_its_place);
	tcase_add_test(t, confirmed_message_does_not_come_back);
	tcase_add_test(t, own_lock_time_comes_back);
	tcase_add_test(t, delay_comes_back_with_its_end);
	tcase_add_test(t, ttl_goes_on);
	tcase_add_test(t, ttl_of_a_locked_message_goes_on);
	tcase_add_test(t, repeats_are_known);
	tcase_add_test(t, groups_keep_their_order_and_their_locks);
	tcase_add_test(t,
	    place_in_a_group_is_kept_when_a_lock_ends_meanwhile);
	tcase_add_test(t, pause_comes_back);
	tcase_add_test(t, dead_letter_comes_back_with_its_source);
	tcase_add_test(t, messages_die_while_it_is_down);
	tcase_add_test(t, settings_and_tags_and_target_come_back);
	tcase_add_test(t, deleted_and_purged_stay_so);
	tcase_add_test(t, totals_go_on);
	tcase_add_test(t, line_of_pushes_expiries_and_delays_comes_back);
	tcase_add_test(t, locks_that_end_while_it_is_down_end_in_order);
	tcase_add_test(t, delay_that_ends_while_it_is_down_gives_its_place);
	tcase_add_test(t, thousand_messages_come_back_in_order);
	return t;
}
