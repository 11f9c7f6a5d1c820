/*
 * The workloads wait and wake: connections that receive by long polls and
 * confirm what has come, at once or after holding it for a while.  In a wake
 * one more connection, the last lane, pushes at a steady rate; a message
 * takes from the instant its push is sent until the answer that brings it
 * has come.
 *
 * The end: when nothing is left to push or to wait for, no lane asks for
 * more.  Receives still on their way get LINGER_NS, because a message may be
 * coming; those who wait after that are given up.
 */
#include <stdlib.h>

#include "bench/clock.h"
#include "bench/ledger.h"
#include "bench/options.h"
#include "bench/state.h"

enum {
	WAIT_MS = 50000		/* less than we call stuck, ANSWER_LIMIT_S */
};

static const int64_t LINGER_NS = 100000000;
/* After the last push; what is missing then is lost. */
static const int64_t MISSING_LIMIT_NS = INT64_C(10000000000);

static struct lane *
pusher(const struct run *r)
{
	return r->options->workload == WORKLOAD_WAKE ?
	    &r->lanes[r->lane_count - 1] : NULL;
}

/* -1: no memory. */
static int
note_push_sent(struct run *r, uint64_t first, size_t count, int64_t now_ns)
{
	size_t room = r->push_room > 0 ? r->push_room : 1024;
	int64_t *sent_ns;
	uint64_t number;

	while (room < first + count)
		room *= 2;
	if (room > r->push_room) {
		sent_ns = realloc(r->push_sent_ns, room * sizeof(*sent_ns));
		if (sent_ns == NULL)
			return -1;
		r->push_sent_ns = sent_ns;
		r->push_room = room;
	}
	for (number = first; number < first + count; number++)
		r->push_sent_ns[number] = now_ns;
	return 0;
}

/*
 * The next push, or a tick when it is due.  One that is late is not made up
 * for by a burst: the pushes are there to wake, not to load.
 */
static int
next_push(struct run *r, struct lane *lane, int64_t now_ns)
{
	const struct options *o = r->options;
	uint64_t left = o->messages - r->started;
	size_t count = left < o->batch ? (size_t)left : o->batch;

	if (now_ns >= r->stop_ns || count == 0) {
		r->last_push_ns = now_ns;
		run_finish_lane(r, lane);
		return 0;
	}
	if (now_ns < r->push_due_ns)
		return run_arm(r, r->push_due_ns < r->stop_ns ?
		    r->push_due_ns : r->stop_ns);
	now_ns = clock_ns();
	r->push_due_ns += (int64_t)(1e9 / (double)o->rate);
	if (r->push_due_ns < now_ns)
		r->push_due_ns = now_ns;
	lane->first = r->started;
	lane->queue = (size_t)(lane->first / o->batch % r->queue_count);
	r->started += count;
	if (note_push_sent(r, lane->first, count, now_ns) == -1)
		return run_fail(r, "no memory for the instants of pushes");
	r->client->ops->push(r->client, &lane->conn.out, lane->queue,
	    lane->first, count);
	return run_start(r, lane, REQUEST_PUSH, count, now_ns);
}

static int
next_receive(struct run *r, struct lane *lane, int64_t now_ns)
{
	struct wanted wanted = { lane->queue, r->options->batch,
	    r->options->lock_timeout_ms, WAIT_MS };

	if (r->over_ns != 0) {
		run_finish_lane(r, lane);
		return 0;
	}
	lane->begun_ns = now_ns;
	r->client->ops->receive(r->client, &lane->conn.out, &wanted);
	return run_start(r, lane, REQUEST_RECEIVE, wanted.amount, now_ns);
}

static int
next(struct run *r, struct lane *lane, int64_t now_ns)
{
	if (lane != pusher(r))
		return next_receive(r, lane, now_ns);
	/* The others are asked first: let them come to wait. */
	if (r->push_due_ns == 0)
		r->push_due_ns = now_ns + LINGER_NS;
	return next_push(r, lane, now_ns);
}

static int
note_received(struct run *r, const struct received *m, int64_t now_ns)
{
	uint64_t number;

	if (ledger_note_received(r->ledger, m->body, m->body_bytes) == -1)
		return run_fail(r, "no memory for the ledger");
	if (r->options->workload == WORKLOAD_WAKE &&
	    ledger_read(r->ledger, m->body, m->body_bytes, &number) &&
	    number < r->started)
		run_record_message(r, 1, r->push_sent_ns[number], now_ns);
	return 0;
}

static int
after_receive(struct run *r, struct lane *lane, int64_t now_ns)
{
	const struct answer *a = &r->answer;
	size_t i;

	for (i = 0; i < a->count; i++)
		if (note_received(r, &a->messages[i], now_ns) == -1)
			return -1;
	if (a->count == 0) {
		r->result.empty++;
		return next_receive(r, lane, now_ns);
	}
	/* Written now, while the answer is there; sent when it is time. */
	r->client->ops->confirm(r->client, &lane->conn.out, lane->queue, a);
	lane->count = a->count;
	if (r->options->hold_ms == 0)
		return run_start(r, lane, REQUEST_CONFIRM, a->count, now_ns);
	lane->confirm_ns = now_ns + r->options->hold_ms * 1000000;
	return run_arm(r, lane->confirm_ns);
}

static bool
is_over(const struct run *r, int64_t now_ns)
{
	if (r->options->workload == WORKLOAD_WAIT)
		return now_ns >= r->stop_ns ||
		    r->result.messages >= r->options->messages;
	return r->last_push_ns != 0 && (ledger_missing(r->ledger) == 0 ||
	    now_ns >= r->last_push_ns + MISSING_LIMIT_NS);
}

/* Notice the end, or have a tick when it may be. */
static int
check_end(struct run *r, int64_t now_ns)
{
	if (r->over_ns != 0)
		return 0;
	if (is_over(r, now_ns)) {
		r->over_ns = now_ns;
		return run_arm(r, now_ns + LINGER_NS);
	}
	if (r->last_push_ns != 0)
		return run_arm(r, r->last_push_ns + MISSING_LIMIT_NS);
	if (r->stop_ns != INT64_MAX)
		return run_arm(r, r->stop_ns);
	return 0;
}

static int
after_answer(struct run *r, struct lane *lane, int64_t now_ns)
{
	int status;

	if (lane->kind == REQUEST_PUSH) {
		if (r->answer.is_expected && ledger_note_pushed(r->ledger,
		    lane->first, lane->count) == -1)
			return run_fail(r, "no memory for the ledger");
		status = next_push(r, lane, now_ns);
	} else if (lane->kind == REQUEST_RECEIVE) {
		status = after_receive(r, lane, now_ns);
	} else {
		if (r->options->workload == WORKLOAD_WAIT)
			run_record_message(r, r->answer.done, lane->begun_ns,
			    now_ns);
		status = check_end(r, now_ns) == -1 ? -1 :
		    next_receive(r, lane, now_ns);
	}
	return status == -1 ? -1 : check_end(r, now_ns);
}

/* A receiver at a tick: confirm what it holds, or go at the end. */
static int
tick_receiver(struct run *r, struct lane *lane, int64_t now_ns)
{
	if (!lane->is_busy) {
		if (now_ns < lane->confirm_ns)
			return run_arm(r, lane->confirm_ns);
		return run_start(r, lane, REQUEST_CONFIRM, lane->count,
		    now_ns);
	}
	if (r->over_ns == 0 || lane->kind != REQUEST_RECEIVE)
		return 0;
	if (now_ns < r->over_ns + LINGER_NS)
		return run_arm(r, r->over_ns + LINGER_NS);
	run_give_up(r, lane);
	return 0;
}

static int
tick(struct run *r, int64_t now_ns)
{
	struct lane *push = pusher(r);
	size_t i;

	if (push != NULL && push->is_live && !push->is_busy &&
	    next_push(r, push, now_ns) == -1)
		return -1;
	if (check_end(r, now_ns) == -1)
		return -1;
	/* Walking ten thousand lanes a thousand times a second would show. */
	if (r->options->hold_ms == 0 && r->over_ns == 0)
		return 0;
	for (i = 0; i < r->lane_count; i++)
		if (&r->lanes[i] != push && r->lanes[i].is_live &&
		    tick_receiver(r, &r->lanes[i], now_ns) == -1)
			return -1;
	return 0;
}

const struct work work_waiting = {
	.next = next,
	.after = after_answer,
	.tick = tick
};
