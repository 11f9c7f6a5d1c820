/* The pointer to a body that was loaded is where others have their body. */
#include "core/outside.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "core/state.h"
#include "core/walk.h"

#define LOOKED_AT_MAX	1024		/* messages, for those ahead */

static char *
loaded(const struct message *m)
{
	char *body;

	memcpy(&body, m->body, sizeof(body));
	return body;
}

static void
set_loaded(struct message *m, char *body)
{
	memcpy(m->body, &body, sizeof(body));
}

void
registry_set_cap(struct registry *r, uint64_t bytes)
{
	r->cap_bytes = bytes;
}

bool
registry_is_over_cap(const struct registry *r)
{
	return r->cap_bytes > 0 && registry_memory_bytes(r) > r->cap_bytes;
}

const char *
message_body(const struct message *m)
{
	return m->outside ? loaded(m) : m->body;
}

struct message *
message_new_outside(struct id id, size_t body_bytes)
{
	const char *none = NULL;
	struct message *m = message_new(id, &none, sizeof(none));

	if (m == NULL)
		return NULL;
	m->outside = true;
	m->body_bytes = (uint32_t)body_bytes;
	return m;
}

struct message *
message_put_outside(struct message *m)
{
	struct message *out;

	assert(m->refs == 1 && m->state == MESSAGE_NEW);
	if (m->outside || m->body_bytes <= sizeof(char *) ||
	    (out = message_new_outside(m->id, m->body_bytes)) == NULL)
		return m;
	memcpy(out, m, offsetof(struct message, body));
	out->outside = true;
	if (out->has_extra)
		out->more.extra->message = out;
	out->queue->registry->memory_bytes -= out->body_bytes;
	mem_free(m);
	return out;
}

void
message_load(struct message *m, void *body)
{
	if (!m->outside || loaded(m) != NULL) {
		mem_free(body);
		return;
	}
	set_loaded(m, body);
	if (m->queue != NULL)
		m->queue->registry->memory_bytes += m->body_bytes;
}

void
message_unload(struct message *m)
{
	if (!m->outside || m->ahead || m->queue == NULL || loaded(m) == NULL)
		return;
	mem_free(loaded(m));
	set_loaded(m, NULL);
	m->queue->registry->memory_bytes -= m->body_bytes;
}

size_t
queue_ahead(struct queue *q, struct message **out, size_t max, uint64_t bytes)
{
	size_t n = 0, left = LOOKED_AT_MAX;
	struct message *m;
	uint64_t sum = 0;
	struct walk w;

	walk_begin(&w, q, MESSAGE_AVAILABLE);
	while (n < max && sum < bytes && left-- > 0 &&
	    (m = walk_next(&w)) != NULL) {
		if (message_body(m) != NULL || m->ahead)
			continue;
		m->ahead = true;
		sum += m->body_bytes;
		out[n++] = message_ref(m);
	}
	return n;
}
