/* Queues: made, changed, deleted, listed and emptied. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/sqs_attributes.h"
#include "api/sqs_call.h"
#include "api/sqs_edit.h"
#include "api/sqs_tags.h"
#include "base/mem.h"
#include "base/name.h"

#define LIST_MAX	1000

static void
answer_url(struct sqs_call *c)
{
	struct sqs_out o;

	if (c->x == NULL)
		return;
	sqs_out_begin(&o, c);
	sqs_out_url(&o, "QueueUrl", c->queue);
	sqs_out_send(&o);
}

static void
url_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else {
		answer_url(c);
		queue_info_fini(&op->info);
	}
	sqs_call_free(c);
}

bool
sqs_get_url(struct sqs_call *c)
{
	struct text name = sqs_text(c->in, "QueueName");

	if (memchr(name.data, '/', name.bytes) != NULL ||
	    !sqs_url_queue(name, c->queue)) {
		c->op.status = WQ_NO_QUEUE;
		return sqs_fail_status(c, &c->op);
	}
	c->op.queue = c->queue;
	return sqs_call_urls(c) && sqs_submit(c, OP_INFO, url_done);
}

struct create {				/* a call's state */
	struct sqs_wish wish;
	struct op_configure asked;	/* the op's is overwritten */
	char *text[QUEUE_TEXTS];	/* owned */
};

static void
create_fini(void *state)
{
	struct create *s = state;
	int i;

	json_decref(s->wish.kept);
	for (i = 0; i < QUEUE_TEXTS; i++)
		mem_free(s->text[i]);
}

/* It was there: is it as the request wants it? */
static void
answer_existing(struct sqs_call *c, const struct queue_info *now)
{
	struct create *s = c->state;
	json_t *kept = sqs_shared_object(now->text[QUEUE_ATTRIBUTES]);
	const char *name;

	if (kept == NULL) {
		sqs_fail_memory(c);
		return;
	}
	name = sqs_attributes_differ(json_object_get(c->in, "Attributes"),
	    &s->wish, now, kept);
	if (name != NULL)
		sqs_fail(c, SQS_QUEUE_EXISTS, "A queue already exists with "
		    "the same name and a different value for attribute %s",
		    name);
	else
		answer_url(c);
	json_decref(kept);
}

static void
create_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else {
		if (op->configure.created)
			answer_url(c);
		else
			answer_existing(c, &op->configure.now);
		queue_info_fini(&op->configure.now);
	}
	sqs_call_free(c);
}

static bool
check_name(struct sqs_call *c)
{
	struct text name = sqs_text(c->in, "QueueName");
	const char *fifo = json_string_value(json_object_get(json_object_get(
	    c->in, "Attributes"), "FifoQueue"));
	bool is_fifo = fifo != NULL && strcmp(fifo, "true") == 0;
	size_t plain = name.bytes;

	if (is_fifo && !queue_name_is_fifo(name.data, name.bytes))
		return sqs_fail(c, SQS_INVALID_PARAMETER, "The name of a FIFO "
		    "queue can only include alphanumeric characters, hyphens, "
		    "or underscores, must end with .fifo suffix and be 1 to "
		    "80 in length.");
	if (is_fifo)
		plain -= strlen(".fifo");
	if (name.bytes > NAME_MAX_BYTES || !name_is_plain(name.data, plain))
		return sqs_fail(c, SQS_INVALID_PARAMETER, "Can only include "
		    "alphanumeric characters, hyphens, or underscores. 1 to "
		    "80 in length");
	memcpy(c->queue, name.data, name.bytes + 1);
	c->op.queue = c->queue;
	return true;
}

/* The wish as texts, in the op.  False: it was answered. */
static bool
use_texts(struct sqs_call *c, struct create *s)
{
	struct op_configure *op = &c->op.configure;

	if (!sqs_dump(s->wish.kept, &s->text[QUEUE_ATTRIBUTES]) ||
	    (json_object_get(c->in, "tags") != NULL &&
	    !sqs_dump(json_object_get(c->in, "tags"), &s->text[QUEUE_TAGS])))
		return sqs_fail_memory(c);
	op->text[QUEUE_ATTRIBUTES] = s->text[QUEUE_ATTRIBUTES];
	op->text[QUEUE_TAGS] = s->text[QUEUE_TAGS];
	op->text[QUEUE_SOURCES] = s->wish.sources[0] != '\0' ?
	    s->wish.sources : NULL;
	return true;
}

bool
sqs_create_queue(struct sqs_call *c)
{
	json_t *tags = json_object_get(c->in, "tags");
	struct create *s;

	if (!check_name(c) || !sqs_call_urls(c) ||
	    (tags != NULL && !sqs_tags_check(c, tags)) ||
	    !sqs_call_alloc(c, sizeof(*s)))
		return false;
	s = c->state;
	c->state_fini = create_fini;
	sqs_attributes_preset(&s->asked);
	s->wish.configure = &s->asked;
	if ((s->wish.kept = json_object()) == NULL)
		return sqs_fail_memory(c);
	if (!sqs_attributes_read(c, json_object_get(c->in, "Attributes"),
	    NULL, &s->wish))
		return false;
	c->op.configure = s->asked;
	c->op.configure.only_new = c->op.configure.strict_target = true;
	return use_texts(c, s) && sqs_submit(c, OP_CONFIGURE, create_done);
}

static bool
edit_attributes(struct sqs_call *c, struct sqs_edit *e)
{
	const struct shared *sources = e->info->text[QUEUE_SOURCES];
	struct sqs_wish wish = { .configure = e->configure };
	bool good;

	wish.kept = sqs_shared_object(e->info->text[QUEUE_ATTRIBUTES]);
	if (wish.kept == NULL)
		return sqs_fail_memory(c);
	if (sources != NULL)
		strncat(wish.sources, sources->text, sizeof(wish.sources) -
		    1);
	good = sqs_attributes_read(c, json_object_get(c->in, "Attributes"),
	    e->info, &wish);
	if (good && !sqs_dump(wish.kept, &e->text[QUEUE_ATTRIBUTES]))
		good = sqs_fail_memory(c);
	if (good && wish.sources[0] != '\0' &&
	    (e->text[QUEUE_SOURCES] = mem_strdup(wish.sources)) == NULL)
		good = sqs_fail_memory(c);
	json_decref(wish.kept);
	return good;
}

bool
sqs_set_attributes(struct sqs_call *c)
{
	return sqs_edit(c, edit_attributes);
}

static void
answer_attributes(struct sqs_call *c, const struct queue_info *info)
{
	const uint32_t *set = c->state;
	json_t *kept = sqs_shared_object(info->text[QUEUE_ATTRIBUTES]);
	struct sqs_out o;

	if (kept == NULL) {
		sqs_fail_memory(c);
		return;
	}
	sqs_out_begin(&o, c);
	if (*set != 0)
		sqs_attributes_write(&o, *set, info, kept);
	json_decref(kept);
	sqs_out_send(&o);
}

static void
attributes_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else {
		if (c->x != NULL)
			answer_attributes(c, &op->info);
		queue_info_fini(&op->info);
	}
	sqs_call_free(c);
}

bool
sqs_get_attributes(struct sqs_call *c)
{
	return sqs_call_alloc(c, sizeof(uint32_t)) &&
	    sqs_attributes_choose(c, json_object_get(c->in, "AttributeNames"),
	    c->state) && sqs_submit(c, OP_INFO, attributes_done);
}

bool
sqs_delete_queue(struct sqs_call *c)
{
	c->op.delete.even_target = true;
	return sqs_submit(c, OP_DELETE, sqs_status_done);
}

bool
sqs_purge_queue(struct sqs_call *c)
{
	return sqs_submit(c, OP_PURGE, sqs_status_done);
}

/* A page of queues; more is told by a token, the last name before them. */
static void
list_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct op_list *list = &op->list;
	const char *name = list->sources ? "queueUrls" : "QueueUrls";
	size_t i, shown = list->count < list->max ? list->count :
	    list->max - 1;
	struct sqs_out o;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else if (c->x != NULL) {
		sqs_out_begin(&o, c);
		if (shown > 0 || list->sources) {
			sqs_out_list(&o, name);
			for (i = 0; i < shown; i++)
				sqs_out_item_url(&o, "QueueUrl",
				    list->out[i].name);
			sqs_out_list_end(&o);
		}
		if (shown < list->count &&
		    json_object_get(c->in, "MaxResults") != NULL)
			sqs_out_string(&o, "NextToken",
			    list->out[shown - 1].name);
		sqs_out_send(&o);
	}
	if (op->status == WQ_OK)
		for (i = 0; i < list->count; i++)
			queue_info_fini(&list->out[i].info);
	sqs_call_free(c);
}

static bool
list(struct sqs_call *c, bool sources)
{
	struct text prefix = sqs_text(c->in, "QueueNamePrefix");
	struct text after = sqs_text(c->in, "NextToken");
	int64_t max = LIST_MAX;

	if (!sqs_integer_within(c, "MaxResults", 1, LIST_MAX, &max))
		return false;
	if (after.data != NULL && (after.bytes == 0 ||
	    after.bytes >= QUEUE_NAME_BYTES))
		return sqs_fail(c, SQS_INVALID_PARAMETER, "Invalid or expired "
		    "next token.");
	/* One more than is shown tells whether there are more. */
	max++;
	if (!sqs_call_urls(c) ||
	    !sqs_call_alloc(c, (size_t)max * sizeof(struct queue_entry)))
		return false;
	c->op.list.prefix = prefix.data != NULL ? prefix.data : "";
	c->op.list.after = after.data != NULL ? after.data : "";
	c->op.list.sources = sources;
	c->op.list.max = (size_t)max;
	c->op.list.out = c->state;
	return sqs_submit(c, OP_LIST, list_done);
}

bool
sqs_list_queues(struct sqs_call *c)
{
	return list(c, false);
}

bool
sqs_list_sources(struct sqs_call *c)
{
	return list(c, true);
}
