/*
 * Requests of SQS in both protocols, mutilated at random, against the whole
 * server in this process: it neither crashes nor fails, each answer is well
 * formed in the protocol of its request, and after all of them a plain message
 * still goes through.
 * usage: fuzz_sqs [rounds [seed]]
 */
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/native.h"
#include "api/sqs.h"
#include "backend/backend.h"
#include "base/config.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "http/server.h"

#define ROUNDS		12000
#define SEED		20121105
#define BODY_MAX	8192
#define ANSWER_MAX	(1 << 20)
#define TURNS_MAX	60	/* what is not answered then waits */
#define DEPTH_MAX	16	/* of elements within each other */
#define HANDLE_BYTES	52
#define QUEUE		"\"QueueUrl\":\"http://h/000000000000/q\""
#define ATTRIBUTES	"\"MessageAttributes\":{\"a\":{\"DataType\":" \
	"\"String\",\"StringValue\":\"<v>\"},\"b.c\":{\"DataType\":" \
	"\"Binary.x\",\"BinaryValue\":\"AAEC\"}}"
#define FORM_ATTRIBUTES	"MessageAttribute.1.Name=a&MessageAttribute.1.Value." \
	"DataType=Number&MessageAttribute.1.Value.StringValue=1.5"

/* An '@' stands for the newest receipt handle. */
static const struct seed {
	const char *action;	/* NULL: a Query */
	const char *body;
} seeds[] = {
	{ "CreateQueue", "{\"QueueName\":\"q\",\"Attributes\":{"
	    "\"VisibilityTimeout\":\"1\",\"DelaySeconds\":\"0\"},"
	    "\"tags\":{\"k\":\"v\"}}" },
	{ "CreateQueue", "{\"QueueName\":\"f.fifo\",\"Attributes\":{"
	    "\"FifoQueue\":\"true\",\"ContentBasedDeduplication\":\"true\"}}" },
	{ "SendMessage", "{" QUEUE ",\"MessageBody\":\"hello\"}" },
	{ "SendMessage", "{" QUEUE ",\"MessageBody\":\"{\\\"a\\\": 1}\","
	    "\"DelaySeconds\":0," ATTRIBUTES ",\"MessageSystemAttributes\":{"
	    "\"AWSTraceHeader\":{\"DataType\":\"String\",\"StringValue\":"
	    "\"Root=1\\t\"}}}" },
	{ "SendMessage", "{\"QueueUrl\":\"f.fifo\",\"MessageBody\":\"x\","
	    "\"MessageGroupId\":\"g\",\"MessageDeduplicationId\":\"d\"}" },
	{ "SendMessageBatch", "{" QUEUE ",\"Entries\":[{\"Id\":\"1\","
	    "\"MessageBody\":\"a\"},{\"Id\":\"2\",\"MessageBody\":\"b\","
	    ATTRIBUTES "}]}" },
	{ "ReceiveMessage", "{" QUEUE ",\"MaxNumberOfMessages\":10,"
	    "\"VisibilityTimeout\":0,\"AttributeNames\":[\"All\"],"
	    "\"MessageAttributeNames\":[\"a\",\"b.*\"]}" },
	{ "ReceiveMessage", "{" QUEUE ",\"VisibilityTimeout\":30,"
	    "\"MessageSystemAttributeNames\":[\"All\"],"
	    "\"MessageAttributeNames\":[\"All\"],\"WaitTimeSeconds\":0}" },
	{ "ReceiveMessage", "{\"QueueUrl\":\"f.fifo\","
	    "\"AttributeNames\":[\"MessageDeduplicationId\"],"
	    "\"ReceiveRequestAttemptId\":\"r\",\"VisibilityTimeout\":0}" },
	{ "DeleteMessage", "{" QUEUE ",\"ReceiptHandle\":\"@\"}" },
	{ "DeleteMessageBatch", "{" QUEUE ",\"Entries\":[{\"Id\":\"a\","
	    "\"ReceiptHandle\":\"@\"},{\"Id\":\"b\",\"ReceiptHandle\":"
	    "\"x\"}]}" },
	{ "ChangeMessageVisibility", "{" QUEUE ",\"ReceiptHandle\":\"@\","
	    "\"VisibilityTimeout\":0}" },
	{ "ChangeMessageVisibilityBatch", "{" QUEUE ",\"Entries\":[{\"Id\":"
	    "\"a\",\"ReceiptHandle\":\"@\",\"VisibilityTimeout\":10}]}" },
	{ "SetQueueAttributes", "{" QUEUE ",\"Attributes\":{"
	    "\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:"
	    "us-east-1:000000000000:d\\\",\\\"maxReceiveCount\\\":2}\"}}" },
	{ "GetQueueAttributes", "{" QUEUE ",\"AttributeNames\":[\"All\"]}" },
	{ "TagQueue", "{" QUEUE ",\"Tags\":{\"k\":\"v\"}}" },
	{ "AddPermission", "{" QUEUE ",\"Label\":\"l\",\"AWSAccountIds\":["
	    "\"123456789012\"],\"Actions\":[\"SendMessage\"]}" },
	{ "ListQueues", "{\"QueueNamePrefix\":\"\",\"MaxResults\":10}" },
	{ "StartMessageMoveTask", "{\"SourceArn\":\"arn:aws:sqs:us-east-1:"
	    "000000000000:d\",\"MaxNumberOfMessagesPerSecond\":5}" },
	{ NULL, "Action=CreateQueue&QueueName=q&Attribute.1.Name="
	    "VisibilityTimeout&Attribute.1.Value=1&Tag.1.Key=k&Tag.1.Value=v" },
	{ NULL, "Action=SendMessage&QueueUrl=http%3A%2F%2Fh%2F0%2Fq&"
	    "MessageBody=%3Chi%26%0D%3E&" FORM_ATTRIBUTES },
	{ NULL, "Action=SendMessageBatch&QueueUrl=q&"
	    "SendMessageBatchRequestEntry.1.Id=a&"
	    "SendMessageBatchRequestEntry.1.MessageBody=x&"
	    "SendMessageBatchRequestEntry.2.Id=b&"
	    "SendMessageBatchRequestEntry.2.MessageBody=y&"
	    "SendMessageBatchRequestEntry.2." FORM_ATTRIBUTES },
	{ NULL, "Action=ReceiveMessage&QueueUrl=q&AttributeName.1=All&"
	    "MessageAttributeName.1=All&VisibilityTimeout=0&"
	    "MaxNumberOfMessages=10" },
	{ NULL, "Action=DeleteMessage&QueueUrl=q&ReceiptHandle=@" },
	{ NULL, "Action=DeleteMessageBatch&QueueUrl=q&"
	    "DeleteMessageBatchRequestEntry.1.Id=a&"
	    "DeleteMessageBatchRequestEntry.1.ReceiptHandle=@" },
	{ NULL, "Action=ChangeMessageVisibility&QueueUrl=q&"
	    "VisibilityTimeout=0&ReceiptHandle=@" },
	{ NULL, "Action=GetQueueAttributes&QueueUrl=q&AttributeName.1=All" },
	{ NULL, "Action=ListQueues&Version=2012-11-05&MaxResults=10" },
};

#define SEEDS	(sizeof(seeds) / sizeof(seeds[0]))

/* What parsers stumble over. */
static const char *const tokens[] = { "\"", "{", "}", "[", "]", ",", ":",
    "null", "true", "-1", "1e999", "99999999999999999999", "0.5", "\\u0000",
    "\\ud800", "\\", "\xff", "\xed\xa0\x80", "\xef\xbf\xbf", "%", "%00", "%0",
    "%ff", "&", "=", "+", ".", ".1", ".999999999", ".-1", "Entries",
    "Attribute.2.Name=", "<", ">", "]]>", "\r\n", "{}", "[]", "[{}]",
    "\"a\":{\"DataType\":\"Number\",\"StringValue\":\"1\"}" };

#define TOKENS	(sizeof(tokens) / sizeof(tokens[0]))

static struct config		config;
static struct event_base	*base;
static struct backend		*backend;
static struct native		*native;
static struct http_server	*server;
static char			dir[] = "/tmp/wq-fuzz-XXXXXX", path[64];
static char			answer[ANSWER_MAX + 1];
static size_t			answer_bytes;
static char			body[BODY_MAX];
static size_t			body_bytes;
static char			handle[HANDLE_BYTES + 1] = "x";
static uint64_t			seed = SEED;
static int			fd = -1;

static uint64_t
any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

static void
fail(const char *what, const char *action)
{
	fprintf(stderr, "fuzz_sqs: %s\n%s\n%.*s\n-----\n%.*s\n", what,
	    action != NULL ? action : "Query", (int)body_bytes, body,
	    (int)(answer_bytes < 2000 ? answer_bytes : 2000), answer);
	abort();
}

/* Put bytes in place of old ones; what does not fit is left out. */
static void
replace(size_t at, size_t old, const char *bytes, size_t n)
{
	if (body_bytes - old + n > sizeof(body))
		return;
	memmove(body + at + n, body + at + old, body_bytes - at - old);
	memcpy(body + at, bytes, n);
	body_bytes += n - old;
}

static void
begin(const struct seed *s)
{
	const char *at = strchr(s->body, '@');

	body_bytes = strlen(s->body);
	memcpy(body, s->body, body_bytes);
	if (at != NULL)
		replace((size_t)(at - s->body), 1, handle, strlen(handle));
}

static void
mutate(void)
{
	const char *token = tokens[any(TOKENS)], *other;
	size_t at = any(body_bytes + 1), left = body_bytes - at;
	size_t n = any((left < 16 ? left : 16) + 1);
	char copy[256], byte = (char)any(256);

	switch (any(6)) {
	case 0:		/* one byte is another */
		replace(at, left > 0, &byte, 1);
		break;
	case 1:		/* some are gone */
		replace(at, n, "", 0);
		break;
	case 2:		/* some come twice */
		memcpy(copy, body + at, n);
		replace(at, 0, copy, n);
		break;
	case 3:
		replace(at, 0, token, strlen(token));
		break;
	case 4:
		replace(at, n, token, strlen(token));
		break;
	default:	/* a piece of another request */
		other = seeds[any(SEEDS)].body;
		n = any(strlen(other) + 1);
		other += n;
		n = strlen(other) < sizeof(copy) ? strlen(other) :
		    sizeof(copy);
		replace(at, any(left + 1), other, any(n + 1));
		break;
	}
}

static void
reconnect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (fd != -1)
		close(fd);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0)
		fail(strerror(errno), NULL);
}

static bool
is_whole(void)
{
	const char *end, *length;

	answer[answer_bytes] = '\0';
	if ((end = strstr(answer, "\r\n\r\n")) == NULL)
		return false;
	length = strstr(answer, "Content-Length: ");
	return length == NULL || (size_t)(end + 4 - answer) +
	    strtoul(length + 16, NULL, 10) <= answer_bytes;
}

/* The status of the answer; 0: none came, as the request waits. */
static int
ask(const char *action)
{
	static char request[BODY_MAX + 512];
	size_t bytes, sent = 0;
	ssize_t n;
	int i;

	bytes = (size_t)snprintf(request, 512, "POST / HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: %zu\r\n%s%s%s\r\n\r\n", body_bytes,
	    action != NULL ? "X-Amz-Target: AmazonSQS." : "Content-Type: ",
	    action != NULL ? action : "application/x-www-form-urlencoded", "");
	memcpy(request + bytes, body, body_bytes);
	bytes += body_bytes;
	answer_bytes = 0;
	for (i = 0; i < TURNS_MAX; i++) {
		n = send(fd, request + sent, bytes - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		event_base_loop(base, EVLOOP_NONBLOCK);
		n = recv(fd, answer + answer_bytes, ANSWER_MAX - answer_bytes,
		    0);
		answer_bytes += n > 0 ? (size_t)n : 0;
		if (is_whole())
			return atoi(answer + 9);
		if (n == 0)
			break;
	}
	reconnect();
	return 0;
}

static void
check_json(const char *text, int status, const char *action)
{
	json_error_t error;
	json_t *json;

	if (*text == '\0' && status == 200)
		return;
	json = json_loads(text, JSON_ALLOW_NUL, &error);
	if (!json_is_object(json))
		fail(error.text, action);
	if (status != 200 && (!json_is_string(json_object_get(json,
	    "__type")) || !json_is_string(json_object_get(json, "message"))))
		fail("an error without a type or a message", action);
	json_decref(json);
}

/* The length of what XML may have as text at p; 0: it may not be there. */
static size_t
xml_text(const char *p)
{
	static const char *const entities[] = { "&lt;", "&gt;", "&amp;",
	    "&quot;", "&#xD;" };
	size_t i, n;

	if (*p == '&') {
		for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (strncmp(p, entities[i], strlen(entities[i])) == 0)
				return strlen(entities[i]);
		return 0;
	}
	if ((unsigned char)*p < 0x20)
		return *p == '\t' || *p == '\n';
	n = utf8_bytes(p, strlen(p));
	return n == 3 && memcmp(p, "\xef\xbf", 2) == 0 &&
	    (unsigned char)p[2] >= 0xbe ? 0 : n;
}

/* Elements are closed in the order in which they were opened, and so on. */
static void
check_xml(const char *p)
{
	const char *names[DEPTH_MAX];
	size_t lengths[DEPTH_MAX], depth = 0, n;

	if (strncmp(p, "<?xml version=\"1.0\"?>", 21) != 0)
		fail("no declaration of XML", NULL);
	for (p += 21; *p != '\0'; p += n) {
		if (*p != '<') {
			if ((n = xml_text(p)) == 0 || depth == 0)
				fail("text that XML has not", NULL);
			continue;
		}
		n = strcspn(p, ">") + 1;
		if (p[1] == '/') {
			if (depth == 0 || lengths[--depth] != n - 3 ||
			    memcmp(names[depth], p + 2, n - 3) != 0)
				fail("elements overlap", NULL);
		} else if (p[n - 2] != '/') {
			if (depth == DEPTH_MAX)
				fail("elements are too deep", NULL);
			names[depth] = p + 1;
			lengths[depth++] = strcspn(p + 1, " >");
		}
	}
	if (depth != 0)
		fail("an element is not closed", NULL);
}

/* Every answer is one of SQS, or where no Action was left, a native one. */
static void
check_answer(int status, const char *action)
{
	const char *text = strstr(answer, "\r\n\r\n") + 4, *at;

	if (strlen(text) != answer_bytes - (size_t)(text - answer))
		fail("a NUL in the answer", action);
	if (status != 200 && status != 201 && (status < 400 || status > 404))
		fail("a status that should not be", action);
	if (strstr(answer, "Content-Type: application/x-amz-json") != NULL)
		check_json(text, status, action);
	else if (strstr(answer, "Content-Type: text/xml") != NULL)
		check_xml(text);
	else if (action != NULL)
		fail("an answer of another protocol", action);
	if ((at = strstr(text, "\"ReceiptHandle\":\"")) != NULL)
		memcpy(handle, at + 17, HANDLE_BYTES);
	else if ((at = strstr(text, "<ReceiptHandle>")) != NULL)
		memcpy(handle, at + 15, HANDLE_BYTES);
}

/* Unharmed requests: what they ask for is done. */
static void
check_sane(void)
{
	static const struct seed sane[] = {
		{ "CreateQueue", "{\"QueueName\":\"sane\"}" },
		{ "SendMessage", "{\"QueueUrl\":\"sane\",\"MessageBody\":"
		    "\"hello\"}" },
		{ "ReceiveMessage", "{\"QueueUrl\":\"sane\"}" },
		{ "DeleteMessage", "{\"QueueUrl\":\"sane\","
		    "\"ReceiptHandle\":\"@\"}" },
		{ "DeleteQueue", "{\"QueueUrl\":\"sane\"}" },
	};
	size_t i;

	for (i = 0; i < sizeof(sane) / sizeof(sane[0]); i++) {
		begin(&sane[i]);
		if (ask(sane[i].action) != 200)
			fail("a sane request fails", sane[i].action);
		check_answer(200, sane[i].action);
		if (i == 2 && strstr(answer, "\"Body\":\"hello\"") == NULL)
			fail("the message is not there", sane[i].action);
	}
}

static int
set_up(void)
{
	char error[CONFIG_ERROR_BYTES], address[80];
	const struct config_option *o;

	log_init(LOG_LEVEL_ERROR, 0);
	json_set_alloc_funcs(mem_alloc, mem_free);
	if (mkdtemp(dir) == NULL || config_init(&config) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(address, sizeof(address), "unix:%s", path);
	for (o = config_options; strcmp(o->name, "listen") != 0; o++)
		;
	if (config_set(&config, o, address, error) == -1 ||
	    (base = event_base_new()) == NULL ||
	    (backend = local_new(base, &config)) == NULL ||
	    (native = native_new(backend, &config)) == NULL ||
	    (server = http_server_new(base, &config, native_routes(),
	    native)) == NULL || !mem_reserve_fill())
		return -1;
	http_server_take_large(server, SQS_BODY_MAX_BYTES, sqs_is_large);
	return http_server_listen(server);
}

static void
tear_down(void)
{
	close(fd);
	http_server_free(server);
	native_free(native);
	backend->ops->free(backend);
	event_base_free(base);
	config_fini(&config);
	mem_reserve_free();
	libevent_global_shutdown();
	unlink(path);
	rmdir(dir);
}

int
main(int argc, char **argv)
{
	unsigned long rounds = ROUNDS, i, answers[6] = { 0 };
	const struct seed *s;
	uint64_t n;
	int status;

	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	printf("fuzz_sqs: %lu rounds, seed %" PRIu64 "\n", rounds, seed);
	seed += seed == 0;
	if (set_up() == -1) {
		fprintf(stderr, "fuzz_sqs: no server\n");
		return 1;
	}
	reconnect();
	for (i = 0; i < rounds; i++) {
		s = &seeds[any(SEEDS)];
		begin(s);
		for (n = any(any(5) + 1); n > 0; n--)
			mutate();
		if ((status = ask(s->action)) != 0)
			check_answer(status, s->action);
		answers[status / 100]++;
	}
	check_sane();
	tear_down();
	printf("fuzz_sqs: %lu done, %lu refused, %lu wait\n", answers[2],
	    answers[4], answers[0]);
	return 0;
}
