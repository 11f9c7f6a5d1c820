/*
 * AWS SQS in its JSON protocol: every request is a POST of one object to /,
 * and a header says what it asks for.
 *
 *	push	SendMessage	{"MessageId": ID, ...}
 *	receive	ReceiveMessage	{"Messages": [{"ReceiptHandle": R, "Body": B}]}
 *	confirm	DeleteMessage	{}, or nothing
 *
 * With --batch, SendMessageBatch and DeleteMessageBatch take entries and
 * answer {"Successful": [...], "Failed": [...]}.  The queue is created before
 * the run, which does nothing where it is there; its URL goes into every
 * request.  URL and receipts are sent as they came, still escaped.
 */
#include "bench/client.h"

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/buffer.h"
#include "bench/http_answer.h"
#include "bench/http_headers.h"
#include "bench/json_scan.h"
#include "bench/ledger.h"
#include "bench/options.h"

struct client_sqs {
	struct client		 client;
	const struct options	*options;	/* borrowed */
	const struct ledger	*ledger;	/* borrowed */
	char			*body;		/* owned; one body */
	struct buffer		 head;		/* up to the action's name */
	struct buffer		 begin;		/* of the JSON: the queue */
	struct buffer		 json;		/* of the request at hand */
	struct buffer		 bodies;	/* of the answer at hand */
};

/* What the functions that read an answer pass on. */
struct reading {
	struct client_sqs	*c;
	struct answer		*a;
	struct received		*message;
};

/* `text` is printable, as bodies of the ledger are. */
static void
append_escaped(struct buffer *out, const char *text, size_t bytes)
{
	char *p, *begin;
	size_t i;

	if ((begin = p = buffer_reserve(out, bytes * 2)) == NULL)
		return;
	for (i = 0; i < bytes; i++) {
		if (text[i] == '"' || text[i] == '\\')
			*p++ = '\\';
		*p++ = text[i];
	}
	out->bytes += (size_t)(p - begin);
}

/* The request whose JSON is c->json. */
static void
append_request(struct client_sqs *c, struct buffer *out, const char *action)
{
	buffer_append_buffer(out, &c->head);
	buffer_append_text(out, action);
	buffer_append_text(out, "\r\nContent-Length: ");
	buffer_append_number(out, c->json.bytes);
	buffer_append_text(out, "\r\n\r\n");
	buffer_append_buffer(out, &c->json);
	if (c->json.failed)
		out->failed = true;
}

static void
begin_json(struct client_sqs *c)
{
	c->json.bytes = 0;
	buffer_append_buffer(&c->json, &c->begin);
}

/* Of a batch: all up to what the i-th entry is about. */
static void
begin_entry(struct client_sqs *c, size_t i)
{
	buffer_append_text(&c->json, i == 0 ? ",\"Entries\":[{\"Id\":\"" :
	    "},{\"Id\":\"");
	buffer_append_number(&c->json, i);
	buffer_append_text(&c->json, "\"");
}

static void
append_body(struct client_sqs *c, uint64_t number)
{
	ledger_body(c->ledger, number, c->body);
	buffer_append_text(&c->json, ",\"MessageBody\":\"");
	append_escaped(&c->json, c->body, ledger_body_bytes(c->ledger));
	buffer_append_text(&c->json, "\"");
}

static void
append_receipt(struct client_sqs *c, const struct received *m)
{
	buffer_append_text(&c->json, ",\"ReceiptHandle\":\"");
	buffer_append(&c->json, m->id, m->id_bytes);
	buffer_append_text(&c->json, "\"");
}

static void
sqs_push(struct client *client, struct buffer *out, size_t queue,
    uint64_t first, size_t count)
{
	struct client_sqs *c = (struct client_sqs *)client;
	bool is_batch = c->options->batch > 1;
	size_t i;

	(void)queue;
	begin_json(c);
	for (i = 0; i < count; i++) {
		if (is_batch)
			begin_entry(c, i);
		append_body(c, first + i);
	}
	buffer_append_text(&c->json, is_batch ? "}]}" : "}");
	append_request(c, out, is_batch ? "SendMessageBatch" : "SendMessage");
}

static void
sqs_receive(struct client *client, struct buffer *out,
    const struct wanted *wanted)
{
	struct client_sqs *c = (struct client_sqs *)client;

	begin_json(c);
	buffer_append_text(&c->json, ",\"MaxNumberOfMessages\":");
	buffer_append_number(&c->json, wanted->amount);
	if (wanted->lock_ms > 0) {
		buffer_append_text(&c->json, ",\"VisibilityTimeout\":");
		buffer_append_number(&c->json,
		    ((unsigned long long)wanted->lock_ms + 999) / 1000);
	}
	buffer_append_text(&c->json, "}");
	append_request(c, out, "ReceiveMessage");
}

static void
sqs_confirm(struct client *client, struct buffer *out, size_t queue,
    const struct answer *received)
{
	struct client_sqs *c = (struct client_sqs *)client;
	bool is_batch = c->options->batch > 1;
	size_t i;

	(void)queue;
	begin_json(c);
	for (i = 0; i < received->count; i++) {
		if (is_batch)
			begin_entry(c, i);
		append_receipt(c, &received->messages[i]);
	}
	buffer_append_text(&c->json, is_batch ? "}]}" : "}");
	append_request(c, out, is_batch ? "DeleteMessageBatch" :
	    "DeleteMessage");
}

static bool
is_name(const char *name, size_t bytes, const char *wanted)
{
	return bytes == strlen(wanted) && memcmp(name, wanted, bytes) == 0;
}

static bool
read_message_member(struct json_scan *s, const char *name, size_t n,
    void *reading)
{
	struct reading *r = reading;
	struct buffer *bodies = &r->c->bodies;
	struct received *m = r->message;
	const char *text;
	char *body;
	size_t bytes;

	if (is_name(name, n, "ReceiptHandle"))
		return json_scan_string(s, &m->id, &m->id_bytes);
	if (!is_name(name, n, "Body"))
		return json_scan_value(s, &text, &bytes);
	/* There is room for the whole answer: nothing moves. */
	if (!json_scan_string(s, &text, &bytes) ||
	    (body = buffer_reserve(bodies, bytes)) == NULL ||
	    !json_scan_unescape(text, bytes, body, &m->body_bytes))
		return false;
	bodies->bytes += m->body_bytes;
	m->body = body;
	return true;
}

static bool
read_message(struct json_scan *s, void *reading)
{
	struct reading *r = reading;

	if ((r->message = answer_add(r->a)) == NULL)
		return false;
	memset(r->message, 0, sizeof(*r->message));
	return json_scan_object(s, read_message_member, r) &&
	    r->message->id_bytes > 0 && r->message->body != NULL;
}

static bool
read_successful(struct json_scan *s, void *reading)
{
	struct reading *r = reading;
	const char *text;
	size_t bytes;

	r->a->done++;
	return json_scan_value(s, &text, &bytes) && text[0] == '{';
}

static bool
read_failed(struct json_scan *s, void *reading)
{
	struct reading *r = reading;
	const char *text;
	size_t bytes;

	if (!json_scan_value(s, &text, &bytes) || text[0] != '{')
		return false;
	answer_unexpected(r->a, "an entry has failed", text, bytes);
	return true;
}

/* One member of the outer object; those we do not know are stepped over. */
static bool
read_member(struct json_scan *s, const char *name, size_t n, void *reading)
{
	struct reading *r = reading;
	const char *text;
	size_t bytes;

	if (is_name(name, n, "Messages"))
		return json_scan_array(s, read_message, r);
	if (is_name(name, n, "Successful"))
		return json_scan_array(s, read_successful, r);
	if (is_name(name, n, "Failed"))
		return json_scan_array(s, read_failed, r);
	if (is_name(name, n, "MessageId")) {
		r->a->done = 1;
		return json_scan_string(s, &text, &bytes) && bytes > 0;
	}
	return json_scan_value(s, &text, &bytes);
}

static bool
read_body(struct client_sqs *c, const struct http_answer *http,
    struct answer *a)
{
	struct json_scan s = { http->body, http->body + http->body_bytes };
	struct reading r = { c, a, NULL };

	c->bodies.bytes = 0;
	return buffer_reserve(&c->bodies, http->body_bytes + 1) != NULL &&
	    json_scan_object(&s, read_member, &r) && json_scan_is_done(&s);
}

/* The error is in the body, behind more head than a problem has room for. */
static void
refuse(struct answer *a, const struct http_answer *http)
{
	char what[40];

	(void)snprintf(what, sizeof(what), "unexpected answer, status %d",
	    http->status);
	answer_unexpected(a, what, http->body, http->body_bytes);
}

static ssize_t
sqs_parse(struct client *client, enum request kind, size_t count,
    const char *in, size_t bytes, struct answer *a)
{
	struct client_sqs *c = (struct client_sqs *)client;
	bool is_single = kind == REQUEST_CONFIRM && c->options->batch == 1;
	struct http_answer http;
	ssize_t taken;

	if ((taken = http_answer_take(&http, in, bytes, a)) <= 0)
		return taken;
	if (http.status != 200) {
		refuse(a, &http);
		return taken;
	}
	/* The one answer that says nothing may also be empty. */
	if (!(is_single && http.body_bytes == 0) && !read_body(c, &http, a))
		return answer_garbled(a, "bad answer body", http.body,
		    http.body_bytes);
	if (is_single)
		a->done = 1;
	answer_check_count(a, kind, count, http.body, http.body_bytes);
	return taken;
}

/* Send what is in `out` and wait for the answer; the socket still blocks. */
static int
ask(int fd, const struct buffer *out, struct buffer *in,
    struct http_answer *http, const char **problem)
{
	enum {
		ROOM_BYTES = 4096
	};
	enum http_answer_outcome outcome;
	char *end;
	ssize_t n;

	*problem = "no answer";
	if (out->failed || send(fd, out->data, out->bytes, MSG_NOSIGNAL) !=
	    (ssize_t)out->bytes)
		return -1;
	do {
		if ((end = buffer_reserve(in, ROOM_BYTES)) == NULL ||
		    (n = recv(fd, end, ROOM_BYTES, 0)) <= 0)
			return -1;
		in->bytes += (size_t)n;
		outcome = http_answer_parse(http, in->data, in->bytes,
		    problem);
	} while (outcome == HTTP_ANSWER_PARTIAL);
	return outcome == HTTP_ANSWER_WHOLE ? 0 : -1;
}

/* The begin of the JSON of all requests to come. */
static bool
read_url(struct json_scan *s, const char *name, size_t n, void *begin)
{
	struct buffer *out = begin;
	const char *text;
	size_t bytes;

	if (!is_name(name, n, "QueueUrl"))
		return json_scan_value(s, &text, &bytes);
	if (!json_scan_string(s, &text, &bytes))
		return false;
	out->bytes = 0;
	buffer_append_text(out, "{\"QueueUrl\":\"");
	buffer_append(out, text, bytes);
	buffer_append_text(out, "\"");
	return !out->failed;
}

static int
sqs_prepare(struct client *client, int fd, char *problem, size_t room)
{
	struct client_sqs *c = (struct client_sqs *)client;
	struct buffer out = { NULL, 0, 0, false }, in = out;
	struct answer a = { .is_expected = true };
	struct http_answer http;
	struct json_scan s;
	const char *why;
	int status = -1;

	c->json.bytes = 0;
	buffer_append_text(&c->json, "{\"QueueName\":\"");
	buffer_append_text(&c->json, c->options->queue);
	buffer_append_text(&c->json, "\"}");
	append_request(c, &out, "CreateQueue");
	if (ask(fd, &out, &in, &http, &why) == -1) {
		(void)answer_garbled(&a, why, in.data, in.bytes);
		goto out;
	}
	s.at = http.body;
	s.end = http.body + http.body_bytes;
	if (http.status != 200 || !json_scan_object(&s, read_url, &c->begin) ||
	    c->begin.bytes == 0) {
		refuse(&a, &http);
		goto out;
	}
	status = 0;
out:
	if (status == -1)
		(void)snprintf(problem, room, "CreateQueue: %s", a.problem);
	buffer_fini(&out);
	buffer_fini(&in);
	return status;
}

static void
sqs_free(struct client *client)
{
	struct client_sqs *c = (struct client_sqs *)client;

	buffer_fini(&c->head);
	buffer_fini(&c->begin);
	buffer_fini(&c->json);
	buffer_fini(&c->bodies);
	free(c->body);
	free(c);
}

static const struct client_ops sqs_ops = {
	.prepare = sqs_prepare,
	.push = sqs_push,
	.receive = sqs_receive,
	.confirm = sqs_confirm,
	.parse = sqs_parse,
	.free = sqs_free
};

struct client *
client_sqs_new(const struct options *o, const struct ledger *l)
{
	struct client_sqs *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->client.ops = &sqs_ops;
	c->options = o;
	c->ledger = l;
	c->body = malloc(ledger_body_bytes(l));
	buffer_append_text(&c->head, "POST / HTTP/1.1\r\n");
	http_headers_append(&c->head, o);
	buffer_append_text(&c->head, "Content-Type: "
	    "application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.");
	if (c->body == NULL || c->head.failed) {
		sqs_free(&c->client);
		return NULL;
	}
	return &c->client;
}
