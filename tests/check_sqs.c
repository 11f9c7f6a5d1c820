/* Receipt handles and messages of SQS: their rules, digests, kept texts. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/sqs_error.h"
#include "api/sqs_message.h"
#include "api/sqs_receipt.h"
#include "base/buf.h"
#include "check_wq.h"
#include "core/message.h"

#define CHARACTERS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789-_"

static struct sqs_message	message;
static struct sqs_fault		fault;
static struct buf		kept;
static json_t			*in;
static const struct text	untraced = { NULL, 0 };

static void
clear(void)
{
	json_decref(in);
	in = NULL;
	buf_fini(&kept);
}

/* Read a message from JSON that is written with ' in place of ". */
static int
read_message(const char *json, bool fifo)
{
	char text[2048], *p;

	clear();
	buf_init(&kept);
	fault.detail[0] = '\0';
	snprintf(text, sizeof(text), "%s", json);
	for (p = text; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	in = json_loads(text, JSON_ALLOW_NUL, NULL);
	ck_assert_msg(in != NULL, "%s", text);
	return sqs_message_read(in, fifo, untraced, &message, &kept, &fault);
}

static void
refused(const char *json, bool fifo, enum sqs_error error, const char *why)
{
	ck_assert_msg(read_message(json, fifo) == -1, "%s", json);
	ck_assert_msg(fault.error == error, "%s: %s", json, fault.detail);
	ck_assert_msg(strstr(fault.detail, why) != NULL, "%s: %s", json,
	    fault.detail);
}

/* A message with one attribute. */
static const char *
with(const char *name, const char *value)
{
	static char text[2048];

	snprintf(text, sizeof(text), "{'MessageBody': 'x', "
	    "'MessageAttributes': {'%s': %s}}", name, value);
	return text;
}

static void
is_md5(const char *md5, const char *expected)
{
	ck_assert_int_eq(strncmp(md5, expected, SQS_MD5_BYTES), 0);
}

static void
give(struct delivery *d)
{
	struct id id = id_new();

	memset(d, 0, sizeof(*d));
	d->message = message_new(id, "1", 1);
	ck_assert_ptr_nonnull(d->message);
	d->id = id;
	d->receives = 7;
	d->receipt = 0xfedcba98;
}

START_TEST(a_handle_names_its_message_and_receive)
{
	char text[SQS_RECEIPT_BYTES + 1] = "";
	struct op_receipt receipt;
	struct delivery d;
	struct id id;

	give(&d);
	sqs_receipt_format(&d, "q", text);
	ck_assert_uint_eq(strspn(text, CHARACTERS), SQS_RECEIPT_BYTES);
	ck_assert_int_eq(sqs_receipt_parse(text, SQS_RECEIPT_BYTES, "q", &id,
	    &receipt), SQS_RECEIPT_GOOD);
	ck_assert_mem_eq(&id, &d.message->id, sizeof(id));
	ck_assert(receipt.given);
	ck_assert_uint_eq(receipt.receives, 7);
	ck_assert_uint_eq(receipt.receipt, 0xfedcba98);
	message_unref(d.message);
}
END_TEST

START_TEST(a_handle_is_of_one_queue)
{
	char text[SQS_RECEIPT_BYTES];
	struct op_receipt receipt;
	struct delivery d;
	struct id id;

	give(&d);
	sqs_receipt_format(&d, "q", text);
	ck_assert_int_eq(sqs_receipt_parse(text, sizeof(text), "q2", &id,
	    &receipt), SQS_RECEIPT_STRANGE);
	message_unref(d.message);
}
END_TEST

START_TEST(a_handle_with_any_character_changed_is_bad)
{
	char text[SQS_RECEIPT_BYTES], was;
	struct op_receipt receipt;
	struct delivery d;
	struct id id;
	size_t i, j;

	give(&d);
	sqs_receipt_format(&d, "q", text);
	for (i = 0; i < sizeof(text); i++) {
		ck_assert_int_eq(sqs_receipt_parse(text, i, "q", &id,
		    &receipt), SQS_RECEIPT_BAD);
		was = text[i];
		for (j = 0; j < 256; j++) {
			text[i] = (char)j;
			if (text[i] != was)
				ck_assert_int_eq(sqs_receipt_parse(text,
				    sizeof(text), "q", &id, &receipt),
				    SQS_RECEIPT_BAD);
		}
		text[i] = was;
	}
	message_unref(d.message);
}
END_TEST

START_TEST(a_plain_message_keeps_nothing)
{
	ck_assert_int_eq(read_message("{'MessageBody': 'hello'}", false), 0);
	is_md5(message.body_md5, "5d41402abc4b2a76b9719d911017c592");
	ck_assert(message.is_text);
	ck_assert(!message.has_values && !message.has_system);
	ck_assert_uint_eq(message.sent_bytes, 5);
	ck_assert_int_eq(message.delay_ms, -1);
	ck_assert_ptr_null(message.group.data);
	ck_assert_uint_eq(message.kept_bytes, 0);
	ck_assert_uint_eq(kept.bytes, 0);
}
END_TEST

START_TEST(a_body_that_is_json_is_known)
{
	ck_assert_int_eq(read_message("{'MessageBody': '[1, {}]'}", false), 0);
	ck_assert(!message.is_text);
	ck_assert_int_eq(read_message("{'MessageBody': '[1] '}", false), 0);
	ck_assert(message.is_text);
}
END_TEST

START_TEST(bodies_have_the_characters_of_xml)
{
	ck_assert_int_eq(read_message("{'MessageBody': '\\t\\n\\r \\u007f"
	    "\\ud7ff\\ue000\\ufffd\\ud800\\udc00\\udbff\\udfff'}", false), 0);
	refused("{'MessageBody': 'a\\u0000'}", false, SQS_INVALID_CONTENTS,
	    "#x20 to #xD7FF");
	refused("{'MessageBody': '\\u001f'}", false, SQS_INVALID_CONTENTS,
	    "");
	refused("{'MessageBody': '\\ufffe'}", false, SQS_INVALID_CONTENTS,
	    "");
	refused("{'MessageBody': '\\uffff'}", false, SQS_INVALID_CONTENTS,
	    "");
	refused("{'MessageBody': ''}", false, SQS_MISSING_PARAMETER,
	    "MessageBody");
	refused("{}", false, SQS_MISSING_PARAMETER, "MessageBody");
}
END_TEST

START_TEST(delays_have_limits)
{
	ck_assert_int_eq(read_message("{'MessageBody': 'x', 'DelaySeconds': "
	    "900}", false), 0);
	ck_assert_int_eq(message.delay_ms, 900000);
	refused("{'MessageBody': 'x', 'DelaySeconds': 901}", false,
	    SQS_INVALID_PARAMETER, "Value 901 for parameter DelaySeconds");
	refused("{'MessageBody': 'x', 'DelaySeconds': -1}", false,
	    SQS_INVALID_PARAMETER, "Value -1 for parameter DelaySeconds");
	refused("{'MessageBody': 'x', 'DelaySeconds': 1, 'MessageGroupId': "
	    "'g'}", true, SQS_INVALID_PARAMETER, "queue type");
	ck_assert_int_eq(read_message("{'MessageBody': 'x', 'DelaySeconds': "
	    "0, 'MessageGroupId': 'g'}", true), 0);
	ck_assert_int_eq(message.delay_ms, -1);
}
END_TEST

START_TEST(ids_of_fifo_queues_have_rules)
{
	char text[300], id[130];

	refused("{'MessageBody': 'x'}", true, SQS_MISSING_PARAMETER,
	    "MessageGroupId");
	refused("{'MessageBody': 'x', 'MessageDeduplicationId': 'd'}", false,
	    SQS_INVALID_PARAMETER, "queue type");
	ck_assert_int_eq(read_message("{'MessageBody': 'x', "
	    "'MessageGroupId': 'g'}", false), 0);
	ck_assert_uint_eq(message.group.bytes, 1);
	refused("{'MessageBody': 'x', 'MessageGroupId': 'a b'}", false,
	    SQS_INVALID_PARAMETER, "punctuation");
	refused("{'MessageBody': 'x', 'MessageGroupId': '\\u00e9'}", true,
	    SQS_INVALID_PARAMETER, "punctuation");
	memset(id, '~', 129);
	id[128] = '\0';
	snprintf(text, sizeof(text), "{'MessageBody': 'x', 'MessageGroupId': "
	    "'%s'}", id);
	ck_assert_int_eq(read_message(text, true), 0);
	snprintf(text, sizeof(text), "{'MessageBody': 'x', 'MessageGroupId': "
	    "'%s~'}", id);
	refused(text, true, SQS_INVALID_PARAMETER, "1 to 128");
}
END_TEST

#define HELLO	"'Hello': {'DataType': 'String', 'StringValue': 'There'}"
#define GENERAL	"'General': {'DataType': 'String', 'StringValue': 'Kenobi'}"
#define HELP	"'Help.Me': {'DataType': 'String', 'StringValue': 'Me'}"

/* Digests that SQS itself gave. */
START_TEST(digests_of_attributes_are_those_of_sqs)
{
	ck_assert_int_eq(read_message("{'MessageBody': 'msg', "
	    "'MessageAttributes': {" HELLO ", " GENERAL ", " HELP "}}",
	    false), 0);
	is_md5(message.body_md5, "6e2baaf3b97dbeef01c0043275f9a0e7");
	is_md5(message.values_md5, "4c360f3fdafd970e05fae2f149d997f5");
	ck_assert_int_eq(read_message("{'MessageBody': 'msg', "
	    "'MessageAttributes': {" HELLO ", " GENERAL "}}", false), 0);
	is_md5(message.values_md5, "fca026605781cb4126a1e9044df24232");
	ck_assert_uint_eq(message.sent_bytes, 3 + 5 + 6 + 5 + 7 + 6 + 6);
	ck_assert_int_eq(read_message("{'MessageBody': 'test', "
	    "'MessageAttributes': {'attr1': {'DataType': 'Binary', "
	    "'BinaryValue': 'dHJhY2VwYXJlbnQeMDAtNzc0MDYyZDZjMzcwODFhNWEwYjli"
	    "NWI4OGUzMDYyN2MtMmQyNDgyMjExZjY0ODlkYS0wMQ=='}}}", false), 0);
	is_md5(message.values_md5, "8cbe4db156db8a94db8b801b7addb984");
	ck_assert_uint_eq(message.sent_bytes, 4 + 5 + 6 + 67);
}
END_TEST

START_TEST(names_of_attributes_have_rules)
{
	static const char value[] = "{'DataType': 'String', 'StringValue': "
	    "'v'}";
	static const char *const bad[] = { "", ".a", "a.", "a..b", "a b",
	    "\\u00e9", "AWS.x", "aws.x", "Amazon.x", "aMAZON.x", "a/b" };
	static const char *const good[] = { "a", "a.b", "A_-9", "AWSx",
	    "Amazon" };
	char name[258];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(with(bad[i], value), false, SQS_INVALID_PARAMETER,
		    "message attribute");
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(read_message(with(good[i], value), false) == 0,
		    "%s", good[i]);
	memset(name, 'n', 257);
	name[256] = '\0';
	ck_assert_int_eq(read_message(with(name, value), false), 0);
	name[256] = 'n';
	name[257] = '\0';
	refused(with(name, value), false, SQS_INVALID_PARAMETER, "256");
}
END_TEST

static const struct {
	const char *value, *why;	/* NULL: it is good */
} values[] = {
	{ "{'DataType': 'String', 'StringValue': '\\u00e9'}", NULL },
	{ "{'DataType': 'String.label', 'StringValue': 'x'}", NULL },
	{ "{'DataType': 'Number', 'StringValue': '-1.5e+10'}", NULL },
	{ "{'DataType': 'Number.int', 'StringValue': '.5'}", NULL },
	{ "{'DataType': 'Binary', 'BinaryValue': 'AA=='}", NULL },
	{ "{'DataType': 'Binary.gif', 'BinaryValue': 'AAAA'}", NULL },
	{ "{'DataType': 'String', 'StringValue': 'x', 'BinaryValue': ''}",
	    NULL },
	{ "{'StringValue': 'x'}", "non-empty message attribute type" },
	{ "{'DataType': '', 'StringValue': 'x'}", "attribute type" },
	{ "{'DataType': 'string', 'StringValue': 'x'}", "invalid" },
	{ "{'DataType': 'Strings', 'StringValue': 'x'}", "invalid" },
	{ "{'DataType': 'String.', 'StringValue': 'x'}", "invalid" },
	{ "{'DataType': 'Binaries', 'BinaryValue': 'AAAA'}", "invalid" },
	{ "{'DataType': 'String'}", "non-empty message attribute value" },
	{ "{'DataType': 'String', 'StringValue': ''}", "non-empty" },
	{ "{'DataType': 'String', 'StringValue': '\\u0001'}", "characters" },
	{ "{'DataType': 'String', 'BinaryValue': 'AAAA'}", "'StringValue'" },
	{ "{'DataType': 'Binary', 'StringValue': 'x'}", "'BinaryValue'" },
	{ "{'DataType': 'Binary', 'BinaryValue': 'AAAA', 'StringValue': 'x'}",
	    "more than one" },
	{ "{'DataType': 'Number', 'StringValue': 'x'}", "number" },
	{ "{'DataType': 'Number', 'StringValue': '1e'}", "number" },
	{ "{'DataType': 'Number', 'StringValue': '1\\u0000'}", "characters" },
	{ "{'DataType': 'Number', 'StringValue': '.'}", "number" },
	{ "{'DataType': 'Number', 'StringValue': ' 1'}", "number" },
	{ "{'DataType': 'Binary', 'BinaryValue': 'AAA'}", "base64" },
	{ "{'DataType': 'Binary', 'BinaryValue': 'A==='}", "base64" },
	{ "{'DataType': 'Binary', 'BinaryValue': 'AA=A'}", "base64" },
	{ "{'DataType': 'Binary', 'BinaryValue': 'AA-A'}", "base64" },
};

START_TEST(values_of_attributes_have_rules)
{
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].why != NULL)
			refused(with("a", values[i].value), false,
			    SQS_INVALID_PARAMETER, values[i].why);
		else
			ck_assert_msg(read_message(with("a",
			    values[i].value), false) == 0, "%s: %s",
			    values[i].value, fault.detail);
	refused(with("a", "{'DataType': 'String', 'StringListValues': "
	    "['x']}"), false, SQS_UNSUPPORTED, "Lists");
}
END_TEST

START_TEST(ten_attributes_are_the_most)
{
	char text[1024];
	size_t n = 0;
	int i;

	for (i = 0; i < 11; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s'a%d': "
		    "{'DataType': 'String', 'StringValue': 'x'}", i == 0 ?
		    "{'MessageBody': 'x', 'MessageAttributes': {" : ", ", i);
	strcpy(text + n, "}}");
	refused(text, false, SQS_INVALID_PARAMETER, "[11]");
}
END_TEST

START_TEST(only_a_trace_header_can_be_sent_as_system_attribute)
{
	ck_assert_int_eq(read_message("{'MessageBody': 'x', "
	    "'MessageSystemAttributes': {'AWSTraceHeader': {'DataType': "
	    "'String', 'StringValue': 'Root=1'}}}", false), 0);
	is_md5(message.system_md5, "d6619b3d47b81d3fc72c0db005a70eda");
	/* It does not count. */
	ck_assert_uint_eq(message.sent_bytes, 1);
	refused("{'MessageBody': 'x', 'MessageSystemAttributes': {'X': "
	    "{'DataType': 'String', 'StringValue': 'x'}}}", false,
	    SQS_INVALID_PARAMETER, "Only AWSTraceHeader");
	refused("{'MessageBody': 'x', 'MessageSystemAttributes': "
	    "{'AWSTraceHeader': {'DataType': 'Number', 'StringValue': '1'}}}",
	    false, SQS_INVALID_PARAMETER, "type String");
	refused("{'MessageBody': 'x', 'MessageSystemAttributes': "
	    "{'AWSTraceHeader': {'DataType': 'String'}}}", false,
	    SQS_INVALID_PARAMETER, "non-empty");
}
END_TEST

static void
is_text(struct text t, const char *expected)
{
	if (expected == NULL) {
		ck_assert_ptr_null(t.data);
		return;
	}
	ck_assert_uint_eq(t.bytes, strlen(expected));
	ck_assert_mem_eq(t.data, expected, t.bytes);
}

START_TEST(a_trace_header_is_kept_unless_the_message_has_its_own)
{
	struct text traced = { "Root=2", 6 }, text;
	struct sqs_kept found;

	ck_assert_int_eq(read_message("{'MessageBody': 'x'}", false), 0);
	ck_assert_int_eq(sqs_message_read(in, false, traced, &message, &kept,
	    &fault), 0);
	ck_assert(!message.has_system);
	text.data = kept.data;
	text.bytes = kept.bytes;
	sqs_kept_find(text, &found);
	is_text(found.trace, "Root=2");
	ck_assert_int_eq(read_message("{'MessageBody': 'x', "
	    "'MessageSystemAttributes': {'AWSTraceHeader': {'DataType': "
	    "'String', 'StringValue': 'Root=1'}}}", false), 0);
	buf_clear(&kept);
	ck_assert_int_eq(sqs_message_read(in, false, traced, &message, &kept,
	    &fault), 0);
	text.data = kept.data;
	text.bytes = kept.bytes;
	sqs_kept_find(text, &found);
	is_text(found.trace, "Root=1");
}
END_TEST

START_TEST(body_and_attributes_are_at_most_a_mebibyte)
{
	size_t bytes = SQS_MESSAGE_MAX_BYTES - 3 - 6 - 2;
	char *body = malloc(bytes + 2);
	json_t *json;

	memset(body, 'b', bytes + 1);
	body[bytes + 1] = '\0';
	read_message("{'MessageAttributes': {'abc': {'DataType': 'String', "
	    "'StringValue': 'vv'}}}", false);
	json = json_incref(in);
	ck_assert_int_eq(json_object_set_new(json, "MessageBody",
	    json_stringn(body, bytes)), 0);
	ck_assert_int_eq(sqs_message_read(json, false, untraced, &message,
	    &kept, &fault), 0);
	ck_assert_int_eq(json_object_set_new(json, "MessageBody",
	    json_stringn(body, bytes + 1)), 0);
	ck_assert_int_eq(sqs_message_read(json, false, untraced, &message,
	    &kept, &fault), -1);
	ck_assert_ptr_nonnull(strstr(fault.detail, "1048576 bytes"));
	json_decref(json);
	free(body);
}
END_TEST

START_TEST(what_is_kept_is_found_again)
{
	struct sqs_kept found;
	struct text text;

	ck_assert_int_eq(read_message("{'MessageBody': 'x', 'MessageGroupId': "
	    "'g', 'MessageDeduplicationId': '\\\"\\\\', "
	    "'MessageAttributes': {'b': {'DataType': 'Binary', 'BinaryValue': "
	    "'AA=='}, 'a': {'DataType': 'String.x', 'StringValue': "
	    "'{\\\"}'}}, 'MessageSystemAttributes': {'AWSTraceHeader': "
	    "{'DataType': 'String', 'StringValue': 'r\\t'}}}", true), 0);
	text.data = kept.data;
	text.bytes = kept.bytes;
	ck_assert_uint_eq(message.kept_bytes, kept.bytes);
	sqs_kept_find(text, &found);
	is_text(found.dedup, "\\\"\\\\");
	is_text(found.trace, "r\\t");
	ck_assert_uint_eq(found.md5.bytes, SQS_MD5_BYTES);
	is_md5(message.values_md5, found.md5.data);
	is_text(found.values, "{\"a\":{\"DataType\":\"String.x\","
	    "\"StringValue\":\"{\\\"}\"},\"b\":{\"DataType\":\"Binary\","
	    "\"BinaryValue\":\"AA==\"}}");
}
END_TEST

START_TEST(each_member_may_be_kept_alone)
{
	struct sqs_kept found;
	struct text text;

	ck_assert_int_eq(read_message("{'MessageBody': 'x', 'MessageGroupId': "
	    "'g', 'MessageDeduplicationId': 'd'}", true), 0);
	text.data = kept.data;
	text.bytes = kept.bytes;
	is_text(text, "{\"MessageDeduplicationId\":\"d\"}");
	sqs_kept_find(text, &found);
	is_text(found.dedup, "d");
	is_text(found.trace, NULL);
	is_text(found.values, NULL);
	ck_assert_int_eq(read_message(with("a", "{'DataType': 'String', "
	    "'StringValue': 'x'}"), false), 0);
	text.data = kept.data;
	text.bytes = kept.bytes;
	sqs_kept_find(text, &found);
	is_text(found.dedup, NULL);
	is_text(found.values, "{\"a\":{\"DataType\":\"String\","
	    "\"StringValue\":\"x\"}}");
}
END_TEST

/* A row of a damaged disk is read without going astray. */
START_TEST(what_is_kept_may_be_cut_anywhere)
{
	struct sqs_kept found;
	struct text text;
	char *copy;

	ck_assert_int_eq(read_message("{'MessageBody': 'x', 'MessageGroupId': "
	    "'g', 'MessageDeduplicationId': '\\\\', 'MessageAttributes': "
	    "{'a': {'DataType': 'String', 'StringValue': 'x'}}}", true), 0);
	for (text.bytes = 0; text.bytes <= kept.bytes; text.bytes++) {
		/* A copy, for a sanitizer to know where it ends. */
		copy = malloc(text.bytes + 1);
		memcpy(copy, kept.data, text.bytes);
		text.data = copy;
		sqs_kept_find(text, &found);
		free(copy);
	}
}
END_TEST

static Suite *
sqs_suite(void)
{
	Suite *s = suite_create("sqs");
	TCase *t = tcase_create("sqs");

	tcase_add_checked_fixture(t, NULL, clear);
	tcase_add_test(t, a_handle_names_its_message_and_receive);
	tcase_add_test(t, a_handle_is_of_one_queue);
	tcase_add_test(t, a_handle_with_any_character_changed_is_bad);
	tcase_add_test(t, a_plain_message_keeps_nothing);
	tcase_add_test(t, a_body_that_is_json_is_known);
	tcase_add_test(t, bodies_have_the_characters_of_xml);
	tcase_add_test(t, delays_have_limits);
	tcase_add_test(t, ids_of_fifo_queues_have_rules);
	tcase_add_test(t, digests_of_attributes_are_those_of_sqs);
	tcase_add_test(t, names_of_attributes_have_rules);
	tcase_add_test(t, values_of_attributes_have_rules);
	tcase_add_test(t, ten_attributes_are_the_most);
	tcase_add_test(t, only_a_trace_header_can_be_sent_as_system_attribute);
	tcase_add_test(t,
	    a_trace_header_is_kept_unless_the_message_has_its_own);
	tcase_add_test(t, body_and_attributes_are_at_most_a_mebibyte);
	tcase_add_test(t, what_is_kept_is_found_again);
	tcase_add_test(t, each_member_may_be_kept_alone);
	tcase_add_test(t, what_is_kept_may_be_cut_anywhere);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(sqs_suite)
