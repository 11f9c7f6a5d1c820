#ifndef WQ_STORE_STORE_H
#define WQ_STORE_STORE_H

/*
 * A directory that keeps what it is told, behind one writer thread.  The loop
 * hands batches over and never waits; it is told when they are on disk.  All
 * functions are the loop's; but for their bodies, batches are nobody else's
 * while the writer has them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/id.h"
#include "base/status.h"
#include "store/batch.h"

struct event_base;
struct store;

#define STORE_ERROR_BYTES	512
#define STORE_FILE		"wq.db"
#define STORE_BACKUP_FILE	"backup.db"

enum store_sync {
	STORE_SYNC_FULL,	/* a commit is on disk when it is reported */
	STORE_SYNC_NORMAL,	/* a power loss may take back the last ones */
	STORE_SYNC_OFF		/* a power loss may break the database */
};

/*
 * One row of what was kept; a column that is NULL there is 0, or a text with
 * data NULL.  Texts and bodies are borrowed for the call.
 */
struct store_row_text {
	const char *data;
	size_t bytes;
};

struct store_row {
	int64_t seq, queue;
	struct store_queue of_queue;	/* without its texts */
	struct store_totals totals;
	struct store_task task;		/* without its texts */
	struct store_key key;
	struct store_push push;		/* without its group */
	bool locked;			/* it was ever */
	struct store_lock lock;
	struct store_move move;		/* without its dead_queue */
	struct store_row_text name, dead_queue, group, attributes;
	struct store_row_text source, to;
	struct store_row_text text[STORE_QUEUE_TEXTS];
};

/*
 * What to do with each; anything but WQ_OK ends the reading with it.  All
 * queues come first, then tasks, keys, and messages by ascending seq.
 */
struct store_reader {
	enum wq_status (*queue)(void *arg, const struct store_row *);
	enum wq_status (*task)(void *arg, const struct store_row *);
	enum wq_status (*key)(void *arg, const struct store_row *);
	/* push.body is NULL where wants_bodies() was false. */
	enum wq_status (*message)(void *arg, const struct store_row *);
	bool (*wants_bodies)(void *arg);
	void *arg;
};

/* What the writer is in trouble with; it goes on by itself where it can. */
enum store_health {
	STORE_WELL,
	STORE_FULL,		/* no space for pushes; all else goes on */
	STORE_SICK,		/* it writes, but did not lately: the same */
	STORE_STUCK,		/* nothing can be written now */
	STORE_BROKEN		/* nothing can be written any more: end */
};

struct store_events {
	/*
	 * Batches up to that one are on disk, in order; what result says of
	 * its pushes is true of that batch alone.  It is the store's again.
	 */
	void (*kept)(void *arg, struct store_batch *);
	/* One that cannot be written at the end; the store's again too. */
	void (*lost)(void *arg, struct store_batch *);
	/* Pushes in batches up to that number are refused; the rest waits. */
	void (*refused)(void *arg, uint64_t number, enum store_result);
	void (*health)(void *arg, enum store_health, const char *why);
	/* A copy has ended, in that file; error is NULL when all is well. */
	void (*copied)(void *arg, const char *path, const char *error);
	void *arg;			/* borrowed for the store's life */
};

/*
 * Lock the directory, which is made where there is none, and open what is in
 * it.  NULL: error, of STORE_ERROR_BYTES, says why and what to do.
 */
struct store	*store_open(const char *directory, enum store_sync,
		    char *error) WQ_MUST;

/*
 * Look at all of a directory's database for damage; complaints and counts go
 * to out, a line each.  -1: it is damaged, in use or not there, says error.
 */
int		 store_check(const char *directory,
		    void (*out)(const char *line), char *error) WQ_MUST;

/* Before store_start(): read what is kept; see engine_read(). */
int		 store_read(struct store *, const struct store_reader *,
		    int max, bool *more, char *error) WQ_MUST;

/* Start the writer.  -1: error says why. */
int		 store_start(struct store *, struct event_base *,
		    const struct store_events *, char *error) WQ_MUST;

/* An empty batch; NULL: no memory. */
struct store_batch	*store_batch(struct store *) WQ_MUST;
/* A batch with records; its number is the result. */
uint64_t	 store_hand_over(struct store *, struct store_batch *,
		    int64_t now_ns);
/* Has the writer nothing to do? */
bool		 store_is_idle(const struct store *);
/* Pushes and bytes of bodies that the writer has. */
uint64_t	 store_waiting_bytes(const struct store *);
size_t		 store_waiting_records(const struct store *);

/*
 * Copy the database while it is in use to STORE_BACKUP_FILE beside it, in
 * place of the last copy; `copied` is told.  -1: one is on.
 */
int		 store_copy(struct store *) WQ_MUST;

/*
 * Write all that was handed over and end the writer, then close; what cannot
 * be written is given up.  No event comes from in here or later but `kept`.
 */
void		 store_close(struct store *);	/* NULL is fine */

#endif
