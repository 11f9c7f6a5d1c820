#ifndef WQ_STORE_SQLITE_H
#define WQ_STORE_SQLITE_H

/*
 * The engine: batches of records in an SQLite database, through one connection
 * that one thread at a time uses.  Source: the manual, "The database"; SQLite's
 * own, https://sqlite.org/wal.html and pragma.html.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "store/store.h"

struct engine;

enum engine_result {
	ENGINE_OK,
	ENGINE_FULL,		/* no space; it may pass */
	ENGINE_FAILED,		/* it may pass */
	ENGINE_BROKEN		/* nothing can be trusted any more */
};

/*
 * Open or make the database at path.  NULL: error, of STORE_ERROR_BYTES, says
 * why and what to do.
 */
struct engine	*engine_open(const char *path, enum store_sync, char *error)
		    WQ_MUST;
void		 engine_close(struct engine *);		/* NULL is fine */
/* What SQLite said last; borrowed until the next call. */
const char	*engine_error(const struct engine *);

/* A transaction; after anything but ENGINE_OK it is undone. */
enum engine_result	engine_begin(struct engine *) WQ_MUST;
enum engine_result	engine_apply(struct engine *, struct store_batch *,
			    bool pushes) WQ_MUST;
/* Forget at most so many keys of pushes before that instant. */
enum engine_result	engine_expire(struct engine *, int64_t before_ns,
			    int keys, bool *more) WQ_MUST;
enum engine_result	engine_commit(struct engine *) WQ_MUST;

/*
 * What follows takes effect between transactions.  engine_checkpoint(): what
 * is in the write-ahead log goes to the database, if that has so many pages.
 * engine_tidy(): give free pages back to the system, at most so many; *more:
 * there are others.
 */
enum engine_result	engine_checkpoint(struct engine *, int pages) WQ_MUST;
/* Leave the database as it is: no more checkpoints, not even at the end. */
void	engine_abandon(struct engine *);
enum engine_result	engine_tidy(struct engine *, int pages, bool *more)
			    WQ_MUST;

/*
 * The body of a message, mem_alloc()ed; NULL: it is not there, cannot be read,
 * or no memory.  Not within a transaction, which a failure would undo.
 */
enum engine_result	engine_fetch(struct engine *, int64_t seq, void **body,
			    uint32_t *bytes) WQ_MUST;

/*
 * Read all that is kept, in the order that store_reader asks for: at most about
 * max rows a call.  *more: call it again.  -1: error says what is wrong.
 */
int	engine_read(struct engine *, const struct store_reader *, int max,
	    bool *more, char *error) WQ_MUST;

/* A consistent copy, a few pages at a time. */
struct engine_copy;
struct engine_copy	*engine_copy_new(struct engine *, const char *path,
			    char *error) WQ_MUST;
/* *done: it is complete.  -1: it has failed; error says why. */
int	engine_copy_step(struct engine_copy *, int pages, bool *done,
	    char *error) WQ_MUST;
void	engine_copy_free(struct engine_copy *);

/*
 * Look at the whole database for damage; every complaint goes to out.  -1: it
 * is damaged.
 */
int	engine_check(struct engine *, void (*out)(const char *line)) WQ_MUST;

#endif
