/* A batch of records. */
#include "store/batch.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* What is larger was for a crowd, and is not kept for the next batch. */
#define KEPT_RECORDS	4096
#define KEPT_TEXT_BYTES	(256 * 1024)

struct store_batch *
batch_new(void)
{
	return mem_zalloc(sizeof(struct store_batch));
}

void
batch_free(struct store_batch *b)
{
	if (b == NULL)
		return;
	mem_free(b->record);
	mem_free(b->text);
	mem_free(b);
}

void
batch_clear(struct store_batch *b)
{
	if (b->room > KEPT_RECORDS) {
		mem_free(b->record);
		b->record = NULL;
		b->room = 0;
	}
	if (b->text_room > KEPT_TEXT_BYTES) {
		mem_free(b->text);
		b->text = NULL;
		b->text_room = 0;
	}
	b->count = 0;
	b->text_bytes = 0;
	b->body_bytes = 0;
	b->result = STORE_OK;
}

/* What room there is to be for `needed`, from what there is. */
static size_t
grown(size_t room, size_t needed, size_t least)
{
	if (room < least)
		room = least;
	while (room < needed)
		room *= 2;
	return room;
}

int
batch_reserve(struct store_batch *b, size_t records, size_t text_bytes)
{
	size_t room;
	void *more;

	if (b->count + records > b->room) {
		room = grown(b->room, b->count + records, 64);
		more = mem_realloc(b->record, room * sizeof(*b->record));
		if (more == NULL)
			return -1;
		b->record = more;
		b->room = room;
	}
	if (b->text_bytes + text_bytes > b->text_room) {
		room = grown(b->text_room, b->text_bytes + text_bytes, 1024);
		if (room >= NO_TEXT || (more = mem_realloc(b->text, room)) ==
		    NULL)
			return -1;
		b->text = more;
		b->text_room = room;
	}
	return 0;
}

struct store_record *
batch_add(struct store_batch *b, enum store_verb verb, int64_t seq,
    int64_t queue)
{
	struct store_record *r;

	assert(b->count < b->room);
	r = &b->record[b->count++];
	memset(r, 0, sizeof(*r));
	r->verb = verb;
	r->seq = seq;
	r->queue = queue;
	return r;
}

struct store_text
batch_text(struct store_batch *b, const char *text, size_t bytes)
{
	struct store_text t = { NO_TEXT, 0 };

	if (text == NULL)
		return t;
	assert(bytes <= b->text_room - b->text_bytes);
	t.at = (uint32_t)b->text_bytes;
	t.bytes = (uint32_t)bytes;
	memcpy(b->text + b->text_bytes, text, bytes);
	b->text_bytes += bytes;
	return t;
}
