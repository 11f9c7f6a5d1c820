/*
 * Long random sequences of all verbs on the core and on a naive model of
 * plain arrays: several queues of all kinds, and a clock that the test holds.
 * Results, order, counts, states and totals must agree after each step.
 *
 *	model_queue [steps [seed]]
 *
 * The seed is printed; give it again to see the same run.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "model.h"
#include "verbs.h"

#define STEPS		40000	/* about 5 s with sanitizers */
#define GONE_KEPT	64
#define MS		1000000

int64_t		now_ns = 1000 * MS, step;
uint64_t	events[EVENTS];
static uint64_t	random_state, seed;
static struct id	gone[GONE_KEPT];
static size_t	pace;		/* of the clock, now */

static const char *const	event_names[EVENTS] = {
	"pushed", "repeated", "refused: delay", "refused: messages",
	"refused: bytes", "refused: memory", "refused for ever", "delayed",
	"delay ended",
	"delay raised in a FIFO queue", "delay lengthened",
	"delay shortened", "received", "received by bytes",
	"several of a FIFO group", "noisy group overtaken",
	"max_locked reached", "nothing while paused", "nothing from blocked",
	"partial expiry", "expired", "confirmed", "confirmed late",
	"confirmed too late", "confirmed as a dead letter",
	"confirmed in many", "not locked", "no message", "stale",
	"stale by one", "extended", "beyond what may be",
	"given back", "released",
	"released too late", "dead by receives", "dead by ttl", "dead twice",
	"timed out", "too old", "too old when it came back",
	"retention changed", "dedup ended", "redriven home", "redriven to",
	"redriven in part", "renamed", "letter stuck", "waited", "served",
	"wait ended",
	"unwaited", "deleted with waiters", "purged", "paused", "resumed",
	"made", "target made", "deleted empty", "deleted full",
	"delete of the default", "delete of a target",
	"deleted with sources", "configured", "cycle",
	"no target", "bad target", "restarted", "restarted in a crowd",
	"orphan",
	"blocked seen", "pages seen", "page lost",
	"listed"
};

uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

size_t
below(size_t n)
{
	return (size_t)((next_random() >> 16) % n);
}

bool
chance(size_t one_of)
{
	return below(one_of) == 0;
}

/* Few durations often, all others now and then. */
int64_t
some_ms(void)
{
	static const int64_t few[] = { 0, 1, 5, 20, 100, 300, 1000, 3000 };

	return chance(4) ? (int64_t)below(5000) : few[below(8)];
}

void
happened(enum event e)
{
	events[e]++;
}

void
fail(const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	fprintf(stderr, "step %" PRId64 ", seed %" PRIu64 ": ", step, seed);
	vfprintf(stderr, what, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

int
some_queue(void)
{
	int queue;

	do
		queue = (int)below(QUEUES);
	while (!naive.queues[queue].exists);
	return queue;
}

struct naive_message *
some_message(enum message_state state)
{
	size_t from, i;
	struct naive_message *m;

	if (naive.count == 0)
		return NULL;
	from = below(naive.count);
	for (i = 0; i < naive.count; i++) {
		m = &naive.messages[(from + i) % naive.count];
		if (m->state == state)
			return m;
	}
	return NULL;
}

struct naive_message *
any_message(void)
{
	return naive.count > 0 ? &naive.messages[below(naive.count)] : NULL;
}

struct id
gone_id(void)
{
	return gone[below(GONE_KEPT)];
}

void
remember_gone(const struct id *id)
{
	gone[below(GONE_KEPT)] = *id;
}

/* At times it stands still, at times five minutes are gone. */
static void
tick(void)
{
	static const size_t most[] = { 2, 1000, 2 * MS, 20 * MS, 200 * MS };

	if (step % 256 == 0)
		pace = below(sizeof(most) / sizeof(most[0]));
	if (chance(60))
		now_ns += (int64_t)below(1500) * MS;
	else if (chance(1500))
		now_ns += (int64_t)below(400000) * MS;
	else
		now_ns += (int64_t)below(most[pace]);
}

/*
 * A crowd of deadlines: only some take effect before an op.  A receive finds
 * the exact order all the same, but for which groups are noisy, and which group
 * of a FIFO queue is first where one comes free or loses its first, which may
 * be too old.
 */
static bool
is_plain(int queue)
{
	const struct naive_message *m;

	if (!naive.queues[queue].fifo)
		return naive_count(queue, MESSAGE_LOCKED) < 22;
	for (m = naive.messages; m < naive.messages + naive.count; m++)
		if (m->queue == queue && (m->state == MESSAGE_LOCKED ||
		    m->ttl.due_ns != 0 || (m->receives > 0 &&
		    naive_retains(queue))))
			return false;
	return true;
}

/*
 * The model counts what is due in another way where messages grow too old, so
 * the core goes as far as the model did, to an instant.
 */
static void
expire(size_t max)
{
	int64_t last_ns = naive_expire(now_ns, max);

	core_expire(max == SIZE_MAX ? now_ns : last_ns, SIZE_MAX);
}

void
expire_all(void)
{
	expire(SIZE_MAX);
}

bool
may_retain(int queue)
{
	return queue != 1 && queue != 3 && queue != 6;
}

/* What a queue that is not free yet has is due too, unknown to the model. */
static void
expire_some(size_t most)
{
	expire(core_reap(0) ? SIZE_MAX : below(most));
}

/* It waits until all that is due has taken effect. */
static void
redrive_in_crowd(void)
{
	core_expire(now_ns, below(4));
	naive_expire(now_ns, SIZE_MAX);
	do_redrive();
}

static void
receive_in_crowd(int queue)
{
	bool plain = is_plain(queue);

	if (chance(4))
		now_ns += (int64_t)below(300) * MS;
	naive_expire(now_ns - 1, SIZE_MAX);
	/* What is due just now may wait, or not. */
	if (!plain || naive_next_due_ns() <= now_ns)
		expire(SIZE_MAX);
	else {
		core_expire(now_ns, below(4));
		happened(PARTIAL_EXPIRY);
	}
	/* More may make a group noisy, or go on with one of a FIFO queue. */
	do_receive(queue, queue == 1 || naive.queues[queue].fifo);
}

/* The queue whose locks are to be many comes more often. */
static int
busy_queue(void)
{
	return naive.queues[1].exists && chance(3) ? 1 : some_queue();
}

static void
rare_step(void)
{
	switch (below(40)) {
	case 0: case 1:
		do_delete();
		break;
	case 2:
		do_purge();
		break;
	case 3: case 4:
		check_list();
		break;
	case 5: case 6: case 7:
		check_page_lost();
		break;
	case 8: case 9: case 10: case 11: case 12: case 13:
		do_make();
		break;
	case 14: case 15: case 16: case 17: case 18: case 19:
		do_pause();
		break;
	case 20: case 21: case 22: case 23: case 24: case 25:
		check_pages(some_queue());
		break;
	case 26: case 27: case 28: case 29: case 30: case 31: case 32:
		do_redrive();
		break;
	default:
		do_configure();
		break;
	}
}

static void
common_step(size_t what)
{
	switch (what) {
	case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7:
		do_push(busy_queue());
		break;
	case 8: case 9: case 10: case 11: case 12: case 13: case 14:
		do_receive(busy_queue(), false);
		break;
	case 15: case 16:
		do_confirm();
		break;
	case 17:
		do_confirm_many();
		break;
	case 18: case 19:
		do_extend();
		break;
	case 20:
		do_release();
		break;
	case 21: case 22:
		do_wait(some_queue());
		break;
	case 23:
		do_unwait();
		break;
	default:
		rare_step();
		break;
	}
}

static void
check_step(void)
{
	const struct naive_message *m = any_message();
	int queue;

	if (m != NULL)
		check_look(m);
	check_due();
	/* An info may bring into order what a receive should: not always. */
	if ((step & 256) != 0 && step % 32 != 0)
		return;
	for (queue = 0; queue < QUEUES; queue++) {
		if (!naive.queues[queue].exists) {
			if (core_queue(queue) != NULL)
				fail("a queue is there that should not be");
			continue;
		}
		check_counts(queue);
		if (step % 16 == queue)
			core_check(queue);
	}
}

static void
one_step(void)
{
	tick();
	if (chance(150)) {
		if (chance(2))
			expire_some(4);
		do_restart(naive_next_due_ns() <= now_ns);
		expire(SIZE_MAX);	/* keys are kept for longer, too */
	}
	/* A push may come while only some of what is due was let in. */
	if (chance(10)) {
		expire_some(3);
		do_push(some_queue());
		now_ns++;
	}
	if (chance(8))
		receive_in_crowd(chance(2) ? 0 : some_queue());
	if (chance(100))
		redrive_in_crowd();
	expire(SIZE_MAX);
	common_step(below(30));
	expire(SIZE_MAX);
	/* Those that wait may be served later. */
	if (!chance(6)) {
		serve();
		expire(SIZE_MAX);	/* locks of no time */
	}
	check_step();
	if (chance(3))
		core_commit(now_ns);
}

static void
check_events(void)
{
	int i;

	for (i = 0; i < EVENTS; i++)
		if (events[i] == 0)
			fail("it never happened: %s", event_names[i]);
}

int
main(int argc, char **argv)
{
	struct queue_settings defaults = { .lock_timeout_ms = 1000 };
	int64_t steps = argc > 1 ? atoll(argv[1]) : STEPS;
	int i;

	id_random(&seed, sizeof(seed));
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	/* Odd times odd: each seed has a run of its own, and none is 0. */
	random_state = (seed * 2 + 1) * UINT64_C(0x9e3779b97f4a7c15);
	printf("model_queue: %" PRId64 " steps, seed %" PRIu64 "\n", steps,
	    seed);
	fflush(stdout);
	naive_init(&defaults);
	core_open(&defaults, seed);
	for (i = 0; i < 60; i++)
		do_make();
	for (step = 0; step < steps; step++)
		one_step();
	delete_all();
	release_all_refs();
	core_check_empty();
	core_close();
	if (steps >= STEPS)
		check_events();
	return 0;
}
