/* Reading all that is kept, after a start. */
#include <stdio.h>
#include <string.h>

#include "store/sqlite_state.h"

#define BODY_BYTES_AT	23	/* the column; the body may follow */
#define SLICE_BYTES	(4 * 1024 * 1024)	/* of bodies, a call */

static struct store_row_text
text_at(sqlite3_stmt *st, int i)
{
	struct store_row_text t = { sqlite3_column_blob(st, i),
	    (size_t)sqlite3_column_bytes(st, i) };

	/* One of no bytes has no address, and yet is one. */
	if (t.data == NULL && sqlite3_column_type(st, i) != SQLITE_NULL)
		t.data = "";
	return t;
}

static bool
id_at(sqlite3_stmt *st, int i, struct id *out)
{
	if (sqlite3_column_bytes(st, i) != sizeof(*out))
		return false;
	memcpy(out, sqlite3_column_blob(st, i), sizeof(*out));
	return true;
}

static enum wq_status
read_queue(sqlite3_stmt *st, const struct store_reader *reader)
{
	struct store_row row;
	int i, c = 0;

	memset(&row, 0, sizeof(row));
	row.queue = sqlite3_column_int64(st, c++);
	row.name = text_at(st, c++);
	row.of_queue.paused = sqlite3_column_int(st, c++) != 0;
	row.dead_queue = text_at(st, c++);
	row.of_queue.created_ns = sqlite3_column_int64(st, c++);
	row.of_queue.changed_ns = sqlite3_column_int64(st, c++);
	row.of_queue.keys = sqlite3_column_int64(st, c++);
	for (i = 0; i < STORE_QUEUE_TEXTS; i++)
		row.text[i] = text_at(st, c++);
	for (i = 0; i < STORE_SETTINGS; i++)
		row.of_queue.setting[i] = sqlite3_column_int64(st, c++);
	for (i = 0; i < STORE_TOTALS_COUNT; i++)
		row.totals.total[i] =
		    (uint64_t)sqlite3_column_int64(st, c++);
	row.totals.settled_ns = sqlite3_column_int64(st, c++);
	return reader->queue(reader->arg, &row);
}

static enum wq_status
read_task(sqlite3_stmt *st, const struct store_reader *reader)
{
	struct store_row row;

	memset(&row, 0, sizeof(row));
	row.seq = sqlite3_column_int64(st, 0);
	if (!id_at(st, 1, &row.task.id))
		return WQ_BAD_ROW;
	row.source = text_at(st, 2);
	row.to = text_at(st, 3);
	row.task.rate = sqlite3_column_int64(st, 4);
	row.task.started_ns = sqlite3_column_int64(st, 5);
	row.task.moved = sqlite3_column_int64(st, 6);
	row.task.to_move = sqlite3_column_int64(st, 7);
	row.task.state = sqlite3_column_int(st, 8);
	return reader->task(reader->arg, &row);
}

static enum wq_status
read_key(sqlite3_stmt *st, const struct store_reader *reader)
{
	struct store_row row;

	memset(&row, 0, sizeof(row));
	row.seq = sqlite3_column_int64(st, 0);
	row.queue = sqlite3_column_int64(st, 1);
	row.key.until_ns = sqlite3_column_int64(st, 4);
	if (sqlite3_column_bytes(st, 2) != DIGEST_BYTES ||
	    !id_at(st, 3, &row.key.id))
		return WQ_BAD_ROW;
	memcpy(row.key.key, sqlite3_column_blob(st, 2), DIGEST_BYTES);
	return reader->key(reader->arg, &row);
}

static enum wq_status
read_message(sqlite3_stmt *st, const struct store_reader *reader)
{
	struct store_row row;
	struct store_row_text body = { NULL, 0 };
	int64_t bytes = sqlite3_column_int64(st, BODY_BYTES_AT);

	memset(&row, 0, sizeof(row));
	row.seq = sqlite3_column_int64(st, 0);
	row.queue = sqlite3_column_int64(st, 1);
	if (sqlite3_column_count(st) > BODY_BYTES_AT + 1)
		body = text_at(st, BODY_BYTES_AT + 1);
	if (!id_at(st, 2, &row.push.id) || bytes < 0 || bytes > UINT32_MAX)
		return WQ_BAD_ROW;
	row.push.delay_ns = sqlite3_column_int64(st, 3);
	row.push.ttl_ns = sqlite3_column_int64(st, 4);
	row.push.lock_ms = sqlite3_column_type(st, 5) == SQLITE_NULL ? -1 :
	    sqlite3_column_int64(st, 5);
	row.group = text_at(st, 6);
	row.move.available_ns = sqlite3_column_int64(st, 7);
	row.move.order = sqlite3_column_int64(st, 8);
	row.dead_queue = text_at(st, 9);
	row.move.dead_receives = (uint32_t)sqlite3_column_int64(st, 10);
	row.move.dead_reason = sqlite3_column_int(st, 11);
	row.move.first_pushed_ns = sqlite3_column_int64(st, 12);
	row.push.text = sqlite3_column_int(st, 13) != 0;
	row.attributes = text_at(st, 14);
	row.move.dead_receipt = (uint32_t)sqlite3_column_int64(st, 15);
	row.locked = sqlite3_column_type(st, 16) != SQLITE_NULL;
	row.lock.until_ns = sqlite3_column_int64(st, 16);
	row.lock.order = sqlite3_column_int64(st, 17);
	row.lock.receives = (uint32_t)sqlite3_column_int64(st, 18);
	row.lock.receipt = (uint32_t)sqlite3_column_int64(st, 19);
	row.lock.back = sqlite3_column_int(st, 20) != 0;
	row.lock.received_ns = sqlite3_column_int64(st, 21);
	row.lock.first_received_ns = sqlite3_column_int64(st, 22);
	row.push.body = body.data;
	row.push.body_bytes = (uint32_t)bytes;
	return reader->message(reader->arg, &row);
}

static const struct {
	enum statement statement;
	enum wq_status (*read)(sqlite3_stmt *, const struct store_reader *);
	const char *table;
} tables[] = {
	[READ_QUEUES] = { SQL_READ_QUEUES, read_queue, "queue" },
	[READ_TASKS] = { SQL_READ_TASKS, read_task, "task" },
	[READ_KEYS] = { SQL_READ_KEYS, read_key, "dedup" },
	[READ_MESSAGES] = { SQL_READ_MESSAGES, read_message, "message" },
	[READ_HEADERS] = { SQL_READ_HEADERS, read_message, "message" },
};

static int
refuse_row(char *error, const char *table, sqlite3_stmt *st,
    enum wq_status status)
{
	if (status == WQ_NOMEM)
		snprintf(error, STORE_ERROR_BYTES, "no memory for all that is "
		    "kept");
	else
		snprintf(error, STORE_ERROR_BYTES, "table %s: the row of %lld "
		    "is not one that wqd writes", table,
		    (long long)sqlite3_column_int64(st, 0));
	return -1;
}

/*
 * On to the next table.  Messages are read in two ways, one after the other:
 * with their bodies as long as these are wanted, then without.
 */
static void
read_on(struct engine *e)
{
	sqlite3_stmt *st;

	e->read_seq = 0;
	e->reading = e->reading == READ_MESSAGES ? READ_ALL : e->reading + 1;
	if (e->reading == READ_MESSAGES &&
	    (st = engine_statement(e, SQL_READ_MESSAGES)) != NULL)
		sqlite3_bind_int64(st, 1, INT64_MIN);
}

static void
read_without_bodies(struct engine *e)
{
	sqlite3_stmt *st = engine_statement(e, SQL_READ_HEADERS);

	if (st == NULL)
		return;
	sqlite3_reset(e->st[SQL_READ_MESSAGES]);
	sqlite3_bind_int64(st, 1, e->read_seq);
	e->reading = READ_HEADERS;
}

int
engine_read(struct engine *e, const struct store_reader *reader, int max,
    bool *more, char *error)
{
	sqlite3_stmt *st;
	enum wq_status status;
	int64_t bytes = 0;
	int rc;

	for (; max > 0 && bytes < SLICE_BYTES && e->reading != READ_ALL;
	    max--) {
		if (e->reading == READ_MESSAGES && e->read_seq != 0 &&
		    !reader->wants_bodies(reader->arg))
			read_without_bodies(e);
		st = engine_statement(e, tables[e->reading].statement);
		rc = st != NULL ? sqlite3_step(st) : SQLITE_ERROR;
		if (rc == SQLITE_ROW) {
			status = tables[e->reading].read(st, reader);
			e->read_seq = sqlite3_column_int64(st, 0);
			if (e->reading == READ_MESSAGES)
				bytes += sqlite3_column_int64(st,
				    BODY_BYTES_AT);
			if (status == WQ_OK)
				continue;
			return refuse_row(error, tables[e->reading].table, st,
			    status);
		}
		if (rc != SQLITE_DONE) {
			snprintf(error, STORE_ERROR_BYTES, "table %s: %s",
			    tables[e->reading].table, engine_error(e));
			return -1;
		}
		sqlite3_reset(st);
		read_on(e);
	}
	*more = e->reading != READ_ALL;
	/* Until now each page was read once, and is not wanted again. */
	if (!*more)
		sqlite3_exec(e->db, "PRAGMA cache_size=-65536", NULL, NULL,
		    NULL);
	return 0;
}
