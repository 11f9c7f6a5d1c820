/*
 * The workloads that never wait at the server: push, cycle, drain, lock,
 * probe; and the rest of a cycle, which is drained.
 *
 * With many queues, a push and its cycle choose one by the number of the
 * message; whoever drains goes through every stride-th of them.
 */
#include "bench/clock.h"
#include "bench/ledger.h"
#include "bench/options.h"
#include "bench/state.h"

enum {
	TICK_MIN_NS = 20000		/* finer only costs */
};

/* How many messages the next request of this phase may be about; 0: none. */
static size_t
work_left(const struct run *r, int64_t now_ns)
{
	const struct options *o = r->options;
	uint64_t left;

	if (r->phase == PHASE_REST)
		return o->batch;
	/* One queue's messages may not be claimed while at another's. */
	if (r->queue_count > 1 && now_ns < r->stop_ns &&
	    (o->workload == WORKLOAD_DRAIN || o->workload == WORKLOAD_LOCK))
		return o->batch;
	if (now_ns >= r->stop_ns || r->started >= o->messages)
		return 0;
	left = o->messages - r->started;
	if (o->workload == WORKLOAD_PROBE)
		return 1;
	return left < o->batch ? (size_t)left : o->batch;
}

static int
start_receive(struct run *r, struct lane *lane, size_t count, int64_t now_ns)
{
	struct wanted wanted = { lane->queue, count,
	    r->options->lock_timeout_ms, 0 };

	if (r->options->workload == WORKLOAD_LOCK) {
		wanted.lock_ms = r->options->until_epoch_ms -
		    clock_epoch_ms();
		if (wanted.lock_ms <= 0)
			return run_fail(r, "--until-ms has come before all "
			    "messages were locked");
	}
	r->client->ops->receive(r->client, &lane->conn.out, &wanted);
	return run_start(r, lane, REQUEST_RECEIVE, count, now_ns);
}

/* The instant at which the next start of a run with a rate falls due. */
static int64_t
due_ns(const struct run *r)
{
	return r->begun_ns + (int64_t)((double)(r->started /
	    r->options->batch) * 1e9 / (double)r->options->rate);
}

/* The first request of the next message, or nothing when none is left. */
static int
start_next(struct run *r, struct lane *lane, int64_t now_ns)
{
	const struct options *o = r->options;
	int64_t from_ns = now_ns;
	size_t count;

	if ((count = work_left(r, now_ns)) == 0) {
		run_finish_lane(r, lane);
		return 0;
	}
	if (o->rate > 0) {
		/*
		 * Latency counts from the instant that was due, so that a
		 * server that stalls cannot slow the measuring down.
		 */
		from_ns = due_ns(r);
		if (from_ns > now_ns)
			return 0;
	}
	lane->begun_ns = from_ns;
	lane->first = r->started;
	r->started += count;
	if (r->phase == PHASE_REST || o->workload == WORKLOAD_DRAIN ||
	    o->workload == WORKLOAD_LOCK)
		return start_receive(r, lane, count, now_ns);
	if (o->workload == WORKLOAD_PROBE) {
		r->client->ops->probe(r->client, &lane->conn.out);
		return run_start(r, lane, REQUEST_PROBE, count, from_ns);
	}
	lane->queue = (size_t)(lane->first / o->batch % r->queue_count);
	r->client->ops->push(r->client, &lane->conn.out, lane->queue,
	    lane->first, count);
	return run_start(r, lane, REQUEST_PUSH, count, from_ns);
}

static int
after_push(struct run *r, struct lane *lane, int64_t now_ns)
{
	const struct answer *a = &r->answer;

	if (a->is_expected &&
	    ledger_note_pushed(r->ledger, lane->first, lane->count) == -1)
		return run_fail(r, "no memory for the ledger");
	if (r->options->workload == WORKLOAD_CYCLE)
		return start_receive(r, lane, lane->count, now_ns);
	run_record_message(r, a->done, lane->begun_ns, now_ns);
	return start_next(r, lane, now_ns);
}

/* The next queue for a lane that has found its one empty; false: none. */
static bool
next_queue(const struct run *r, struct lane *lane)
{
	lane->queue += r->stride;
	return lane->queue < r->queue_count;
}

static int
after_receive(struct run *r, struct lane *lane, int64_t now_ns)
{
	const struct answer *a = &r->answer;
	size_t i;

	for (i = 0; i < a->count; i++)
		if (ledger_note_received(r->ledger, a->messages[i].body,
		    a->messages[i].body_bytes) == -1)
			return run_fail(r, "no memory for the ledger");
	/* A cycle has claimed its messages by the push. */
	if (r->options->workload != WORKLOAD_CYCLE && a->count < lane->count)
		r->started -= lane->count - a->count;
	if (a->count == 0) {
		r->result.empty++;
		if (r->phase == PHASE_MEASURED &&
		    r->options->workload == WORKLOAD_CYCLE)
			return start_next(r, lane, now_ns);
		if (next_queue(r, lane))
			return start_next(r, lane, now_ns);
		run_finish_lane(r, lane);
		return 0;
	}
	if (r->options->workload == WORKLOAD_LOCK) {
		run_record_message(r, a->count, lane->begun_ns, now_ns);
		return start_next(r, lane, now_ns);
	}
	r->client->ops->confirm(r->client, &lane->conn.out, lane->queue, a);
	return run_start(r, lane, REQUEST_CONFIRM, a->count, now_ns);
}

static int
after_answer(struct run *r, struct lane *lane, int64_t now_ns)
{
	switch (lane->kind) {
	case REQUEST_PUSH:
		return after_push(r, lane, now_ns);
	case REQUEST_RECEIVE:
		return after_receive(r, lane, now_ns);
	case REQUEST_CONFIRM:
	case REQUEST_PROBE:
		break;
	}
	run_record_message(r, r->answer.done, lane->begun_ns, now_ns);
	return start_next(r, lane, now_ns);
}

/*
 * A start has fallen due: give it to the lanes that wait for one.  The timer
 * is armed again in any case, because a lane that is busy now may wait later.
 */
static int
take_tick(struct run *r, int64_t now_ns)
{
	int64_t next_ns;
	size_t i;

	if (r->options->rate == 0)
		return 0;	/* a signal has come */
	for (i = 0; i < r->lane_count; i++) {
		struct lane *lane = &r->lanes[i];

		if (lane->is_live && !lane->is_busy) {
			if (start_next(r, lane, now_ns) == -1)
				return -1;
			if (lane->is_live && !lane->is_busy)
				break;		/* none due any more */
		}
	}
	next_ns = due_ns(r);
	if (next_ns < now_ns + TICK_MIN_NS)
		next_ns = now_ns + TICK_MIN_NS;
	return run_arm(r, next_ns);
}

const struct work work_plain = {
	.next = start_next,
	.after = after_answer,
	.tick = take_tick
};
