/*
 * POST, GET and PATCH, turned into ops and back.
 *
 * A `call` is one request on its way through the backend.  It is freed by the
 * op's done, always; when the client goes before, only its exchange is.
 */
#include "api/native.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/params.h"
#include "backend/backend.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/mem.h"
#include "core/op.h"
#include "http/exchange.h"
#include "http/route.h"

#define JSON_TYPE	"application/json"
#define INLINE_OUT	10
#define LOCK_MAX_MS	INT64_C(43200000)	/* 12 h, as SQS has it */
/* Bodies of one receive; what does not fit stays in the queue. */
#define RECEIVE_MAX_BYTES	(16 * 1024 * 1024)
/* Bodies from here on are sent from where they are. */
#define SPLICE_MIN_BYTES	(16 * 1024)
#define RECEIPT_BYTES	24

struct native {
	struct backend *backend;	/* borrowed */
	const struct config *config;	/* borrowed */
};

struct call {
	struct op op;
	struct native *native;		/* borrowed */
	struct exchange *x;		/* borrowed; NULL: the client has gone */
	struct op_body body;		/* of a push */
	bool details;
	struct delivery *out;		/* owned where it is not `few` */
	struct delivery few[INLINE_OUT];
};

static void
call_free(struct call *c)
{
	if (c->out != c->few)
		mem_free(c->out);
	mem_free(c);
}

static void
gone_cb(void *arg)
{
	struct call *c = arg;

	c->x = NULL;
	c->native->backend->ops->cancel(c->native->backend, &c->op);
}

/* The one place where a status becomes an answer. */
static void
answer_status(struct exchange *x, const struct op *op)
{
	uint32_t since = op->verb == OP_EXTEND ? op->extend.receives_since :
	    op->confirm.receives_since;
	int64_t ended_ns = op->verb == OP_EXTEND ? op->extend.ended_ns :
	    op->confirm.ended_ns;

	switch (op->status) {
	case WQ_OK:
		exchange_send(x, 204, NULL);
		return;
	case WQ_NOMEM:
		exchange_problem(x, 500, "no memory; nothing was changed");
		return;
	case WQ_NO_MESSAGE:
		exchange_problem(x, 404, "the queue has no message with this "
		    "ID; it may have been confirmed");
		return;
	case WQ_NOT_LOCKED:
		exchange_problem(x, 404, "the message is not locked: its lock "
		    "ran out and it is back in the queue, or it was not "
		    "received yet");
		return;
	case WQ_STALE_RECEIPT:
		if (since == 1 && ended_ns != 0)
			exchange_problem(x, 409, "the receipt is not of the "
			    "newest receive: its lock ran out at %" PRId64
			    " and the message was received again since",
			    clock_epoch_ms(ended_ns));
		else if (since > 0)
			exchange_problem(x, 409, "the receipt is not of the "
			    "newest receive: its lock ran out and the message "
			    "was received %" PRIu32 " times since", since);
		else
			exchange_problem(x, 409, "the receipt is not of a "
			    "receive of this message");
		return;
	case WQ_NO_QUEUE:
		exchange_problem(x, 404, "there is no such queue");
		return;
	case WQ_UNSUPPORTED:
		exchange_problem(x, 501, "this server's store cannot do that");
		return;
	case WQ_CANCELED:
	case WQ_UNAVAIL:
		exchange_add_header(x, "Retry-After", "1");
		exchange_problem(x, 503, "the server is starting, ending or "
		    "without its store; try again");
		return;
	}
}

/* A call for x, ready for its arguments; NULL: x was answered. */
static struct call *
call_new(struct native *n, struct exchange *x, enum op_verb verb,
    op_done_fn done)
{
	struct call *c = mem_alloc(sizeof(*c));

	if (c == NULL) {
		exchange_problem(x, 500, "no memory; nothing was changed");
		return NULL;
	}
	memset(c, 0, offsetof(struct call, few));
	c->op.verb = verb;
	c->op.done = done;
	c->op.arg = c;
	c->native = n;
	c->x = x;
	c->out = c->few;
	return c;
}

/* The last statement of a handler: the answer may leave from in here. */
static void
call_submit(struct call *c)
{
	struct backend *b = c->native->backend;

	exchange_on_gone(c->x, gone_cb, c);
	backend_submit(b, &c->op);
	backend_run(b);
}

static void
status_done(struct op *op, void *arg)
{
	struct call *c = arg;

	if (c->x != NULL)
		answer_status(c->x, op);
	call_free(c);
}

static void
add_id(struct buf *out, const struct id *id)
{
	char *to = buf_reserve(out, ID_TEXT_BYTES);

	if (to == NULL)
		return;
	id_format(id, to);
	out->bytes += ID_TEXT_BYTES;
}

static void
push_done(struct op *op, void *arg)
{
	struct call *c = arg;
	char location[ID_TEXT_BYTES + 2];
	struct buf *out;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		location[0] = '/';
		id_format(&c->body.id, location + 1);
		location[ID_TEXT_BYTES + 1] = '\0';
		exchange_add_header(c->x, "Location", location);
		out = exchange_reply(c->x);
		buf_add_str(out, "{\"messageID\": \"");
		buf_add(out, location + 1, ID_TEXT_BYTES);
		buf_add_str(out, "\"}\n");
		exchange_send(c->x, 201, JSON_TYPE);
	}
	call_free(c);
}

static void
push(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };
	char error[JSON_ERROR_BYTES];
	struct text body, value;
	struct call *c;
	int r;

	if (!params_known(x, names))
		return;
	body = exchange_body(x);
	r = body.data == NULL ? -2 : json_check(body, &value, error);
	if (r == -1)
		exchange_problem(x, 400, "%s", error);
	else if (r == -2)
		exchange_problem(x, 500, "no memory; nothing was changed");
	if (r != 0 || (c = call_new(arg, x, OP_PUSH, push_done)) == NULL)
		return;
	c->body.data = value.data;
	c->body.bytes = value.bytes;
	c->op.push.bodies = &c->body;
	c->op.push.count = 1;
	call_submit(c);
}

static const char *
state_name(enum message_state state)
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
	if (m->body_bytes < SPLICE_MIN_BYTES)
		buf_add(exchange_reply(x), m->body, m->body_bytes);
	else
		exchange_splice(x, m->body, m->body_bytes, release_cb,
		    message_ref(m));
}

static void
add_details(struct buf *out, const struct delivery *d)
{
	if (d->receives > 0)
		buf_printf(out, ", \"receipt\": \"%" PRIu32 "-%08" PRIx32 "\"",
		    d->receives, d->receipt);
	buf_printf(out, ", \"receives\": %" PRIu32 ", \"pushedAt\": %" PRId64,
	    d->receives, clock_epoch_ms(d->message->pushed_ns));
	if (d->state == MESSAGE_LOCKED)
		buf_printf(out, ", \"lockedUntil\": %" PRId64,
		    clock_epoch_ms(d->until_ns));
}

static void
add_delivery(struct exchange *x, const struct delivery *d, bool details)
{
	struct buf *out = exchange_reply(x);

	buf_add_str(out, "{\"id\": \"");
	add_id(out, &d->message->id);
	buf_add_str(out, "\", \"body\": ");
	add_body(x, d->message);
	if (details)
		add_details(out, d);
}

static void
receive_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct op_receive *r = &op->receive;
	size_t i;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		buf_add_str(exchange_reply(c->x), "{\"messages\": [");
		for (i = 0; i < r->count; i++) {
			if (i > 0)
				buf_add_str(exchange_reply(c->x), ", ");
			add_delivery(c->x, &r->out[i], c->details);
			buf_add(exchange_reply(c->x), "}", 1);
		}
		buf_add_str(exchange_reply(c->x), "]}\n");
		exchange_send(c->x, 200, JSON_TYPE);
	}
	for (i = 0; i < r->count; i++)
		message_unref(r->out[i].message);
	call_free(c);
}

static void
receive(struct exchange *x, void *arg)
{
	static const char *const names[] = { "amount", "timeout", "details",
	    NULL };
	struct native *n = arg;
	int64_t amount = 10, lock_ms = -1;
	bool details = false;
	struct call *c;

	if (!params_known(x, names) ||
	    !params_int(x, "amount", 1, INT64_MAX, &amount) ||
	    !params_int(x, "timeout", 0, LOCK_MAX_MS, &lock_ms) ||
	    !params_bool(x, "details", &details) ||
	    (c = call_new(n, x, OP_RECEIVE, receive_done)) == NULL)
		return;
	if (amount > n->config->max_amount)
		amount = n->config->max_amount;
	if (amount > INLINE_OUT) {
		c->out = mem_alloc((size_t)amount * sizeof(*c->out));
		if (c->out == NULL) {
			c->out = c->few;
			call_free(c);
			exchange_problem(x, 500, "no memory; nothing was "
			    "changed");
			return;
		}
	}
	c->details = details;
	c->op.receive.max = (size_t)amount;
	c->op.receive.max_bytes = RECEIVE_MAX_BYTES;
	c->op.receive.lock_ms = lock_ms;
	c->op.receive.out = c->out;
	call_submit(c);
}

/* HEAD is safe by RFC 9110, so it locks nothing. */
static void
receive_head(struct exchange *x, void *arg)
{
	(void)arg;
	buf_add_str(exchange_reply(x), "{\"messages\": []}\n");
	exchange_send(x, 200, JSON_TYPE);
}

/* The message that the path names. */
static bool
read_id(struct exchange *x, struct id *id)
{
	struct text t = exchange_param(x, 0);

	if (id_parse(t.data, t.bytes, id))
		return true;
	exchange_problem(x, 404, "there is no such page, and a message ID "
	    "looks like 9b2f7c1e-5d3a-4c8e-9f10-2b6d8e4a7c53");
	return false;
}

/* "receives-receipt", as add_details() writes it. */
static bool
read_receipt(struct exchange *x, struct op_receipt *out)
{
	const char *text = exchange_query(x, "receipt");
	char canonical[RECEIPT_BYTES];

	if (text == NULL)
		return true;
	out->given = true;
	if (sscanf(text, "%" SCNu32 "-%" SCNx32, &out->receives,
	    &out->receipt) == 2) {
		snprintf(canonical, sizeof(canonical), "%" PRIu32 "-%08"
		    PRIx32, out->receives, out->receipt);
		if (strcmp(canonical, text) == 0 && out->receives > 0)
			return true;
	}
	exchange_problem(x, 400, "receipt is not one that a receive with "
	    "details=true gave, such as 1-09af38c2");
	return false;
}

static void
confirm(struct exchange *x, void *arg)
{
	static const char *const names[] = { "receipt", "timeout", NULL };
	struct op_receipt receipt = { false, 0, 0 };
	int64_t lock_ms = -1;
	struct call *c;
	struct id id;

	if (!read_id(x, &id) || !params_known(x, names) ||
	    !read_receipt(x, &receipt) ||
	    !params_int(x, "timeout", 0, LOCK_MAX_MS, &lock_ms))
		return;
	c = call_new(arg, x, lock_ms < 0 ? OP_CONFIRM : OP_EXTEND,
	    status_done);
	if (c == NULL)
		return;
	if (lock_ms < 0) {
		c->op.confirm.id = id;
		c->op.confirm.receipt = receipt;
	} else {
		c->op.extend.id = id;
		c->op.extend.receipt = receipt;
		c->op.extend.lock_ms = lock_ms;
	}
	call_submit(c);
}

static void
look_done(struct op *op, void *arg)
{
	struct call *c = arg;
	const struct delivery *d = &op->look.out;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		add_delivery(c->x, d, true);
		buf_printf(exchange_reply(c->x), ", \"state\": \"%s\"}\n",
		    state_name(d->state));
		exchange_send(c->x, 200, JSON_TYPE);
	}
	message_unref(d->message);
	call_free(c);
}

static void
look(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };
	struct call *c;
	struct id id;

	if (!read_id(x, &id) || !params_known(x, names) ||
	    (c = call_new(arg, x, OP_LOOK, look_done)) == NULL)
		return;
	c->op.look.id = id;
	call_submit(c);
}

static void
add_info(struct buf *out, const char *name, const struct queue_info *i)
{
	int64_t oldest_ms = i->oldest_ns != 0 ?
	    (clock_now_ns() - i->oldest_ns) / CLOCK_NS_PER_MS : 0;

	buf_printf(out, "{\"name\": \"%s\", \"paused\": %s, \"settings\": "
	    "{\"lockTimeout\": %" PRId64 "}, ", name,
	    i->paused ? "true" : "false", i->settings.lock_timeout_ms);
	buf_printf(out, "\"counts\": {\"available\": %zu, \"locked\": %zu, "
	    "\"delayed\": %zu, \"bytes\": %" PRIu64 ", \"waiters\": %zu, "
	    "\"oldestAge\": %" PRId64 "}, ", i->available_count,
	    i->locked_count, i->delayed_count, i->body_bytes,
	    i->waiter_count, oldest_ms);
	buf_printf(out, "\"totals\": {\"pushed\": %" PRIu64
	    ", \"received\": %" PRIu64 ", \"confirmed\": %" PRIu64
	    ", \"expired\": %" PRIu64 "}}", i->pushed, i->received,
	    i->confirmed, i->expired);
}

static void
info_done(struct op *op, void *arg)
{
	struct call *c = arg;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		add_info(exchange_reply(c->x), "default", &op->info);
		buf_add(exchange_reply(c->x), "\n", 1);
		exchange_send(c->x, 200, JSON_TYPE);
	}
	call_free(c);
}

static void
info(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };
	struct call *c;

	if (params_known(x, names) &&
	    (c = call_new(arg, x, OP_INFO, info_done)) != NULL)
		call_submit(c);
}

static void
health(struct exchange *x, void *arg)
{
	(void)arg;
	buf_add_str(exchange_reply(x), "{\"status\": \"ok\"}\n");
	exchange_send(x, 200, JSON_TYPE);
}

static void
ready(struct exchange *x, void *arg)
{
	(void)arg;
	if (exchange_is_draining(x)) {
		exchange_add_header(x, "Retry-After", "1");
		exchange_problem(x, 503, "the server is ending");
		return;
	}
	buf_add_str(exchange_reply(x), "{\"status\": \"ready\"}\n");
	exchange_send(x, 200, JSON_TYPE);
}

const struct http_route *
native_routes(void)
{
	static const struct http_route routes[] = {
		{ HTTP_POST, "/", push },
		{ HTTP_GET, "/", receive },
		{ HTTP_HEAD, "/", receive_head },
		{ HTTP_GET, "/info", info },
		{ HTTP_GET, "/health", health },
		{ HTTP_GET, "/ready", ready },
		{ HTTP_GET, "/{}", look },
		{ HTTP_PATCH, "/{}", confirm },
		{ 0, NULL, NULL }
	};

	return routes;
}

struct native *
native_new(struct backend *backend, const struct config *config)
{
	struct native *n;

	if ((n = mem_zalloc(sizeof(*n))) == NULL)
		return NULL;
	n->backend = backend;
	n->config = config;
	return n;
}

void
native_free(struct native *n)
{
	mem_free(n);
}
