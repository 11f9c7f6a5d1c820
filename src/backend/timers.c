/*
 * One evtimer per locked message, armed but where there is a crowd.
 *
 * The queues' own lock timeouts are libevent "common timeouts": a list each,
 * where adding and removing is O(1), 50 ns at any number of locks, in place of
 * a heap's 0.7-1.4 us at millions.  libevent allows 256 of them, and fires all
 * of a list that are due in one go, so durations that a receiver chose, which
 * may be such that all end at one instant, go to its heap.
 *
 * Timers that are due fire all in one turn of the loop, and taking one out of a
 * heap of a million costs up to 12 us, most of it misses of the cache; a crowd
 * of them would stop the loop for seconds.  So no more than CROWD_MAX of the
 * heap are armed for one millisecond.  They are hints: the first of them sets
 * the core going, which takes the rest too, a few at each turn.
 */
#include "backend/timers.h"

#include <event2/event.h>

#include "base/clock.h"
#include "base/mem.h"

#define COMMON_MAX	128	/* durations; libevent's bound is 256 */
#define CROWD_SLOTS	16384	/* milliseconds */
#define CROWD_MAX	8	/* timers of the heap for one millisecond */

struct timers {
	struct event_base *base;	/* borrowed */
	timers_due_fn due;
	void *arg;			/* borrowed, for due */
	size_t common_count;
	struct common {
		int64_t duration_ns;
		const struct timeval *tv;	/* libevent's */
	} common[COMMON_MAX];
	struct crowd {
		int64_t tick_ms;
		uint32_t count;		/* armed for that millisecond */
	} crowd[CROWD_SLOTS];
};

/* In the core's room behind a lock; the event follows. */
struct lock_timer {
	struct timers *timers;		/* borrowed */
	struct hold *hold;		/* borrowed: its owner */
};

static struct event *
timer_event(struct lock_timer *t)
{
	return (struct event *)(void *)(t + 1);
}

static void
fire_cb(evutil_socket_t fd, short what, void *arg)
{
	struct lock_timer *t = arg;
	int64_t left_ns = hold_due_ns(t->hold) - clock_now_ns();
	struct timeval tv;

	(void)fd;
	(void)what;
	if (left_ns > 0) {	/* libevent counts from a cached time */
		clock_timeval(left_ns, &tv);
		event_add(timer_event(t), &tv);
		return;
	}
	t->timers->due(t->timers->arg);
}

static const struct timeval *
common_timeval(struct timers *ts, int64_t duration_ns)
{
	struct timeval tv;
	struct common *c;
	size_t i;

	for (i = 0; i < ts->common_count; i++)
		if (ts->common[i].duration_ns == duration_ns)
			return ts->common[i].tv;
	if (ts->common_count == COMMON_MAX)
		return NULL;
	clock_timeval(duration_ns, &tv);
	c = &ts->common[ts->common_count];
	c->tv = event_base_init_common_timeout(ts->base, &tv);
	if (c->tv == NULL)
		return NULL;
	c->duration_ns = duration_ns;
	ts->common_count++;
	return c->tv;
}

/*
 * Are enough of the heap armed for that millisecond?  Milliseconds that are so
 * far apart share a slot; while the earlier one has it, the later one is full.
 */
static bool
is_crowded(struct timers *ts, int64_t due_ns, int64_t now_ns)
{
	int64_t tick_ms = due_ns / CLOCK_NS_PER_MS;
	struct crowd *c = &ts->crowd[(uint64_t)tick_ms % CROWD_SLOTS];

	if (c->tick_ms != tick_ms && c->tick_ms < now_ns / CLOCK_NS_PER_MS) {
		c->tick_ms = tick_ms;
		c->count = 0;
	}
	return c->tick_ms != tick_ms || c->count++ >= CROWD_MAX;
}

static void
arm(void *arg, struct hold *h, int64_t due_ns, int64_t usual_ns)
{
	struct timers *ts = arg;
	struct lock_timer *t = hold_timer(h);
	struct event *ev = timer_event(t);
	int64_t now_ns = clock_now_ns();
	const struct timeval *common;
	struct timeval tv;

	if (t->timers == NULL) {
		t->timers = ts;
		t->hold = h;
		event_assign(ev, ts->base, -1, 0, fire_cb, t);
	}
	/* A failure costs nothing: the backend has one for the next of all. */
	common = usual_ns > 0 ? common_timeval(ts, usual_ns) : NULL;
	if (common != NULL) {
		event_add(ev, common);
		return;
	}
	if (is_crowded(ts, due_ns, now_ns)) {
		event_del(ev);		/* for what it was until now */
		return;
	}
	clock_timeval(due_ns > now_ns ? due_ns - now_ns : 0, &tv);
	event_add(ev, &tv);
}

static void
disarm(void *arg, struct hold *h)
{
	struct lock_timer *t = hold_timer(h);

	(void)arg;
	if (t->timers != NULL)
		event_del(timer_event(t));
}

struct timers *
timers_new(struct event_base *base, timers_due_fn due, void *arg)
{
	struct timers *ts;

	if ((ts = mem_zalloc(sizeof(*ts))) == NULL)
		return NULL;
	ts->base = base;
	ts->due = due;
	ts->arg = arg;
	return ts;
}

void
timers_free(struct timers *ts)
{
	mem_free(ts);
}

struct lock_timers
timers_of_locks(struct timers *ts)
{
	struct lock_timers t = {
		.timer_bytes = sizeof(struct lock_timer) +
		    event_get_struct_event_size(),
		.arm = arm,
		.disarm = disarm,
		.arg = ts,
	};

	return t;
}
