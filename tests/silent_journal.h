#ifndef WQ_SILENT_JOURNAL_H
#define WQ_SILENT_JOURNAL_H

/* A journal for tests, to which it is all the same what it is told. */
#include "core/journal.h"

static inline void
silent_push(void *arg, const struct message *m, const uint8_t *key,
    int64_t key_until_ns)
{
	(void)arg, (void)m, (void)key, (void)key_until_ns;
}

static inline void
silent_message(void *arg, const struct message *m)
{
	(void)arg, (void)m;
}

static inline void
silent_move(void *arg, const struct message *m, int64_t was_ns)
{
	(void)arg, (void)m, (void)was_ns;
}

static inline void
silent_queue(void *arg, struct queue *q)
{
	(void)arg, (void)q;
}

static inline void
silent_number(void *arg, int64_t number)
{
	(void)arg, (void)number;
}

static inline void
silent_purge(void *arg, struct queue *q, int64_t number)
{
	(void)arg, (void)q, (void)number;
}

static inline void
silent_task(void *arg, int64_t seq, const char *source,
    const struct task_info *info)
{
	(void)arg, (void)seq, (void)source, (void)info;
}

/* All but how it makes room, and what it is told of tasks. */
#define SILENT_JOURNAL							\
	.push = silent_push, .lock = silent_message,			\
	.unlock = silent_message, .delay = silent_message,		\
	.gone = silent_message,						\
	.move = silent_move, .queue = silent_queue,			\
	.queue_gone = silent_number, .purge = silent_purge

#endif
