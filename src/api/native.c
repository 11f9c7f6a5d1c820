/* POST, GET and PATCH of a message, turned into ops and back. */
#include "api/native.h"
#include "api/openapi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/call.h"
#include "api/json.h"
#include "api/params.h"
#include "api/sqs.h"
#include "backend/backend.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "core/op.h"
#include "http/exchange.h"
#include "http/route.h"

#define RECEIPT_BYTES	40	/* as text, NUL included */

static void
push_done(struct op *op, void *arg)
{
	struct call *c = arg;
	char location[sizeof("/queues/") + QUEUE_NAME_BYTES + 1 +
	    ID_TEXT_BYTES + 1], id[ID_TEXT_BYTES], *to = location;
	struct buf *out;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		id_format(&c->body.id, id);
		if (op->queue != NULL)
			to = stpcpy(stpcpy(to, "/queues/"), op->queue);
		*to++ = '/';
		*(char *)mempcpy(to, id, ID_TEXT_BYTES) = '\0';
		exchange_add_header(c->x, "Location", location);
		exchange_add_header(c->x, "WQ-Durable",
		    c->native->backend->durable);
		out = exchange_reply(c->x);
		buf_add_str(out, "{\"messageID\": \"");
		buf_add(out, id, ID_TEXT_BYTES);
		buf_add_str(out, "\"}\n");
		exchange_send(c->x, c->body.duplicate ? 200 : 201, JSON_TYPE);
	}
	call_free(c);
}

/* A text parameter of 1 to CALL_TEXT_BYTES.  False: x was answered. */
static bool
check_text(struct exchange *x, const char *name, const char *text,
    size_t bytes)
{
	if (text != NULL && !utf8_is_valid(text, bytes)) {
		exchange_problem(x, 400, "%s must be UTF-8", name);
		return false;
	}
	if (text == NULL || (bytes > 0 && bytes <= CALL_TEXT_BYTES))
		return true;
	exchange_problem(x, 400, "%s must be 1 to %d bytes long", name,
	    CALL_TEXT_BYTES);
	return false;
}

bool
native_push_params(struct exchange *x, struct op_push *push)
{
	static const char *const names[] = { "delay", "timeout", "ttl",
	    "group", "dedup", NULL };
	struct text key = exchange_header(x, "Idempotency-Key");

	memset(push, 0, sizeof(*push));
	push->delay_ms = push->lock_ms = push->ttl_ms = -1;
	if (!params_known(x, names) ||
	    !params_int(x, "delay", 0, PARAM_DELAY_MAX_MS, &push->delay_ms) ||
	    !params_int(x, "timeout", 0, PARAM_LOCK_MAX_MS, &push->lock_ms) ||
	    !params_int(x, "ttl", 0, PARAM_TTL_MAX_MS, &push->ttl_ms))
		return false;
	push->group = exchange_query(x, "group");
	push->group_bytes = push->group != NULL ? strlen(push->group) : 0;
	if (push->group_bytes == 0)
		push->group = NULL;
	push->dedup = exchange_query(x, "dedup");
	push->dedup_bytes = push->dedup != NULL ? strlen(push->dedup) : 0;
	if (push->dedup == NULL) {
		push->dedup = key.data;
		push->dedup_bytes = key.bytes;
	}
	return check_text(x, "group", push->group, push->group_bytes) &&
	    check_text(x, "dedup", push->dedup, push->dedup_bytes);
}

void
native_keep_texts(struct call *c)
{
	struct op_push *push = &c->op.push;

	if (push->group != NULL)
		push->group = memcpy(c->group, push->group,
		    push->group_bytes);
	if (push->dedup != NULL)
		push->dedup = memcpy(c->dedup, push->dedup,
		    push->dedup_bytes);
}

static bool
is_ndjson(const struct exchange *x)
{
	static const char type[] = "application/x-ndjson";
	struct text t = exchange_header(x, "Content-Type");
	size_t n = sizeof(type) - 1;

	return t.bytes >= n && strncasecmp(t.data, type, n) == 0 &&
	    (t.bytes == n || strchr("; \t", t.data[n]) != NULL);
}

static void
push(struct exchange *x, void *arg)
{
	char error[JSON_ERROR_BYTES];
	struct text body, value;
	struct op_push push;
	struct call *c;

	if (is_ndjson(x)) {
		native_push_many(x, arg);
		return;
	}
	if (!native_push_params(x, &push))
		return;
	body = exchange_body(x);
	if (json_check(body, &value, error) == -1) {
		exchange_problem(x, 400, "%s", error);
		return;
	}
	if ((c = call_new(arg, x, OP_PUSH, push_done)) == NULL)
		return;
	c->body.data = value.data;
	c->body.bytes = value.bytes;
	c->op.push = push;
	c->op.push.bodies = &c->body;
	c->op.push.count = 1;
	native_keep_texts(c);
	call_submit(c);
}

static void
release_done(struct op *op, void *arg)
{
	struct call *c = arg;
	size_t i;

	for (i = 0; i < op->release.count; i++)
		message_unref(c->out[i].message);
	call_free(c);
}

/* The messages did not reach their client: as if they had not been received. */
static void
release(struct call *c, size_t count)
{
	struct backend *b = c->native->backend;

	c->op.verb = OP_RELEASE;
	c->op.done = release_done;
	c->op.release.deliveries = c->out;
	c->op.release.count = count;
	backend_submit(b, &c->op);
	backend_run(b);
}

static void
receive_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct op_receive *r = &op->receive;
	bool sent = false;
	size_t i;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		buf_add_str(exchange_reply(c->x), "{\"messages\": [");
		for (i = 0; i < r->count; i++) {
			if (i > 0)
				buf_add_str(exchange_reply(c->x), ", ");
			native_add_delivery(c->x, &r->out[i], c->details);
			buf_add(exchange_reply(c->x), "}", 1);
		}
		buf_add_str(exchange_reply(c->x), "]}\n");
		sent = exchange_send(c->x, 200, JSON_TYPE);
	}
	if (!sent && r->count > 0) {
		release(c, r->count);
		return;
	}
	for (i = 0; i < r->count; i++)
		message_unref(r->out[i].message);
	call_free(c);
}

static void
receive(struct exchange *x, void *arg)
{
	static const char *const names[] = { "amount", "timeout", "wait",
	    "details", NULL };
	struct native *n = arg;
	int64_t amount = CALL_FEW, lock_ms = -1, wait_ms = 0;
	bool details = false;
	struct call *c;

	if (!params_known(x, names) ||
	    !params_int(x, "amount", 1, INT64_MAX, &amount) ||
	    !params_int(x, "timeout", 0, PARAM_LOCK_MAX_MS, &lock_ms) ||
	    !params_int(x, "wait", 0, n->config->max_wait_ms, &wait_ms) ||
	    !params_bool(x, "details", &details) ||
	    (c = call_new(n, x, OP_RECEIVE, receive_done)) == NULL)
		return;
	if (exchange_unsent_bytes(x) > CALL_UNSENT_MAX_BYTES) {
		exchange_add_header(x, "Retry-After", "1");
		exchange_problem(x, 503, "too many clients do not read their "
		    "answers; try again");
		call_free(c);
		return;
	}
	if (amount > n->config->max_amount)
		amount = n->config->max_amount;
	if (!call_alloc_out(c, (size_t)amount))
		return;
	c->details = details;
	c->op.receive.max = (size_t)amount;
	c->op.receive.max_bytes = CALL_BODIES_MAX_BYTES;
	c->op.receive.lock_ms = lock_ms;
	c->op.receive.wait_ms = wait_ms;
	c->op.receive.out = c->out;
	if (wait_ms > 0)
		exchange_is_wait(x);
	call_submit(c);
}

/* "receives-receipt-until", as add_details() writes it. */
static bool
read_receipt(struct exchange *x, struct op_receipt *out)
{
	const char *text = exchange_query(x, "receipt");
	char canonical[RECEIPT_BYTES];
	uint64_t until_ms;

	if (text == NULL)
		return true;
	out->given = true;
	if (sscanf(text, "%" SCNu32 "-%" SCNx32 "-%" SCNx64, &out->receives,
	    &out->receipt, &until_ms) == 3) {
		out->until_ms = (int64_t)until_ms;
		snprintf(canonical, sizeof(canonical), "%" PRIu32 "-%08"
		    PRIx32 "-%" PRIx64, out->receives, out->receipt, until_ms);
		if (strcmp(canonical, text) == 0 && out->receives > 0)
			return true;
	}
	exchange_problem(x, 400, "receipt is not one that a receive with "
	    "details=true gave, such as 1-09af38c2-19ab3ed8c70");
	return false;
}

static void
confirm(struct exchange *x, void *arg)
{
	static const char *const names[] = { "receipt", "timeout", NULL };
	struct op_receipt receipt = { .given = false };
	struct text body;
	int64_t lock_ms = -1;
	struct call *c;
	struct id id;

	if (!native_read_id(x, &id) || !params_known(x, names))
		return;
	body = exchange_body(x);
	if (body.bytes > 0 && (body.bytes != 2 ||
	    memcmp(body.data, "{}", 2) != 0)) {
		/* "-d timeout=60000" must not confirm what it would extend. */
		exchange_problem(x, 400, "this call takes no body (or {}); timeout and "
		    "receipt are parameters of the query");
		return;
	}
	if (!read_receipt(x, &receipt) ||
	    !params_int(x, "timeout", 0, PARAM_LOCK_MAX_MS, &lock_ms))
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
health(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };

	(void)arg;
	if (!params_known(x, names))
		return;
	buf_add_str(exchange_reply(x), "{\"status\": \"ok\"}\n");
	exchange_send(x, 200, JSON_TYPE);
}

static void
ready(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };
	struct native *n = arg;

	if (!params_known(x, names))
		return;
	if (exchange_is_draining(x) || n->backend->trouble != NULL) {
		exchange_add_header(x, "Retry-After", "1");
		exchange_problem(x, 503, "%s", exchange_is_draining(x) ?
		    "the server is ending" : n->backend->trouble);
		return;
	}
	buf_add_str(exchange_reply(x), "{\"status\": \"ready\"}\n");
	exchange_send(x, 200, JSON_TYPE);
}

static void
openapi(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };

	(void)arg;
	if (!params_known(x, names))
		return;
	buf_add(exchange_reply(x), openapi_yaml, openapi_yaml_bytes);
	exchange_send(x, 200, "application/yaml");	/* RFC 9512 */
}

/* The pages that SQS shares, or has to itself. */
static void
post_root(struct exchange *x, void *arg)
{
	struct native *n = arg;

	if (sqs_take(n->sqs, x))
		return;
	/* A request that looked like one of SQS, and is none. */
	if (exchange_body(x).bytes > (size_t)n->config->max_body_bytes)
		exchange_problem(x, 413, "the body is over %" PRId64 " bytes "
		    "(max-body)", n->config->max_body_bytes);
	else
		push(x, arg);
}

static void
get_root(struct exchange *x, void *arg)
{
	struct native *n = arg;

	if (!sqs_take(n->sqs, x))
		receive(x, arg);
}

static void
sqs_queue(struct exchange *x, void *arg)
{
	struct native *n = arg;

	if (!sqs_take(n->sqs, x))
		exchange_problem(x, 400, "this is a queue's page for clients "
		    "of SQS, and the request is none of theirs; the queue's "
		    "own page is /queues/NAME");
}

const struct http_route *
native_routes(void)
{
	static const struct http_route routes[] = {
		{ HTTP_POST, "/", post_root },
		{ HTTP_GET, "/", get_root },
		{ HTTP_HEAD, "/", native_head },
		{ HTTP_PATCH, "/", native_confirm_many },
		{ HTTP_GET, "/info", native_info },
		{ HTTP_POST, "/purge", native_purge },
		{ HTTP_POST, "/pause", native_pause },
		{ HTTP_POST, "/resume", native_resume },
		{ HTTP_POST, "/backup", native_backup },
		{ HTTP_GET, "/health", health },
		{ HTTP_GET, "/ready", ready },
		{ HTTP_GET, "/openapi.yaml", openapi },
		{ HTTP_GET, "/queues", native_list },
		{ HTTP_GET, "/peek", native_peek },
		{ HTTP_POST, "/redrive", native_redrive },
		{ HTTP_GET, "/{}", native_look },
		{ HTTP_PATCH, "/{}", confirm },
		{ HTTP_POST, "/queues/{}", push },
		{ HTTP_GET, "/queues/{}", receive },
		{ HTTP_HEAD, "/queues/{}", native_head },
		{ HTTP_PATCH, "/queues/{}", native_confirm_many },
		{ HTTP_PUT, "/queues/{}", native_configure },
		{ HTTP_DELETE, "/queues/{}", native_delete },
		{ HTTP_GET, "/queues/{}/info", native_info },
		{ HTTP_POST, "/queues/{}/purge", native_purge },
		{ HTTP_POST, "/queues/{}/pause", native_pause },
		{ HTTP_POST, "/queues/{}/resume", native_resume },
		{ HTTP_GET, "/queues/{}/peek", native_peek },
		{ HTTP_POST, "/queues/{}/redrive", native_redrive },
		{ HTTP_GET, "/queues/{}/{}", native_look },
		{ HTTP_PATCH, "/queues/{}/{}", confirm },
		{ HTTP_POST, "/queue/{}", sqs_queue },
		{ HTTP_GET, "/queue/{}", sqs_queue },
		{ HTTP_POST, "/{#}/{}", sqs_queue },
		{ HTTP_GET, "/{#}/{}", sqs_queue },
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
	if ((n->sqs = sqs_new(backend, config)) == NULL) {
		mem_free(n);
		return NULL;
	}
	return n;
}

void
native_free(struct native *n)
{
	if (n == NULL)
		return;
	sqs_free(n->sqs);
	mem_free(n);
}
