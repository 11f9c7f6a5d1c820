#ifndef WQ_STORE_SQLITE_STATE_H
#define WQ_STORE_SQLITE_STATE_H

/* The engine's insides, for store/sqlite*.c alone. */

#include <sqlite3.h>

#include "store/sqlite.h"

enum statement {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_PUSH, SQL_KEY, SQL_LOCK,
	SQL_DELAY, SQL_MOVE, SQL_GONE, SQL_GONE_LOCK, SQL_QUEUE,
	SQL_TOTALS, SQL_QUEUE_GONE, SQL_QUEUE_GONE_TOTALS, SQL_TASK,
	SQL_TASK_GONE, SQL_FETCH, SQL_EXPIRE, SQL_FREE, SQL_PAGES,
	SQL_READ_QUEUES, SQL_READ_TASKS, SQL_READ_KEYS, SQL_READ_MESSAGES, SQL_READ_HEADERS, STATEMENTS
};

struct engine {
	struct joiner *joiner;		/* owned; NULL: none is needed */
	sqlite3 *db;			/* owned */
	sqlite3_stmt *st[STATEMENTS];	/* owned; prepared when first used */
	int log_pages;			/* in the write-ahead log */
	enum { READ_QUEUES, READ_TASKS, READ_KEYS, READ_MESSAGES,
	    READ_HEADERS, READ_ALL } reading;
	int64_t read_seq;		/* of the last message */
};

/* The prepared statement; NULL: it cannot be prepared. */
sqlite3_stmt	*engine_statement(struct engine *, enum statement) WQ_MUST;
/* What a result code means, of the last call. */
enum engine_result	engine_result_of(const struct engine *, int rc);

#endif
