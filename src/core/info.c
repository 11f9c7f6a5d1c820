/* A queue's name, and its tags, which those who were told of it share. */
#include "core/info.h"

#include <string.h>

#include "base/mem.h"

#define FIFO	".fifo"

struct tags *
tags_new(const char *json)
{
	size_t bytes = strlen(json) + 1;
	struct tags *t = mem_alloc(sizeof(*t) + bytes);

	if (t == NULL)
		return NULL;
	t->refs = 1;
	memcpy(t->json, json, bytes);
	return t;
}

struct tags *
tags_ref(struct tags *t)
{
	if (t != NULL)
		t->refs++;
	return t;
}

void
tags_unref(struct tags *t)
{
	if (t != NULL && --t->refs == 0)
		mem_free(t);
}

bool
queue_name_is_fifo(const char *name, size_t bytes)
{
	size_t end = sizeof(FIFO) - 1;

	return bytes > end && memcmp(name + bytes - end, FIFO, end) == 0;
}
