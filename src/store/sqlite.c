/*
 * Rows are keyed by a message's stamp, which ascends, so that new ones go to
 * the end of the table; there is no other index.  Locks, which change most, are
 * rows of their own.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_state.h"

/* A message but for its body, which not every start reads. */
#define MESSAGE_HEADER							\
	"m.seq, m.queue, id, delayed_until, expires_at, lock_timeout, "	\
	"group_name, available_since, m.ord, dead_queue, dead_receives, " \
	"dead_reason, first_pushed_at, is_text, attributes, "		\
	"dead_receipt, l.until, "					\
	"l.ord, l.receives, l.receipt, l.given_back, l.received_at, "	\
	"l.first_received_at, length(body)"
#define MESSAGE_ROWS							\
	" FROM message m LEFT JOIN lock l ON l.seq = m.seq "		\
	"WHERE m.seq > ?1 ORDER BY m.seq"

/* In the order of struct queue_settings. */
#define SETTING_COLUMNS							\
	"lock_timeout, delay, ttl, max_receives, max_messages, "	\
	"max_bytes, max_locked, content_based_dedup, retention, wait, "	\
	"max_message_bytes, dedup_by_group, redrive_allow, delay_for_all"

static const char *const sql[STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_PUSH] = "INSERT INTO message (seq, queue, id, delayed_until, "
	    "expires_at, lock_timeout, group_name, body, is_text, attributes) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[SQL_KEY] = "INSERT OR REPLACE INTO dedup (seq, queue, key, id, "
	    "until) VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_LOCK] = "INSERT OR REPLACE INTO lock (seq, until, ord, receives, "
	    "receipt, given_back, received_at, first_received_at) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_MOVE] = "UPDATE message SET seq = ?1, queue = ?2, "
	    "available_since = ?4, ord = ?5, dead_queue = ?6, "
	    "dead_receives = ?7, dead_reason = ?8, first_pushed_at = ?9, "
	    "id = ?10, dead_receipt = ?11, "
	    "expires_at = NULL, delayed_until = NULL WHERE seq = ?3",
	[SQL_DELAY] = "UPDATE message SET delayed_until = ?2 WHERE seq = ?1",
	[SQL_GONE] = "DELETE FROM message WHERE seq = ?1",
	[SQL_GONE_LOCK] = "DELETE FROM lock WHERE seq = ?1",
	[SQL_QUEUE] = "INSERT OR REPLACE INTO queue (number, name, paused, "
	    "dead_letter_queue, created_at, changed_at, dedup_queue, tags, "
	    "attributes, sources, " SETTING_COLUMNS ") VALUES (?1, ?2, ?3, "
	    "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
	    "?18, ?19, ?20, ?21, ?22, ?23, ?24)",
	[SQL_TOTALS] = "INSERT OR REPLACE INTO totals (queue, pushed, "
	    "received, confirmed, expired, dead_lettered, timed_out, "
	    "duplicates, settled_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
	    "?9)",
	[SQL_QUEUE_GONE] = "DELETE FROM queue WHERE number = ?1",
	[SQL_QUEUE_GONE_TOTALS] = "DELETE FROM totals WHERE queue = ?1",
	[SQL_TASK] = "INSERT OR REPLACE INTO task (seq, id, source, "
	    "destination, rate, started_at, moved, to_move, state) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_TASK_GONE] = "DELETE FROM task WHERE seq = ?1",
	[SQL_FETCH] = "SELECT body FROM message WHERE seq = ?1",
	[SQL_EXPIRE] = "DELETE FROM dedup WHERE seq IN (SELECT seq FROM dedup "
	    "WHERE seq < ?1 ORDER BY seq LIMIT ?2)",
	[SQL_FREE] = "PRAGMA freelist_count",
	[SQL_PAGES] = "PRAGMA page_count",
	[SQL_READ_QUEUES] = "SELECT number, name, paused, dead_letter_queue, "
	    "created_at, changed_at, dedup_queue, tags, attributes, sources, "
	    SETTING_COLUMNS ", pushed, received, confirmed, expired, "
	    "dead_lettered, timed_out, duplicates, settled_at "
	    "FROM queue LEFT JOIN totals ON queue = number ORDER BY number",
	[SQL_READ_TASKS] = "SELECT seq, id, source, destination, rate, "
	    "started_at, moved, to_move, state FROM task ORDER BY seq",
	[SQL_READ_KEYS] = "SELECT seq, queue, key, id, until FROM dedup "
	    "ORDER BY seq",
	[SQL_READ_MESSAGES] = "SELECT " MESSAGE_HEADER ", body" MESSAGE_ROWS,
	[SQL_READ_HEADERS] = "SELECT " MESSAGE_HEADER MESSAGE_ROWS,
};

const char *
engine_error(const struct engine *e)
{
	return sqlite3_errmsg(e->db);
}

enum engine_result
engine_result_of(const struct engine *e, int rc)
{
	int extended = sqlite3_extended_errcode(e->db);

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ENGINE_OK;
	case SQLITE_FULL:
		return ENGINE_FULL;
	case SQLITE_IOERR:
		if (extended == SQLITE_IOERR_WRITE &&
		    sqlite3_system_errno(e->db) == EDQUOT)
			return ENGINE_FULL;
		/* After a failed fsync nobody knows what is on disk. */
		return extended == SQLITE_IOERR_FSYNC ||
		    extended == SQLITE_IOERR_DIR_FSYNC ? ENGINE_BROKEN :
		    ENGINE_FAILED;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ENGINE_BROKEN;
	default:
		return ENGINE_FAILED;
	}
}

sqlite3_stmt *
engine_statement(struct engine *e, enum statement which)
{
	if (e->st[which] == NULL && sqlite3_prepare_v3(e->db, sql[which], -1,
	    SQLITE_PREPARE_PERSISTENT, &e->st[which], NULL) != SQLITE_OK)
		return NULL;
	return e->st[which];
}

/* Run a statement that was bound to its end. */
static enum engine_result
run(struct engine *e, enum statement which)
{
	sqlite3_stmt *st = engine_statement(e, which);
	int rc = st != NULL ? sqlite3_step(st) : sqlite3_errcode(e->db);
	enum engine_result result = engine_result_of(e, rc);

	if (st != NULL)
		sqlite3_reset(st);
	return result;
}

static enum engine_result
run_with(struct engine *e, enum statement which, int64_t v)
{
	sqlite3_stmt *st = engine_statement(e, which);

	if (st != NULL)
		sqlite3_bind_int64(st, 1, v);
	return run(e, which);
}

static void
bind_or_null(sqlite3_stmt *st, int i, int64_t v)
{
	if (v != 0)
		sqlite3_bind_int64(st, i, v);
	else
		sqlite3_bind_null(st, i);
}

static void
bind_text(sqlite3_stmt *st, int i, const struct store_batch *b,
    struct store_text t, bool blob)
{
	if (t.at == NO_TEXT)
		sqlite3_bind_null(st, i);
	else if (blob)
		sqlite3_bind_blob(st, i, b->text + t.at, (int)t.bytes,
		    SQLITE_STATIC);
	else
		sqlite3_bind_text(st, i, b->text + t.at, (int)t.bytes,
		    SQLITE_STATIC);
}

static enum engine_result
apply_push(struct engine *e, const struct store_batch *b,
    const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_PUSH);
	const struct store_push *p = &r->push;

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->seq);
	sqlite3_bind_int64(st, 2, r->queue);
	sqlite3_bind_blob(st, 3, &p->id, sizeof(p->id), SQLITE_STATIC);
	bind_or_null(st, 4, p->delay_ns);
	bind_or_null(st, 5, p->ttl_ns);
	if (p->lock_ms >= 0)
		sqlite3_bind_int64(st, 6, p->lock_ms);
	else
		sqlite3_bind_null(st, 6);
	bind_text(st, 7, b, p->group, true);
	sqlite3_bind_blob(st, 8, p->body, (int)p->body_bytes, SQLITE_STATIC);
	bind_or_null(st, 9, p->text);
	bind_text(st, 10, b, p->attributes, false);
	return run(e, SQL_PUSH);
}

static enum engine_result
apply_key(struct engine *e, const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_KEY);
	const struct store_key *k = &r->key;

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->seq);
	sqlite3_bind_int64(st, 2, r->queue);
	sqlite3_bind_blob(st, 3, k->key, sizeof(k->key), SQLITE_STATIC);
	sqlite3_bind_blob(st, 4, &k->id, sizeof(k->id), SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, k->until_ns);
	return run(e, SQL_KEY);
}

static enum engine_result
apply_lock(struct engine *e, const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_LOCK);
	const struct store_lock *l = &r->lock;

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->seq);
	sqlite3_bind_int64(st, 2, l->until_ns);
	sqlite3_bind_int64(st, 3, l->order);
	sqlite3_bind_int64(st, 4, l->receives);
	sqlite3_bind_int64(st, 5, l->receipt);
	sqlite3_bind_int(st, 6, l->back);
	bind_or_null(st, 7, l->received_ns);
	bind_or_null(st, 8, l->first_received_ns);
	return run(e, SQL_LOCK);
}

static enum engine_result
apply_delay(struct engine *e, const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_DELAY);

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->seq);
	sqlite3_bind_int64(st, 2, r->delay.until_ns);
	return run(e, SQL_DELAY);
}

static enum engine_result
apply_move(struct engine *e, const struct store_batch *b,
    const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_MOVE);
	const struct store_move *m = &r->move;
	enum engine_result result;

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->seq);
	sqlite3_bind_int64(st, 2, r->queue);
	sqlite3_bind_int64(st, 3, m->was);
	sqlite3_bind_int64(st, 4, m->available_ns);
	sqlite3_bind_int64(st, 5, m->order);
	bind_text(st, 6, b, m->dead_queue, false);
	bind_or_null(st, 7, m->dead_receives);
	bind_or_null(st, 8, m->dead_reason);
	bind_or_null(st, 9, m->first_pushed_ns);
	sqlite3_bind_blob(st, 10, &m->id, sizeof(m->id), SQLITE_STATIC);
	bind_or_null(st, 11, m->dead_receipt);
	result = run(e, SQL_MOVE);
	return result != ENGINE_OK ? result :
	    run_with(e, SQL_GONE_LOCK, m->was);
}

static enum engine_result
apply_queue(struct engine *e, const struct store_batch *b,
    const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_QUEUE);
	const struct store_queue *q = &r->of_queue;
	int i;

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->queue);
	bind_text(st, 2, b, q->name, false);
	sqlite3_bind_int(st, 3, q->paused);
	bind_text(st, 4, b, q->dead_letter_queue, false);
	bind_or_null(st, 5, q->created_ns);
	bind_or_null(st, 6, q->changed_ns);
	sqlite3_bind_int64(st, 7, q->keys);
	for (i = 0; i < STORE_QUEUE_TEXTS; i++)
		bind_text(st, 8 + i, b, q->text[i], false);
	for (i = 0; i < STORE_SETTINGS; i++)
		sqlite3_bind_int64(st, 8 + STORE_QUEUE_TEXTS + i,
		    q->setting[i]);
	return run(e, SQL_QUEUE);
}

static enum engine_result
apply_totals(struct engine *e, const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_TOTALS);
	int i;

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->queue);
	for (i = 0; i < STORE_TOTALS_COUNT; i++)
		sqlite3_bind_int64(st, 2 + i, (int64_t)r->totals.total[i]);
	sqlite3_bind_int64(st, 9, r->totals.settled_ns);
	return run(e, SQL_TOTALS);
}

static enum engine_result
apply_task(struct engine *e, const struct store_batch *b,
    const struct store_record *r)
{
	sqlite3_stmt *st = engine_statement(e, SQL_TASK);
	const struct store_task *t = &r->task;

	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, r->seq);
	sqlite3_bind_blob(st, 2, &t->id, sizeof(t->id), SQLITE_STATIC);
	bind_text(st, 3, b, t->source, false);
	bind_text(st, 4, b, t->to, false);
	sqlite3_bind_int64(st, 5, t->rate);
	sqlite3_bind_int64(st, 6, t->started_ns);
	sqlite3_bind_int64(st, 7, t->moved);
	sqlite3_bind_int64(st, 8, t->to_move);
	sqlite3_bind_int(st, 9, t->state);
	return run(e, SQL_TASK);
}

static enum engine_result
apply_gone(struct engine *e, int64_t seq)
{
	enum engine_result result = run_with(e, SQL_GONE, seq);

	return result != ENGINE_OK ? result : run_with(e, SQL_GONE_LOCK, seq);
}

static enum engine_result
apply_queue_gone(struct engine *e, int64_t number)
{
	enum engine_result result = run_with(e, SQL_QUEUE_GONE, number);

	return result != ENGINE_OK ? result :
	    run_with(e, SQL_QUEUE_GONE_TOTALS, number);
}

static enum engine_result
apply_record(struct engine *e, struct store_batch *b, struct store_record *r,
    bool pushes)
{
	switch (r->verb) {
	case STORE_NOTHING:
		return ENGINE_OK;
	case STORE_PUSH:
		return pushes ? apply_push(e, b, r) : ENGINE_OK;
	case STORE_KEY:
		return pushes ? apply_key(e, r) : ENGINE_OK;
	case STORE_LOCK:
		return apply_lock(e, r);
	case STORE_DELAY:
		return apply_delay(e, r);
	case STORE_MOVE:
		return apply_move(e, b, r);
	case STORE_GONE:
		return apply_gone(e, r->seq);
	case STORE_QUEUE:
		return apply_queue(e, b, r);
	case STORE_TOTALS:
		return apply_totals(e, r);
	case STORE_QUEUE_GONE:
		return apply_queue_gone(e, r->queue);
	case STORE_TASK:
		return apply_task(e, b, r);
	case STORE_TASK_GONE:
		return run_with(e, SQL_TASK_GONE, r->seq);
	case STORE_FETCH:
		return ENGINE_OK;	/* not in a transaction: see writer.c */
	}
	return ENGINE_OK;
}

/* Undo what is left of a transaction that has failed. */
static enum engine_result
undo(struct engine *e, enum engine_result why)
{
	if (!sqlite3_get_autocommit(e->db) &&
	    run(e, SQL_ROLLBACK) == ENGINE_BROKEN)
		return ENGINE_BROKEN;
	return why;
}

enum engine_result
engine_begin(struct engine *e)
{
	/* One that could not even be rolled back. */
	if (undo(e, ENGINE_OK) != ENGINE_OK)
		return ENGINE_BROKEN;
	return run(e, SQL_BEGIN);
}

enum engine_result
engine_apply(struct engine *e, struct store_batch *b, bool pushes)
{
	enum engine_result result;
	size_t i;

	for (i = 0; i < b->count; i++)
		if ((result = apply_record(e, b, &b->record[i], pushes)) !=
		    ENGINE_OK)
			return undo(e, result);
	return ENGINE_OK;
}

enum engine_result
engine_expire(struct engine *e, int64_t before_ns, int keys, bool *more)
{
	sqlite3_stmt *st = engine_statement(e, SQL_EXPIRE);
	enum engine_result result;

	if (st == NULL)
		return undo(e, ENGINE_FAILED);
	sqlite3_bind_int64(st, 1, before_ns);
	sqlite3_bind_int(st, 2, keys);
	if ((result = run(e, SQL_EXPIRE)) != ENGINE_OK)
		return undo(e, result);
	*more = sqlite3_changes(e->db) >= keys;
	return ENGINE_OK;
}

enum engine_result
engine_commit(struct engine *e)
{
	enum engine_result result = run(e, SQL_COMMIT);

	return result == ENGINE_OK ? ENGINE_OK : undo(e, result);
}

enum engine_result
engine_fetch(struct engine *e, int64_t seq, void **body, uint32_t *bytes)
{
	sqlite3_stmt *st = engine_statement(e, SQL_FETCH);
	enum engine_result result;
	int rc;

	*body = NULL;
	*bytes = 0;
	if (st == NULL)
		return ENGINE_FAILED;
	sqlite3_bind_int64(st, 1, seq);
	rc = sqlite3_step(st);
	result = engine_result_of(e, rc);
	if (rc == SQLITE_ROW) {
		*bytes = (uint32_t)sqlite3_column_bytes(st, 0);
		*body = mem_alloc(*bytes > 0 ? *bytes : 1);
		if (*body != NULL && *bytes > 0)
			memcpy(*body, sqlite3_column_blob(st, 0), *bytes);
	}
	sqlite3_reset(st);
	return result;
}
