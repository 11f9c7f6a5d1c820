/* Tags of queues. */
#include <string.h>

#include "api/sqs_call.h"
#include "api/sqs_edit.h"
#include "api/sqs_tags.h"

#define TAGS_MAX	50
#define KEY_MAX		128	/* characters */
#define VALUE_MAX	256

static const struct sqs_map tag_map = { "Tags", "Tag", "Key" };

/* Characters of UTF-8: bytes that begin one. */
static size_t
characters(const char *text, size_t bytes)
{
	size_t i, n = 0;

	for (i = 0; i < bytes; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

bool
sqs_tags_check(struct sqs_call *c, json_t *tags)
{
	const char *key;
	size_t bytes, n;
	json_t *value;

	if (json_object_size(tags) > TAGS_MAX)
		return sqs_fail(c, SQS_INVALID_PARAMETER, "A queue can have at "
		    "most %d tags.", TAGS_MAX);
	json_object_keylen_foreach(tags, key, bytes, value) {
		n = characters(key, bytes);
		if (n < 1 || n > KEY_MAX)
			return sqs_fail(c, SQS_INVALID_PARAMETER, "Tag keys "
			    "must be between 1 and %d characters in length.",
			    KEY_MAX);
		n = characters(json_string_value(value),
		    json_string_length(value));
		if (n > VALUE_MAX)
			return sqs_fail(c, SQS_INVALID_PARAMETER, "Tag values "
			    "must be between 0 and %d characters in length.",
			    VALUE_MAX);
	}
	return true;
}

/* Write them back; tags is taken. */
static bool
put_tags(struct sqs_call *c, struct sqs_edit *e, json_t *tags)
{
	bool good = sqs_tags_check(c, tags);

	if (good && !sqs_dump(tags, &e->text[QUEUE_TAGS]))
		good = sqs_fail_memory(c);
	json_decref(tags);
	e->configure->given = SETTING_TAGS;
	return good;
}

static bool
add_tags(struct sqs_call *c, struct sqs_edit *e)
{
	json_t *tags = sqs_shared_object(e->info->text[QUEUE_TAGS]);

	if (tags == NULL || json_object_update(tags,
	    json_object_get(c->in, "Tags")) == -1) {
		json_decref(tags);
		return sqs_fail_memory(c);
	}
	return put_tags(c, e, tags);
}

bool
sqs_tag_queue(struct sqs_call *c)
{
	return sqs_tags_check(c, json_object_get(c->in, "Tags")) &&
	    sqs_edit(c, add_tags);
}

static bool
remove_tags(struct sqs_call *c, struct sqs_edit *e)
{
	json_t *tags = sqs_shared_object(e->info->text[QUEUE_TAGS]), *key;
	size_t i;

	if (tags == NULL)
		return sqs_fail_memory(c);
	json_array_foreach(json_object_get(c->in, "TagKeys"), i, key)
		json_object_deln(tags, json_string_value(key),
		    json_string_length(key));
	return put_tags(c, e, tags);
}

bool
sqs_untag_queue(struct sqs_call *c)
{
	return sqs_edit(c, remove_tags);
}

static void
answer_tags(struct sqs_call *c, const struct shared *text)
{
	json_t *tags = sqs_shared_object(text), *value;
	const char *key;
	size_t bytes;
	struct sqs_out o;

	if (tags == NULL) {
		sqs_fail_memory(c);
		return;
	}
	sqs_out_begin(&o, c);
	sqs_out_map(&o, &tag_map);
	json_object_keylen_foreach(tags, key, bytes, value)
		sqs_out_map_pair(&o, &tag_map, key, bytes,
		    json_string_value(value), json_string_length(value));
	sqs_out_map_end(&o);
	json_decref(tags);
	sqs_out_send(&o);
}

static void
list_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else {
		if (c->x != NULL)
			answer_tags(c, op->info.text[QUEUE_TAGS]);
		queue_info_fini(&op->info);
	}
	sqs_call_free(c);
}

bool
sqs_list_tags(struct sqs_call *c)
{
	return sqs_submit(c, OP_INFO, list_done);
}
