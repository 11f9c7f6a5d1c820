/* What needs no socket: the guard, routes, replies. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "check_wq.h"
#include "http/guard.h"
#include "http/response.h"
#include "http/route.h"

#define BODY_MAX	1000

static int
status_of(const char *head)
{
	struct guard_head out;
	char copy[4096];

	memcpy(copy, head, strlen(head) + 1);
	return guard_check(copy, strlen(copy), BODY_MAX, &out).status;
}

START_TEST(good_heads_pass)
{
	static const char *const good[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET /?a=%20b HTTP/1.0\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\nContent-Length: 5\n\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"PATCH http://h/x HTTP/1.1\r\nExpect: 100-Continue\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nX-Empty:\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n",
		("POST / HTTP/1.1\r\nHost: a:3000\r\n"
		    "Origin: http://a:3000\r\n\r\n"),
	};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(status_of(good[i]) == 0, "%s", good[i]);
}
END_TEST

START_TEST(bad_heads_are_refused)
{
	static const struct {
		int status;
		const char *head;
	} bad[] = {
		{ 400, "GET /\r\n\r\n" },
		{ 400, " GET / HTTP/1.1\r\n\r\n" },
		{ 400, "GET  / HTTP/1.1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1 \r\n\r\n" },
		{ 400, "GET / a HTTP/1.1\r\n\r\n" },
		{ 400, "GET x HTTP/1.1\r\n\r\n" },
		{ 400, "G(T / HTTP/1.1\r\n\r\n" },
		{ 505, "GET / HTTP/2.0\r\n\r\n" },
		{ 400, "GET / HTTP/x.1\r\n\r\n" },
		{ 400, "GET /% HTTP/1.1\r\n\r\n" },
		{ 400, "GET /%2 HTTP/1.1\r\n\r\n" },
		{ 400, "GET /%zz HTTP/1.1\r\n\r\n" },
		{ 400, "GET /%00 HTTP/1.1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nA : b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n: b\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nContent-Length: 5\r\n"
		    "Content-Length: 5\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nContent-Length: 5\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n" },
		{ 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ 501, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n" },
		{ 400, "HEAD / HTTP/1.1\r\nContent-Length: 5\r\n\r\n" },
		{ 413, "POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" },
		{ 413, "POST / HTTP/1.1\r\n"
		    "Content-Length: 99999999999999999999999\r\n\r\n" },
		{ 417, "POST / HTTP/1.1\r\nExpect: cake\r\n\r\n" },
		{ 403, "POST / HTTP/1.1\r\nHost: a:3000\r\n"
		    "Origin: http://b\r\n\r\n" },
		{ 403, "POST / HTTP/1.1\r\nOrigin: null\r\nHost: a\r\n\r\n" },
		{ 403, "POST / HTTP/1.1\r\nOrigin:\r\n\r\n" },
		{ 403, "GET / HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\n\r\n" },
		{ 400, "GET /a#b HTTP/1.1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(status_of(bad[i].head) == bad[i].status,
		    "%d: %s", status_of(bad[i].head), bad[i].head);
}
END_TEST

START_TEST(a_head_is_read)
{
	const char *head = "POST /x?a HTTP/1.0\r\nHost: h\r\nConnection: a\r\n"
	    "content-length:\t7\r\nConnection: b, Close,keep-alive\r\n"
	    "X-AMZ-Target: t \r\nExpect: 100-continue\r\n\r\n";
	struct guard_head out;
	struct text all = { head, strlen(head) }, t;

	ck_assert_int_eq(guard_check(head, strlen(head), BODY_MAX,
	    &out).status, 0);
	ck_assert_int_eq(out.content_length, 7);
	ck_assert_mem_eq(out.method.data, "POST", out.method.bytes);
	ck_assert_mem_eq(out.target.data, "/x?a", out.target.bytes);
	ck_assert(out.http10 && out.close && out.keep_alive &&
	    out.expects_continue && !out.chunked);
	t = guard_header(all, "x-amz-target");
	ck_assert_uint_eq(t.bytes, 1);
	ck_assert_mem_eq(t.data, "t", 1);
	ck_assert_ptr_null(guard_header(all, "POST /x?a HTTP/1.0").data);
	ck_assert_ptr_null(guard_header(all, "X-Amz").data);
}
END_TEST

START_TEST(tokens_are_those_of_the_rfc)
{
	char head[64];
	int c, good;

	for (c = 1; c < 256; c++) {
		snprintf(head, sizeof(head), "A%cA / HTTP/1.1\r\n\r\n", c);
		good = strchr("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTU"
		    "VWXYZabcdefghijklmnopqrstuvwxyz", c) != NULL;
		ck_assert_msg((status_of(head) == 0) == good, "%d", c);
	}
}
END_TEST

/* However it comes in pieces, the end is found at the same place. */
START_TEST(the_end_of_a_head_is_found)
{
	static const char *const heads[] = { "GET / HTTP/1.1\r\nA: b\r\n\r\n",
	    "GET / HTTP/1.1\nA: b\n\n", "GET / HTTP/1.1\r\nA: b\n\r\n" };
	size_t i, n, from, bytes;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		bytes = strlen(heads[i]);
		for (n = 0, from = 0; n < bytes; n++)
			ck_assert_uint_eq(guard_head_bytes(heads[i], n,
			    &from), 0);
		ck_assert_uint_eq(guard_head_bytes(heads[i], bytes, &from),
		    bytes);
	}
}
END_TEST

static int
chunked_status(const char *text, size_t piece)
{
	struct guard_chunks c;
	struct guard_verdict v = { 0, NULL };
	struct buf body;
	size_t bytes = strlen(text), at, n, used;

	buf_init(&body);
	memset(&c, 0, sizeof(c));
	for (at = 0; at < bytes && v.status == 0 && c.place != CHUNK_DONE;
	    at += used) {
		n = bytes - at < piece ? bytes - at : piece;
		v = guard_chunked(&c, text + at, n, BODY_MAX, &body, &used);
		if (v.status == 0 && c.place != CHUNK_DONE)
			ck_assert_uint_eq(used, n);
	}
	if (strstr(text, "hello") != NULL)
		ck_assert_mem_eq(body.data, "hello", 5);
	buf_fini(&body);
	if (c.place == CHUNK_DONE)
		ck_assert_str_eq(text + at, strstr(text, "GET") != NULL ?
		    "GET /" : "");
	return v.status;
}

START_TEST(chunks_are_checked_in_pieces_of_any_size)
{
	static const struct {
		int status;
		const char *text;
	} t[] = {
		{ 0, "5\r\nhello\r\n0\r\n\r\n" },
		{ 0, "1\r\na\r\n1;x=y\r\nb\r\n000\r\nA: b\r\n\r\nGET /" },
		{ 0, "3E8\r\n" },
		{ 413, "3E9\r\n" },
		{ 413, "ffffffffffffffffffff\r\n" },
		{ 400, "x\r\n" },
		{ 400, "\r\n" },
		{ 400, "0x1\r\na\r\n" },
		{ 400, "-1\r\n" },
		{ 400, "+1\r\na\r\n" },
		{ 400, "1 \r\na\r\n" },
		{ 400, "1\na\r\n" },
		{ 400, "1\r\nab\r\n" },
		{ 400, "1\r\na\n" },
		{ 400, "0\r\nA: \rb\r\n\r\n" },
	};
	size_t i, piece;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (piece = 1; piece < 40; piece++)
			ck_assert_msg(chunked_status(t[i].text, piece) ==
			    t[i].status, "%zu %s", piece, t[i].text);
}
END_TEST

static void
handler(struct exchange *x, void *arg)
{
	(void)x;
	(void)arg;
}

static const struct http_route routes[] = {
	{ HTTP_GET, "/", handler },
	{ HTTP_POST, "/", handler },
	{ HTTP_GET, "/info", handler },
	{ HTTP_PATCH, "/{}", handler },
	{ HTTP_PUT, "/q/{}/{}", handler },
	{ 0, NULL, NULL }
};

START_TEST(routes_are_found)
{
	struct route_match m;

	route_find(routes, HTTP_GET, "/", 1, &m);
	ck_assert_ptr_eq(m.route, &routes[0]);
	route_find(routes, HTTP_HEAD, "/", 1, &m);
	ck_assert_ptr_eq(m.route, &routes[0]);
	route_find(routes, HTTP_PATCH, "/abc", 4, &m);
	ck_assert_ptr_eq(m.route, &routes[3]);
	ck_assert_uint_eq(m.param[0].bytes, 3);
	ck_assert_mem_eq(m.param[0].data, "abc", 3);
	route_find(routes, HTTP_PUT, "/q/a/bc", 7, &m);
	ck_assert_ptr_eq(m.route, &routes[4]);
	ck_assert_mem_eq(m.param[1].data, "bc", 2);
	/* The earlier pattern counts, whatever the method. */
	route_find(routes, HTTP_PATCH, "/info", 5, &m);
	ck_assert_ptr_null(m.route);
	ck_assert_int_eq(m.allowed, HTTP_GET | HTTP_HEAD);
	route_find(routes, HTTP_GET, "/a/", 3, &m);
	ck_assert_int_eq(m.allowed, 0);
	route_find(routes, HTTP_PUT, "/q//b", 5, &m);
	ck_assert_int_eq(m.allowed, 0);
}
END_TEST

START_TEST(allow_names_the_methods)
{
	char out[80];

	ck_assert_str_eq(route_allow(HTTP_POST | HTTP_GET, out, sizeof(out)),
	    "GET, POST, OPTIONS");
}
END_TEST

START_TEST(a_problem_is_json_whatever_is_in_it)
{
	struct buf b;

	buf_init(&b);
	response_json_string(&b, "a\"\\\n\xff\xc3\xa9\xed\xa0\x80", 10);
	ck_assert_uint_eq(b.bytes, strlen("\"a\\\"\\\\\\u000a\\ufffd"
	    "\xc3\xa9\\ufffd\\ufffd\\ufffd\""));
	ck_assert_mem_eq(b.data, "\"a\\\"\\\\\\u000a\\ufffd\xc3\xa9\\ufffd"
	    "\\ufffd\\ufffd\"", b.bytes);
	buf_fini(&b);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("http");
	TCase *t = tcase_create("http");

	tcase_add_test(t, good_heads_pass);
	tcase_add_test(t, bad_heads_are_refused);
	tcase_add_test(t, a_head_is_read);
	tcase_add_test(t, tokens_are_those_of_the_rfc);
	tcase_add_test(t, the_end_of_a_head_is_found);
	tcase_add_test(t, chunks_are_checked_in_pieces_of_any_size);
	tcase_add_test(t, routes_are_found);
	tcase_add_test(t, allow_names_the_methods);
	tcase_add_test(t, a_problem_is_json_whatever_is_in_it);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
