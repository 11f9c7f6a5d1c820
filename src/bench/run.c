/*
 * The run: every connection ("lane") has one request on its way at most, and
 * starts the next one when the answer to the last has come.  What the next
 * one is, the workload knows: work.c and wake.c.
 *
 * A run has two phases.  The measured one does the workload.  The second one
 * belongs to a cycle only: it receives until the queue is empty, so that the
 * ledger can tell lost messages from those that merely were left over.
 *
 * Invariants: `live` counts lanes that have work left in this phase, `busy`
 * those that wait for an answer; busy <= live.  A lane may be live and not
 * busy: it waits for a tick of the timer.
 */
#include "bench/run.h"

#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/conn.h"
#include "bench/ledger.h"
#include "bench/options.h"
#include "bench/state.h"

enum {
	EVENTS_PER_TURN = 256,
	ANSWER_LIMIT_S = 60,		/* a server this slow is stuck */
	RETRY_MS = 20,			/* one is missing: look again */
	RETRY_LIMIT_MS = 1000		/* ... for no longer than this */
};

struct run *
run_new(const struct options *o, struct client *client, struct ledger *l)
{
	bool is_waiting = o->workload == WORKLOAD_WAIT ||
	    o->workload == WORKLOAD_WAKE;
	struct run *r;
	size_t i;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->poller.epoll_fd = r->poller.timer_fd = r->poller.signal_fd = -1;
	r->options = o;
	r->client = client;
	r->ledger = l;
	r->work = is_waiting ? &work_waiting : &work_plain;
	r->armed_ns = INT64_MAX;
	r->queue_count = o->queues > 0 ? o->queues : 1;
	/* The last connection of a wake pushes. */
	r->lane_count = o->connections + (o->workload == WORKLOAD_WAKE);
	r->lanes = calloc(r->lane_count, sizeof(*r->lanes));
	if (r->lanes == NULL) {
		free(r);
		return NULL;
	}
	for (i = 0; i < r->lane_count; i++)
		r->lanes[i].conn.fd = -1;
	return r;
}

void
run_free(struct run *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->lane_count; i++)
		conn_close(&r->lanes[i].conn);
	poller_fini(&r->poller);
	answer_fini(&r->answer);
	free(r->push_sent_ns);
	free(r->lanes);
	free(r);
}

const struct result *
run_result(const struct run *r)
{
	return &r->result;
}

int
run_fail(struct run *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(r->result.problem, sizeof(r->result.problem), format,
	    ap);
	va_end(ap);
	return -1;
}

static int
open_lane(struct run *r, size_t i, const struct addrinfo *to)
{
	struct conn *c = &r->lanes[i].conn;
	char problem[160];

	if (conn_open(c, to) == -1)
		return run_fail(r, "connect to %s port %s, connection %zu of %zu: "
		    "%s", r->options->address, r->options->port, i + 1,
		    r->lane_count, strerror(errno));
	if (i == 0 && r->client->ops->prepare != NULL &&
	    r->client->ops->prepare(r->client, c->fd, problem,
	    sizeof(problem)) == -1)
		return run_fail(r, "%s", problem);
	if (conn_unblock(c) == -1 ||
	    poller_add(&r->poller, c->fd, (int64_t)i) == -1)
		return run_fail(r, "a connection cannot be watched: %s",
		    strerror(errno));
	return 0;
}

int
run_connect(struct run *r)
{
	struct addrinfo hints, *list = NULL;
	int error, status = 0;
	size_t i;

	if (poller_init(&r->poller) == -1)
		return run_fail(r, "epoll: %s", strerror(errno));
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	error = getaddrinfo(r->options->address, r->options->port, &hints,
	    &list);
	if (error != 0)
		return run_fail(r, "%s port %s: %s", r->options->address,
		    r->options->port, gai_strerror(error));
	for (i = 0; i < r->lane_count && status == 0; i++)
		status = open_lane(r, i, list);
	freeaddrinfo(list);
	return status;
}

static int
gone(struct run *r, enum conn_outcome outcome)
{
	return run_fail(r, "connection %s", outcome == CONN_GONE ?
	    "closed by the server" : strerror(errno));
}

static int
watch_writing(struct run *r, struct lane *lane, bool is_blocked)
{
	lane->conn.is_blocked = is_blocked;
	if (poller_change(&r->poller, lane->conn.fd, lane - r->lanes,
	    is_blocked) == -1)
		return run_fail(r, "epoll_ctl: %s", strerror(errno));
	return 0;
}

int
run_start(struct run *r, struct lane *lane, enum request kind, size_t count,
    int64_t now_ns)
{
	enum conn_outcome outcome;

	if (lane->conn.out.failed)
		return run_fail(r, "no memory for a request");
	lane->kind = kind;
	lane->count = count;
	lane->sent_ns = now_ns;
	if (!lane->is_busy)
		r->busy++;
	lane->is_busy = true;
	outcome = conn_write(&lane->conn);
	if (outcome == CONN_OK)
		return 0;
	if (outcome != CONN_AGAIN)
		return gone(r, outcome);
	return watch_writing(r, lane, true);
}

void
run_finish_lane(struct run *r, struct lane *lane)
{
	if (lane->is_live)
		r->live--;
	lane->is_live = false;
}

void
run_give_up(struct run *r, struct lane *lane)
{
	conn_close(&lane->conn);
	if (lane->is_busy)
		r->busy--;
	lane->is_busy = false;
	run_finish_lane(r, lane);
}

int
run_arm(struct run *r, int64_t at_ns)
{
	if (at_ns >= r->armed_ns)
		return 0;
	r->armed_ns = at_ns;
	if (poller_arm(&r->poller, at_ns) == -1)
		return run_fail(r, "timerfd: %s", strerror(errno));
	return 0;
}

void
run_record_message(struct run *r, size_t count, int64_t begun_ns,
    int64_t now_ns)
{
	if (r->phase != PHASE_MEASURED || count == 0)
		return;
	r->result.messages += count;
	histogram_record(&r->result.message, now_ns - begun_ns,
	    now_ns - r->begun_ns);
}

static void
note_unexpected(struct run *r)
{
	if (r->result.unexpected++ == 0)
		(void)run_fail(r, "%s", r->answer.problem);
	if (r->options->verbose)
		fprintf(stderr, "wq-bench: %s\n", r->answer.problem);
}

/* Bytes have come: is it the whole answer?  Then go on with the lane. */
static int
read_answer(struct run *r, struct lane *lane)
{
	struct conn *c = &lane->conn;
	enum conn_outcome outcome;
	int64_t now_ns;
	ssize_t bytes;

	if ((outcome = conn_read(c)) == CONN_AGAIN)
		return 0;
	if (outcome != CONN_OK)
		return gone(r, outcome);
	if (!lane->is_busy)
		return run_fail(r, "the server sent what nobody asked for");
	answer_reset(&r->answer);
	bytes = r->client->ops->parse(r->client, lane->kind, lane->count,
	    c->in.data, c->in.bytes, &r->answer);
	if (bytes == 0)
		return 0;
	if (bytes == -1)
		return run_fail(r, "garbled answer: %s", r->answer.problem);
	if ((size_t)bytes != c->in.bytes)
		return run_fail(r, "the server sent more than its answer");
	if (c->is_blocked)
		return run_fail(r, "an answer came before the request was "
		    "sent%s%s", r->answer.is_expected ? "" : ": ",
		    r->answer.problem);
	now_ns = clock_ns();
	r->progress_ns = now_ns;
	if (!r->answer.is_expected)
		note_unexpected(r);
	if (r->phase == PHASE_MEASURED) {
		r->result.requests++;
		histogram_record(&r->result.latency[lane->kind],
		    now_ns - lane->sent_ns, now_ns - r->begun_ns);
	}
	r->busy--;
	lane->is_busy = false;
	/* The answer borrows from `in`, which the next step does not touch. */
	if (r->work->after(r, lane, now_ns) == -1)
		return -1;
	c->in.bytes = 0;
	return 0;
}

static int
write_rest(struct run *r, struct lane *lane)
{
	enum conn_outcome outcome = conn_write(&lane->conn);

	if (outcome == CONN_AGAIN)
		return 0;
	if (outcome != CONN_OK)
		return gone(r, outcome);
	return watch_writing(r, lane, false);
}

static int
take_timer(struct run *r)
{
	if (poller_take_tick(&r->poller) == -1)
		return run_fail(r, "timerfd: %s", strerror(errno));
	r->armed_ns = INT64_MAX;
	return r->work->tick(r, clock_ns());
}

/* The first signal ends the run in order, a second one at once. */
static int
take_signal(struct run *r)
{
	if (poller_take_signal(&r->poller) == -1)
		return 0;
	if (r->result.is_interrupted)
		_exit(130);
	r->result.is_interrupted = true;
	r->stop_ns = 0;
	/* Those who wait see it at a tick, which may be far. */
	return run_arm(r, clock_ns());
}

static int
take_event(struct run *r, const struct epoll_event *ev)
{
	int64_t which = (int64_t)ev->data.u64;
	struct lane *lane;

	if (which == POLLER_TIMER)
		return take_timer(r);
	if (which == POLLER_SIGNAL)
		return take_signal(r);
	lane = &r->lanes[which];
	if (lane->conn.fd == -1)
		return 0;	/* given up earlier in this turn */
	if ((ev->events & EPOLLOUT) != 0 && write_rest(r, lane) == -1)
		return -1;
	if ((ev->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		return read_answer(r, lane);
	return 0;
}

/* Until no lane has anything left to do in this phase. */
static int
turn_until_done(struct run *r)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int64_t woken_ns, turn_ns;
	int i, n;

	while (r->live > 0) {
		n = epoll_wait(r->poller.epoll_fd, events, EVENTS_PER_TURN,
		    1000);
		if (n == -1 && errno != EINTR)
			return run_fail(r, "epoll_wait: %s", strerror(errno));
		woken_ns = clock_ns();
		if (n <= 0 && r->busy > 0 && woken_ns - r->progress_ns >
		    ANSWER_LIMIT_S * INT64_C(1000000000))
			return run_fail(r, "no answer within %d s",
			    ANSWER_LIMIT_S);
		for (i = 0; i < n; i++)
			if (take_event(r, &events[i]) == -1)
				return -1;
		turn_ns = clock_ns() - woken_ns;
		if (r->phase == PHASE_MEASURED &&
		    turn_ns > r->result.longest_turn_ns)
			r->result.longest_turn_ns = turn_ns;
	}
	return 0;
}

static int
start_phase(struct run *r, enum phase phase, size_t lanes)
{
	int64_t now_ns = clock_ns();
	size_t i;

	r->phase = phase;
	r->progress_ns = now_ns;
	r->live = r->stride = lanes;
	for (i = 0; i < lanes; i++) {
		r->lanes[i].is_live = true;
		r->lanes[i].queue = i % r->queue_count;
	}
	for (i = 0; i < lanes; i++)
		if (r->work->next(r, &r->lanes[i], now_ns) == -1)
			return -1;
	return turn_until_done(r);
}

/*
 * Take out what a cycle has left.  An empty answer does not prove a message
 * lost while one may still be locked, so look again for a short while.
 */
static int
perform_rest(struct run *r)
{
	uint64_t missing = UINT64_MAX;
	int64_t since_ns = 0;

	r->stop_ns = INT64_MAX;
	if (start_phase(r, PHASE_REST, r->lane_count) == -1)
		return -1;
	while (ledger_missing(r->ledger) > 0) {
		if (ledger_missing(r->ledger) != missing) {
			missing = ledger_missing(r->ledger);
			since_ns = clock_ns();
		}
		if (clock_ns() - since_ns > RETRY_LIMIT_MS * INT64_C(1000000))
			break;
		(void)usleep(RETRY_MS * 1000);
		if (start_phase(r, PHASE_REST, 1) == -1)
			return -1;
	}
	return 0;
}

int
run_perform(struct run *r)
{
	const struct options *o = r->options;
	struct result *result = &r->result;
	int64_t own_us = process_own_cpu_us();

	if (o->pid != 0 && process_read(o->pid, &result->before) == -1)
		return run_fail(r, "--pid %ld: %s", (long)o->pid,
		    strerror(errno));
	r->begun_ns = clock_ns();
	r->stop_ns = o->time_ms > 0 ? r->begun_ns + o->time_ms * 1000000 :
	    INT64_MAX;
	if ((o->rate > 0 || r->work == &work_waiting) && run_arm(r, r->begun_ns) == -1)
		return -1;
	if (start_phase(r, PHASE_MEASURED, r->lane_count) == -1)
		return -1;
	result->elapsed_ns = clock_ns() - r->begun_ns;
	result->own_cpu_us = process_own_cpu_us() - own_us;
	if (o->pid != 0)
		result->has_usage =
		    process_read(o->pid, &result->after) == 0;
	if (o->workload == WORKLOAD_CYCLE && !o->leave)
		return perform_rest(r);
	return 0;
}
