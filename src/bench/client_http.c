/*
 * The native HTTP protocol of wq.  Everything of a request that does not
 * change is written once, at start; a request is then two or three copies.
 *
 *	push	POST /?group=S	 201 {"messageID": ID}
 *	receive	GET /?amount=N	 200 {"messages": [{"id": ID, "body": ...}]}
 *	confirm	PATCH /ID	 204
 *
 * With --batch, a push is lines of NDJSON (201 {"messageIDs": [...]}) and a
 * confirm PATCH / with an array of IDs (200 {"confirmed": [], ...}).
 */
#include "bench/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/buffer.h"
#include "bench/http_answer.h"
#include "bench/http_headers.h"
#include "bench/json_scan.h"
#include "bench/ledger.h"
#include "bench/options.h"

struct client_http {
	struct client		 client;
	const struct options	*options;	/* borrowed */
	const struct ledger	*ledger;	/* borrowed */
	struct buffer		 path;		/* of the queue, "" is root */
	struct buffer		 query;		/* of a push, up to --groups */
	struct buffer		 headers;	/* of every request */
	struct buffer		 push_head;	/* query to body, or length */
	struct buffer		 probe;		/* all of it */
};

/* "GET /", "GET /queues/NAME", or "GET /queues/NAME-7". */
static void
append_target(const struct client_http *c, struct buffer *out,
    const char *method, size_t queue)
{
	buffer_append_text(out, method);
	if (c->path.bytes == 0) {
		buffer_append_text(out, " /");
		return;
	}
	buffer_append_text(out, " ");
	buffer_append_buffer(out, &c->path);
	if (c->options->queues > 0) {
		buffer_append_text(out, "-");
		buffer_append_number(out, queue);
	}
}

static void
append_push_head(const struct client_http *c, struct buffer *out,
    size_t queue, uint64_t first)
{
	const struct options *o = c->options;

	append_target(c, out, "POST", queue);
	buffer_append_buffer(out, &c->query);
	if (o->groups > 0) {
		buffer_append_text(out, "-");
		buffer_append_number(out, first / o->batch % o->groups);
	}
	buffer_append_buffer(out, &c->push_head);
}

static void
http_push(struct client *client, struct buffer *out, size_t queue,
    uint64_t first, size_t count)
{
	struct client_http *c = (struct client_http *)client;
	size_t body_bytes = ledger_body_bytes(c->ledger), i;
	char *p;

	append_push_head(c, out, queue, first);
	if (c->options->batch == 1) {
		if ((p = buffer_reserve(out, body_bytes)) == NULL)
			return;
		ledger_body(c->ledger, first, p);
		out->bytes += body_bytes;
		return;
	}
	buffer_append_number(out, count * (body_bytes + 1));
	buffer_append_text(out, "\r\n\r\n");
	for (i = 0; i < count; i++) {
		if ((p = buffer_reserve(out, body_bytes + 1)) == NULL)
			return;
		ledger_body(c->ledger, first + i, p);
		p[body_bytes] = '\n';
		out->bytes += body_bytes + 1;
	}
}

static void
http_receive(struct client *client, struct buffer *out,
    const struct wanted *wanted)
{
	struct client_http *c = (struct client_http *)client;

	append_target(c, out, "GET", wanted->queue);
	buffer_append_text(out, "?amount=");
	buffer_append_number(out, wanted->amount);
	if (wanted->lock_ms > 0) {
		buffer_append_text(out, "&timeout=");
		buffer_append_number(out,
		    (unsigned long long)wanted->lock_ms);
	}
	if (wanted->wait_ms > 0) {
		buffer_append_text(out, "&wait=");
		buffer_append_number(out,
		    (unsigned long long)wanted->wait_ms);
	}
	buffer_append_text(out, " HTTP/1.1\r\n");
	buffer_append_buffer(out, &c->headers);
	buffer_append_text(out, "\r\n");
}

static void
http_confirm(struct client *client, struct buffer *out, size_t queue,
    const struct answer *received)
{
	struct client_http *c = (struct client_http *)client;
	size_t i, bytes = 1;

	append_target(c, out, "PATCH", queue);
	if (c->options->batch == 1) {
		if (c->path.bytes > 0)
			buffer_append_text(out, "/");
		buffer_append(out, received->messages[0].id,
		    received->messages[0].id_bytes);
		buffer_append_text(out, " HTTP/1.1\r\n");
		buffer_append_buffer(out, &c->headers);
		buffer_append_text(out, "\r\n");
		return;
	}
	for (i = 0; i < received->count; i++)
		bytes += received->messages[i].id_bytes + 3;
	buffer_append_text(out, " HTTP/1.1\r\n");
	buffer_append_buffer(out, &c->headers);
	buffer_append_text(out, "Content-Type: application/json\r\n"
	    "Content-Length: ");
	buffer_append_number(out, bytes);
	buffer_append_text(out, "\r\n\r\n");
	for (i = 0; i < received->count; i++) {
		buffer_append_text(out, i == 0 ? "[\"" : ",\"");
		buffer_append(out, received->messages[i].id,
		    received->messages[i].id_bytes);
		buffer_append_text(out, "\"");
	}
	buffer_append_text(out, "]");
}

static void
http_probe(struct client *client, struct buffer *out)
{
	struct client_http *c = (struct client_http *)client;

	buffer_append_buffer(out, &c->probe);
}

static bool
read_message_member(struct json_scan *s, const char *name, size_t n,
    void *message)
{
	struct received *m = message;
	const char *value;
	size_t bytes;

	if (!json_scan_value(s, &value, &bytes))
		return false;
	if (n == 2 && memcmp(name, "id", 2) == 0 && value[0] == '"') {
		m->id = value + 1;
		m->id_bytes = bytes - 2;
	} else if (n == 4 && memcmp(name, "body", 4) == 0) {
		m->body = value;
		m->body_bytes = bytes;
	}
	return true;
}

/* {"id": ID, "body": ...}, in any order, more members allowed. */
static bool
read_message(struct json_scan *s, void *answer)
{
	struct received *m;

	if ((m = answer_add(answer)) == NULL)
		return false;
	memset(m, 0, sizeof(*m));
	return json_scan_object(s, read_message_member, m) &&
	    m->id_bytes > 0 && m->body != NULL;
}

/* An ID of a list: they are only counted. */
static bool
read_id(struct json_scan *s, void *answer)
{
	struct answer *a = answer;
	const char *text;
	size_t bytes;

	a->done++;
	return json_scan_string(s, &text, &bytes) && bytes > 0;
}

/* One member of the outer object; those we do not know are stepped over. */
static bool
read_member(struct json_scan *s, const char *name, size_t n, void *answer)
{
	const char *text;
	size_t bytes;

	if (n == 8 && memcmp(name, "messages", 8) == 0)
		return json_scan_array(s, read_message, answer);
	if ((n == 10 && memcmp(name, "messageIDs", 10) == 0) ||
	    (n == 9 && memcmp(name, "confirmed", 9) == 0))
		return json_scan_array(s, read_id, answer);
	if (n == 9 && memcmp(name, "messageID", 9) == 0)
		return read_id(s, answer);
	return json_scan_value(s, &text, &bytes);
}

static bool
read_body(const struct http_answer *http, struct answer *a)
{
	struct json_scan s = { http->body, http->body + http->body_bytes };

	return json_scan_object(&s, read_member, a) && json_scan_is_done(&s);
}

static ssize_t
http_parse(struct client *client, enum request kind, size_t count,
    const char *in, size_t bytes, struct answer *a)
{
	struct client_http *c = (struct client_http *)client;
	bool is_single = kind == REQUEST_CONFIRM && c->options->batch == 1;
	static const int wanted[] = {
		[REQUEST_PUSH] = 201, [REQUEST_RECEIVE] = 200,
		[REQUEST_CONFIRM] = 200, [REQUEST_PROBE] = 200
	};
	struct http_answer http;
	ssize_t taken;

	if ((taken = http_answer_take(&http, in, bytes, a)) <= 0)
		return taken;
	if (http.status != (is_single ? 204 : wanted[kind])) {
		answer_unexpected(a, "unexpected answer", in, http.bytes);
		return taken;
	}
	if (is_single || kind == REQUEST_PROBE) {
		a->done = 1;
		return taken;
	}
	if (!read_body(&http, a))
		return answer_garbled(a, "bad answer body", http.body,
		    http.body_bytes);
	answer_check_count(a, kind, count, http.body, http.body_bytes);
	return taken;
}

static void
http_free(struct client *client)
{
	struct client_http *c = (struct client_http *)client;

	buffer_fini(&c->path);
	buffer_fini(&c->query);
	buffer_fini(&c->headers);
	buffer_fini(&c->push_head);
	buffer_fini(&c->probe);
	free(c);
}

static const struct client_ops http_ops = {
	.push = http_push,
	.receive = http_receive,
	.confirm = http_confirm,
	.probe = http_probe,
	.parse = http_parse,
	.free = http_free
};

static void
write_query(struct client_http *c)
{
	const struct options *o = c->options;

	if (o->delay_ms > 0) {
		buffer_append_text(&c->query, "?delay=");
		buffer_append_number(&c->query,
		    (unsigned long long)o->delay_ms);
	}
	if (o->group != NULL) {
		buffer_append_text(&c->query, o->delay_ms > 0 ? "&group=" :
		    "?group=");
		buffer_append_text(&c->query, o->group);
	}
}

static void
write_heads(struct client_http *c)
{
	buffer_append_text(&c->push_head, " HTTP/1.1\r\n");
	buffer_append_buffer(&c->push_head, &c->headers);
	if (c->options->batch == 1) {
		buffer_append_text(&c->push_head,
		    "Content-Type: application/json\r\nContent-Length: ");
		buffer_append_number(&c->push_head,
		    ledger_body_bytes(c->ledger));
		buffer_append_text(&c->push_head, "\r\n\r\n");
	} else {
		buffer_append_text(&c->push_head, "Content-Type: "
		    "application/x-ndjson\r\nContent-Length: ");
	}
	buffer_append_text(&c->probe, "GET /health HTTP/1.1\r\n");
	buffer_append_buffer(&c->probe, &c->headers);
	buffer_append_text(&c->probe, "\r\n");
}

struct client *
client_http_new(const struct options *o, const struct ledger *l)
{
	struct client_http *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->client.ops = &http_ops;
	c->options = o;
	c->ledger = l;
	if (o->queue != NULL) {
		buffer_append_text(&c->path, "/queues/");
		buffer_append_text(&c->path, o->queue);
	}
	write_query(c);
	http_headers_append(&c->headers, o);
	write_heads(c);
	if (c->path.failed || c->query.failed || c->headers.failed ||
	    c->push_head.failed || c->probe.failed) {
		http_free(&c->client);
		return NULL;
	}
	return &c->client;
}
