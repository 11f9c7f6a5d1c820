/* Messages as they are told of: deliveries, looks, pages; and redrives. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "api/params.h"
#include "api/sqs_message.h"
#include "backend/backend.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "http/exchange.h"
#include "http/response.h"

/* Bodies from here on are sent from where they are. */
#define SPLICE_MIN_BYTES	(16 * 1024)
#define REDRIVE_MAX		10000

static void
add_id(struct buf *out, const struct id *id)
{
	char *to = buf_reserve(out, ID_TEXT_BYTES);

	if (to == NULL)
		return;
	id_format(id, to);
	out->bytes += ID_TEXT_BYTES;
}

const char *
native_state_name(enum message_state state)
{
	switch (state) {
	case MESSAGE_AVAILABLE:
		return "available";
	case MESSAGE_LOCKED:
		return "locked";
	case MESSAGE_DELAYED:
		return "delayed";
	case MESSAGE_NEW:
	case MESSAGE_GONE:
		break;
	}
	return "gone";
}

static void
release_cb(void *message)
{
	message_unref(message);
}

static void
add_body(struct exchange *x, struct message *m)
{
	if (message_is_text(m))
		response_json_string(exchange_reply(x), message_body(m),
		    m->body_bytes);
	else if (m->body_bytes < SPLICE_MIN_BYTES)
		buf_add(exchange_reply(x), message_body(m), m->body_bytes);
	else
		exchange_splice(x, message_body(m), m->body_bytes, release_cb,
		    message_ref(m));
}

static void
add_details(struct buf *out, const struct delivery *d)
{
	const struct dead_letter *dead;
	struct sqs_kept kept;
	struct text beside;
	const char *group;
	size_t bytes;

	if (d->receives > 0)
		buf_printf(out, ", \"receipt\": \"%" PRIu32 "-%08" PRIx32
		    "-%" PRIx64 "\"", d->receives, d->receipt,
		    (uint64_t)clock_epoch_ms(d->taken_ns));
	buf_printf(out, ", \"receives\": %" PRIu32 ", \"pushedAt\": %" PRId64,
	    d->receives, clock_epoch_ms(message_pushed_ns(d->message)));
	if (d->state == MESSAGE_LOCKED || d->state == MESSAGE_DELAYED)
		buf_printf(out, ", \"%s\": %" PRId64, d->state ==
		    MESSAGE_LOCKED ? "lockedUntil" : "delayedUntil",
		    clock_epoch_ms(d->until_ns));
	if ((group = message_group(d->message, &bytes)) != NULL) {
		buf_add_str(out, ", \"group\": ");
		response_json_string(out, group, bytes);
	}
	beside.data = message_attributes(d->message, &beside.bytes);
	if (beside.data != NULL) {
		sqs_kept_find(beside, &kept);
		if (kept.values.data != NULL)
			buf_add_str(out, ", \"attributes\": ");
		buf_add(out, kept.values.data, kept.values.bytes);
	}
	if (d->is_dead && (dead = message_dead_letter(d->message)) != NULL)
		buf_printf(out, ", \"deadLetter\": {\"queue\": \"%s\", "
		    "\"receives\": %" PRIu32 ", \"reason\": \"%s\"}",
		    dead->queue, dead->receives,
		    dead->reason == DEAD_TTL ? "ttl" : "maxReceives");
}

void
native_add_delivery(struct exchange *x, const struct delivery *d, bool details)
{
	struct buf *out = exchange_reply(x);

	buf_add_str(out, "{\"id\": \"");
	add_id(out, &d->id);
	buf_add_str(out, "\", \"body\": ");
	add_body(x, d->message);
	if (details)
		add_details(out, d);
}

bool
native_read_id(struct exchange *x, struct id *id)
{
	struct text t = call_path_id(x);

	if (id_parse(t.data, t.bytes, id))
		return true;
	exchange_problem(x, 404, "there is no such page, and a message ID "
	    "looks like 9b2f7c1e-5d3a-4c8e-9f10-2b6d8e4a7c53");
	return false;
}

static void
look_done(struct op *op, void *arg)
{
	struct call *c = arg;
	const struct delivery *d = &op->look.out;
	struct buf *out;

	if (c->x != NULL && op->status == WQ_NO_MESSAGE &&
	    op->look.moved_to[0] != '\0')
		exchange_problem(c->x, 404, "the message is a dead letter: it "
		    "is in the queue %s, and GET /queues/%s/ID shows it",
		    op->look.moved_to, op->look.moved_to);
	else if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		native_add_delivery(c->x, d, true);
		out = exchange_reply(c->x);
		buf_printf(out, ", \"state\": \"%s\"",
		    native_state_name(d->state));
		if (op->look.paused)
			buf_add_str(out, ", \"paused\": true");
		if (op->look.blocked) {
			buf_add_str(out, ", \"blockedBy\": \"");
			add_id(out, &op->look.blocked_by);
			buf_add_str(out, "\"");
		}
		buf_add_str(out, "}\n");
		exchange_send(c->x, 200, JSON_TYPE);
	}
	message_unref(d->message);
	call_free(c);
}

void
native_look(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };
	struct call *c;
	struct id id;

	if (!native_read_id(x, &id) || !params_known(x, names) ||
	    (c = call_new(arg, x, OP_LOOK, look_done)) == NULL)
		return;
	c->op.look.id = id;
	call_submit(c);
}

static void
peek_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct op_peek *p = &op->peek;
	struct buf *out;
	size_t i;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		buf_add_str(exchange_reply(c->x), "{\"messages\": [");
		for (i = 0; i < p->count; i++) {
			out = exchange_reply(c->x);
			buf_add_str(out, i > 0 ? ", " : "");
			native_add_delivery(c->x, &p->out[i], true);
			buf_printf(out, ", \"state\": \"%s\"}",
			    native_state_name(p->out[i].state));
		}
		buf_add_str(exchange_reply(c->x), "]}\n");
		exchange_send(c->x, 200, JSON_TYPE);
	}
	for (i = 0; i < p->count; i++)
		message_unref(p->out[i].message);
	call_free(c);
}

/* A state by its name, as a bit; none is all.  False: x was answered. */
static bool
read_states(struct exchange *x, unsigned *states)
{
	static const enum message_state all[] = { MESSAGE_AVAILABLE,
	    MESSAGE_LOCKED, MESSAGE_DELAYED };
	const char *text = exchange_query(x, "state");
	size_t i;

	*states = 0;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (text == NULL || strcmp(text, native_state_name(all[i])) == 0)
			*states |= 1u << all[i];
	if (*states != 0)
		return true;
	exchange_problem(x, 400, "state must be available, locked or delayed, "
	    "not \"%.60s\"", text);
	return false;
}

void
native_peek(struct exchange *x, void *arg)
{
	static const char *const names[] = { "amount", "state", "after",
	    NULL };
	struct native *n = arg;
	const char *after = exchange_query(x, "after");
	int64_t amount = CALL_FEW;
	struct op_peek peek;
	struct call *c;

	memset(&peek, 0, sizeof(peek));
	if (!params_known(x, names) ||
	    !params_int(x, "amount", 1, INT64_MAX, &amount) ||
	    !read_states(x, &peek.states))
		return;
	if (after != NULL && !id_parse(after, strlen(after), &peek.after)) {
		exchange_problem(x, 400, "after must be a message ID");
		return;
	}
	peek.has_after = after != NULL;
	if (amount > n->config->max_amount)
		amount = n->config->max_amount;
	if ((c = call_new(n, x, OP_PEEK, peek_done)) == NULL ||
	    !call_alloc_out(c, (size_t)amount))
		return;
	peek.max = (size_t)amount;
	peek.max_bytes = CALL_BODIES_MAX_BYTES;
	peek.out = c->out;
	c->op.peek = peek;
	call_submit(c);
}

static void
redrive_done(struct op *op, void *arg)
{
	struct call *c = arg;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		buf_printf(exchange_reply(c->x), "{\"moved\": %zu}\n",
		    op->redrive.moved);
		exchange_send(c->x, 200, JSON_TYPE);
	}
	call_free(c);
}

void
native_redrive(struct exchange *x, void *arg)
{
	static const char *const names[] = { "to", "amount", NULL };
	const char *to = exchange_query(x, "to");
	int64_t amount = REDRIVE_MAX;
	struct call *c;

	if (!params_known(x, names) ||
	    !params_int(x, "amount", 1, REDRIVE_MAX, &amount))
		return;
	if (to != NULL && (*to == '\0' || strlen(to) > CALL_TEXT_BYTES)) {
		exchange_problem(x, 400, "to must be the name of a queue");
		return;
	}
	if ((c = call_new(arg, x, OP_REDRIVE, redrive_done)) == NULL)
		return;
	if (to != NULL)
		c->op.redrive.to = memcpy(c->group, to, strlen(to) + 1);
	c->op.redrive.max = (size_t)amount;
	call_submit(c);
}
