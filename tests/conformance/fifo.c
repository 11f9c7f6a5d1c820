/* FIFO queues: strict order within a group, and groups side by side. */
#include "suites.h"
#include "verbs.h"

#define F	"orders.fifo"

/* Words are bodies, and their first letters are their groups. */
static void
push_groups(const char *words)
{
	size_t n;

	for (; *words != '\0'; words += n) {
		words += strspn(words, " ");
		n = strcspn(words, " ");
		push_group(F, world_text("%.*s", (int)n, words),
		    world_text("%c", *words));
	}
}

START_TEST(messages_without_a_group_are_one_group)
{
	push_words(F, "a b c");
	receive_one(F, "a");
	ck_assert_uint_eq(receive(F, 10)->count, 0);
}
END_TEST

START_TEST(group_waits_while_one_of_it_is_locked)
{
	struct seen *s;

	push_groups("a1 a2 b1");
	s = receive_one(F, "a1");
	receive_one(F, "b1");
	ck_assert_uint_eq(receive(F, 10)->count, 0);
	ck_assert_status(confirm_call(F, s), WQ_OK);
	receive_one(F, "a2");
}
END_TEST

START_TEST(groups_are_received_side_by_side)
{
	push_groups("a1 b1 a2 c1 b2");
	ck_assert_str_eq(bodies(receive(F, 1)), "a1");
	ck_assert_str_eq(bodies(receive(F, 1)), "b1");
	ck_assert_str_eq(bodies(receive(F, 1)), "c1");
	ck_assert_uint_eq(receive(F, 10)->count, 0);
}
END_TEST

START_TEST(one_receive_takes_several_of_a_group_in_order)
{
	struct call *r;

	push_groups("a1 a2 b1 a3 b2");
	r = receive(F, 10);
	ck_assert_str_eq(only('a', bodies(r)), "a1 a2 a3");
	ck_assert_str_eq(only('b', bodies(r)), "b1 b2");
}
END_TEST

START_TEST(group_waits_for_all_of_it_that_are_locked)
{
	struct call *r;

	push_groups("a1 a2 a3");
	r = receive(F, 2);
	ck_assert_str_eq(bodies(r), "a1 a2");
	ck_assert_status(confirm_call(F, &r->seen[0]), WQ_OK);
	ck_assert_uint_eq(receive(F, 10)->count, 0);
	ck_assert_status(confirm_call(F, &r->seen[1]), WQ_OK);
	receive_one(F, "a3");
}
END_TEST

START_TEST(expired_message_goes_back_to_its_place)
{
	push_groups("a1 a2 b1");
	receive_lock(F, "a1", 1);
	UNTIL(info(F).available_count == 3);
	ck_assert_str_eq(only('a', bodies(peek(F, STATES_ALL))), "a1 a2");
	ck_assert_str_eq(only('a', drain(F)), "a1 a2");
}
END_TEST

START_TEST(several_expired_ones_go_back_to_their_places)
{
	struct call *c = receive_call(F, 3);
	size_t i;

	for (i = 0; i < 5; i++)
		push_lock(F, world_text("%zu", i), (int64_t)(5 - i) * 10);
	c->op.receive.lock_ms = -1;
	ck_assert_status(c, WQ_OK);
	ck_assert_str_eq(bodies(c), "0 1 2");
	UNTIL(info(F).available_count == 5);
	ck_assert_str_eq(drain(F), "0 1 2 3 4");
}
END_TEST

START_TEST(group_goes_on_behind_what_is_given_back)
{
	struct call *r;

	push_groups("a1 a2 a3");
	r = receive(F, 2);
	ck_assert_status(extend_call(F, &r->seen[1], 0), WQ_OK);
	ck_assert_uint_eq(receive(F, 10)->count, 0);
	ck_assert_status(confirm_call(F, &r->seen[0]), WQ_OK);
	ck_assert_str_eq(drain(F), "a2 a3");
}
END_TEST

START_TEST(released_message_is_the_next_of_its_group)
{
	struct seen *s;

	push_groups("a1 a2");
	s = receive_one(F, "a1");
	release(F, s);
	ck_assert_str_eq(drain(F), "a1 a2");
}
END_TEST

START_TEST(dead_letter_makes_way_for_its_group)
{
	set_target(F, "dead.fifo", 1);
	push_groups("a1 a2");
	receive_lock(F, "a1", 1);
	UNTIL(info("dead.fifo").available_count == 1);
	receive_one(F, "a2");
	ck_assert_str_eq(drain("dead.fifo"), "a1");
}
END_TEST

START_TEST(redrive_puts_letters_behind_their_group_in_order)
{
	struct call *c = receive_call(F, 3);

	set_target(F, "dead.fifo", 1);
	push_groups("a1 a2 a3");
	c->op.receive.lock_ms = 1;
	ck_assert_status(c, WQ_OK);
	UNTIL(info("dead.fifo").available_count == 3);
	push_groups("a4");
	ck_assert_uint_eq(redrive("dead.fifo", NULL, 10), 3);
	ck_assert_str_eq(drain(F), "a4 a1 a2 a3");
}
END_TEST

START_TEST(end_of_ttl_makes_way_for_its_group)
{
	struct call *c = push_call(F, "a");

	c->op.push.ttl_ms = 4 * SOON_MS;
	ck_assert_status(c, WQ_OK);
	push(F, "b");
	receive(F, 1);
	UNTIL(state_of(F, c->op.push.bodies[0].id) == MESSAGE_GONE);
	ck_assert_str_eq(drain(F), "b");
}
END_TEST

START_TEST(message_has_no_delay_of_its_own)
{
	struct call *c = push_call(F, "a");

	push(F, "b");
	c->op.push.delay_ms = 10;
	ck_assert_status(c, WQ_NO_DELAY);
	ck_assert_str_eq(drain(F), "b");
}
END_TEST

START_TEST(delay_of_the_queue_keeps_the_order)
{
	set(F, SETTING_DELAY, 2 * SOON_MS);
	push(F, "a");
	set(F, SETTING_DELAY, 0);
	/* Nothing overtakes what is delayed. */
	push(F, "b");
	UNTIL(info(F).available_count == 2);
	ck_assert_str_eq(drain(F), "a b");
}
END_TEST

START_TEST(repeat_is_one_also_after_the_confirm_and_for_a_group)
{
	bool duplicate;

	push_groups("a1");
	push_key(F, "b", "k", &duplicate);
	ck_assert_uint_eq(strlen(drain(F)), 4);
	push_key(F, "b", "k", &duplicate);
	ck_assert(duplicate);
	ck_assert_str_eq(drain(F), "");
}
END_TEST

START_TEST(confirm_with_a_receipt_after_expiry_keeps_the_order)
{
	struct seen *s;

	push_groups("a1 a2 a3");
	s = receive_lock(F, "a1", 1);
	UNTIL(info(F).available_count == 3);
	ck_assert_status(confirm_call(F, s), WQ_OK);
	ck_assert_str_eq(drain(F), "a2 a3");
}
END_TEST

START_TEST(purge_makes_way_for_all_groups)
{
	push_groups("a1 a2 b1");
	receive(F, 1);
	purge(F);
	push_groups("a3 b2");
	ck_assert_str_eq(only('a', drain(F)), "a3");
	ck_assert_uint_eq(info(F).available_count, 0);
}
END_TEST

/* Many groups, all their messages expiring again and again. */
START_TEST(order_within_groups_is_kept_across_many_expiries)
{
	const char *words = "";
	struct call *c;
	char g;
	int i;

	for (i = 1; i <= 8; i++)
		for (g = 'a'; g <= 'j'; g++)
			push_groups(world_text("%c%d", g, i));
	for (i = 0; i < 40; i++) {
		c = receive_call(F, 3);
		c->op.receive.lock_ms = i % 7;
		ck_assert_status(c, WQ_OK);
	}
	UNTIL(info(F).available_count == 80);
	words = drain(F);
	for (g = 'a'; g <= 'j'; g++)
		ck_assert_str_eq(only(g, words), world_text("%c1 %c2 %c3 "
		    "%c4 %c5 %c6 %c7 %c8", g, g, g, g, g, g, g, g));
}
END_TEST

TCase *
fifo_tests(void)
{
	TCase *t = tcase_create("fifo");

	tcase_add_test(t, messages_without_a_group_are_one_group);
	tcase_add_test(t, group_waits_while_one_of_it_is_locked);
	tcase_add_test(t, groups_are_received_side_by_side);
	tcase_add_test(t, one_receive_takes_several_of_a_group_in_order);
	tcase_add_test(t, group_waits_for_all_of_it_that_are_locked);
	tcase_add_test(t, expired_message_goes_back_to_its_place);
	tcase_add_test(t, several_expired_ones_go_back_to_their_places);
	tcase_add_test(t, group_goes_on_behind_what_is_given_back);
	tcase_add_test(t, released_message_is_the_next_of_its_group);
	tcase_add_test(t, dead_letter_makes_way_for_its_group);
	tcase_add_test(t, redrive_puts_letters_behind_their_group_in_order);
	tcase_add_test(t, end_of_ttl_makes_way_for_its_group);
	tcase_add_test(t, message_has_no_delay_of_its_own);
	tcase_add_test(t, delay_of_the_queue_keeps_the_order);
	tcase_add_test(t,
	    repeat_is_one_also_after_the_confirm_and_for_a_group);
	tcase_add_test(t,
	    confirm_with_a_receipt_after_expiry_keeps_the_order);
	tcase_add_test(t, purge_makes_way_for_all_groups);
	tcase_add_test(t,
	    order_within_groups_is_kept_across_many_expiries);
	return t;
}
