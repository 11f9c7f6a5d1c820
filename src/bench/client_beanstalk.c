/*
 * beanstalkd, on its default tube.  It has no batches: with --batch the
 * commands of a batch are sent in one go, and their replies read together.
 *
 *	push	put 0 0 TTR BYTES, body	INSERTED ID
 *	receive	reserve-with-timeout 0	RESERVED ID BYTES, body; TIMED_OUT
 *	confirm	delete ID		DELETED
 *
 * Here the lock timeout belongs to the put, and is in seconds.
 */
#include "bench/client.h"

#include <stdlib.h>
#include <string.h>

#include "bench/buffer.h"
#include "bench/ledger.h"
#include "bench/options.h"

struct client_beanstalk {
	struct client		 client;
	const struct ledger	*ledger;	/* borrowed */
	struct buffer		 put;		/* the line of every put */
};

/* One reply line and, behind RESERVED, its body. */
struct reply {
	const char	*line;
	size_t		 line_bytes;		/* without the line end */
	const char	*id;
	size_t		 id_bytes;
	const char	*body;
	size_t		 body_bytes;
	size_t		 bytes;			/* all of it */
};

static void
beanstalk_push(struct client *client, struct buffer *out, size_t queue,
    uint64_t first, size_t count)
{
	struct client_beanstalk *c = (struct client_beanstalk *)client;
	size_t bytes = ledger_body_bytes(c->ledger), i;
	char *p;

	(void)queue;
	for (i = 0; i < count; i++) {
		buffer_append(out, c->put.data, c->put.bytes);
		if ((p = buffer_reserve(out, bytes + 2)) == NULL)
			return;
		ledger_body(c->ledger, first + i, p);
		memcpy(p + bytes, "\r\n", 2);
		out->bytes += bytes + 2;
	}
}

static void
beanstalk_receive(struct client *client, struct buffer *out,
    const struct wanted *wanted)
{
	size_t i;

	(void)client;
	for (i = 0; i < wanted->amount; i++)
		buffer_append_text(out, "reserve-with-timeout 0\r\n");
}

static void
beanstalk_confirm(struct client *client, struct buffer *out, size_t queue,
    const struct answer *received)
{
	size_t i;

	(void)client;
	(void)queue;
	for (i = 0; i < received->count; i++) {
		buffer_append_text(out, "delete ");
		buffer_append(out, received->messages[i].id,
		    received->messages[i].id_bytes);
		buffer_append_text(out, "\r\n");
	}
}

/* Digits at p; returns how many, and their value where it is wanted. */
static size_t
read_digits(const char *p, const char *end, size_t *value)
{
	const char *begin = p;
	size_t n = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (size_t)(*p - '0');
	if (value != NULL)
		*value = n;
	return (size_t)(p - begin);
}

static bool
is_reply(const struct reply *r, const char *word)
{
	size_t n = strlen(word);

	return r->line_bytes >= n && memcmp(r->line, word, n) == 0;
}

/* 1: read; 0: not complete; -1: no reply of beanstalkd. */
static int
read_reply(struct reply *r, const char *in, const char *end)
{
	const char *feed, *p, *line_end;

	memset(r, 0, sizeof(*r));
	if ((feed = memchr(in, '\n', (size_t)(end - in))) == NULL)
		return end - in > 256 ? -1 : 0;
	if (feed == in || feed[-1] != '\r')
		return -1;
	line_end = feed - 1;
	r->line = in;
	r->line_bytes = (size_t)(line_end - in);
	r->bytes = (size_t)(feed + 1 - in);
	if (!is_reply(r, "RESERVED "))
		return 1;
	r->id = in + 9;
	if ((r->id_bytes = read_digits(r->id, line_end, NULL)) == 0)
		return -1;
	p = r->id + r->id_bytes;
	if (p == line_end || *p++ != ' ' ||
	    read_digits(p, line_end, &r->body_bytes) !=
	    (size_t)(line_end - p) || p == line_end)
		return -1;
	r->body = feed + 1;
	if ((size_t)(end - r->body) < r->body_bytes + 2)
		return 0;
	if (memcmp(r->body + r->body_bytes, "\r\n", 2) != 0)
		return -1;
	r->bytes += r->body_bytes + 2;
	return 1;
}

/* Returns false only without memory. */
static bool
take_reply(const struct reply *r, enum request kind, struct answer *a)
{
	struct received *m;

	switch (kind) {
	case REQUEST_PUSH:
		if (is_reply(r, "INSERTED ")) {
			a->done++;
			return true;
		}
		break;
	case REQUEST_RECEIVE:
		/* DEADLINE_SOON: nothing is ready and a lock nears its end. */
		if (is_reply(r, "TIMED_OUT") || is_reply(r, "DEADLINE_SOON"))
			return true;
		if (r->body == NULL)
			break;
		if ((m = answer_add(a)) == NULL)
			return false;
		m->id = r->id;
		m->id_bytes = r->id_bytes;
		m->body = r->body;
		m->body_bytes = r->body_bytes;
		return true;
	case REQUEST_CONFIRM:
		if (is_reply(r, "DELETED")) {
			a->done++;
			return true;
		}
		break;
	case REQUEST_PROBE:
		break;
	}
	answer_unexpected(a, "unexpected answer", r->line, r->line_bytes);
	return true;
}

static ssize_t
beanstalk_parse(struct client *client, enum request kind, size_t count,
    const char *in, size_t bytes, struct answer *a)
{
	const char *p = in, *end = in + bytes;
	struct reply r;

	(void)client;
	while (count-- > 0) {
		switch (read_reply(&r, p, end)) {
		case 1:
			break;
		case 0:
			return 0;
		default:
			return answer_garbled(a, "not a reply of beanstalkd",
			    p, (size_t)(end - p));
		}
		if (!take_reply(&r, kind, a))
			return answer_garbled(a, "no memory", p, 0);
		p += r.bytes;
	}
	return p - in;
}

static void
beanstalk_free(struct client *client)
{
	struct client_beanstalk *c = (struct client_beanstalk *)client;

	buffer_fini(&c->put);
	free(c);
}

static const struct client_ops beanstalk_ops = {
	.push = beanstalk_push,
	.receive = beanstalk_receive,
	.confirm = beanstalk_confirm,
	.parse = beanstalk_parse,
	.free = beanstalk_free
};

struct client *
client_beanstalk_new(const struct options *o, const struct ledger *l)
{
	struct client_beanstalk *c;
	int64_t ttr_s;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->client.ops = &beanstalk_ops;
	c->ledger = l;
	/* It must be given here; a minute where the server should choose. */
	ttr_s = o->lock_timeout_ms > 0 ? (o->lock_timeout_ms + 999) / 1000 :
	    60;
	buffer_append_text(&c->put, "put 0 0 ");
	buffer_append_number(&c->put, (unsigned long long)ttr_s);
	buffer_append_text(&c->put, " ");
	buffer_append_number(&c->put, ledger_body_bytes(l));
	buffer_append_text(&c->put, "\r\n");
	if (c->put.failed) {
		beanstalk_free(&c->client);
		return NULL;
	}
	return &c->client;
}
