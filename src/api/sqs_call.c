/* A request of SQS on its way through the backend and back. */
#include "api/sqs_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/mem.h"
#include "http/exchange.h"

#define HOST_MAX_BYTES	255		/* of a name, RFC 1035; and a port */

struct sqs_call *
sqs_call_new(struct sqs *s, struct exchange *x, enum sqs_protocol protocol)
{
	struct sqs_call *c;

	if ((c = mem_alloc(sizeof(*c))) == NULL) {
		exchange_problem(x, 500, "no memory; nothing was changed");
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->sqs = s;
	c->x = x;
	c->protocol = protocol;
	c->op.arg = c;
	return c;
}

void
sqs_call_free(struct sqs_call *c)
{
	json_decref(c->in);
	if (c->state != NULL && c->state_fini != NULL)
		c->state_fini(c->state);
	mem_free(c->state);
	mem_free(c->url_base);
	mem_free(c);
}

static void
gone_cb(void *arg)
{
	struct sqs_call *c = arg;

	c->x = NULL;
	if (c->is_submitted)
		c->sqs->backend->ops->cancel(c->sqs->backend, &c->op);
}

void
sqs_watch(struct sqs_call *c)
{
	if (c->x != NULL)
		exchange_on_gone(c->x, gone_cb, c);
}

bool
sqs_submit(struct sqs_call *c, enum op_verb verb, op_done_fn done)
{
	struct backend *b = c->sqs->backend;

	c->op.verb = verb;
	c->op.done = done;
	c->is_submitted = true;
	sqs_watch(c);
	backend_submit(b, &c->op);
	backend_run(b);
	return true;
}

void
sqs_status_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else if (c->x != NULL)
		sqs_out_nothing(c);
	sqs_call_free(c);
}

bool
sqs_call_alloc(struct sqs_call *c, size_t bytes)
{
	if ((c->state = mem_zalloc(bytes)) != NULL)
		return true;
	return sqs_fail_memory(c);
}

/* A name or an address, and a port: what can stand in a URL, and no more. */
static bool
is_host(struct text host)
{
	static const char of[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~:[]%";
	size_t i;

	for (i = 0; i < host.bytes; i++)
		if (memchr(of, host.data[i], sizeof(of) - 1) == NULL)
			return false;
	return host.bytes > 0 && host.bytes <= HOST_MAX_BYTES;
}

bool
sqs_call_urls(struct sqs_call *c)
{
	const struct config *config = c->sqs->config;
	struct text host = exchange_header(c->x, "Host");
	struct buf b;

	buf_init(&b);
	if (config->public_url[0] != '\0')
		buf_add_str(&b, config->public_url);
	else if (is_host(host)) {
		buf_add_str(&b, "http://");
		buf_add(&b, host.data, host.bytes);
	} else
		buf_printf(&b, "http://localhost:%" PRId64, config->port);
	while (b.bytes > 0 && b.data[b.bytes - 1] == '/')
		b.bytes--;
	buf_add(&b, "/", 1);
	buf_add_str(&b, config->sqs_account);
	buf_add(&b, "/", 2);		/* with the NUL */
	if (b.failed) {
		buf_fini(&b);
		return sqs_fail_memory(c);
	}
	c->url_base = b.data;
	return true;
}

void
sqs_out_url(struct sqs_out *o, const char *name, const char *queue)
{
	struct buf b;

	buf_init(&b);
	buf_add_str(&b, o->call->url_base);
	buf_add(&b, queue, strlen(queue) + 1);
	if (b.failed)
		o->buf->failed = true;
	else
		sqs_out_string(o, name, b.data);
	buf_fini(&b);
}

void
sqs_out_item_url(struct sqs_out *o, const char *xml, const char *queue)
{
	/* As sqs_out_item_string() does it. */
	sqs_out_url(o, o->xml ? xml : NULL, queue);
}

/* What follows the last separator. */
static bool
last_part(struct text t, char separator, char *out)
{
	const char *p = memrchr(t.data, separator, t.bytes);
	const char *end = t.data + t.bytes;
	size_t bytes;

	p = p != NULL ? p + 1 : t.data;
	bytes = (size_t)(end - p);
	if (bytes == 0 || bytes >= QUEUE_NAME_BYTES ||
	    memchr(p, '\0', bytes) != NULL)
		return false;
	memcpy(out, p, bytes);
	out[bytes] = '\0';
	return true;
}

bool
sqs_url_queue(struct text url, char *out)
{
	return url.data != NULL && last_part(url, '/', out);
}

bool
sqs_arn_queue(struct text arn, char *out)
{
	static const char prefix[] = "arn:";
	size_t i, colons = 0;

	if (arn.data == NULL || arn.bytes < sizeof(prefix) ||
	    memcmp(arn.data, prefix, sizeof(prefix) - 1) != 0)
		return false;
	for (i = 0; i < arn.bytes; i++)
		colons += arn.data[i] == ':';
	return colons == 5 && memmem(arn.data, arn.bytes, ":sqs:", 5) !=
	    NULL && last_part(arn, ':', out);
}

const char *
sqs_arn(const struct sqs *s, const char *queue, char *out)
{
	snprintf(out, SQS_ARN_BYTES, "arn:aws:sqs:%.60s:%.60s:%s",
	    s->config->sqs_region, s->config->sqs_account, queue);
	return out;
}
