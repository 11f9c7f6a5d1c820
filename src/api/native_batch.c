/* Many messages in one request: NDJSON pushes, confirms of an array. */
#include <jansson.h>
#include <string.h>

#include "api/call.h"
#include "api/json.h"
#include "api/json_read.h"
#include "api/json_scan.h"
#include "api/params.h"
#include "backend/backend.h"
#include "base/buf.h"
#include "base/id.h"
#include "http/exchange.h"

/* More would hold up the loop, and so everybody, for over 10 ms. */
#define MANY_MAX	10000

static void
add_id(struct buf *out, const struct id *id, bool first)
{
	char text[ID_TEXT_BYTES + 4];

	memcpy(text, ", \"", 3);
	id_format(id, text + 3);
	text[ID_TEXT_BYTES + 3] = '"';
	buf_add(out, first ? text + 2 : text,
	    first ? ID_TEXT_BYTES + 2 : ID_TEXT_BYTES + 4);
}

static void
push_many_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct op_push *push = &op->push;
	struct buf *out;
	size_t i;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		out = exchange_reply(c->x);
		buf_add_str(out, "{\"messageIDs\": [");
		for (i = 0; i < push->count; i++)
			add_id(out, &push->bodies[i].id, i == 0);
		buf_add_str(out, "]}\n");
		exchange_add_header(c->x, "WQ-Durable",
		    c->native->backend->durable);
		exchange_send(c->x, 201, JSON_TYPE);
	}
	call_free(c);
}

/* The next line of text, without its end; false: there is none. */
static bool
next_line(struct text *text, struct text *line)
{
	const char *lf;

	if (text->bytes == 0)
		return false;
	lf = memchr(text->data, '\n', text->bytes);
	line->data = text->data;
	line->bytes = lf != NULL ? (size_t)(lf - text->data) : text->bytes;
	if (lf == NULL)
		text->bytes = 0;
	else {
		text->bytes -= line->bytes + 1;
		text->data = lf + 1;
	}
	return true;
}

static bool
is_blank(struct text line)
{
	while (line.bytes > 0 && strchr(" \t\r", line.data[0]) != NULL &&
	    line.data[0] != '\0') {
		line.data++;
		line.bytes--;
	}
	return line.bytes == 0;
}

/* How many lines are not blank, MANY_MAX + 1 at most. */
static size_t
count_lines(struct text text)
{
	struct text line;
	size_t n = 0;

	while (n <= MANY_MAX && next_line(&text, &line))
		n += !is_blank(line);
	return n;
}

/* Check each line.  False: x was answered. */
static bool
read_lines(struct exchange *x, struct text text, struct op_body *out)
{
	char error[JSON_ERROR_BYTES];
	struct text line, value;
	size_t number = 0;

	while (next_line(&text, &line)) {
		number++;
		if (is_blank(line))
			continue;
		if (json_check(line, &value, error) == -1) {
			exchange_problem(x, 400, "line %zu: %s; nothing was "
			    "pushed", number, error);
			return false;
		}
		*out++ = (struct op_body){ .data = value.data,
		    .bytes = value.bytes };
	}
	return true;
}

void
native_push_many(struct exchange *x, void *arg)
{
	struct text body = exchange_body(x);
	struct op_push push;
	struct call *c;

	if (!native_push_params(x, &push))
		return;
	if (push.dedup != NULL) {
		exchange_problem(x, 400, "dedup is of one message, and this "
		    "push may have many; contentBasedDedup is of each");
		return;
	}
	push.count = count_lines(body);
	if (push.count == 0 || push.count > MANY_MAX) {
		exchange_problem(x, 400, "the body must be 1 to %d lines with "
		    "a JSON value each", MANY_MAX);
		return;
	}
	if ((c = call_new(arg, x, OP_PUSH, push_many_done)) == NULL ||
	    !call_alloc(c, push.count * sizeof(*push.bodies)))
		return;
	push.bodies = c->memory;
	c->op.push = push;
	native_keep_texts(c);
	if (!read_lines(x, body, push.bodies)) {
		call_free(c);
		return;
	}
	call_submit(c);
}

static void
add_ids(struct buf *out, const char *name, const struct op_confirm_many *many,
    bool confirmed)
{
	bool first = true;
	size_t i;

	buf_printf(out, "\"%s\": [", name);
	for (i = 0; i < many->count; i++)
		if (many->confirmed[i] == confirmed) {
			add_id(out, &many->ids[i], first);
			first = false;
		}
	buf_add_str(out, "]");
}

static void
confirm_many_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct buf *out;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		out = exchange_reply(c->x);
		buf_add_str(out, "{");
		add_ids(out, "confirmed", &op->confirm_many, true);
		buf_add_str(out, ", ");
		add_ids(out, "missing", &op->confirm_many, false);
		buf_add_str(out, "}\n");
		exchange_send(c->x, 200, JSON_TYPE);
	}
	call_free(c);
}

/* The array of a confirm; NULL: x was answered. */
static json_t *
read_array(struct exchange *x)
{
	struct text body = exchange_body(x);
	char error[JSON_FAULT_BYTES] = "";
	struct json_fault fault;
	json_t *json;

	if ((json = json_read_strict(body, &fault)) == NULL &&
	    fault.what == NULL) {
		answer_no_memory(x);
		return NULL;
	}
	if (json_is_array(json) && json_array_size(json) <= MANY_MAX)
		return json;
	if (json == NULL)
		json_fault_print(&fault, body, error);
	exchange_problem(x, 400, "the body must be a JSON array of at most %d "
	    "message IDs%s%s", MANY_MAX, json == NULL ? ": " : "", error);
	json_decref(json);
	return NULL;
}

static bool
read_ids(struct exchange *x, const json_t *array, struct id *out)
{
	const json_t *item;
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		item = json_array_get(array, i);
		if (json_is_string(item) && id_parse(json_string_value(item),
		    json_string_length(item), &out[i]))
			continue;
		exchange_problem(x, 400, "element %zu of the array is not a "
		    "message ID; nothing was confirmed", i + 1);
		return false;
	}
	return true;
}

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/*
 * An array of IDs as nearly all clients write it, and what building it would
 * take a third of the time of a confirm for.  False: it is something else, or
 * wrong.
 */
static bool
scan_ids(struct text body, struct id *out, size_t *count)
{
	const char *p = body.data, *end = p + body.bytes;

	*count = 0;
	p = skip_space(p, end);
	if (p == end || *p++ != '[')
		return false;
	for (;;) {
		p = skip_space(p, end);
		if ((size_t)(end - p) < ID_TEXT_BYTES + 3 || *p != '"' ||
		    p[ID_TEXT_BYTES + 1] != '"' ||
		    !id_parse(p + 1, ID_TEXT_BYTES, &out[*count]))
			return false;
		++*count;
		p = skip_space(p + ID_TEXT_BYTES + 2, end);
		if (p == end || (*p != ',' && *p != ']'))
			return false;
		if (*p++ == ']')
			return *count <= MANY_MAX && skip_space(p, end) == end;
	}
}

/* The IDs of the body.  False: x was answered. */
static bool
read_body(struct exchange *x, struct id *out, size_t *count)
{
	struct text body = exchange_body(x);
	json_t *array;
	bool good;

	if (scan_ids(body, out, count))
		return true;
	if ((array = read_array(x)) == NULL)
		return false;
	*count = json_array_size(array);
	good = read_ids(x, array, out);
	json_decref(array);
	return good;
}

void
native_confirm_many(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };
	struct op_confirm_many *many;
	struct call *c;
	size_t room;

	if (!params_known(x, names))
		return;
	/* An ID has two quotes, and a comma or bracket behind it. */
	room = exchange_body(x).bytes / (ID_TEXT_BYTES + 3) + 1;
	c = call_new(arg, x, OP_CONFIRM_MANY, confirm_many_done);
	if (c == NULL || !call_alloc(c, room * (sizeof(struct id) +
	    sizeof(bool))))
		return;
	many = &c->op.confirm_many;
	many->ids = c->memory;
	many->confirmed = (bool *)(void *)((struct id *)c->memory + room);
	if (read_body(x, c->memory, &many->count))
		call_submit(c);
	else
		call_free(c);
}
