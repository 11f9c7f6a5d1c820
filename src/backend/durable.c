/*
 * Memory changes at once, the answer leaves when the store has it: an op that
 * is done waits in `waiting` until all that was told before its end is on disk.
 * Only pushes can be refused then, and their messages arrive no sooner, so that
 * nobody ever saw what is taken back.
 */
#include "backend/durable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "backend/bodies.h"
#include "backend/local.h"
#include "backend/outbox.h"
#include "backend/push.h"
#include "backend/restore.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/queue.h"
#include "core/registry.h"
#include "core/task.h"

#define WAITING_MAX_BYTES	(UINT64_C(128) << 20)
#define RECORDS_MAX		1000000	/* for the writer; 128 MB */
#define GATHER_TURN		256	/* within a turn, to an idle writer */
#define IDLE_RECORDS_MAX	20000	/* of what nobody waits for */
#define TOTALS_MS		1000	/* until totals alone are written */
#define STUCK_MS		5000	/* until clients are told so */
#define READ_ROWS		2000	/* a turn; some 2 ms */
#define PLACES			5000
#define REPORT_NS		CLOCK_NS_PER_S

enum phase { READING, PLACING, SETTLING, SERVING, ENDED };

struct durable {
	struct local *local;		/* borrowed */
	struct store *store;		/* owned */
	struct outbox outbox;
	struct restore *restore;	/* owned; NULL once it serves */
	enum phase phase;
	struct event *turn;		/* owned; hands over, or reads on */
	struct event *totals;		/* owned; for totals that came alone */
	struct event *stuck;		/* owned; armed while nothing is written */
	struct op_queue waiting;	/* by op.commit, ascending */
	struct op *copying;		/* borrowed; NULL: no copy is on */
	enum store_health health;
	void (*stopped)(void *);	/* NULL: nobody waits for the end */
	void *stopped_arg;
	struct event_base *base;	/* borrowed */
	int64_t began_ns, reported_ns;
};

static void
set_trouble(struct durable *d)
{
	struct backend *b = &d->local->backend;

	if (d->phase < SERVING)
		b->trouble = "the server is reading what it has on disk";
	else if (d->health == STORE_FULL)
		b->trouble = "the disk is full";
	else if (d->health != STORE_WELL)
		b->trouble = "the disk cannot be written";
	else
		b->trouble = NULL;
}

static void
begun_cb(void *arg)
{
	struct durable *d = arg;

	event_active(d->turn, 0, 0);
}

/* Totals of the queues that were touched, as the last records of a batch. */
static void
add_totals(struct durable *d, int64_t now_ns)
{
	struct registry *r = d->local->registry;
	int64_t settled_ns = registry_settled_ns(r, now_ns);
	struct queue *q;

	while ((q = registry_next_touched(r)) != NULL)
		if (!records_totals(&d->outbox.records, q, settled_ns))
			return;		/* they come with its next change */
}

static void
hand_over(struct durable *d, int64_t now_ns)
{
	add_totals(d, now_ns);
	outbox_hand_over(&d->outbox, now_ns);
}

/* Pushes behind a refused one that hold repeats of it fail with it. */
static void
refuse_repeats(struct op *op, enum wq_status st)
{
	struct op *other;

	for (other = TAILQ_NEXT(op, link); other != NULL;
	    other = TAILQ_NEXT(other, link))
		if (other->verb == OP_PUSH &&
		    push_repeats(&other->push, &op->push))
			other->status = st;
}

static void
finish(struct durable *d, struct op *op, enum wq_status st)
{
	bool kept = st == WQ_OK;

	if (op->verb == OP_PUSH && !kept)
		refuse_repeats(op, st);
	TAILQ_REMOVE(&d->waiting, op, link);
	if (op->verb == OP_PUSH) {
		push_end(registry_find(d->local->registry, op->queue),
		    &op->push, kept);
		if (!kept && op->push.created)
			local_unmake(d->local, op->queue);
		/* What it repeats was refused, but what it adds is kept. */
		if (kept && op->status != WQ_OK)
			st = WQ_IO;
	} else if (st == WQ_OK && !local_drop_missing(op))
		st = WQ_IO;
	if (st != WQ_OK)
		local_undeliver(d->local, op);
	/* It is told of a queue on success alone. */
	if (st != WQ_OK && op->verb == OP_CONFIGURE)
		queue_info_fini(&op->configure.now);
	op_finish(&d->local->backend, op, st);
}

static enum wq_status
status_of(enum store_result result)
{
	switch (result) {
	case STORE_OK:
		return WQ_OK;
	case STORE_NO_SPACE:
		return WQ_NO_SPACE;
	case STORE_FAILED:
		break;
	}
	return WQ_IO;
}

/*
 * What waits is told that nobody knows.  Pushes only where none of them will be
 * written any more; before that the writer refuses them itself.
 */
static void
fail_waiting(struct durable *d, bool pushes)
{
	struct op *op, *next;

	for (op = TAILQ_FIRST(&d->waiting); op != NULL; op = next) {
		next = TAILQ_NEXT(op, link);
		if (pushes || op->verb != OP_PUSH)
			finish(d, op, WQ_IO);
	}
}

static void
check_stopped(struct durable *d)
{
	void (*stopped)(void *) = d->stopped;

	/* What cannot be written now is tried a last time by durable_free(). */
	if (stopped == NULL || (d->health < STORE_STUCK &&
	    (d->outbox.kept < outbox_told(&d->outbox) ||
	    !TAILQ_EMPTY(&d->waiting))))
		return;
	fail_waiting(d, false);
	d->stopped = NULL;
	stopped(d->stopped_arg);
}

static void
lost_cb(void *arg, struct store_batch *b)
{
	(void)arg;
	bodies_end(b);
}

bool
durable_fetch(struct durable *d, struct queue *q, const struct delivery *out,
    size_t count, bool *any)
{
	return bodies_ask(&d->outbox.records, q, out, count, any);
}

static void
kept_cb(void *arg, struct store_batch *b)
{
	struct durable *d = arg;
	struct op *op;

	outbox_kept(&d->outbox, b->number);
	bodies_take(b);
	while ((op = TAILQ_FIRST(&d->waiting)) != NULL &&
	    op->commit <= b->number)
		finish(d, op, op->verb == OP_PUSH && op->commit == b->number ?
		    status_of(b->result) : op->status);
	bodies_end(b);
	if (d->phase == ENDED)
		return;
	local_serve(d->local);
	if (outbox_gathered(&d->outbox) > 0)
		event_active(d->turn, 0, 0);
	check_stopped(d);
}

static void
refused_cb(void *arg, uint64_t number, enum store_result why)
{
	struct durable *d = arg;
	struct op *op, *next;

	for (op = TAILQ_FIRST(&d->waiting); op != NULL &&
	    op->commit <= number; op = next) {
		next = TAILQ_NEXT(op, link);
		if (op->verb == OP_PUSH && op->commit > d->outbox.kept)
			finish(d, op, status_of(why));
	}
}

static void
health_cb(void *arg, enum store_health health, const char *why)
{
	struct durable *d = arg;
	struct backend *b = &d->local->backend;
	static const struct timeval stuck = { STUCK_MS / 1000, 0 };
	char quoted[STORE_ERROR_BYTES];

	d->health = health;
	set_trouble(d);
	if (outbox_gathered(&d->outbox) > 0)
		event_active(d->turn, 0, 0);
	if (health != STORE_STUCK)
		event_del(d->stuck);
	if (health == STORE_WELL) {
		log_info("store", "writes again", NULL);
		return;
	}
	log_quote(why, strlen(why), quoted, sizeof(quoted));
	if (health == STORE_SICK)
		log_warn("store", "writes again, but takes no pushes yet",
		    "err=%s", quoted);
	else if (health == STORE_FULL)
		log_error("store", "disk full, pushes are refused", "err=%s",
		    quoted);
	else if (health == STORE_STUCK) {
		log_error("store", "nothing can be written", "err=%s", quoted);
		event_add(d->stuck, &stuck);
		check_stopped(d);
	} else {
		log_error("store", "nothing can be trusted, ending", "err=%s",
		    quoted);
		fail_waiting(d, true);
		if (b->failed != NULL)
			b->failed(b->failed_arg);
	}
}

static void
stuck_cb(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval again = { STUCK_MS / 1000, 0 };
	struct durable *d = arg;

	(void)fd;
	(void)what;
	fail_waiting(d, false);
	check_stopped(d);
	if (d->health == STORE_STUCK)	/* for those that come meanwhile */
		event_add(d->stuck, &again);
}

static void
copied_cb(void *arg, const char *path, const char *error)
{
	struct durable *d = arg;
	struct op *op = d->copying;
	char quoted[STORE_ERROR_BYTES];

	d->copying = NULL;
	if (error != NULL)
		log_error("store", "backup failed", "err=%s", log_quote(error,
		    strlen(error), quoted, sizeof(quoted)));
	else
		log_info("store", "backup made", "file=%s", path);
	if (op == NULL)
		return;
	snprintf(op->backup.path, sizeof(op->backup.path), "%s", path);
	op_finish(&d->local->backend, op, error == NULL ? WQ_OK : WQ_IO);
}

static void
totals_cb(evutil_socket_t fd, short what, void *arg)
{
	struct durable *d = arg;

	(void)fd;
	(void)what;
	hand_over(d, clock_now_ns());
}

/* Nothing could be read, or be trusted: the process is to end. */
static void
give_up(struct durable *d, const char *error)
{
	struct backend *b = &d->local->backend;
	char quoted[STORE_ERROR_BYTES];

	log_error("store", "cannot start", "err=%s", log_quote(error,
	    strlen(error), quoted, sizeof(quoted)));
	d->phase = ENDED;
	if (b->failed != NULL)
		b->failed(b->failed_arg);
}

static void
report(struct durable *d, int64_t now_ns)
{
	if (now_ns - d->reported_ns < REPORT_NS)
		return;
	d->reported_ns = now_ns;
	log_info("store", "reading", "messages=%zu seconds=%.1f",
	    restore_count(d->restore),
	    (double)(now_ns - d->began_ns) / CLOCK_NS_PER_S);
}

static int
serve_from_now(struct durable *d, char *error)
{
	const struct store_events events = { .kept = kept_cb,
	    .lost = lost_cb, .refused = refused_cb, .health = health_cb,
	    .copied = copied_cb, .arg = d };
	struct local *l = d->local;

	clock_not_before(restore_last_ns(d->restore));
	d->outbox.records.order = restore_order(d->restore);
	registry_make_root(l->registry, clock_now_ns());
	if (!registry_attach(l->registry, &d->outbox.records.journal)) {
		snprintf(error, STORE_ERROR_BYTES, "no memory");
		return -1;
	}
	return store_start(d->store, d->base, &events, error);
}

/* A slice of the start.  False: it has failed. */
static bool
start_slice(struct durable *d, char *error)
{
	struct local *l = d->local;
	int64_t now_ns = clock_now_ns();
	bool more;

	switch (d->phase) {
	case READING:
		if (restore_read(d->restore, d->store, READ_ROWS, &more,
		    error) == -1)
			return false;
		if (!more)
			d->phase = PLACING;
		break;
	case PLACING:
		if (restore_places(d->restore, PLACES, &more, error) == -1)
			return false;
		if (more)
			break;
		if (serve_from_now(d, error) == -1)
			return false;
		d->phase = SETTLING;
		break;
	case SETTLING:
		if (store_waiting_records(d->store) > IDLE_RECORDS_MAX)
			break;		/* the writer is behind */
		more = registry_expire(l->registry, now_ns, PLACES);
		if (restore_drop_orphans(d->restore, &d->outbox.records,
		    PLACES) || more) {
			hand_over(d, now_ns);
			break;
		}
		d->phase = SERVING;
		log_info("store", "all is read", "messages=%zu seconds=%.2f",
		    restore_count(d->restore),
		    (double)(now_ns - d->began_ns) / CLOCK_NS_PER_S);
		restore_free(d->restore);
		d->restore = NULL;
		set_trouble(d);
		hand_over(d, now_ns);
		local_expire_soon(l);
		return true;
	case SERVING:
	case ENDED:
		return true;
	}
	report(d, now_ns);
	return true;
}

static void
turn_cb(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = { 0, 0 }, later = { 0, 1000 };
	struct durable *d = arg;
	char error[STORE_ERROR_BYTES];

	(void)fd;
	(void)what;
	if (d->phase >= SERVING) {
		/* One that is not well is to refuse them. */
		if (d->health != STORE_WELL || outbox_is_time(&d->outbox))
			hand_over(d, clock_now_ns());
		return;
	}
	if (!start_slice(d, error))
		give_up(d, error);
	else if (d->phase < SERVING)
		event_add(d->turn, d->phase == SETTLING ? &later : &soon);
}

struct durable *
durable_new(struct local *l, struct event_base *base,
    const struct config *config)
{
	static const struct timeval soon = { 0, 0 };
	char error[STORE_ERROR_BYTES], quoted[STORE_ERROR_BYTES];
	struct durable *d = mem_zalloc(sizeof(*d));

	snprintf(error, sizeof(error), "no memory");
	if (d == NULL)
		goto fail;
	d->local = l;
	d->base = base;
	d->began_ns = d->reported_ns = clock_now_ns();
	TAILQ_INIT(&d->waiting);
	d->turn = evtimer_new(base, turn_cb, d);
	d->totals = evtimer_new(base, totals_cb, d);
	d->stuck = evtimer_new(base, stuck_cb, d);
	d->restore = restore_new(l->registry);
	if (d->turn == NULL || d->totals == NULL || d->stuck == NULL ||
	    d->restore == NULL || event_add(d->turn, &soon) == -1)
		goto fail;
	d->store = store_open(config->data,
	    (enum store_sync)config->sync, error);
	if (d->store == NULL)
		goto fail;
	outbox_init(&d->outbox, d->store, begun_cb, d);
	set_trouble(d);
	return d;
fail:
	log_error("store", "cannot start", "err=%s", log_quote(error,
	    strlen(error), quoted, sizeof(quoted)));
	durable_free(d);
	return NULL;
}

void
durable_free(struct durable *d)
{
	if (d == NULL)
		return;
	if (d->phase == SERVING) {
		tasks_tell(d->local->registry);
		hand_over(d, clock_now_ns());
	}
	d->phase = ENDED;
	if (d->local->registry != NULL)
		registry_detach(d->local->registry);
	store_close(d->store);
	if (d->copying != NULL)
		op_finish(&d->local->backend, d->copying, WQ_CANCELED);
	fail_waiting(d, true);
	outbox_fini(&d->outbox);
	restore_free(d->restore);
	if (d->turn != NULL)
		event_free(d->turn);
	if (d->totals != NULL)
		event_free(d->totals);
	if (d->stuck != NULL)
		event_free(d->stuck);
	mem_free(d);
}

bool
durable_is_open(const struct durable *d)
{
	return d->phase == SERVING;
}

enum wq_status
durable_admits(const struct durable *d, const struct op *op)
{
	if (d->phase != SERVING || d->health == STORE_BROKEN)
		return WQ_UNAVAIL;
	/* All but these may need a record, if only to read a body. */
	if (op->verb != OP_INFO && op->verb != OP_LIST &&
	    op->verb != OP_RELEASE &&
	    outbox_records(&d->outbox) > RECORDS_MAX)
		return WQ_UNAVAIL;
	if (op->verb != OP_PUSH)
		return WQ_OK;
	if (d->health == STORE_FULL)
		return WQ_NO_SPACE;
	if (d->health != STORE_WELL)
		return WQ_UNAVAIL;
	return outbox_bytes(&d->outbox) > WAITING_MAX_BYTES ? WQ_UNAVAIL :
	    WQ_OK;
}

bool
durable_wait(struct durable *d, struct op *op)
{
	if (outbox_told(&d->outbox) <= d->outbox.kept)
		return false;
	op->commit = outbox_told(&d->outbox);
	TAILQ_INSERT_TAIL(&d->waiting, op, link);
	return true;
}

void
durable_turn(struct durable *d, int64_t now_ns)
{
	static const struct timeval later = { TOTALS_MS / 1000, 0 };

	if (d->phase != SERVING)
		return;
	if (outbox_gathered(&d->outbox) > 0) {
		/* A turn with many clients is longer than a commit. */
		if (outbox_gathered(&d->outbox) >= GATHER_TURN &&
		    store_is_idle(d->store))
			hand_over(d, now_ns);
		else if (outbox_is_time(&d->outbox))
			event_active(d->turn, 0, 0);
	} else if (!event_pending(d->totals, EV_TIMEOUT, NULL))
		event_add(d->totals, &later);
}

bool
durable_has_room(const struct durable *d)
{
	return d->phase == SERVING &&
	    outbox_records(&d->outbox) < IDLE_RECORDS_MAX;
}

void
durable_stop(struct durable *d, void (*done)(void *), void *arg)
{
	d->stopped = done;
	d->stopped_arg = arg;
	if (d->phase == SERVING)
		hand_over(d, clock_now_ns());
	check_stopped(d);
}

void
durable_copy(struct durable *d, struct op *op)
{
	if (d->copying != NULL || store_copy(d->store) == -1) {
		op_finish(&d->local->backend, op, WQ_BUSY);
		return;
	}
	d->copying = op;
}
