/*
 * Answers in JSON 1.0 and in the XML of Query.  All sizes of an answer are
 * bounded by what the core gives, and a failed append is the buffer's to
 * remember: exchange_send() turns it into a 500.
 */
#include "api/sqs_output.h"

#include <string.h>

#include "api/sqs_call.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "http/exchange.h"

#define REPLACEMENT	"\xef\xbf\xbd"		/* U+FFFD */

/* What JSON must escape: control characters, the quote, the backslash. */
static bool
json_is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/*
 * How many bytes are plain for sure, eight at a time: bodies are long, and
 * most of them have nothing to escape.
 */
static size_t
json_plain_bytes(const char *p, size_t bytes)
{
	static const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t w, quotes, slashes;
	size_t i;

	for (i = 0; i + sizeof(w) <= bytes; i += sizeof(w)) {
		memcpy(&w, p + i, sizeof(w));
		quotes = w ^ ones * '"';
		slashes = w ^ ones * '\\';
		/* The high bit of a byte that is below what is taken off. */
		if ((((w - ones * 0x20) & ~w) | ((quotes - ones) & ~quotes) |
		    ((slashes - ones) & ~slashes)) & ones << 7)
			break;
	}
	return i;
}

void
sqs_json_text(struct buf *b, const char *text, size_t bytes)
{
	static const char hex[] = "0123456789abcdef";
	static const char shorts[] = "btnvfr";	/* from 8 on; no v in JSON */
	const char *p = text, *end = text + bytes, *from;
	char escape[6] = { '\\', 'u', '0', '0', 0, 0 };
	unsigned char c;

	while (p < end) {
		from = p;
		p += json_plain_bytes(p, (size_t)(end - p));
		for (; p < end && json_is_plain((unsigned char)*p); p++)
			;
		buf_add(b, from, (size_t)(p - from));
		if (p == end)
			return;
		c = (unsigned char)*p++;
		if (c == '"' || c == '\\' || (c >= 8 && c <= 13 && c != 11)) {
			escape[1] = c >= 0x20 ? (char)c : shorts[c - 8];
			buf_add(b, escape, 2);
			escape[1] = 'u';
			continue;
		}
		escape[4] = hex[c >> 4];
		escape[5] = hex[c & 15];
		buf_add(b, escape, sizeof(escape));
	}
}

/* What stands for a character that XML cannot have as it is; NULL: it can. */
static const char *
xml_escape(const char *p, size_t left, size_t *bytes)
{
	unsigned char c = (unsigned char)*p;

	*bytes = 1;
	if (c >= 0x80) {
		*bytes = utf8_bytes(p, left);
		if (*bytes == 0) {
			*bytes = 1;
			return REPLACEMENT;
		}
		/* U+FFFE and U+FFFF are no characters of XML. */
		return *bytes == 3 && memcmp(p, "\xef\xbf", 2) == 0 &&
		    (unsigned char)p[2] >= 0xbe ? REPLACEMENT : NULL;
	}
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\r':
		return "&#xD;";		/* a parser reads it as LF else */
	case '\t':
	case '\n':
		return NULL;
	default:
		return c < 0x20 ? REPLACEMENT : NULL;
	}
}

void
sqs_xml_text(struct buf *b, const char *text, size_t bytes)
{
	const char *p = text, *end = text + bytes, *from = text, *escape;
	size_t n;

	for (; p < end; p += n) {
		escape = xml_escape(p, (size_t)(end - p), &n);
		if (escape == NULL)
			continue;
		buf_add(b, from, (size_t)(p - from));
		buf_add_str(b, escape);
		from = p + n;
	}
	buf_add(b, from, (size_t)(end - from));
}

static void
tag(struct buf *b, const char *open, const char *name)
{
	buf_add_str(b, open);
	buf_add_str(b, name);
	buf_add(b, ">", 1);
}

/* JSON: what separates it from the one before; and its name, if it has one. */
static void
json_begin(struct sqs_out *o, const char *name)
{
	if (o->comma)
		buf_add(o->buf, ",", 1);
	o->comma = true;
	if (name == NULL)
		return;
	buf_add(o->buf, "\"", 1);
	buf_add_str(o->buf, name);
	buf_add(o->buf, "\":", 2);
}

static void
json_open(struct sqs_out *o, const char *name, const char *bracket)
{
	json_begin(o, name);
	buf_add(o->buf, bracket, 1);
	o->comma = false;
}

static void
json_close(struct sqs_out *o, const char *bracket)
{
	buf_add(o->buf, bracket, 1);
	o->comma = true;
}

static void
json_quoted(struct sqs_out *o, const char *text, size_t bytes)
{
	buf_add(o->buf, "\"", 1);
	sqs_json_text(o->buf, text, bytes);
	buf_add(o->buf, "\"", 1);
}

/* The response's element, with Response or Result behind the action's name. */
static void
wrapper(struct sqs_out *o, const char *open, const char *suffix)
{
	buf_add_str(o->buf, open);
	buf_add_str(o->buf, o->call->action->name);
	buf_add_str(o->buf, suffix);
}

static void
begin(struct sqs_out *o, struct sqs_call *c)
{
	o->call = c;
	o->buf = exchange_reply(c->x);
	o->xml = c->protocol == SQS_QUERY;
	o->comma = false;
	if (o->xml) {
		buf_add_str(o->buf, "<?xml version=\"1.0\"?>");
		wrapper(o, "<", "Response xmlns=\"" SQS_NAMESPACE "\">");
	}
}

void
sqs_out_begin(struct sqs_out *o, struct sqs_call *c)
{
	begin(o, c);
	if (o->xml)
		wrapper(o, "<", "Result>");
	else
		buf_add(o->buf, "{", 1);
}

void
sqs_out_request_id(struct exchange *x, char *out)
{
	struct id id = id_new();

	id_format(&id, out);
	out[ID_TEXT_BYTES] = '\0';
	exchange_add_header(x, "x-amzn-RequestId", out);
}

/* The request's id, as header and, in XML, in the answer. */
static bool
finish(struct sqs_out *o)
{
	struct exchange *x = o->call->x;
	char id_text[ID_TEXT_BYTES + 1];

	sqs_out_request_id(x, id_text);
	if (o->xml) {
		buf_add_str(o->buf, "<ResponseMetadata><RequestId>");
		buf_add(o->buf, id_text, ID_TEXT_BYTES);
		buf_add_str(o->buf, "</RequestId></ResponseMetadata>");
		wrapper(o, "</", "Response>");
	}
	o->call->x = NULL;
	return exchange_send(x, 200, o->xml ? SQS_XML_TYPE : SQS_JSON_TYPE);
}

bool
sqs_out_send(struct sqs_out *o)
{
	if (o->xml)
		wrapper(o, "</", "Result>");
	else
		buf_add(o->buf, "}", 1);
	return finish(o);
}

bool
sqs_out_nothing(struct sqs_call *c)
{
	struct sqs_out o;

	begin(&o, c);
	return finish(&o);
}

void
sqs_out_text(struct sqs_out *o, const char *name, const char *text,
    size_t bytes)
{
	if (o->xml) {
		tag(o->buf, "<", name);
		sqs_xml_text(o->buf, text, bytes);
		tag(o->buf, "</", name);
		return;
	}
	json_begin(o, name);
	json_quoted(o, text, bytes);
}

void
sqs_out_string(struct sqs_out *o, const char *name, const char *text)
{
	sqs_out_text(o, name, text, strlen(text));
}

void
sqs_out_integer(struct sqs_out *o, const char *name, int64_t n)
{
	if (o->xml)
		tag(o->buf, "<", name);
	else
		json_begin(o, name);
	buf_add_int(o->buf, n);
	if (o->xml)
		tag(o->buf, "</", name);
}

void
sqs_out_bool(struct sqs_out *o, const char *name, bool b)
{
	const char *text = b ? "true" : "false";

	if (o->xml) {
		sqs_out_string(o, name, text);
		return;
	}
	json_begin(o, name);
	buf_add_str(o->buf, text);
}

void
sqs_out_json(struct sqs_out *o, const char *name, const char *json,
    size_t bytes)
{
	json_begin(o, name);
	buf_add(o->buf, json, bytes);
}

void
sqs_out_list(struct sqs_out *o, const char *json)
{
	if (!o->xml)
		json_open(o, json, "[");
}

void
sqs_out_list_end(struct sqs_out *o)
{
	if (!o->xml)
		json_close(o, "]");
}

void
sqs_out_item(struct sqs_out *o, const char *xml)
{
	if (o->xml)
		tag(o->buf, "<", xml);
	else
		json_open(o, NULL, "{");
}

void
sqs_out_item_end(struct sqs_out *o, const char *xml)
{
	if (o->xml)
		tag(o->buf, "</", xml);
	else
		json_close(o, "}");
}

void
sqs_out_item_string(struct sqs_out *o, const char *xml, const char *text)
{
	/* In JSON it is a member without a name. */
	sqs_out_string(o, o->xml ? xml : NULL, text);
}

void
sqs_out_map(struct sqs_out *o, const struct sqs_map *m)
{
	if (!o->xml)
		json_open(o, m->json, "{");
}

void
sqs_out_map_end(struct sqs_out *o)
{
	if (!o->xml)
		json_close(o, "}");
}

/* A map's entry up to its value. */
static void
map_key(struct sqs_out *o, const struct sqs_map *m, const char *key,
    size_t bytes)
{
	if (o->xml) {
		tag(o->buf, "<", m->entry);
		sqs_out_text(o, m->key, key, bytes);
		buf_add_str(o->buf, "<Value>");
		return;
	}
	json_begin(o, NULL);
	json_quoted(o, key, bytes);
	buf_add(o->buf, ":", 1);
}

static void
map_value_end(struct sqs_out *o, const struct sqs_map *m)
{
	if (!o->xml)
		return;
	buf_add_str(o->buf, "</Value>");
	tag(o->buf, "</", m->entry);
}

void
sqs_out_map_pair(struct sqs_out *o, const struct sqs_map *m, const char *key,
    size_t key_bytes, const char *text, size_t bytes)
{
	map_key(o, m, key, key_bytes);
	if (o->xml)
		sqs_xml_text(o->buf, text, bytes);
	else
		json_quoted(o, text, bytes);
	map_value_end(o, m);
}

void
sqs_out_map_text(struct sqs_out *o, const struct sqs_map *m, const char *key,
    const char *text, size_t bytes)
{
	sqs_out_map_pair(o, m, key, strlen(key), text, bytes);
}

void
sqs_out_map_string(struct sqs_out *o, const struct sqs_map *m,
    const char *key, const char *text)
{
	sqs_out_map_text(o, m, key, text, strlen(text));
}

void
sqs_out_map_integer(struct sqs_out *o, const struct sqs_map *m,
    const char *key, int64_t n)
{
	map_key(o, m, key, strlen(key));
	if (!o->xml)
		buf_add(o->buf, "\"", 1);
	buf_add_int(o->buf, n);
	if (!o->xml)
		buf_add(o->buf, "\"", 1);
	map_value_end(o, m);
}

void
sqs_out_map_entry(struct sqs_out *o, const struct sqs_map *m, const char *key,
    size_t key_bytes)
{
	map_key(o, m, key, key_bytes);
	if (o->xml)
		return;
	buf_add(o->buf, "{", 1);
	o->comma = false;
}

void
sqs_out_map_entry_end(struct sqs_out *o, const struct sqs_map *m)
{
	if (!o->xml)
		json_close(o, "}");
	map_value_end(o, m);
}
