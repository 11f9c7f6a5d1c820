/*
 * Opening a database, its schema, and its upkeep.  The settings of the
 * connection are read back: one on which they do not hold cannot keep our
 * promises.  Locking is exclusive, so that there is one connection only, which
 * also keeps clear of a race between two that SQLite has before 3.51.3.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_joiner.h"
#include "store/sqlite_state.h"

#define APPLICATION_ID	0x77716462	/* "wqdb" */
#define SCHEMA_VERSION	2
#define BUSY_MS		2000
#define FREE_PAGES_MIN	1024		/* 4 MiB: less is not worth the work */
#define FREE_SHARE	4		/* of the pages, one of so many */

/* New in version 2. */
#define TASK_TABLE							\
	"CREATE TABLE task (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, "	\
	"source TEXT NOT NULL, destination TEXT, rate INTEGER NOT NULL, " \
	"started_at INTEGER NOT NULL, moved INTEGER NOT NULL, "		\
	"to_move INTEGER NOT NULL, state INTEGER NOT NULL);"

static const char schema[] =
    "CREATE TABLE queue (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
    "paused INTEGER NOT NULL, dead_letter_queue TEXT, tags TEXT, "
    "lock_timeout INTEGER NOT NULL, delay INTEGER NOT NULL, "
    "ttl INTEGER NOT NULL, max_receives INTEGER NOT NULL, "
    "max_messages INTEGER NOT NULL, max_bytes INTEGER NOT NULL, "
    "max_locked INTEGER NOT NULL, content_based_dedup INTEGER NOT NULL, "
    "retention INTEGER NOT NULL, wait INTEGER NOT NULL, "
    "max_message_bytes INTEGER NOT NULL, dedup_by_group INTEGER NOT NULL, "
    "redrive_allow INTEGER NOT NULL, "
    "delay_for_all INTEGER NOT NULL, dedup_queue INTEGER NOT NULL, "
    "created_at INTEGER, changed_at INTEGER, attributes TEXT, "
    "sources TEXT);"
    "CREATE TABLE totals (queue INTEGER PRIMARY KEY, pushed INTEGER NOT NULL, "
    "received INTEGER NOT NULL, confirmed INTEGER NOT NULL, "
    "expired INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, "
    "timed_out INTEGER NOT NULL, duplicates INTEGER NOT NULL, "
    "settled_at INTEGER NOT NULL);"
    "CREATE TABLE message (seq INTEGER PRIMARY KEY, queue INTEGER NOT NULL, "
    "id BLOB NOT NULL, delayed_until INTEGER, expires_at INTEGER, "
    "lock_timeout INTEGER, group_name BLOB, available_since INTEGER, "
    "ord INTEGER, dead_queue TEXT, dead_receives INTEGER, "
    "dead_reason INTEGER, first_pushed_at INTEGER, is_text INTEGER, "
    "attributes TEXT, dead_receipt INTEGER, body BLOB NOT NULL);"
    "CREATE TABLE lock (seq INTEGER PRIMARY KEY, until INTEGER NOT NULL, "
    "ord INTEGER NOT NULL, receives INTEGER NOT NULL, "
    "receipt INTEGER NOT NULL, given_back INTEGER NOT NULL, "
    "received_at INTEGER, first_received_at INTEGER);"
    "CREATE TABLE dedup (seq INTEGER PRIMARY KEY, queue INTEGER NOT NULL, "
    "key BLOB NOT NULL, id BLOB NOT NULL, until INTEGER NOT NULL);"
    TASK_TABLE;

/* From the version before to that of the index. */
static const char *const migrations[SCHEMA_VERSION + 1] = {
	[2] = "ALTER TABLE queue ADD COLUMN retention INTEGER NOT NULL "
	    "DEFAULT 0;"
	    "ALTER TABLE queue ADD COLUMN wait INTEGER NOT NULL DEFAULT 0;"
	    "ALTER TABLE queue ADD COLUMN max_message_bytes INTEGER NOT NULL "
	    "DEFAULT 0;"
	    "ALTER TABLE queue ADD COLUMN dedup_by_group INTEGER NOT NULL "
	    "DEFAULT 0;"
	    "ALTER TABLE queue ADD COLUMN redrive_allow INTEGER NOT NULL "
	    "DEFAULT 0;"
	    "ALTER TABLE queue ADD COLUMN delay_for_all INTEGER NOT NULL "
	    "DEFAULT 0;"
	    "ALTER TABLE queue ADD COLUMN created_at INTEGER;"
	    "ALTER TABLE queue ADD COLUMN changed_at INTEGER;"
	    "ALTER TABLE queue ADD COLUMN attributes TEXT;"
	    "ALTER TABLE queue ADD COLUMN sources TEXT;"
	    "ALTER TABLE message ADD COLUMN is_text INTEGER;"
	    "ALTER TABLE message ADD COLUMN attributes TEXT;"
	    "ALTER TABLE message ADD COLUMN dead_receipt INTEGER;"
	    "ALTER TABLE lock ADD COLUMN received_at INTEGER;"
	    "ALTER TABLE lock ADD COLUMN first_received_at INTEGER;"
	    TASK_TABLE,
};

/* Into error, which is of STORE_ERROR_BYTES; -1. */
static int
refuse(char *error, const char *path, const char *why)
{
	snprintf(error, STORE_ERROR_BYTES, "%s: %s", path, why);
	return -1;
}

static int
refuse_sqlite(struct engine *e, char *error, const char *path)
{
	int rc = sqlite3_errcode(e->db) & 0xff;

	return refuse(error, path, rc == SQLITE_NOTADB ?
	    "this is no database of wqd" : rc == SQLITE_BUSY ||
	    rc == SQLITE_LOCKED ? "another program has the database open" :
	    engine_error(e));
}

static bool
execute(struct engine *e, const char *text)
{
	return sqlite3_exec(e->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* The number that a pragma gives; -1: it gives none. */
static int64_t
number_of(struct engine *e, const char *pragma)
{
	sqlite3_stmt *st;
	int64_t v = -1;

	if (sqlite3_prepare_v2(e->db, pragma, -1, &st, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

static bool
is_wal(struct engine *e)
{
	sqlite3_stmt *st;
	bool is = false;

	if (sqlite3_prepare_v2(e->db, "PRAGMA journal_mode=WAL", -1, &st,
	    NULL) != SQLITE_OK)
		return false;
	if (sqlite3_step(st) == SQLITE_ROW)
		is = strcmp((const char *)sqlite3_column_text(st, 0),
		    "wal") == 0;
	sqlite3_finalize(st);
	return is;
}

/* A new database, in one transaction: a crash leaves none, or all of it. */
static int
make_schema(struct engine *e, const char *path, char *error)
{
	char text[96];

	snprintf(text, sizeof(text), "PRAGMA application_id=%d;"
	    "PRAGMA user_version=%d;COMMIT", APPLICATION_ID, SCHEMA_VERSION);
	if (execute(e, "BEGIN IMMEDIATE") && execute(e, schema) &&
	    execute(e, text))
		return 0;
	return refuse_sqlite(e, error, path);
}

/* Up to our version, in one transaction; a copy of before is a backup's. */
static int
migrate(struct engine *e, const char *path, int64_t version, char *error)
{
	char text[64];

	if (version == SCHEMA_VERSION)
		return 0;
	snprintf(text, sizeof(text), "PRAGMA user_version=%d;COMMIT",
	    SCHEMA_VERSION);
	if (!execute(e, "BEGIN IMMEDIATE"))
		return refuse_sqlite(e, error, path);
	while (version < SCHEMA_VERSION)
		if (!execute(e, migrations[++version]))
			return refuse_sqlite(e, error, path);
	return execute(e, text) ? 0 : refuse_sqlite(e, error, path);
}

/*
 * Whose database it is, before anything in it is changed; *had is its version,
 * 0 for a new one.
 */
static int
check_owner(struct engine *e, const char *path, int64_t *had, char *error)
{
	int64_t version = *had = number_of(e, "PRAGMA user_version");
	int64_t application = number_of(e, "PRAGMA application_id");
	char why[160];

	if (version == -1 || application == -1)
		return refuse_sqlite(e, error, path);
	if (version == 0 && application == 0 &&
	    number_of(e, "SELECT count(*) FROM sqlite_schema") == 0)
		return 0;
	if (application != APPLICATION_ID)
		return refuse(error, path, "this is a database, but not one "
		    "of wqd");
	if (version > 0 && version <= SCHEMA_VERSION)
		return 0;
	snprintf(why, sizeof(why), "its schema has version %" PRId64 ", and "
	    "this wqd knows %d: start the newer wqd that wrote it", version,
	    SCHEMA_VERSION);
	return refuse(error, path, why);
}

static int
log_hook(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct engine *e = arg;

	(void)db;
	(void)name;
	e->log_pages = pages;
	return SQLITE_OK;
}

static int
set_up(struct engine *e, const char *path, enum store_sync sync, char *error)
{
	static const char *const syncs[] = { "PRAGMA synchronous=FULL",
	    "PRAGMA synchronous=NORMAL", "PRAGMA synchronous=OFF" };
	static const int values[] = { 2, 1, 0 };
	int64_t version;

	sqlite3_extended_result_codes(e->db, 1);
	sqlite3_busy_timeout(e->db, BUSY_MS);
	/*
	 * Exclusive before anything is read, or there is shared memory; the
	 * rest before the database has anything.
	 */
	if (!execute(e, "PRAGMA locking_mode=EXCLUSIVE"))
		return refuse_sqlite(e, error, path);
	if (check_owner(e, path, &version, error) == -1)
		return -1;
	if (version == 0 && !execute(e, "PRAGMA page_size=4096;"
	    "PRAGMA auto_vacuum=INCREMENTAL"))
		return refuse_sqlite(e, error, path);
	if (!is_wal(e))
		return sqlite3_errcode(e->db) == SQLITE_OK ? refuse(error,
		    path, "no write-ahead log is possible here") :
		    refuse_sqlite(e, error, path);
	if (!execute(e, syncs[sync]) ||
	    !execute(e, "PRAGMA wal_autocheckpoint=0;"
	    "PRAGMA journal_size_limit=67108864;PRAGMA cache_size=-4096;"
	    "PRAGMA temp_store=MEMORY"))
		return refuse_sqlite(e, error, path);
	if (number_of(e, "PRAGMA synchronous") != values[sync])
		return refuse(error, path, "synchronous cannot be set");
	sqlite3_wal_hook(e->db, log_hook, e);
	return version == 0 ? make_schema(e, path, error) :
	    migrate(e, path, version, error);
}

struct engine *
engine_open(const char *path, enum store_sync sync, char *error)
{
	struct engine *e = mem_zalloc(sizeof(*e));

	if (e == NULL) {
		refuse(error, path, "no memory");
		return NULL;
	}
	/* Only there does every commit end with a sync. */
	if (sync == STORE_SYNC_FULL && (e->joiner = joiner_new()) == NULL) {
		refuse(error, path, "no memory");
		goto fail;
	}
	if (sqlite3_open_v2(path, &e->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, e->joiner != NULL ?
	    joiner_name(e->joiner) : NULL) != SQLITE_OK) {
		refuse(error, path, e->db != NULL ? engine_error(e) :
		    "no memory");
		goto fail;
	}
	if (set_up(e, path, sync, error) == 0)
		return e;
fail:
	engine_close(e);
	return NULL;
}

void
engine_close(struct engine *e)
{
	int i;

	if (e == NULL)
		return;
	for (i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(e->st[i]);
	sqlite3_close(e->db);
	joiner_free(e->joiner);
	mem_free(e);
}

enum engine_result
engine_checkpoint(struct engine *e, int pages)
{
	int rc;

	if (e->log_pages < pages || e->log_pages == 0)
		return ENGINE_OK;
	rc = sqlite3_wal_checkpoint_v2(e->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
	    NULL, NULL);
	if (rc == SQLITE_OK)
		e->log_pages = 0;
	return engine_result_of(e, rc);
}

void
engine_abandon(struct engine *e)
{
	sqlite3_db_config(e->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static int64_t
step_number(struct engine *e, enum statement which)
{
	sqlite3_stmt *st = engine_statement(e, which);
	int64_t v = 0;

	if (st == NULL)
		return 0;
	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return v;
}

enum engine_result
engine_tidy(struct engine *e, int pages, bool *more)
{
	int64_t unused = step_number(e, SQL_FREE);
	char text[48];
	int rc;

	*more = false;
	if (unused < FREE_PAGES_MIN ||
	    unused * FREE_SHARE < step_number(e, SQL_PAGES))
		return ENGINE_OK;
	snprintf(text, sizeof(text), "PRAGMA incremental_vacuum(%d)", pages);
	rc = sqlite3_exec(e->db, text, NULL, NULL, NULL);
	*more = rc == SQLITE_OK;
	return engine_result_of(e, rc);
}

int
engine_check(struct engine *e, void (*out)(const char *))
{
	static const char *const counts[] = {
		"SELECT 'queues', count(*) FROM queue",
		"SELECT 'messages', count(*) FROM message",
		"SELECT 'received messages', count(*) FROM lock",
		"SELECT 'keys of repeats', count(*) FROM dedup",
		"SELECT 'bytes of bodies', coalesce(sum(length(body)), 0) "
		    "FROM message",
		"SELECT 'locks of no message', count(*) FROM lock "
		    "WHERE seq NOT IN (SELECT seq FROM message)",
	};
	sqlite3_stmt *st;
	char line[160];
	bool good = true;
	size_t i;

	if (sqlite3_prepare_v2(e->db, "PRAGMA integrity_check", -1, &st,
	    NULL) != SQLITE_OK)
		return -1;
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(st, 0);

		if (text == NULL || strcmp(text, "ok") != 0) {
			out(text != NULL ? text : "no memory");
			good = false;
		}
	}
	if (sqlite3_finalize(st) != SQLITE_OK)
		return -1;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (sqlite3_prepare_v2(e->db, counts[i], -1, &st, NULL) !=
		    SQLITE_OK || sqlite3_step(st) != SQLITE_ROW) {
			out(engine_error(e));
			good = false;
		} else {
			snprintf(line, sizeof(line), "%s: %" PRId64,
			    (const char *)sqlite3_column_text(st, 0),
			    (int64_t)sqlite3_column_int64(st, 1));
			out(line);
		}
		sqlite3_finalize(st);
	}
	return good ? 0 : -1;
}
