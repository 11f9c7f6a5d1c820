#ifndef WQ_STORE_SQLITE_JOINER_H
#define WQ_STORE_SQLITE_JOINER_H

/*
 * A VFS of SQLite that joins what is written to and read from a database and
 * its write-ahead log, for store/sqlite*.c alone.  Source:
 * https://sqlite.org/vfs.html, and fileformat2.html section 4.1 for what a log
 * holds.
 */

#include "base/status.h"

struct joiner;

/*
 * Register one under a name of its own.  NULL: no memory.  It may be used for
 * databases whose every commit ends with a sync (synchronous=FULL): what a
 * program has written is otherwise not yet the kernel's when it dies.
 */
struct joiner	*joiner_new(void) WQ_MUST;
/* Only once its databases are closed.  NULL is fine. */
void		 joiner_free(struct joiner *);
/* For sqlite3_open_v2(); borrowed as long as the joiner lives. */
const char	*joiner_name(const struct joiner *);

#endif
