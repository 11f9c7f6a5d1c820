/*
 * Changes of texts.  The core keeps a text whole, so to change a part of one
 * is to read it, and to write it back if it is still the same; else again.
 */
#include "api/sqs_edit.h"

#include <string.h>

#include "api/json_read.h"
#include "api/sqs_call.h"
#include "base/buf.h"
#include "base/mem.h"

/* Others were faster so often: it cannot go on for ever. */
#define TRIES_MAX	100

struct edit {			/* the call's state */
	sqs_edit_fn fn;
	struct queue_info info;	/* owned: its refs */
	bool has_info;
	struct sqs_edit now;
	int tries;
};

static void
edit_clear(struct edit *e)
{
	int i;

	if (e->has_info)
		queue_info_fini(&e->info);
	e->has_info = false;
	for (i = 0; i < QUEUE_TEXTS; i++) {
		mem_free(e->now.text[i]);
		e->now.text[i] = NULL;
	}
}

static void
edit_fini(void *state)
{
	edit_clear(state);
}

static void	read_done(struct op *, void *);

static void
write_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct edit *e = c->state;

	if (op->status == WQ_CHANGED && c->x != NULL &&
	    ++e->tries < TRIES_MAX) {
		edit_clear(e);
		sqs_submit(c, OP_INFO, read_done);
		return;
	}
	if (op->status == WQ_OK)
		queue_info_fini(&op->configure.now);
	sqs_status_done(op, c);
}

static void
read_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct edit *e = c->state;
	int i;

	if (op->status != WQ_OK) {
		sqs_status_done(op, c);
		return;
	}
	e->info = op->info;		/* with its refs */
	e->has_info = true;
	memset(&op->configure, 0, sizeof(op->configure));
	e->now.info = &e->info;
	e->now.configure = &op->configure;
	if (c->x == NULL || !e->fn(c, &e->now) ||
	    op->configure.given == 0) {
		if (c->x != NULL)
			sqs_out_nothing(c);
		sqs_call_free(c);
		return;
	}
	op->configure.must_exist = op->configure.strict_target = true;
	for (i = 0; i < QUEUE_TEXTS; i++) {
		op->configure.text[i] = e->now.text[i];
		op->configure.expected[i] = e->info.text[i] != NULL ?
		    e->info.text[i]->text : "";
	}
	sqs_submit(c, OP_CONFIGURE, write_done);
}

bool
sqs_edit(struct sqs_call *c, sqs_edit_fn fn)
{
	struct edit *e;

	if (!sqs_call_alloc(c, sizeof(*e)))
		return false;
	e = c->state;
	e->fn = fn;
	c->state_fini = edit_fini;
	return sqs_submit(c, OP_INFO, read_done);
}

json_t *
sqs_shared_object(const struct shared *s)
{
	bool no_memory;
	json_t *object;

	if (s == NULL)
		return json_object();
	object = json_read((struct text){ s->text, strlen(s->text) },
	    &no_memory);
	if (json_is_object(object) || no_memory)
		return object;
	/* What is no object is not ours: it counts as none. */
	json_decref(object);
	return json_object();
}

static int
add_cb(const char *bytes, size_t n, void *arg)
{
	struct buf *b = arg;

	buf_add(b, bytes, n);
	return b->failed ? -1 : 0;
}

bool
sqs_dump(const json_t *json, char **out)
{
	struct buf b;

	*out = NULL;
	if (json_is_object(json) && json_object_size(json) == 0)
		return true;
	buf_init(&b);
	if (json_dump_callback(json, add_cb, &b, JSON_COMPACT) == -1)
		b.failed = true;
	buf_add(&b, "", 1);
	if (b.failed) {
		buf_fini(&b);
		return false;
	}
	*out = b.data;
	return true;
}
