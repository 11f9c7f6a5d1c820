/*
 * The world of one test.
 * Invariants: a call is in the list from its making to the end of the test, so
 * that a second done() of it is seen whenever it comes; its op's memory and
 * all that the op borrows is given back only after the backend is freed.
 */
#define _XOPEN_SOURCE	700
#include "world.h"

#include <event2/event.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE_S	30	/* only a test that hangs takes so long */
#define TICK_US		1000
#define DIR_TEMPLATE	"/tmp/wq-conformance-XXXXXX"

struct block {
	TAILQ_ENTRY(block) link;
	_Alignas(16) char data[];
};

const struct conformance_backend *world_backend;

static TAILQ_HEAD(, call)	calls;
static TAILQ_HEAD(, block)	blocks;
static struct config		config;
static struct event_base	*base;
static struct event		*tick;
static struct backend		*backend;
static char			dir[sizeof(DIR_TEMPLATE)];
static size_t			flying;		/* calls that are not done */
static bool			within;		/* a call of the backend's */
static bool			is_stopping;
static int			stopped_count;

void *
world_alloc(size_t bytes)
{
	struct block *b = calloc(1, sizeof(*b) + bytes);

	ck_assert_ptr_nonnull(b);
	TAILQ_INSERT_TAIL(&blocks, b, link);
	return b->data;
}

char *
world_text(const char *format, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	ck_assert_int_ge(n, 0);
	text = world_alloc((size_t)n + 1);
	va_start(ap, format);
	vsnprintf(text, (size_t)n + 1, format, ap);
	va_end(ap);
	return text;
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void
world_turn(void)
{
	ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

struct patience
patience_new(const char *what)
{
	return (struct patience){ .what = what, .end_ns = clock_now_ns() +
	    PATIENCE_S * CLOCK_NS_PER_S };
}

void
patience_turn(struct patience *p)
{
	ck_assert_msg(clock_now_ns() < p->end_ns, "hangs: %s", p->what);
	world_turn();
}

struct call *
call_new(enum op_verb verb, const char *queue)
{
	struct call *c = world_alloc(sizeof(*c));

	c->op.verb = verb;
	c->op.queue = queue != NULL ? world_text("%s", queue) : NULL;
	c->op.arg = c;
	TAILQ_INSERT_TAIL(&calls, c, link);
	return c;
}

/* Keep what d tells. */
static void
see(struct seen *s, const struct delivery *d)
{
	const struct message *m = d->message;
	const struct dead_letter *dead = message_dead_letter(m);
	size_t group_bytes;
	const char *group = message_group(m, &group_bytes);
	size_t attributes_bytes;
	const char *attributes = message_attributes(m, &attributes_bytes);

	s->id = m->id;
	s->body = world_text("%.*s", (int)m->body_bytes, m->body);
	s->body_bytes = m->body_bytes;
	s->state = d->state;
	s->receives = d->receives;
	s->receipt = d->receipt;
	s->until_ns = d->until_ns;
	s->pushed_ns = message_pushed_ns(m);
	s->first_received_ns = d->first_received_ns;
	s->is_text = message_is_text(m);
	if (attributes != NULL)
		s->attributes = world_text("%.*s", (int)attributes_bytes,
		    attributes);
	if (group != NULL)
		s->group = world_text("%.*s", (int)group_bytes, group);
	s->is_letter = dead != NULL;
	if (dead != NULL) {
		s->source = world_text("%s", dead->queue);
		s->source_receives = dead->receives;
		s->reason = dead->reason;
		s->source_pushed_ns = message_pushed_ns(m);
	}
	s->delivery = d;
}

/* What a call that is done well was given. */
static struct delivery *
deliveries(struct call *c, size_t *count)
{
	*count = 0;
	if (c->op.status != WQ_OK)
		return NULL;
	switch (c->op.verb) {
	case OP_RECEIVE:
		*count = c->op.receive.count;
		return c->op.receive.out;
	case OP_PEEK:
		*count = c->op.peek.count;
		return c->op.peek.out;
	case OP_LOOK:
		*count = 1;
		return &c->op.look.out;
	default:
		return NULL;
	}
}

static void
take_texts(struct queue_info *info, struct call *c)
{
	int i;

	for (i = 0; i < QUEUE_TEXTS; i++)
		c->text[i] = info->text[i] != NULL ?
		    world_text("%s", info->text[i]->text) : NULL;
	queue_info_fini(info);
}

static void
call_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct delivery *out;
	size_t i;

	ck_assert_msg(!within, "verb %d: done() came within a call of the "
	    "backend's", (int)op->verb);
	ck_assert_msg(c->state == CALL_FLIES, "verb %d: done() came twice",
	    (int)op->verb);
	ck_assert_ptr_eq(op, &c->op);
	c->state = CALL_DONE;
	c->done_ns = clock_now_ns();
	flying--;
	out = deliveries(c, &c->count);
	if (c->count > 0)
		c->seen = world_alloc(c->count * sizeof(*c->seen));
	for (i = 0; i < c->count; i++)
		see(&c->seen[i], &out[i]);
	c->holds = c->count > 0;
	if (op->status != WQ_OK)
		return;
	if (op->verb == OP_INFO)
		take_texts(&op->info, c);
	else if (op->verb == OP_CONFIGURE)
		take_texts(&op->configure.now, c);
	else if (op->verb == OP_LIST)
		for (i = 0; i < op->list.count; i++)
			queue_info_fini(&op->list.out[i].info);
}

struct call *
call_start(struct call *c)
{
	ck_assert_int_eq(c->state, CALL_NEW);
	c->op.done = call_done;
	c->state = CALL_FLIES;
	flying++;
	within = true;
	backend_submit(backend, &c->op);
	within = false;
	return c;
}

void
call_cancel(struct call *c)
{
	ck_assert(c->state == CALL_FLIES && !c->canceled);
	c->canceled = true;
	within = true;
	backend->ops->cancel(backend, &c->op);
	within = false;
}

bool
call_is_done(const struct call *c)
{
	return c->state == CALL_DONE;
}

enum wq_status
call_wait(struct call *c)
{
	UNTIL(call_is_done(c));
	return c->op.status;
}

enum wq_status
call_run(struct call *c)
{
	return call_wait(call_start(c));
}

/* A store may need a while until it serves. */
static bool
is_ready(void)
{
	return call_run(call_new(OP_INFO, NULL)) != WQ_UNAVAIL;
}

static void
open_backend(void)
{
	backend = world_backend->open(base, &config);
	ck_assert_ptr_nonnull(backend);
	is_stopping = false;
	stopped_count = 0;
	UNTIL(is_ready());
}

static void
open_base(void)
{
	struct timeval tv = { .tv_usec = TICK_US };

	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	tick = event_new(base, -1, EV_PERSIST, tick_cb, NULL);
	ck_assert_ptr_nonnull(tick);
	ck_assert_int_eq(event_add(tick, &tv), 0);
}

static void
set_option(const char *name, const char *value)
{
	const struct config_option *o;
	char error[CONFIG_ERROR_BYTES];

	for (o = config_options; strcmp(o->name, name) != 0; o++)
		ck_assert_ptr_nonnull(o[1].name);
	ck_assert_int_eq(config_set(&config, o, value, error), 0);
}

void
world_open_with(const char *option, const char *value)
{
	if (backend != NULL)
		world_close();
	TAILQ_INIT(&calls);
	TAILQ_INIT(&blocks);
	flying = 0;
	ck_assert_int_eq(config_init(&config), 0);
	if (option != NULL)
		set_option(option, value);
	strcpy(dir, DIR_TEMPLATE);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	if (world_backend->place != NULL)
		world_backend->place(&config, dir);
	open_base();
	open_backend();
}

void
world_open(void)
{
	world_open_with(NULL, NULL);
}

void
world_run(void)
{
	backend_run(backend);
}

void
world_end_waits(void)
{
	within = true;
	backend->ops->end_waits(backend);
	within = false;
}

static void
stopped(void *arg)
{
	ck_assert_ptr_eq(arg, &stopped_count);
	stopped_count++;
	ck_assert_msg(stopped_count == 1, "stopped() came twice");
}

void
world_stop(void)
{
	is_stopping = true;
	backend->ops->stop(backend, stopped, &stopped_count);
}

int
world_stopped_count(void)
{
	return stopped_count;
}

/* Messages may be held only as long as their backend is there. */
static void
drop_deliveries(void)
{
	struct delivery *out;
	struct call *c;
	size_t count, i;

	TAILQ_FOREACH(c, &calls, link) {
		if (!c->holds)
			continue;
		c->holds = false;
		out = deliveries(c, &count);
		for (i = 0; i < count; i++) {
			message_unref(out[i].message);
			out[i].message = NULL;
			c->seen[i].delivery = NULL;
		}
	}
}

static void
close_backend(void)
{
	if (!is_stopping) {
		world_end_waits();
		UNTIL(flying == 0);
		world_stop();
	}
	UNTIL(stopped_count > 0 && flying == 0);
	/* What should not come any more comes now, if it does. */
	world_turn();
	drop_deliveries();
	backend->ops->free(backend);
	backend = NULL;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void
world_close(void)
{
	struct block *b;

	close_backend();
	event_free(tick);
	event_base_free(base);
	if (world_backend->clean != NULL)
		world_backend->clean(&config);
	config_fini(&config);
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	while ((b = TAILQ_FIRST(&blocks)) != NULL) {
		TAILQ_REMOVE(&blocks, b, link);
		free(b);
	}
}

/* Time passes while nobody serves. */
static void
pass_until(int64_t until_ns)
{
	struct timespec pause = { .tv_nsec = CLOCK_NS_PER_MS };

	while (clock_now_ns() <= until_ns)
		nanosleep(&pause, NULL);
}

void
world_restart_after(int64_t until_ns)
{
	UNTIL(flying == 0);
	if (!world_backend->durable) {
		drop_deliveries();
		pass_until(until_ns);
		return;
	}
	close_backend();
	pass_until(until_ns);
	open_backend();
}

void
world_restart(void)
{
	world_restart_after(0);
}
