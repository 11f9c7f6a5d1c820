/*
 * epoll_responder: the yardstick of scripts/bench, what bare epoll can do.
 *
 *	epoll_responder [port]
 *
 * A queue behind just enough HTTP/1.1 for wq-bench: POST /, GET /?amount=N
 * &timeout=MS, PATCH /ID, GET /health and /ready, keep-alive, Content-Length
 * bodies, pipelined requests; batches as well (NDJSON, PATCH / with an
 * array).  It does not look into JSON, it trusts its peer, and it ends when
 * memory does: it is no server for anything but this comparison.
 *
 * One read and one write a turn and connection; no allocation but that of a
 * message.  The queue is all in rq.c, so that another one can take its place.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "rq.h"

enum {
	READ_ROOM_BYTES = 16 << 10,
	REQUEST_MAX_BYTES = 16 << 20,
	EVENTS_PER_TURN = 256,
	LOCK_TIMEOUT_MS = 1000,
	AMOUNT = 10
};

/* ---- connections ---- */

struct buffer {
	char	*data;		/* owned */
	size_t	 bytes;
	size_t	 room;
};

struct conn {
	int		 fd;
	bool		 is_blocked;	/* out waits for the socket */
	struct buffer	 in;
	struct buffer	 out;
	size_t		 out_sent;
};

struct request {
	const char	*method;
	size_t		 method_bytes;
	const char	*path;
	size_t		 path_bytes;
	const char	*query;		/* "" when there is none */
	size_t		 query_bytes;
	bool		 is_ndjson;
	const char	*body;
	size_t		 body_bytes;
};

static struct rq queue;
static int epoll_fd;

static void __attribute__((noreturn))
die(const char *what)
{
	fprintf(stderr, "epoll_responder: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static char *
reserve(struct buffer *b, size_t bytes)
{
	if (b->room - b->bytes < bytes) {
		if (b->room == 0)
			b->room = 1024;
		while (b->room - b->bytes < bytes)
			b->room *= 2;
		if ((b->data = realloc(b->data, b->room)) == NULL)
			die("realloc");
	}
	return b->data + b->bytes;
}

static void
append(struct buffer *b, const char *data, size_t bytes)
{
	memcpy(reserve(b, bytes), data, bytes);
	b->bytes += bytes;
}

static void
append_text(struct buffer *b, const char *text)
{
	append(b, text, strlen(text));
}

static void
append_id(struct buffer *b, const unsigned char *id)
{
	static const char digits[] = "0123456789abcdef";
	char *p = reserve(b, ID_TEXT_BYTES);
	size_t i;

	for (i = 0; i < RQ_ID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[id[i] >> 4];
		*p++ = digits[id[i] & 15];
	}
	b->bytes += ID_TEXT_BYTES;
}

static bool
read_id(const char *text, size_t bytes, unsigned char *id)
{
	size_t i, n = 0;
	unsigned value = 0;

	if (bytes != ID_TEXT_BYTES)
		return false;
	for (i = 0; i < bytes; i++) {
		char c = text[i];

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c != '-')
				return false;
			continue;
		}
		if (c >= '0' && c <= '9')
			value = value << 4 | (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value = value << 4 | (unsigned)((c | 32) - 'a' + 10);
		else
			return false;
		if (n++ % 2 == 1)
			id[n / 2 - 1] = (unsigned char)value;
	}
	return true;
}

/* ---- the answers ---- */

static const char json_head[] = "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\nContent-Length: ";

/*
 * A JSON answer whose length is not known yet: the number is written with
 * leading blanks, which a header may have, when the body is complete.
 */
static size_t
begin_json(struct buffer *out, const char *status)
{
	size_t at;

	append(out, json_head, sizeof(json_head) - 1);
	memcpy(out->data + out->bytes - (sizeof(json_head) - 1) + 9, status, 3);
	append(out, "        \r\n\r\n", 12);
	at = out->bytes;
	return at;
}

static void
end_json(struct buffer *out, size_t at)
{
	char *p = out->data + at - 4;
	size_t n = out->bytes - at;

	do {
		*--p = (char)('0' + n % 10);
	} while ((n /= 10) > 0);
}

static void
answer_none(struct buffer *out, const char *status)
{
	append_text(out, "HTTP/1.1 ");
	append_text(out, status);
	append_text(out, memcmp(status, "204", 3) == 0 ? "\r\n\r\n" :
	    "\r\nContent-Length: 0\r\n\r\n");
}

static void
push_lines(struct buffer *out, const struct request *r)
{
	const char *line = r->body, *end = r->body + r->body_bytes, *feed;
	size_t at = begin_json(out, "201");
	bool is_first = true;

	append_text(out, "{\"messageIDs\":[");
	for (; line < end; line = feed + 1) {
		feed = memchr(line, '\n', (size_t)(end - line));
		if (feed == NULL)
			feed = end;
		if (feed == line)
			continue;
		append_text(out, is_first ? "\"" : ",\"");
		append_id(out, rq_push(&queue, line, (size_t)(feed - line)));
		append_text(out, "\"");
		is_first = false;
	}
	append_text(out, "]}");
	end_json(out, at);
}

static void
push(struct buffer *out, const struct request *r)
{
	size_t at;

	if (r->is_ndjson) {
		push_lines(out, r);
		return;
	}
	at = begin_json(out, "201");
	append_text(out, "{\"messageID\":\"");
	append_id(out, rq_push(&queue, r->body, r->body_bytes));
	append_text(out, "\"}");
	end_json(out, at);
}

/* The value of `name` in a query; `missing` where it is not there. */
static int64_t
query_number(const struct request *r, const char *name, int64_t missing)
{
	const char *p = r->query, *end = r->query + r->query_bytes;
	size_t n = strlen(name);
	int64_t value = 0;

	for (; p < end; p++) {
		if ((size_t)(end - p) > n && memcmp(p, name, n) == 0 &&
		    p[n] == '=') {
			for (p += n + 1; p < end && *p >= '0' && *p <= '9' &&
			    value < INT64_C(1) << 50; p++)
				value = value * 10 + (*p - '0');
			return value;
		}
		if ((p = memchr(p, '&', (size_t)(end - p))) == NULL)
			break;
	}
	return missing;
}

static void
receive(struct buffer *out, const struct request *r)
{
	int64_t amount = query_number(r, "amount", AMOUNT);
	int64_t lock_ms = query_number(r, "timeout", LOCK_TIMEOUT_MS);
	const struct message *m;
	size_t at = begin_json(out, "200");
	bool is_first = true;

	append_text(out, "{\"messages\":[");
	while (amount-- > 0 && (m = rq_receive(&queue, lock_ms)) != NULL) {
		append_text(out, is_first ? "{\"id\":\"" : ",{\"id\":\"");
		append_id(out, m->id.bytes);
		append_text(out, "\",\"body\":");
		append(out, m->body, m->body_bytes);
		append_text(out, "}");
		is_first = false;
	}
	append_text(out, "]}");
	end_json(out, at);
}

/* PATCH / with ["ID", ...]; the two lists are built one after the other. */
static void
confirm_many(struct buffer *out, const struct request *r)
{
	const char *p = r->body, *end = r->body + r->body_bytes, *quote;
	struct buffer missing = { NULL, 0, 0 };
	size_t at = begin_json(out, "200"), confirmed = 0;
	unsigned char id[RQ_ID_BYTES];

	append_text(out, "{\"confirmed\":[");
	while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		p++;
		quote = memchr(p, '"', (size_t)(end - p));
		if (quote == NULL)
			break;
		if (read_id(p, (size_t)(quote - p), id) &&
		    rq_confirm(&queue, id)) {
			append_text(out, confirmed++ == 0 ? "\"" : ",\"");
			append(out, p, (size_t)(quote - p + 1));
		} else {
			append_text(&missing, missing.bytes == 0 ? "\"" :
			    ",\"");
			append(&missing, p, (size_t)(quote - p + 1));
		}
		p = quote + 1;
	}
	append_text(out, "],\"missing\":[");
	if (missing.bytes > 0)
		append(out, missing.data, missing.bytes);
	append_text(out, "]}");
	end_json(out, at);
	free(missing.data);
}

static void
confirm(struct buffer *out, const struct request *r)
{
	unsigned char id[RQ_ID_BYTES];

	if (r->path_bytes == 1)
		confirm_many(out, r);
	else if (read_id(r->path + 1, r->path_bytes - 1, id) &&
	    rq_confirm(&queue, id))
		answer_none(out, "204 No Content");
	else
		answer_none(out, "404 Not Found");
}

static void
answer(struct buffer *out, const struct request *r)
{
	if (r->method_bytes == 4 && memcmp(r->method, "POST", 4) == 0)
		push(out, r);
	else if (r->method_bytes == 5 && memcmp(r->method, "PATCH", 5) == 0)
		confirm(out, r);
	else if (r->method_bytes == 3 && memcmp(r->method, "GET", 3) == 0)
		r->path_bytes == 1 ? receive(out, r) :
		    answer_none(out, "200 OK");
	else
		answer_none(out, "405 Method Not Allowed");
}

/* ---- HTTP ---- */

static bool
read_request_line(struct request *r, const char *line, const char *end)
{
	const char *space, *mark;

	r->method = line;
	if ((space = memchr(line, ' ', (size_t)(end - line))) == NULL)
		return false;
	r->method_bytes = (size_t)(space - line);
	r->path = space + 1;
	if ((space = memchr(r->path, ' ', (size_t)(end - r->path))) == NULL ||
	    r->path[0] != '/')
		return false;
	r->query = space;
	r->query_bytes = 0;
	r->path_bytes = (size_t)(space - r->path);
	if ((mark = memchr(r->path, '?', r->path_bytes)) != NULL) {
		r->query = mark + 1;
		r->query_bytes = (size_t)(space - r->query);
		r->path_bytes = (size_t)(mark - r->path);
	}
	return true;
}

static bool
read_header(struct request *r, const char *line, const char *end)
{
	static const char length[] = "Content-Length:";
	static const char type[] = "Content-Type: application/x-ndjson";
	const char *p;

	if ((line[0] | 32) != 'c')
		return true;
	if ((size_t)(end - line) >= sizeof(length) - 1 &&
	    strncasecmp(line, length, sizeof(length) - 1) == 0) {
		p = line + sizeof(length) - 1;
		while (p < end && *p == ' ')
			p++;
		for (r->body_bytes = 0; p < end && *p >= '0' && *p <= '9'; p++)
			if ((r->body_bytes = r->body_bytes * 10 +
			    (size_t)(*p - '0')) > REQUEST_MAX_BYTES)
				return false;
		return p == end;
	}
	if ((size_t)(end - line) >= sizeof(type) - 1 &&
	    strncasecmp(line, type, sizeof(type) - 1) == 0)
		r->is_ndjson = true;
	return true;
}

/* Bytes of the first whole request in `in`; 0: not there yet; -1: bad. */
static ssize_t
read_request(struct request *r, const char *in, size_t bytes)
{
	const char *line = in, *end = in + bytes, *feed;

	memset(r, 0, sizeof(*r));
	for (;; line = feed + 1) {
		feed = memchr(line, '\n', (size_t)(end - line));
		if (feed == NULL)
			return bytes > REQUEST_MAX_BYTES ? -1 : 0;
		if (feed == line || feed[-1] != '\r')
			return -1;
		if (line == in) {
			if (!read_request_line(r, line, feed - 1))
				return -1;
		} else if (feed - 1 == line) {
			break;
		} else if (!read_header(r, line, feed - 1)) {
			return -1;
		}
	}
	r->body = feed + 1;
	if ((size_t)(end - r->body) < r->body_bytes)
		return 0;
	return r->body + r->body_bytes - in;
}

static void
conn_free(struct conn *c)
{
	(void)close(c->fd);
	free(c->in.data);
	free(c->out.data);
	free(c);
}

static bool
conn_watch(struct conn *c, bool is_blocked)
{
	struct epoll_event ev = { .data = { .ptr = c } };

	if (c->is_blocked == is_blocked)
		return true;
	c->is_blocked = is_blocked;
	/* While it does not read our answers we do not read its requests. */
	ev.events = is_blocked ? EPOLLOUT : EPOLLIN;
	return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) == 0;
}

static bool
conn_write(struct conn *c)
{
	ssize_t n;

	n = send(c->fd, c->out.data + c->out_sent, c->out.bytes - c->out_sent,
	    MSG_NOSIGNAL);
	if (n == -1 && errno != EAGAIN)
		return false;
	if (n > 0)
		c->out_sent += (size_t)n;
	if (c->out_sent < c->out.bytes)
		return conn_watch(c, true);
	c->out.bytes = 0;
	c->out_sent = 0;
	return conn_watch(c, false);
}

/* Answer every whole request there is, then write once. */
static bool
conn_read(struct conn *c)
{
	struct request r;
	size_t used = 0;
	ssize_t n;

	(void)reserve(&c->in, READ_ROOM_BYTES);
	n = recv(c->fd, c->in.data + c->in.bytes, c->in.room - c->in.bytes, 0);
	if (n == -1 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	c->in.bytes += (size_t)n;
	while (used < c->in.bytes) {
		n = read_request(&r, c->in.data + used, c->in.bytes - used);
		if (n == -1)
			return false;
		if (n == 0)
			break;
		answer(&c->out, &r);
		used += (size_t)n;
	}
	c->in.bytes -= used;
	if (c->in.bytes > 0 && used > 0)
		memmove(c->in.data, c->in.data + used, c->in.bytes);
	return c->out.bytes == 0 || conn_write(c);
}

static void
accept_all(int listen_fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct conn *c;
	int fd, on = 1;

	while ((fd = accept4(listen_fd, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		if ((c = calloc(1, sizeof(*c))) == NULL)
			die("calloc");
		c->fd = fd;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
		ev.data.ptr = c;
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) == -1)
			conn_free(c);
	}
}

static int
listen_on(int port)
{
	struct sockaddr_in to;
	int fd, on = 1;

	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, (const struct sockaddr *)&to, sizeof(to)) == -1 ||
	    listen(fd, 1024) == -1)
		die("listen");
	return fd;
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_PER_TURN], ev = { .events = EPOLLIN };
	int listen_fd, i, n;

	rq_init(&queue);
	listen_fd = listen_on(argc > 1 ? atoi(argv[1]) : 3000);
	if ((epoll_fd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		die("epoll_create1");
	ev.data.ptr = NULL;		/* a connection is never NULL */
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &ev) == -1)
		die("epoll_ctl");
	for (;;) {
		rq_expire(&queue);
		n = epoll_wait(epoll_fd, events, EVENTS_PER_TURN,
		    rq_wait_ms(&queue));
		for (i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;

			if (c == NULL)
				accept_all(listen_fd);
			else if (!(c->is_blocked ? conn_write(c) :
			    conn_read(c)))
				conn_free(c);
		}
	}
}
