/*
 * The part of an answer that all protocols share, see client.h.  A problem
 * quotes the beginning of what came, unprintable bytes as dots.
 */
#include "bench/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
answer_fini(struct answer *a)
{
	free(a->messages);
	a->messages = NULL;
	a->room = 0;
}

void
answer_reset(struct answer *a)
{
	a->is_expected = true;
	a->done = 0;
	a->count = 0;
	a->problem[0] = '\0';
}

struct received *
answer_add(struct answer *a)
{
	struct received *messages;
	size_t room;

	if (a->count == a->room) {
		room = a->room > 0 ? a->room * 2 : 16;
		messages = realloc(a->messages, room * sizeof(*messages));
		if (messages == NULL)
			return NULL;
		a->messages = messages;
		a->room = room;
	}
	return &a->messages[a->count++];
}

static void
describe(struct answer *a, const char *what, const char *in, size_t bytes)
{
	char quote[101];
	size_t i, n;

	n = bytes < sizeof(quote) - 1 ? bytes : sizeof(quote) - 1;
	for (i = 0; i < n; i++)
		quote[i] = in[i] >= ' ' && in[i] <= '~' ? in[i] : '.';
	quote[n] = '\0';
	(void)snprintf(a->problem, sizeof(a->problem), "%s: \"%s\"%s", what,
	    quote, n < bytes ? "..." : "");
}

ssize_t
answer_garbled(struct answer *a, const char *what, const char *in,
    size_t bytes)
{
	a->is_expected = false;
	describe(a, what, in, bytes);
	return -1;
}

void
answer_unexpected(struct answer *a, const char *what, const char *in,
    size_t bytes)
{
	if (a->is_expected)
		describe(a, what, in, bytes);
	a->is_expected = false;
}

void
answer_check_count(struct answer *a, enum request kind, size_t count,
    const char *in, size_t bytes)
{
	if (kind != REQUEST_RECEIVE && a->done != count)
		answer_unexpected(a, "not every message was taken", in,
		    bytes);
	if (kind == REQUEST_RECEIVE && a->count > count)
		answer_unexpected(a, "more messages than asked for", in,
		    bytes);
}
