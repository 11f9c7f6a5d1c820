/* A queue's name, and its texts, which those who were told of it share. */
#include "core/info.h"

#include <string.h>

#include "base/mem.h"

#define FIFO	".fifo"

struct shared *
shared_new(const char *text)
{
	size_t bytes = strlen(text) + 1;
	struct shared *s = mem_alloc(sizeof(*s) + bytes);

	if (s == NULL)
		return NULL;
	s->refs = 1;
	memcpy(s->text, text, bytes);
	return s;
}

struct shared *
shared_ref(struct shared *s)
{
	if (s != NULL)
		s->refs++;
	return s;
}

void
shared_unref(struct shared *s)
{
	if (s != NULL && --s->refs == 0)
		mem_free(s);
}

void
queue_info_fini(struct queue_info *info)
{
	int i;

	for (i = 0; i < QUEUE_TEXTS; i++) {
		shared_unref(info->text[i]);
		info->text[i] = NULL;
	}
}

bool
queue_name_is_fifo(const char *name, size_t bytes)
{
	size_t end = sizeof(FIFO) - 1;

	return bytes > end && memcmp(name + bytes - end, FIFO, end) == 0;
}
