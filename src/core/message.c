/* A message and its life. */
#include "core/message.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "core/group.h"
#include "core/outside.h"
#include "core/state.h"

/*
 * A body of 100 bytes must fit an allocator's class of 192 bytes; see
 * "Numbers" in README.  More fields go to the hold or to extra.
 */
_Static_assert(offsetof(struct message, body) <= 88, "message header grew");

struct message *
message_new(struct id id, const void *body, size_t body_bytes)
{
	struct message *m;

	assert(body_bytes <= UINT32_MAX);
	m = mem_alloc(offsetof(struct message, body) + body_bytes);
	if (m == NULL)
		return NULL;
	memset(m, 0, offsetof(struct message, body));
	m->id = id;
	m->body_bytes = (uint32_t)body_bytes;
	m->refs = 1;
	m->state = MESSAGE_NEW;
	memcpy(m->body, body, body_bytes);
	return m;
}

const char *
message_group(const struct message *m, size_t *bytes)
{
	const struct group *g = message_group_of(m);

	if (g == NULL || g->name_bytes == 0)
		return NULL;
	*bytes = g->name_bytes;
	return g->name;
}

int64_t
message_pushed_ns(const struct message *m)
{
	const struct message_extra *extra = message_extra(m);

	return extra != NULL && extra->first_pushed_ns != 0 ?
	    extra->first_pushed_ns : m->pushed_ns;
}

const char *
message_attributes(const struct message *m, size_t *bytes)
{
	const struct message_extra *extra = message_extra(m);

	if (extra == NULL || extra->attributes == NULL)
		return NULL;
	*bytes = extra->attributes_bytes;
	return extra->attributes;
}

bool
message_is_text(const struct message *m)
{
	return m->text;
}

int64_t
message_first_received_ns(const struct message *m)
{
	if (m->receives == 0)
		return 0;
	return m->has_extra ? m->more.extra->first_received_ns :
	    m->more.first_received_ns;
}

void
message_set_first_received(struct message *m, int64_t ns)
{
	if (m->has_extra)
		m->more.extra->first_received_ns = ns;
	else
		m->more.first_received_ns = ns;
}

struct message_extra *
message_extra_get(struct message *m)
{
	struct message_extra *extra = message_extra(m);

	if (extra != NULL || (extra = mem_zalloc(sizeof(*extra))) == NULL)
		return extra;
	extra->first_received_ns = m->more.first_received_ns;
	m->more.extra = extra;
	m->has_extra = true;
	extra->message = m;
	extra->lock_ms = -1;
	if (m->queue != NULL)
		m->queue->registry->memory_bytes += sizeof(*extra) +
		    THING_OVERHEAD_BYTES;
	return extra;
}

enum wq_status
message_set_attributes(struct message *m, const char *attributes,
    size_t bytes)
{
	struct message_extra *extra;

	assert(m->queue == NULL && bytes <= UINT32_MAX);
	if (attributes == NULL)
		return WQ_OK;
	if ((extra = message_extra_get(m)) == NULL ||
	    (extra->attributes = mem_alloc(bytes + 1)) == NULL)
		return WQ_NOMEM;
	memcpy(extra->attributes, attributes, bytes);
	extra->attributes_bytes = (uint32_t)bytes;
	return WQ_OK;
}

const struct dead_letter *
message_dead_letter(const struct message *m)
{
	return m->has_extra ? m->more.extra->dead : NULL;
}

struct message *
message_ref(struct message *m)
{
	assert(m->refs < (1u << 24) - 1);
	m->refs++;
	return m;
}

void
message_unref(struct message *m)
{
	struct message_extra *extra;

	if (m == NULL)
		return;
	assert(m->refs > 0);
	if (--m->refs > 0) {
		if (m->outside && m->refs == 1)
			message_unload(m);
		return;
	}
	if (m->outside)
		mem_free((void *)(uintptr_t)message_body(m));
	if (m->state == MESSAGE_NEW)
		mem_free(m->at.hold);
	if ((extra = message_extra(m)) != NULL) {
		mem_free(extra->attributes);
		group_unref(extra->group);
		mem_free(extra->dead);
		mem_free(extra);
	}
	mem_free(m);
}
