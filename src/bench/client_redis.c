/*
 * Redis as a queue with locks, for comparison: a list of waiting ids, a
 * sorted set of locked ones with the end of their lock as score, and a hash
 * of bodies.  Each step is one Lua script, loaded once and called by its sum,
 * which is how a server over Redis would do it.
 */
#include "bench/client.h"

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/buffer.h"
#include "bench/clock.h"
#include "bench/ledger.h"
#include "bench/options.h"

enum {
	SUM_BYTES = 40,
	SCRIPTS = 3		/* in the order of enum request */
};

struct client_redis {
	struct client		 client;
	const struct ledger	*ledger;	/* borrowed */
	char			*body;		/* owned; one body */
	char			 sums[SCRIPTS][SUM_BYTES + 1];
};

/* The reading side: `at` moves on, `end` is one past the last byte. */
struct resp {
	const char	*at;
	const char	*end;
};

enum resp_outcome {
	RESP_WHOLE,
	RESP_PARTIAL,
	RESP_GARBLED
};

static const char *const scripts[SCRIPTS] = {
	[REQUEST_PUSH] =
	"for i = 1, #ARGV, 2 do "
	"redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) "
	"redis.call('RPUSH', KEYS[1], ARGV[i]) "
	"end "
	"return #ARGV / 2",
	[REQUEST_RECEIVE] =
	"local now = tonumber(ARGV[1]) "
	"local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, "
	"'LIMIT', 0, 100) "
	"for _, id in ipairs(over) do "
	"redis.call('ZREM', KEYS[2], id) "
	"redis.call('RPUSH', KEYS[1], id) "
	"end "
	"local out = {} "
	"for i = 1, tonumber(ARGV[3]) do "
	"local id = redis.call('LPOP', KEYS[1]) "
	"if not id then break end "
	"redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), id) "
	"out[#out + 1] = id "
	"out[#out + 1] = redis.call('HGET', KEYS[3], id) "
	"end "
	"return out",
	[REQUEST_CONFIRM] =
	"local n = 0 "
	"for _, id in ipairs(ARGV) do "
	"if redis.call('ZREM', KEYS[2], id) == 1 then "
	"redis.call('HDEL', KEYS[3], id) "
	"n = n + 1 "
	"end "
	"end "
	"return n"
};

static void
append_bulk(struct buffer *out, const char *data, size_t bytes)
{
	buffer_append_text(out, "$");
	buffer_append_number(out, bytes);
	buffer_append_text(out, "\r\n");
	buffer_append(out, data, bytes);
	buffer_append_text(out, "\r\n");
}

static void
append_bulk_number(struct buffer *out, unsigned long long n)
{
	char text[24];

	append_bulk(out, text, (size_t)snprintf(text, sizeof(text), "%llu",
	    n));
}

/* EVALSHA sum 3 keys..., with `count` arguments to follow. */
static void
append_call(struct client_redis *c, struct buffer *out, enum request kind,
    size_t count)
{
	buffer_append_text(out, "*");
	buffer_append_number(out, 6 + count);
	buffer_append_text(out, "\r\n$7\r\nEVALSHA\r\n$40\r\n");
	buffer_append(out, c->sums[kind], SUM_BYTES);
	buffer_append_text(out, "\r\n$1\r\n3\r\n$14\r\nwq-bench:ready\r\n"
	    "$14\r\nwq-bench:locks\r\n$15\r\nwq-bench:bodies\r\n");
}

static void
redis_push(struct client *client, struct buffer *out, size_t queue,
    uint64_t first, size_t count)
{
	struct client_redis *c = (struct client_redis *)client;
	size_t bytes = ledger_body_bytes(c->ledger), i;

	(void)queue;
	append_call(c, out, REQUEST_PUSH, count * 2);
	for (i = 0; i < count; i++) {
		ledger_body(c->ledger, first + i, c->body);
		/* Token and number, without the quote, are a fine id. */
		append_bulk(out, c->body + 1, LEDGER_BODY_MIN_BYTES - 2);
		append_bulk(out, c->body, bytes);
	}
}

static void
redis_receive(struct client *client, struct buffer *out,
    const struct wanted *wanted)
{
	struct client_redis *c = (struct client_redis *)client;

	append_call(c, out, REQUEST_RECEIVE, 3);
	append_bulk_number(out, (unsigned long long)clock_epoch_ms());
	append_bulk_number(out, wanted->lock_ms > 0 ?
	    (unsigned long long)wanted->lock_ms : 1000);
	append_bulk_number(out, wanted->amount);
}

static void
redis_confirm(struct client *client, struct buffer *out, size_t queue,
    const struct answer *received)
{
	struct client_redis *c = (struct client_redis *)client;
	size_t i;

	(void)queue;
	append_call(c, out, REQUEST_CONFIRM, received->count);
	for (i = 0; i < received->count; i++)
		append_bulk(out, received->messages[i].id,
		    received->messages[i].id_bytes);
}

/* One line: its mark and the number behind it. */
static enum resp_outcome
read_line(struct resp *s, char *mark, long *number)
{
	const char *feed;
	char *rest;

	if ((feed = memchr(s->at, '\n', (size_t)(s->end - s->at))) == NULL)
		return s->end - s->at > 512 ? RESP_GARBLED : RESP_PARTIAL;
	if (feed - s->at < 3 || feed[-1] != '\r')
		return RESP_GARBLED;
	*mark = s->at[0];
	/* The line end is in the buffer and stops strtol. */
	*number = strtol(s->at + 1, &rest, 10);
	if (*mark != '-' && rest != feed - 1)
		return RESP_GARBLED;
	s->at = feed + 1;
	return RESP_WHOLE;
}

static enum resp_outcome
read_bulk(struct resp *s, const char **out, size_t *bytes)
{
	enum resp_outcome outcome;
	long n;
	char mark;

	if ((outcome = read_line(s, &mark, &n)) != RESP_WHOLE)
		return outcome;
	if (mark != '$' || n < 0 || n > 1L << 30)
		return RESP_GARBLED;
	if (s->end - s->at < n + 2)
		return RESP_PARTIAL;
	*out = s->at;
	*bytes = (size_t)n;
	s->at += n;
	if (memcmp(s->at, "\r\n", 2) != 0)
		return RESP_GARBLED;
	s->at += 2;
	return RESP_WHOLE;
}

static enum resp_outcome
read_messages(struct resp *s, long count, struct answer *a)
{
	enum resp_outcome outcome;
	struct received *m;

	for (; count > 0; count -= 2) {
		if ((m = answer_add(a)) == NULL)
			return RESP_GARBLED;
		outcome = read_bulk(s, &m->id, &m->id_bytes);
		if (outcome != RESP_WHOLE)
			return outcome;
		outcome = read_bulk(s, &m->body, &m->body_bytes);
		if (outcome != RESP_WHOLE)
			return outcome;
	}
	return RESP_WHOLE;
}

static ssize_t
redis_parse(struct client *client, enum request kind, size_t count,
    const char *in, size_t bytes, struct answer *a)
{
	struct resp s = { in, in + bytes };
	enum resp_outcome outcome;
	long n;
	char mark;

	(void)client;
	outcome = read_line(&s, &mark, &n);
	if (outcome == RESP_WHOLE && mark == '*' && kind == REQUEST_RECEIVE &&
	    n >= 0 && n % 2 == 0)
		outcome = read_messages(&s, n, a);
	else if (outcome == RESP_WHOLE && mark == ':' &&
	    kind != REQUEST_RECEIVE)
		a->done = n > 0 ? (size_t)n : 0;
	else if (outcome == RESP_WHOLE && mark != '-')
		outcome = RESP_GARBLED;
	if (outcome == RESP_PARTIAL)
		return 0;
	if (outcome == RESP_GARBLED)
		return answer_garbled(a, "not the reply of Redis", in, bytes);
	if (mark == '-' || (kind != REQUEST_RECEIVE && a->done != count))
		answer_unexpected(a, "unexpected answer", in, bytes);
	return s.at - in;
}

/* Load one script; the socket still blocks. */
static int
load_script(struct client_redis *c, int fd, size_t which)
{
	struct buffer out = { NULL, 0, 0, false };
	const char *sum;
	struct resp s;
	char in[512];
	size_t bytes = 0, sum_bytes;
	ssize_t n;
	int status = -1;

	buffer_append_text(&out, "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n");
	append_bulk(&out, scripts[which], strlen(scripts[which]));
	if (out.failed || send(fd, out.data, out.bytes, MSG_NOSIGNAL) !=
	    (ssize_t)out.bytes)
		goto out;
	do {
		n = recv(fd, in + bytes, sizeof(in) - bytes, 0);
		if (n <= 0)
			goto out;
		bytes += (size_t)n;
		/* "$40", the sum, two line ends; anything else is an error. */
	} while (in[0] == '$' && bytes < SUM_BYTES + 7);
	s.at = in;
	s.end = in + bytes;
	if (read_bulk(&s, &sum, &sum_bytes) != RESP_WHOLE ||
	    sum_bytes != SUM_BYTES)
		goto out;
	memcpy(c->sums[which], sum, SUM_BYTES);
	status = 0;
out:
	buffer_fini(&out);
	return status;
}

static int
redis_prepare(struct client *client, int fd, char *problem, size_t room)
{
	size_t i;

	for (i = 0; i < SCRIPTS; i++) {
		if (load_script((struct client_redis *)client, fd, i) == 0)
			continue;
		(void)snprintf(problem, room, "the server does not take a "
		    "Lua script; is it Redis?");
		return -1;
	}
	return 0;
}

static void
redis_free(struct client *client)
{
	struct client_redis *c = (struct client_redis *)client;

	free(c->body);
	free(c);
}

static const struct client_ops redis_ops = {
	.prepare = redis_prepare,
	.push = redis_push,
	.receive = redis_receive,
	.confirm = redis_confirm,
	.parse = redis_parse,
	.free = redis_free
};

struct client *
client_redis_new(const struct options *o, const struct ledger *l)
{
	struct client_redis *c;

	(void)o;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	if ((c->body = malloc(ledger_body_bytes(l))) == NULL) {
		free(c);
		return NULL;
	}
	c->client.ops = &redis_ops;
	c->ledger = l;
	return &c->client;
}
