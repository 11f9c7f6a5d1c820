/* Messages that a task gives other ids, and what those who hold them see. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/id.h"
#include "suites.h"
#include "verbs.h"

#define Q	"jobs"
#define F	"orders.fifo"
#define DEAD	"letters"

static struct call *
task_call(const char *letters, const char *to)
{
	struct call *c = call_new(OP_TASK_START, letters);

	c->op.task_start.to = to;
	c->op.task_start.id = id_new();
	return c;
}

/* Move all letters of a queue; so many are in `at` then. */
static void
move(const char *letters, const char *to, const char *at, size_t n)
{
	ck_assert_status(task_call(letters, to), WQ_OK);
	UNTIL(info(letters).available_count == 0);
	ck_assert_uint_eq(info(at).available_count, n);
}

/* The id of one in queue that is a letter by then. */
static struct id
make_letter(const char *queue, const char *letters, const char *body,
    const char *group)
{
	struct call *c = push_call(queue, body);
	struct id id;

	set_target(queue, letters, 1);
	set_group(c, group);
	c->op.push.bodies[0].attributes = "{\"a\":1}";
	c->op.push.bodies[0].attributes_bytes = 7;
	ck_assert_status(c, WQ_OK);
	id = c->op.push.bodies[0].id;
	receive_lock(queue, body, 1);
	world_pass(1);
	UNTIL(state_of(letters, id) == MESSAGE_AVAILABLE);
	return id;
}

START_TEST(task_gives_what_it_moves_other_ids)
{
	struct id old = make_letter(Q, DEAD, "a", "g");
	struct seen *s;

	move(DEAD, NULL, Q, 1);
	ck_assert_int_eq(state_of(Q, old), MESSAGE_GONE);
	ck_assert_int_eq(state_of(DEAD, old), MESSAGE_GONE);
	ck_assert_int_eq(confirm(Q, old), WQ_NO_MESSAGE);
	s = receive_one(Q, "a");
	ck_assert_mem_ne(s->id.bytes, old.bytes, sizeof(old.bytes));
	ck_assert_str_eq(s->group, "g");
	ck_assert_str_eq(s->attributes, "{\"a\":1}");
	ck_assert_uint_eq(s->receives, 1);
	ck_assert(!s->is_letter);
	ck_assert_status(confirm_call(Q, s), WQ_OK);
	ck_assert_int_eq(state_of(Q, s->id), MESSAGE_GONE);
	world_restart();
	ck_assert_uint_eq(info(Q).available_count, 0);
}
END_TEST

START_TEST(redrive_leaves_ids_alone)
{
	struct id id = make_letter(Q, DEAD, "a", "g");

	ck_assert_uint_eq(redrive(DEAD, NULL, 1), 1);
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
	world_restart();
	ck_assert_int_eq(state_of(Q, id), MESSAGE_AVAILABLE);
}
END_TEST

START_TEST(other_ids_come_back)
{
	struct id old = make_letter(Q, DEAD, "a", "g"), id;

	ck_assert_status(configure_call("to"), WQ_OK);
	move(DEAD, "to", "to", 1);
	id = peek("to", STATES_ALL)->seen->id;
	world_restart();
	ck_assert_int_eq(state_of("to", id), MESSAGE_AVAILABLE);
	ck_assert_int_eq(state_of("to", old), MESSAGE_GONE);
	ck_assert_id(receive_one("to", "a")->id, id);
	world_restart();
	ck_assert_int_eq(confirm("to", id), WQ_OK);
	world_restart();
	ck_assert_int_eq(state_of("to", id), MESSAGE_GONE);
	ck_assert_uint_eq(info("to").locked_count, 0);
}
END_TEST

START_TEST(letters_of_a_fifo_queue_get_other_ids_and_keep_their_order)
{
	struct id old = make_letter(F, "letters.fifo", "a", "g");
	struct call *c;

	make_letter(F, "letters.fifo", "b", "h");
	make_letter(F, "letters.fifo", "c", "g");
	push_group(F, "d", "g");
	move("letters.fifo", NULL, F, 4);
	world_restart();
	ck_assert_int_eq(state_of(F, old), MESSAGE_GONE);
	c = receive(F, 3);
	ck_assert_str_eq(bodies(c), "d a c");
	ck_assert_int_gt(c->seen[1].pushed_ns, 0);
}
END_TEST

START_TEST(task_goes_to_queues_of_its_kind_only)
{
	make_letter(Q, DEAD, "a", "g");
	make_letter(F, "letters.fifo", "b", "g");
	ck_assert_status(task_call(DEAD, F), WQ_TARGET_KIND);
	ck_assert_status(task_call("letters.fifo", Q), WQ_TARGET_KIND);
	ck_assert_uint_eq(info(DEAD).available_count, 1);
	/* There is none that runs. */
	move(DEAD, Q, Q, 1);
	move("letters.fifo", F, F, 1);
}
END_TEST

START_TEST(delivery_tells_the_id_of_its_receive)
{
	struct id old = make_letter(Q, DEAD, "a", "g");
	const struct delivery *d = receive_lock(DEAD, "a", 1)->delivery;

	world_pass(1);
	UNTIL(state_of(DEAD, old) == MESSAGE_AVAILABLE);
	move(DEAD, NULL, Q, 1);
	ck_assert_mem_ne(d->message->id.bytes, old.bytes, sizeof(old.bytes));
	ck_assert_ptr_null(message_dead_letter(d->message));
	ck_assert_id(d->id, old);
	ck_assert(d->is_dead);
	/* What is released is what it was, and not there any more. */
	receive_one(Q, "a");
	ck_assert_uint_eq(info(Q).locked_count, 1);
}
END_TEST

START_TEST(delivery_tells_the_place_of_its_receive)
{
	const struct delivery *d;
	struct id id;
	int64_t pushed_ns;

	set_target(F, "letters.fifo", 1);
	id = push(F, "a");
	pushed_ns = look(F, id)->seen->delivery->pushed_ns;
	d = receive_lock(F, "a", 1)->delivery;
	ck_assert_int_eq(d->pushed_ns, pushed_ns);
	ck_assert(!d->is_dead);
	world_pass(1);
	UNTIL(state_of("letters.fifo", id) == MESSAGE_AVAILABLE);
	ck_assert_int_gt(d->message->pushed_ns, pushed_ns);
	ck_assert_int_eq(d->pushed_ns, pushed_ns);
	ck_assert(!d->is_dead);
	/* There it has another place, and is a letter. */
	d = receive_one("letters.fifo", "a")->delivery;
	ck_assert_int_gt(d->pushed_ns, pushed_ns);
	ck_assert(d->is_dead);
}
END_TEST

START_TEST(many_get_other_ids_over_a_restart)
{
	struct call *c = push_many_call(Q, 500);
	size_t i;

	set_target(Q, DEAD, 1);
	ck_assert_status(c, WQ_OK);
	c = receive_call(Q, 500);
	c->op.receive.lock_ms = 1;
	ck_assert_status(c, WQ_OK);
	world_pass(1);
	UNTIL(info(DEAD).available_count == 500);
	c = task_call(DEAD, NULL);
	c->op.task_start.rate = 100;
	ck_assert_status(c, WQ_OK);
	world_pass(2000);
	UNTIL(info(DEAD).available_count <= 300);
	world_restart();
	world_pass(10000);
	UNTIL(info(DEAD).available_count == 0);
	world_restart();
	c = receive(Q, 500);
	ck_assert_uint_eq(c->count, 500);
	for (i = 0; i < 500; i++) {
		ck_assert_int_eq(atoi(c->seen[i].body), (int)i);
		ck_assert_status(confirm_call(Q, &c->seen[i]), WQ_OK);
	}
}
END_TEST

TCase *
rename_tests(void)
{
	TCase *t = tcase_create("renamed");

	tcase_add_test(t, task_gives_what_it_moves_other_ids);
	tcase_add_test(t, redrive_leaves_ids_alone);
	tcase_add_test(t, other_ids_come_back);
	tcase_add_test(t,
	    letters_of_a_fifo_queue_get_other_ids_and_keep_their_order);
	tcase_add_test(t, task_goes_to_queues_of_its_kind_only);
	tcase_add_test(t, delivery_tells_the_id_of_its_receive);
	tcase_add_test(t, delivery_tells_the_place_of_its_receive);
	tcase_add_test(t, many_get_other_ids_over_a_restart);
	return t;
}
