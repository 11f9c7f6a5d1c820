/*
 * Long random sequences of all verbs on a queue and on a naive one of plain
 * arrays; results, order and counts must agree after each step.
 *
 *	model_queue [steps [seed]]
 *
 * The seed is printed; give it again to see the same run.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "core/coming.h"
#include "core/queue.h"
#include "core/registry.h"

#define LIVE_MAX	400
#define BATCH_MAX	8
#define GONE_KEPT	64
#define LOCK_MS		1000

struct naive {
	struct id id;
	int64_t pushed;			/* step of its push */
	int64_t available_ns;
	int64_t due_ns;			/* of its lock, else 0 */
	int64_t locked;			/* step of its lock */
	uint32_t receives, receipt;
	uint32_t old_receives, old_receipt;	/* the receive before */
};

static struct naive	model[LIVE_MAX];
static size_t		live;
static struct id	gone[GONE_KEPT];
static uint64_t		random_state, seed;
static int64_t		now_ns = 1000000000, step;
static uint64_t		pushed, received, confirmed, expired;
static const struct push_terms	plain = { .lock_ms = -1 };
static struct registry	*registry;
static struct queue	*queue;

static uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static size_t
below(size_t n)
{
	return (size_t)(next_random() % n);
}

static void __attribute__((noreturn, format(printf, 1, 2)))
fail(const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	fprintf(stderr, "step %lld, seed %llu: ", (long long)step,
	    (unsigned long long)seed);
	vfprintf(stderr, what, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* The naive queue has no timers: it looks at all each time. */
static void
naive_expire(void)
{
	struct naive *m;

	for (m = model; m < model + live; m++)
		if (m->due_ns != 0 && m->due_ns <= now_ns) {
			m->available_ns = m->due_ns;
			m->due_ns = 0;
			expired++;
		}
}

static struct naive *
naive_next(void)
{
	struct naive *m, *best = NULL;

	for (m = model; m < model + live; m++)
		if (m->due_ns == 0 && (best == NULL ||
		    m->available_ns < best->available_ns ||
		    (m->available_ns == best->available_ns &&
		    m->locked < best->locked)))
			best = m;
	return best;
}

static void
naive_drop(struct naive *m)
{
	gone[below(GONE_KEPT)] = m->id;
	*m = model[--live];
}

static void
do_push(void)
{
	struct message *m;
	struct naive *n;
	char body[32];

	if (live == LIVE_MAX)
		return;
	snprintf(body, sizeof(body), "%lld", (long long)step);
	if ((m = message_new(id_new(), body, strlen(body))) == NULL)
		fail("no memory");
	n = &model[live++];
	memset(n, 0, sizeof(*n));
	n->id = m->id;
	n->pushed = step;
	queue_push(queue, m, &plain, now_ns);
	n->available_ns = m->pushed_ns;
	pushed++;
}

static void
do_receive(void)
{
	static const int64_t few[] = { -1, 0, 1, 5, 1000, 3000 };
	struct delivery out[BATCH_MAX];
	size_t max = 1 + below(BATCH_MAX), n, i;
	/* Now and then a duration of its own: lanes are few. */
	int64_t lock_ms = below(4) == 0 ? (int64_t)below(5000) :
	    few[below(6)], lock_ns;
	struct naive *m;

	if (queue_receive(queue, max, SIZE_MAX, lock_ms, now_ns, out, &n) !=
	    WQ_OK)
		fail("receive failed");
	lock_ns = (lock_ms < 0 ? LOCK_MS : lock_ms) * 1000000;
	for (i = 0; i < n; i++, step++) {
		if ((m = naive_next()) == NULL)
			fail("received what is not available");
		if (memcmp(&m->id, &out[i].message->id, sizeof(m->id)) != 0)
			fail("out of order: got %.*s, not %lld",
			    (int)out[i].message->body_bytes,
			    out[i].message->body, (long long)m->pushed);
		m->old_receives = m->receives;
		m->old_receipt = m->receipt;
		if (out[i].receives != ++m->receives)
			fail("receives is %u, not %u", out[i].receives,
			    m->receives);
		m->receipt = out[i].receipt;
		/* A lock of no length is over at once, but in its turn. */
		m->due_ns = now_ns + lock_ns;
		m->locked = step;
		if (out[i].until_ns != m->due_ns)
			fail("wrong end of the lock");
		message_unref(out[i].message);
		received++;
	}
	if (n < max && naive_next() != NULL)
		fail("one that is available was not received");
}

static struct op_receipt
some_receipt(const struct naive *m)
{
	struct op_receipt r = { .given = false };

	if (below(2) == 0 || m->receives == 0)
		return r;
	r.given = true;
	if (below(3) == 0 && m->old_receives > 0) {
		r.receives = m->old_receives;
		r.receipt = m->old_receipt;
	} else {
		r.receives = m->receives;
		r.receipt = m->receipt;
	}
	return r;
}

static enum wq_status
expected(const struct naive *m, const struct op_receipt *r, bool extend)
{
	bool locked = m->due_ns > now_ns;

	if (r->given && r->receipt != m->receipt)
		return WQ_STALE_RECEIPT;
	if (!locked && (extend || !r->given))
		return WQ_NOT_LOCKED;
	return WQ_OK;
}

static void
do_confirm(void)
{
	struct naive *m;
	struct op_confirm c;
	enum wq_status want, got;

	memset(&c, 0, sizeof(c));
	if (live == 0 || below(10) == 0) {
		c.id = gone[below(GONE_KEPT)];
		if (queue_confirm(queue, &c, now_ns) != WQ_NO_MESSAGE)
			fail("confirmed what is gone");
		return;
	}
	m = &model[below(live)];
	c.id = m->id;
	c.receipt = some_receipt(m);
	want = expected(m, &c.receipt, false);
	if ((got = queue_confirm(queue, &c, now_ns)) != want)
		fail("confirm is %d, not %d", got, want);
	if (got == WQ_STALE_RECEIPT &&
	    c.receives_since != m->receives - c.receipt.receives)
		fail("receives since: %u", c.receives_since);
	if (got == WQ_OK) {
		confirmed++;
		naive_drop(m);
	}
}

static void
do_extend(void)
{
	struct naive *m;
	struct op_extend e;
	enum wq_status want, got;

	if (live == 0)
		return;
	m = &model[below(live)];
	memset(&e, 0, sizeof(e));
	e.id = m->id;
	e.receipt = some_receipt(m);
	e.lock_ms = (int64_t)below(4) * (int64_t)below(2000);
	want = expected(m, &e.receipt, true);
	if ((got = queue_extend(queue, &e, now_ns)) != want)
		fail("extend is %d, not %d", got, want);
	if (got != WQ_OK)
		return;
	m->locked = step;
	if (e.lock_ms > 0)
		m->due_ns = now_ns + e.lock_ms * 1000000;
	else {
		m->due_ns = 0;
		m->available_ns = now_ns;
	}
}

static void
do_look(void)
{
	struct naive *m;
	struct op_look l;

	if (live == 0)
		return;
	m = &model[below(live)];
	memset(&l, 0, sizeof(l));
	l.id = m->id;
	if (queue_look(queue, &l) != WQ_OK)
		fail("a live message is not there");
	if ((l.out.state == MESSAGE_LOCKED) != (m->due_ns != 0) ||
	    l.out.receives != m->receives)
		fail("look shows another state");
	message_unref(l.out.message);
}

static void
check_counts(void)
{
	struct queue_info info;
	size_t locked = 0, i;

	for (i = 0; i < live; i++)
		locked += model[i].due_ns != 0;
	queue_info(queue, &info);
	if (info.locked_count != locked ||
	    info.available_count != live - locked)
		fail("counts %zu %zu, not %zu %zu", info.available_count,
		    info.locked_count, live - locked, locked);
	if (info.totals.pushed != pushed || info.totals.received != received ||
	    info.totals.confirmed != confirmed || info.totals.expired != expired)
		fail("totals differ");
}

static void
one_step(void)
{
	size_t what;

	/* Odd, so that no two deadlines of different steps are equal. */
	now_ns += (int64_t)(1 + 2 * below(below(20) == 0 ? 400000000 :
	    4000000));
	/* A push may come while only some of what is due was let in. */
	if (below(8) == 0) {
		registry_expire(registry, now_ns, below(3));
		do_push();
		now_ns++;
	}
	what = below(10);
	/* A receive finds the order also where not all was let in. */
	registry_expire(registry, now_ns, what >= 3 && what <= 5 ?
	    below(4) : SIZE_MAX);
	naive_expire();
	switch (what) {
	case 0: case 1: case 2:
		do_push();
		break;
	case 3: case 4: case 5:
		do_receive();
		break;
	case 6: case 7:
		do_confirm();
		break;
	case 8:
		do_extend();
		break;
	default:
		do_look();
		break;
	}
	registry_expire(registry, now_ns, SIZE_MAX);
	naive_expire();
	check_counts();
	if (step % 64 == 0)
		queue_check(queue);
}

int
main(int argc, char **argv)
{
	struct queue_settings settings = { .lock_timeout_ms = LOCK_MS };
	struct lock_timers none = { .timer_bytes = 0 };
	int64_t steps = argc > 1 ? atoll(argv[1]) : 200000;

	id_random(&seed, sizeof(seed));
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	random_state = seed | 1;
	printf("model_queue: %lld steps, seed %llu\n", (long long)steps,
	    (unsigned long long)seed);
	registry = registry_new(&settings, &none, seed);
	if (registry == NULL)
		fail("no memory");
	queue = registry_find(registry, NULL);
	for (step = 0; step < steps; step++)
		one_step();
	registry_free(registry);
	return 0;
}
