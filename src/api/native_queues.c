/* Queues: their settings and counts, made, listed, emptied and deleted. */
#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/json.h"
#include "api/json_read.h"
#include "api/json_scan.h"
#include "api/params.h"
#include "backend/backend.h"
#include "base/buf.h"
#include "base/clock.h"
#include "http/exchange.h"
#include "http/response.h"

#define LIST_DEFAULT	100
#define LIST_MAX	1000
#define TAGS_MAX	50		/* as SQS advises */
#define TAGS_MAX_BYTES	16384
#define ROOT_NAME	"default"

static const struct setting {
	const char *name;
	unsigned flag;
	size_t offset;
	int64_t max;
} settings[] = {
	{ "lockTimeout", SETTING_LOCK_TIMEOUT,
	    offsetof(struct queue_settings, lock_timeout_ms), PARAM_LOCK_MAX_MS },
	{ "delay", SETTING_DELAY,
	    offsetof(struct queue_settings, delay_ms), PARAM_DELAY_MAX_MS },
	{ "ttl", SETTING_TTL,
	    offsetof(struct queue_settings, ttl_ms), PARAM_TTL_MAX_MS },
	{ "retention", SETTING_RETENTION,
	    offsetof(struct queue_settings, retention_ms), PARAM_TTL_MAX_MS },
	{ "maxReceives", SETTING_MAX_RECEIVES,
	    offsetof(struct queue_settings, max_receives), 1000000 },
	{ "maxMessages", SETTING_MAX_MESSAGES,
	    offsetof(struct queue_settings, max_messages), (INT64_C(1) << 53) - 1 },
	{ "maxBytes", SETTING_MAX_BYTES,
	    offsetof(struct queue_settings, max_bytes), (INT64_C(1) << 53) - 1 },
	{ "maxMessageBytes", SETTING_MAX_MESSAGE,
	    offsetof(struct queue_settings, max_message_bytes),
	    (INT64_C(1) << 53) - 1 },
	{ "maxLocked", SETTING_MAX_LOCKED,
	    offsetof(struct queue_settings, max_locked), (INT64_C(1) << 53) - 1 },
};

#define SETTINGS	(sizeof(settings) / sizeof(settings[0]))

static void
add_settings(struct buf *out, const struct queue_settings *s,
    const char *dead_letters, bool fifo, const struct shared *tags)
{
	size_t i;

	buf_add_str(out, "\"settings\": {");
	for (i = 0; i < SETTINGS; i++)
		buf_printf(out, "%s\"%s\": %" PRId64, i > 0 ? ", " : "",
		    settings[i].name, *(const int64_t *)(const void *)
		    ((const char *)s + settings[i].offset));
	buf_printf(out, ", \"contentBasedDedup\": %s, \"dedupScope\": "
	    "\"%s\", \"fifo\": %s, \"deadLetterQueue\": ",
	    s->content_based_dedup ? "true" : "false",
	    s->dedup_by_group ? "group" : "queue", fifo ? "true" : "false");
	if (dead_letters[0] == '\0')
		buf_add_str(out, "null");
	else
		buf_printf(out, "\"%s\"", dead_letters);
	buf_add_str(out, ", \"tags\": ");
	buf_add_str(out, tags != NULL ? tags->text : "{}");
	buf_add_str(out, "}");
}

static void
add_info(const struct call *c, const char *name, const struct queue_info *i)
{
	struct buf *out = exchange_reply(c->x);
	const struct queue_totals *t = &i->totals;
	int64_t oldest_ms = i->oldest_ns != 0 ?
	    (clock_now_ns() - i->oldest_ns) / CLOCK_NS_PER_MS : 0;

	buf_printf(out, "{\"name\": \"%s\", \"paused\": %s, "
	    "\"durable\": \"%s\", ", name, i->paused ? "true" : "false",
	    c->native->backend->durable);
	add_settings(out, &i->settings, i->dead_letter_queue, i->fifo,
	    i->text[QUEUE_TAGS]);
	buf_printf(out, ", \"counts\": {\"available\": %zu, \"locked\": %zu, "
	    "\"delayed\": %zu, \"bytes\": %" PRIu64 ", \"waiters\": %zu, "
	    "\"oldestAge\": %" PRId64 "}, ", i->available_count,
	    i->locked_count, i->delayed_count, i->body_bytes,
	    i->waiter_count, oldest_ms);
	buf_printf(out, "\"totals\": {\"pushed\": %" PRIu64
	    ", \"received\": %" PRIu64 ", \"confirmed\": %" PRIu64
	    ", \"expired\": %" PRIu64 ", \"deadLettered\": %" PRIu64
	    ", \"timedOut\": %" PRIu64 ", \"duplicates\": %" PRIu64 "}}",
	    t->pushed, t->received, t->confirmed, t->expired,
	    t->dead_lettered, t->timed_out, t->duplicates);
}

/* The queue's name as the call gave it. */
static const char *
name_of(const struct call *c)
{
	return c->op.queue != NULL ? c->op.queue : ROOT_NAME;
}

static void
info_done(struct op *op, void *arg)
{
	struct call *c = arg;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		add_info(c, name_of(c), &op->info);
		buf_add(exchange_reply(c->x), "\n", 1);
		exchange_send(c->x, 200, JSON_TYPE);
	}
	if (op->status == WQ_OK)
		queue_info_fini(&op->info);
	call_free(c);
}

static void
head_done(struct op *op, void *arg)
{
	struct call *c = arg;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		buf_add_str(exchange_reply(c->x), "{\"messages\": []}\n");
		exchange_send(c->x, 200, JSON_TYPE);
	}
	if (op->status == WQ_OK)
		queue_info_fini(&op->info);
	call_free(c);
}

/* A call without parameters is on its way; c is NULL where it was answered. */
static void
submit_plain(struct call *c)
{
	static const char *const names[] = { NULL };

	if (c == NULL)
		return;
	if (params_known(c->x, names))
		call_submit(c);
	else
		call_free(c);
}

/* HEAD of a receive is safe by RFC 9110, so it locks nothing. */
void
native_head(struct exchange *x, void *arg)
{
	static const char *const names[] = { "amount", "timeout", "wait",
	    "details", NULL };
	struct call *c;

	if (params_known(x, names) &&
	    (c = call_new(arg, x, OP_INFO, head_done)) != NULL)
		call_submit(c);
}

void
native_info(struct exchange *x, void *arg)
{
	submit_plain(call_new(arg, x, OP_INFO, info_done));
}

void
native_delete(struct exchange *x, void *arg)
{
	submit_plain(call_new(arg, x, OP_DELETE, status_done));
}

void
native_purge(struct exchange *x, void *arg)
{
	submit_plain(call_new(arg, x, OP_PURGE, status_done));
}

void
native_pause(struct exchange *x, void *arg)
{
	struct call *c = call_new(arg, x, OP_PAUSE, status_done);

	if (c != NULL)
		c->op.pause.pause = true;
	submit_plain(c);
}

void
native_resume(struct exchange *x, void *arg)
{
	submit_plain(call_new(arg, x, OP_PAUSE, status_done));
}

static void
backup_done(struct op *op, void *arg)
{
	struct call *c = arg;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		buf_add_str(exchange_reply(c->x), "{\"file\": ");
		response_json_string(exchange_reply(c->x), op->backup.path,
		    strlen(op->backup.path));
		buf_add_str(exchange_reply(c->x), "}\n");
		exchange_send(c->x, 200, JSON_TYPE);
	}
	call_free(c);
}

void
native_backup(struct exchange *x, void *arg)
{
	submit_plain(call_new(arg, x, OP_BACKUP, backup_done));
}

static void
list_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct op_list *list = &op->list;
	struct buf *out;
	size_t i;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		out = exchange_reply(c->x);
		buf_add_str(out, "{\"queues\": [");
		for (i = 0; i < list->count; i++) {
			buf_add_str(out, i > 0 ? ", " : "");
			add_info(c, list->out[i].name, &list->out[i].info);
		}
		buf_add_str(out, "]}\n");
		exchange_send(c->x, 200, JSON_TYPE);
	}
	for (i = 0; i < list->count; i++)
		queue_info_fini(&list->out[i].info);
	call_free(c);
}

/* Copy a parameter behind the results, for it must outlive the exchange. */
static const char *
keep(char **to, const char *text)
{
	size_t bytes = text != NULL ? strlen(text) + 1 : 1;
	char *kept = *to;

	memcpy(kept, text != NULL ? text : "", bytes);
	*to += bytes;
	return kept;
}

void
native_list(struct exchange *x, void *arg)
{
	static const char *const names[] = { "prefix", "limit", "after",
	    NULL };
	const char *prefix = exchange_query(x, "prefix");
	const char *after = exchange_query(x, "after");
	int64_t limit = LIST_DEFAULT;
	struct call *c;
	size_t out_bytes;
	char *text;

	if (!params_known(x, names) ||
	    !params_int(x, "limit", 1, LIST_MAX, &limit) ||
	    (c = call_new(arg, x, OP_LIST, list_done)) == NULL)
		return;
	out_bytes = (size_t)limit * sizeof(struct queue_entry);
	if (!call_alloc(c, out_bytes + 2 + (prefix ? strlen(prefix) : 0) +
	    (after ? strlen(after) : 0)))
		return;
	text = (char *)c->memory + out_bytes;
	c->op.list.out = c->memory;
	c->op.list.max = (size_t)limit;
	c->op.list.prefix = keep(&text, prefix);
	c->op.list.after = keep(&text, after);
	call_submit(c);
}

static void
configure_done(struct op *op, void *arg)
{
	struct call *c = arg;
	struct buf *out;

	if (c->x != NULL && op->status != WQ_OK)
		answer_status(c->x, op);
	else if (c->x != NULL) {
		out = exchange_reply(c->x);
		buf_printf(out, "{\"name\": \"%s\", ", name_of(c));
		add_settings(out, &op->configure.settings,
		    op->configure.dead_letter_queue, queue_name_is_fifo(name_of(c),
		    strlen(name_of(c))),
		    op->configure.now.text[QUEUE_TAGS]);
		buf_add_str(out, "}\n");
		exchange_send(c->x, op->configure.created ? 201 : 200,
		    JSON_TYPE);
	}
	if (op->status == WQ_OK)
		queue_info_fini(&op->configure.now);
	call_free(c);
}

/* An object of strings; its text is jansson's memory.  False: answered. */
static bool
read_tags(struct exchange *x, json_t *value, struct op_configure *out)
{
	const char *key;
	const char **tags = &out->text[QUEUE_TAGS];
	json_t *tag;
	bool good = json_is_object(value) &&
	    json_object_size(value) <= TAGS_MAX;

	if (good)
		json_object_foreach(value, key, tag)
			if (!json_is_string(tag))
				good = false;
	if (!good) {
		exchange_problem(x, 400, "tags must be an object of at most %d "
		    "strings", TAGS_MAX);
		return false;
	}
	free((char *)(uintptr_t)*tags);
	*tags = json_object_size(value) > 0 ?
	    json_dumps(value, JSON_COMPACT) : NULL;
	if (*tags == NULL && json_object_size(value) > 0) {
		answer_no_memory(x);
		return false;
	}
	if (*tags != NULL && strlen(*tags) > TAGS_MAX_BYTES) {
		exchange_problem(x, 400, "tags must be at most %d bytes in "
		    "all", TAGS_MAX_BYTES);
		return false;
	}
	return true;
}

static bool
read_scope(struct exchange *x, const char *text, struct op_configure *out)
{
	bool group = text != NULL && strcmp(text, "group") == 0;

	out->given |= SETTING_DEDUP_BY_GROUP;
	out->settings.dedup_by_group = group;
	if (group || (text != NULL && strcmp(text, "queue") == 0))
		return true;
	exchange_problem(x, 400, "dedupScope must be \"queue\" or \"group\"");
	return false;
}

/* Those that are no number; *known tells whether it is one. */
static bool
read_other(struct exchange *x, const char *name, json_t *value,
    struct op_configure *out, bool *known)
{
	const char *text = json_string_value(value);
	struct text path = exchange_param(x, 0);

	*known = true;
	if (strcmp(name, "deadLetterQueue") == 0) {
		out->given |= SETTING_DEAD_LETTER_QUEUE;
		if (json_is_null(value))
			return true;
		if (text != NULL && *text != '\0' &&
		    strlen(text) < sizeof(out->dead_letter_queue)) {
			strcpy(out->dead_letter_queue, text);
			return true;
		}
		exchange_problem(x, 400, "deadLetterQueue must be the name of "
		    "a queue, or null");
		return false;
	}
	if (strcmp(name, "contentBasedDedup") == 0) {
		out->given |= SETTING_DEDUP;
		out->settings.content_based_dedup = json_is_true(value);
		if (json_is_boolean(value))
			return true;
		exchange_problem(x, 400, "contentBasedDedup must be true or "
		    "false");
		return false;
	}
	if (strcmp(name, "dedupScope") == 0)
		return read_scope(x, text, out);
	if (strcmp(name, "fifo") == 0) {
		if (json_is_boolean(value) && json_is_true(value) ==
		    queue_name_is_fifo(path.data, path.bytes))
			return true;
		exchange_problem(x, 400, "fifo is true exactly where the "
		    "queue's name ends in .fifo");
		return false;
	}
	if (strcmp(name, "tags") == 0) {
		out->given |= SETTING_TAGS;
		return read_tags(x, value, out);
	}
	*known = false;
	return true;
}

/* One member of the settings.  False: x was answered. */
static bool
read_setting(struct exchange *x, const char *name, json_t *value,
    struct op_configure *out)
{
	const struct setting *s;
	double v;
	bool known;

	if (!read_other(x, name, value, out, &known))
		return false;
	if (known)
		return true;
	for (s = settings; s < settings + SETTINGS; s++)
		if (strcmp(s->name, name) == 0)
			break;
	if (s == settings + SETTINGS) {
		exchange_problem(x, 400, "there is no setting \"%.60s\"; there "
		    "are lockTimeout, delay, ttl, retention, maxReceives, "
		    "deadLetterQueue, maxMessages, maxBytes, maxMessageBytes, "
		    "maxLocked, fifo, contentBasedDedup, dedupScope and tags",
		    name);
		return false;
	}
	/* As a real, so that one of any size is refused by its name. */
	v = json_number_value(value);
	if (!json_is_number(value) || v < 0 || v > (double)s->max ||
	    v != (double)(int64_t)v) {
		exchange_problem(x, 400, "%s must be an integer from 0 to %"
		    PRId64, s->name, s->max);
		return false;
	}
	*(int64_t *)(void *)((char *)&out->settings + s->offset) =
	    (int64_t)v;
	out->given |= s->flag;
	return true;
}

/* The settings of a PUT; no body is none.  False: x was answered. */
static bool
read_settings(struct exchange *x, struct op_configure *out)
{
	struct text body = exchange_body(x);
	char error[JSON_FAULT_BYTES] = "";
	struct json_fault fault;
	json_t *json, *value;
	const char *name;
	bool good = true;

	if (body.bytes == 0)
		return true;
	if ((json = json_read_strict(body, &fault)) == NULL &&
	    fault.what == NULL) {
		answer_no_memory(x);
		return false;
	}
	if (!json_is_object(json)) {
		if (json == NULL)
			json_fault_print(&fault, body, error);
		exchange_problem(x, 400, "the body must be one JSON object "
		    "with settings%s%s", json == NULL ? ": " : "", error);
		json_decref(json);
		return false;
	}
	json_object_foreach(json, name, value)
		if (good)
			good = read_setting(x, name, value, out);
	json_decref(json);
	return good;
}

void
native_configure(struct exchange *x, void *arg)
{
	static const char *const names[] = { NULL };
	struct op_configure configure;
	struct call *c;

	memset(&configure, 0, sizeof(configure));
	if (!params_known(x, names) || !read_settings(x, &configure) ||
	    (c = call_new(arg, x, OP_CONFIGURE, configure_done)) == NULL) {
		free((char *)(uintptr_t)configure.text[QUEUE_TAGS]);
		return;
	}
	c->op.configure = configure;
	c->memory = (char *)(uintptr_t)configure.text[QUEUE_TAGS];
	call_submit(c);
}
