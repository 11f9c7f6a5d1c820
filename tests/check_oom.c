/*
 * The whole server in one process, with each allocation failing in turn, ours
 * and libevent's and jansson's: it goes on, loses nothing it acknowledged and,
 * under ASan, leaks nothing.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/native.h"
#include "backend/backend.h"
#include "base/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "check_wq.h"
#include "http/server.h"

#define ANSWER_BYTES	65536
#define TURNS_MAX	400
#define PLACES_MAX	2000		/* allocations of one request */

static struct config		config;
static struct event_base	*base;
static struct backend		*backend;
static struct native		*native;
static struct http_server	*server;
static char			dir[] = "/tmp/wq-oom-XXXXXX", path[64];
static char			answer[ANSWER_BYTES];

static void
quiet(int severity, const char *text)
{
	(void)severity;
	(void)text;
}

static void
build(void)
{
	char error[CONFIG_ERROR_BYTES], address[80];
	const struct config_option *o;

	ck_assert_int_eq(config_init(&config), 0);
	snprintf(address, sizeof(address), "unix:%s", path);
	for (o = config_options; strcmp(o->name, "listen") != 0; o++)
		;
	ck_assert_int_eq(config_set(&config, o, address, error), 0);
	base = event_base_new();
	backend = local_new(base, &config);
	native = native_new(backend, &config);
	server = http_server_new(base, &config, native_routes(), native);
	ck_assert_int_eq(http_server_listen(server), 0);
	ck_assert(mem_reserve_fill());
}

static void
tear_down(void)
{
	http_server_free(server);
	native_free(native);
	backend->ops->free(backend);
	event_base_free(base);
	config_fini(&config);
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Is the answer all there?  It has a Content-Length, or is a 204. */
static bool
is_whole(const char *text, size_t n)
{
	const char *body = strstr(text, "\r\n\r\n"), *length;

	if (body == NULL)
		return false;
	if ((length = strstr(text, "Content-Length: ")) == NULL)
		return true;
	return (size_t)(body + 4 - text) + strtoul(length + 16, NULL, 10) <=
	    n;
}

/* Send a request on a new connection; its status, or 0 when it was closed. */
static int
ask(const char *request, size_t piece)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t sent = 0, got = 0, bytes = strlen(request);
	ssize_t n;
	int fd, i;

	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)),
	    0);
	for (i = 0; i < TURNS_MAX; i++) {
		if (sent < bytes) {
			n = send(fd, request + sent, bytes - sent < piece ?
			    bytes - sent : piece, MSG_NOSIGNAL);
			sent += n > 0 ? (size_t)n : 0;
		}
		turn();
		n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
		if (n == 0 || (n == -1 && errno != EAGAIN))
			break;
		got += n > 0 ? (size_t)n : 0;
		answer[got] = '\0';
		if (is_whole(answer, got))
			break;
	}
	close(fd);
	/* The server sees it go. */
	for (i = 0; i < 4; i++)
		turn();
	return got > 12 ? atoi(answer + 9) : 0;
}

static void
push(char id[37])
{
	ck_assert_int_eq(ask("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n"
	    "[1]", 1000), 201);
	memcpy(id, strstr(answer, "messageID") + 13, 36);
	id[36] = '\0';
}

static size_t
count(const char *what)
{
	char *at;

	ck_assert_int_eq(ask("GET /info HTTP/1.1\r\n\r\n", 1000), 200);
	at = strstr(answer, what);
	return strtoul(strchr(at, ':') + 1, NULL, 10);
}

#define NATIVE(page, bytes, body) \
	page " HTTP/1.1\r\nContent-Length: " #bytes "\r\n\r\n" body

/* A request of SQS, in JSON and as a form; the body's length comes with it. */
#define SQS_JSON(action, bytes, body) \
	"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS." action "\r\n" \
	"Content-Length: " #bytes "\r\n\r\n" body
#define SQS_FORM(bytes, body) \
	"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded" \
	"\r\nContent-Length: " #bytes "\r\n\r\n" body

/* What the request is; in it @ is the id of a message. */
static const struct {
	const char *request;
	size_t piece;		/* bytes sent at a time */
	bool locked;		/* the message is received before */
	int good;		/* its status when all goes well */
} requests[] = {
	{ "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{\"a\":[1]}", 4096,
	    false, 201 },
	{ "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{\"a\":[1]}", 5,
	    false, 201 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "2;x=y\r\n[1\r\n1\r\n]\r\n0\r\nA: b\r\n\r\n", 7, false, 201 },
	{ "POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
	    "Content-Length: 6\r\n\r\n{\"a\":}", 1000, false, 400 },
	{ "GET /?amount=100&details=true&timeout=60000 HTTP/1.1\r\n\r\n",
	    1000, false, 200 },
	{ "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 1000, false, 200 },
	{ "PATCH /@ HTTP/1.1\r\n\r\n", 1000, true, 204 },
	{ "PATCH /@?timeout=50000 HTTP/1.1\r\n\r\n", 1000, true, 204 },
	{ "GET /@ HTTP/1.1\r\n\r\n", 1000, true, 200 },
	{ "GET /info HTTP/1.1\r\n\r\nGET /%69nfo HTTP/1.1\r\n\r\n", 1000,
	    false, 200 },
	{ "DELETE / HTTP/1.1\r\n\r\n", 1000, false, 405 },
	{ "GET /?amount=x%20y&b=2 HTTP/1.1\r\n\r\n", 1000, false, 400 },
	{ NATIVE("PUT /queues/default", 51, "{\"lockTimeout\":5,\"ttl\":1e3,"
	    "\"tags\":{\"\\u00e9a\":\"\\n\"}}"), 4096, false, 200 },
	{ NATIVE("PUT /queues/default", 21, "{\"delay\":1,\"delay\":2}"), 4096,
	    false, 400 },
	{ NATIVE("PATCH /", 40, "[\"@\"]"), 4096, true, 200 },
	{ NATIVE("PATCH /", 49, "[\"@\",\"\\u0061\"]"), 4096, true, 400 },
	{ NATIVE("PATCH /", 3, "[ ]"), 4096, true, 200 },
	{ NATIVE("POST /", 33, "{\"a\\u0000\":[1e999,\"and so on\":1]}"), 4096,
	    false, 400 },
	{ "POST / HTTP/1.1\r\nContent-Type: application/x-ndjson\r\n"
	    "Content-Length: 9\r\n\r\n[1]\n[\"a\n]", 4096, false, 400 },
	{ SQS_JSON("GetQueueUrl", 23, "{\"QueueName\":\"default\"}"), 4096,
	    false, 200 },
	{ SQS_JSON("GetQueueUrl", 7, "{\"a\":1]"), 4096, false, 400 },
	{ SQS_JSON("CreateQueue", 72, "{\"QueueName\":\"q\",\"Attributes\":"
	    "{\"DelaySeconds\":\"1\"},\"tags\":{\"a\":\"b\"}}    "), 4096,
	    false, 200 },
	{ SQS_JSON("SetQueueAttributes", 60, "{\"QueueUrl\":\"default\","
	    "\"Attributes\":{\"KmsMasterKeyId\":\"k\"}}  "), 4096, false,
	    200 },
	{ SQS_JSON("AddPermission", 86, "{\"QueueUrl\":\"default\","
	    "\"Label\":\"l\",\"Actions\":[\"*\"],\"AWSAccountIds\":"
	    "[\"123456789012\"]}   "), 4096, false, 200 },
	{ SQS_JSON("ListQueues", 2, "{}"), 4096, false, 200 },
	{ SQS_JSON("GetQueueAttributes", 50, "{\"QueueUrl\":\"default\","
	    "\"AttributeNames\":[\"All\"]}   "), 4096, false, 200 },
	{ SQS_FORM(75, "Action=TagQueue&QueueUrl=default&Tag.2.Key=a&"
	    "Tag.2.Value=%62&Tag.5.Key=c   "), 4096, false, 200 },
	{ SQS_FORM(49, "Action=UntagQueue&QueueUrl=default&TagKey.3=a    "),
	    4096, false, 200 },
	{ SQS_FORM(38, "Action=ListQueueTags&QueueUrl=nobody  "), 4096,
	    false, 400 },
	{ SQS_JSON("SendMessage", 150, "{\"QueueUrl\":\"default\","
	    "\"MessageBody\":\"hello\",\"MessageAttributes\":{\"a\":"
	    "{\"DataType\":\"String\",\"StringValue\":\"v\"}},"
	    "\"MessageGroupId\":\"g\",\"Other\":1.5,\"x\":[]}"), 4096,
	    false, 200 },
	{ SQS_JSON("ReceiveMessage", 107, "{\"QueueUrl\":\"default\","
	    "\"AttributeNames\":[\"All\"],\"MessageAttributeNames\":"
	    "[\"a.*\",\"b\"],\"MaxNumberOfMessages\":2}"), 4096, false, 200 },
	{ SQS_JSON("DeleteMessageBatch", 65, "{\"QueueUrl\":\"default\","
	    "\"Entries\":[{\"Id\":\"a\",\"ReceiptHandle\":\"x\"}]}"), 4096,
	    false, 200 },
	{ "GET /0/default?Action=SendMessageBatch&"
	    "SendMessageBatchRequestEntry.1.Id=a&"
	    "SendMessageBatchRequestEntry.1.MessageBody=x&"
	    "SendMessageBatchRequestEntry.1.MessageSystemAttribute.1.Name="
	    "AWSTraceHeader&SendMessageBatchRequestEntry.1."
	    "MessageSystemAttribute.1.Value.DataType=String&"
	    "SendMessageBatchRequestEntry.1.MessageSystemAttribute.1.Value."
	    "StringValue=r HTTP/1.1\r\n\r\n", 1000, false, 200 },
};

/* With attributes, of which one is such as JSON escapes. */
static const char attributed[] =
    SQS_JSON("SendMessage", 243, "{\"QueueUrl\":\"default\",\"MessageBody\":"
    "\"hello\",\"MessageAttributes\":{\"a\":{\"DataType\":\"String\","
    "\"StringValue\":\"v\"},\"c\":{\"DataType\":\"Binary\",\"BinaryValue\":"
    "\"AAAA\"}},\"MessageSystemAttributes\":{\"AWSTraceHeader\":"
    "{\"DataType\":\"String\",\"StringValue\":\"\\t\"}}}");

static void
fill_in(char *out, const char *text, const char *id)
{
	for (; *text != '\0'; text++)
		if (*text == '@') {
			memcpy(out, id, 36);
			out += 36;
		} else
			*out++ = *text;
	*out = '\0';
}

/* 100 Continue comes before what is meant. */
static int
final_status(int status)
{
	const char *next = status == 100 ? strstr(answer, "\r\n\r\n") : NULL;

	return next != NULL && strlen(next) > 16 ? atoi(next + 13) : status;
}

START_TEST(each_allocation_may_fail)
{
	char request[1024], id[37];
	int n, status;
	size_t live;

	for (n = 0; n < PLACES_MAX; n++) {
		build();
		push(id);
		if (requests[_i].locked)
			ck_assert_int_eq(ask("GET /?timeout=60000 HTTP/1.1"
			    "\r\n\r\n", 1000), 200);
		if (strstr(requests[_i].request, "ReceiveMessage") != NULL)
			ck_assert_int_eq(ask(attributed, 4096), 200);
		fill_in(request, requests[_i].request, id);
		ck_assert(mem_reserve_fill());
		mem_fail_after(n);
		status = ask(request, requests[_i].piece);
		if (!mem_has_failed())
			break;
		mem_fail_after(-1);
		status = final_status(status);
		ck_assert_msg(status == 0 || status == 500 || status == 100 ||
		    status == requests[_i].good,
		    "request %d, allocation %d: status %d", _i, n, status);
		/* What was acknowledged holds; what was not may or may not. */
		live = count("\"available\"") + count("\"locked\"");
		if (status == 201 || (status == 200 &&
		    strstr(answer, "\"MD5OfMessageBody\"") != NULL))
			ck_assert_uint_eq(live, 2);
		else if (status == 204 && strstr(request, "timeout") == NULL)
			ck_assert_uint_eq(live, 0);
		else if (strncmp(request, "PATCH", 5) == 0)
			ck_assert_uint_le(live, 1);
		else
			ck_assert_uint_ge(live, 1);
		tear_down();
	}
	mem_fail_after(-1);
	ck_assert_int_lt(n, PLACES_MAX);
	ck_assert_int_gt(n, 3);		/* or the failing is not in use */
	if (status != 100)
		ck_assert_int_eq(status, requests[_i].good);
	tear_down();
}
END_TEST

/* Start-up ends with a status, never a crash. */
START_TEST(each_allocation_of_the_start_may_fail)
{
	int n;

	for (n = 0; n < PLACES_MAX; n++) {
		ck_assert_int_eq(config_init(&config), 0);
		base = event_base_new();
		ck_assert(mem_reserve_fill());
		mem_fail_after(n);
		server = NULL;
		native = NULL;
		if ((backend = local_new(base, &config)) != NULL &&
		    (native = native_new(backend, &config)) != NULL)
			server = http_server_new(base, &config,
			    native_routes(), native);
		mem_fail_after(-1);
		http_server_free(server);
		native_free(native);
		if (backend != NULL)
			backend->ops->free(backend);
		event_base_free(base);
		config_fini(&config);
		if (server != NULL)
			break;
	}
	ck_assert_int_lt(n, PLACES_MAX);
}
END_TEST

static void
setup(void)
{
	log_init(LOG_LEVEL_ERROR, 0);
	event_set_log_callback(quiet);
	event_set_mem_functions(mem_alloc_reserved, mem_realloc_reserved,
	    mem_free);
	json_set_alloc_funcs(mem_alloc, mem_free);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
}

static void
teardown(void)
{
	unlink(path);
	rmdir(dir);
	libevent_global_shutdown();
	mem_reserve_free();
}

static Suite *
suite(void)
{
	Suite *s = suite_create("oom");
	TCase *t = tcase_create("oom");

	tcase_set_timeout(t, 300);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, each_allocation_may_fail, 0,
	    sizeof(requests) / sizeof(requests[0]));
	tcase_add_test(t, each_allocation_of_the_start_may_fail);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
