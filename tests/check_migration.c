/*
 * A database of the first version becomes one of today: all that was in it is
 * there, whenever the process that does it is killed.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_wq.h"
#include "store/store.h"

#define KILLED	7		/* exit status */

/* As the first version made it. */
static const char first_schema[] =
    "PRAGMA page_size=4096;PRAGMA auto_vacuum=INCREMENTAL;"
    "PRAGMA journal_mode=WAL;"
    "CREATE TABLE queue (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
    "paused INTEGER NOT NULL, dead_letter_queue TEXT, tags TEXT, "
    "lock_timeout INTEGER NOT NULL, delay INTEGER NOT NULL, "
    "ttl INTEGER NOT NULL, max_receives INTEGER NOT NULL, "
    "max_messages INTEGER NOT NULL, max_bytes INTEGER NOT NULL, "
    "max_locked INTEGER NOT NULL, content_based_dedup INTEGER NOT NULL, "
    "dedup_queue INTEGER NOT NULL);"
    "CREATE TABLE totals (queue INTEGER PRIMARY KEY, pushed INTEGER NOT NULL, "
    "received INTEGER NOT NULL, confirmed INTEGER NOT NULL, "
    "expired INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, "
    "timed_out INTEGER NOT NULL, duplicates INTEGER NOT NULL, "
    "settled_at INTEGER NOT NULL);"
    "CREATE TABLE message (seq INTEGER PRIMARY KEY, queue INTEGER NOT NULL, "
    "id BLOB NOT NULL, delayed_until INTEGER, expires_at INTEGER, "
    "lock_timeout INTEGER, group_name BLOB, available_since INTEGER, "
    "ord INTEGER, dead_queue TEXT, dead_receives INTEGER, "
    "dead_reason INTEGER, first_pushed_at INTEGER, body BLOB NOT NULL);"
    "CREATE TABLE lock (seq INTEGER PRIMARY KEY, until INTEGER NOT NULL, "
    "ord INTEGER NOT NULL, receives INTEGER NOT NULL, "
    "receipt INTEGER NOT NULL, given_back INTEGER NOT NULL);"
    "CREATE TABLE dedup (seq INTEGER PRIMARY KEY, queue INTEGER NOT NULL, "
    "key BLOB NOT NULL, id BLOB NOT NULL, until INTEGER NOT NULL);"
    "PRAGMA application_id=2003919970;PRAGMA user_version=1;";

/* Each column has a value of its own. */
static const char first_rows[] =
    "INSERT INTO queue VALUES (1, 'default', 0, NULL, NULL, 11, 12, 13, 0, "
    "15, 16, 17, 1, 1);"
    "INSERT INTO queue VALUES (4, 'jobs', 1, 'default', '{\"a\":\"b\"}', 21, "
    "22, 23, 24, 25, 26, 27, 0, 3);"
    "INSERT INTO totals VALUES (4, 31, 32, 33, 34, 35, 36, 37, 1000);"
    "INSERT INTO message VALUES (101, 1, "
    "x'000102030405060708090a0b0c0d0e0f', NULL, NULL, NULL, NULL, NULL, "
    "NULL, NULL, NULL, NULL, NULL, '\"plain\"');"
    "INSERT INTO message VALUES (102, 4, "
    "x'100102030405060708090a0b0c0d0e0f', 5000, 6000, 70, 'tenant', 80, 9, "
    "'jobs', 3, 1, 99, '{}');"
    "INSERT INTO lock VALUES (101, 2000, 5, 2, 77, 1);"
    "INSERT INTO dedup VALUES (102, 4, "
    "x'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', "
    "x'100102030405060708090a0b0c0d0e0f', 9000);";

static char	dir[] = "/tmp/wq-migration-XXXXXX", path[64];
static char	error[STORE_ERROR_BYTES];
static int	kill_at, statements;
static int	queues, keys, messages;

static void
run(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK,
	    "%s", why);
	sqlite3_close(db);
}

static int
number_cb(void *arg, int count, char **value, char **name)
{
	(void)count;
	(void)name;
	*(long *)arg = strtol(value[0], NULL, 10);
	return 0;
}

static long
number_of(const char *sql)
{
	sqlite3 *db;
	long n = -1;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, number_cb, &n, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	return n;
}

static void
setup(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, STORE_FILE);
	run(first_schema);
	run(first_rows);
}

static void
teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void
check_text(struct store_row_text t, const char *text)
{
	if (text == NULL) {
		ck_assert_ptr_null(t.data);
		return;
	}
	ck_assert_uint_eq(t.bytes, strlen(text));
	ck_assert_mem_eq(t.data, text, t.bytes);
}

static enum wq_status
see_queue(void *arg, const struct store_row *row)
{
	bool jobs = row->queue == 4;
	int64_t base = jobs ? 20 : 10;
	int i;

	(void)arg;
	queues++;
	check_text(row->name, jobs ? "jobs" : "default");
	check_text(row->dead_queue, jobs ? "default" : NULL);
	check_text(row->text[0], jobs ? "{\"a\":\"b\"}" : NULL);
	check_text(row->text[1], NULL);
	check_text(row->text[2], NULL);
	ck_assert_int_eq(row->of_queue.paused, jobs);
	ck_assert_int_eq(row->of_queue.keys, jobs ? 3 : 1);
	for (i = 0; i < 7; i++)
		if (i != 3 || jobs)
			ck_assert_int_eq(row->of_queue.setting[i],
			    base + i + 1);
	ck_assert_int_eq(row->of_queue.setting[7], !jobs);
	for (i = 8; i < STORE_SETTINGS; i++)
		ck_assert_int_eq(row->of_queue.setting[i], 0);
	ck_assert_int_eq(row->of_queue.created_ns, 0);
	ck_assert_int_eq(row->of_queue.changed_ns, 0);
	for (i = 0; i < STORE_TOTALS_COUNT; i++)
		ck_assert_uint_eq(row->totals.total[i],
		    jobs ? 31 + (uint64_t)i : 0);
	ck_assert_int_eq(row->totals.settled_ns, jobs ? 1000 : 0);
	return WQ_OK;
}

static enum wq_status
see_task(void *arg, const struct store_row *row)
{
	(void)arg;
	(void)row;
	ck_abort_msg("the first version had no tasks");
}

static enum wq_status
see_key(void *arg, const struct store_row *row)
{
	(void)arg;
	keys++;
	ck_assert_int_eq(row->seq, 102);
	ck_assert_int_eq(row->queue, 4);
	ck_assert_int_eq(row->key.until_ns, 9000);
	ck_assert_int_eq(row->key.key[1], 0xf1);
	ck_assert_int_eq(row->key.id.bytes[0], 0x10);
	return WQ_OK;
}

static void
see_plain(const struct store_row *row)
{
	ck_assert_int_eq(row->queue, 1);
	ck_assert_int_eq(row->push.id.bytes[15], 0x0f);
	ck_assert_int_eq(row->push.lock_ms, -1);
	ck_assert(row->locked && row->lock.back);
	ck_assert_int_eq(row->lock.until_ns, 2000);
	ck_assert_int_eq(row->lock.order, 5);
	ck_assert_uint_eq(row->lock.receives, 2);
	ck_assert_uint_eq(row->lock.receipt, 77);
	ck_assert_int_eq(row->lock.received_ns, 0);
	ck_assert_int_eq(row->lock.first_received_ns, 0);
	ck_assert_uint_eq(row->push.body_bytes, 7);
	ck_assert_mem_eq(row->push.body, "\"plain\"", 7);
}

static enum wq_status
see_message(void *arg, const struct store_row *row)
{
	(void)arg;
	messages++;
	check_text(row->attributes, NULL);
	ck_assert(!row->push.text);
	if (row->seq == 101) {
		see_plain(row);
		return WQ_OK;
	}
	ck_assert_int_eq(row->seq, 102);
	ck_assert_int_eq(row->queue, 4);
	ck_assert(!row->locked);
	ck_assert_int_eq(row->push.id.bytes[0], 0x10);
	ck_assert_int_eq(row->push.delay_ns, 5000);
	ck_assert_int_eq(row->push.ttl_ns, 6000);
	ck_assert_int_eq(row->push.lock_ms, 70);
	check_text(row->group, "tenant");
	ck_assert_int_eq(row->move.available_ns, 80);
	ck_assert_int_eq(row->move.order, 9);
	check_text(row->dead_queue, "jobs");
	ck_assert_uint_eq(row->move.dead_receives, 3);
	ck_assert_int_eq(row->move.dead_reason, 1);
	ck_assert_int_eq(row->move.first_pushed_ns, 99);
	ck_assert_mem_eq(row->push.body, "{}", 2);
	return WQ_OK;
}

static bool
wants(void *arg)
{
	(void)arg;
	return true;
}

/* All that the first version had is there, and nothing else. */
static void
check_rows(void)
{
	const struct store_reader reader = { .queue = see_queue,
	    .task = see_task, .key = see_key, .message = see_message,
	    .wants_bodies = wants };
	struct store *store = store_open(dir, STORE_SYNC_FULL, error);
	bool more = true;

	ck_assert_msg(store != NULL, "%s", error);
	queues = keys = messages = 0;
	while (more)
		ck_assert_int_eq(store_read(store, &reader, 1, &more, error),
		    0);
	ck_assert_int_eq(queues, 2);
	ck_assert_int_eq(keys, 1);
	ck_assert_int_eq(messages, 2);
	store_close(store);
}

START_TEST(database_of_the_first_version_has_all_its_rows)
{
	check_rows();
	ck_assert_int_eq(number_of("PRAGMA user_version"), 2);
	ck_assert_int_eq(number_of("SELECT count(*) FROM lock"), 1);
	check_rows();
}
END_TEST

/* What tables and columns there are, in no order. */
static const char columns[] = "SELECT sum(length(m.name || p.name || p.type) "
    "* (unicode(p.name) + 7 * unicode(substr(p.name, 3)) + p.\"notnull\")) "
    "FROM sqlite_schema m, pragma_table_info(m.name) p";

START_TEST(migrated_database_is_as_a_new_one)
{
	struct store *store;
	long migrated;

	check_rows();
	migrated = number_of(columns);
	ck_assert_int_gt(migrated, 0);
	teardown();
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, STORE_FILE);
	store = store_open(dir, STORE_SYNC_FULL, error);
	ck_assert_msg(store != NULL, "%s", error);
	store_close(store);
	ck_assert_int_eq(number_of(columns), migrated);
}
END_TEST

static int
statement_cb(unsigned what, void *arg, void *statement, void *sql)
{
	(void)what;
	(void)arg;
	(void)statement;
	(void)sql;
	if (statements++ == kill_at)
		_exit(KILLED);
	return 0;
}

static int
trace(sqlite3 *db, const char **why, const struct sqlite3_api_routines *api)
{
	(void)why;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, statement_cb, NULL);
}

/* Open the store in a process that is killed at its n-th statement. */
static int
open_until(int n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		kill_at = n;
		statements = 0;
		sqlite3_auto_extension((void (*)(void))trace);
		_exit(store_open(dir, STORE_SYNC_FULL, error) == NULL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(migration_that_is_killed_changes_nothing)
{
	int n, status, before = 0;

	for (n = 0; (status = open_until(n)) == KILLED; n++)
		if (number_of("PRAGMA user_version") == 1) {
			before++;
			ck_assert_int_eq(number_of("SELECT count(*) FROM "
			    "pragma_table_info('message')"), 14);
			ck_assert_int_eq(number_of("SELECT count(*) FROM "
			    "pragma_table_info('lock')"), 6);
		}
	ck_assert_int_eq(status, 0);
	/* It was killed between any two of its changes. */
	ck_assert_int_gt(before, 15);
	check_rows();
}
END_TEST

START_TEST(migration_that_was_killed_is_done_by_the_next)
{
	ck_assert_int_eq(open_until(20), KILLED);
	check_rows();
}
END_TEST

START_TEST(newer_version_is_refused_and_left_alone)
{
	run("PRAGMA user_version=3");
	ck_assert_ptr_null(store_open(dir, STORE_SYNC_FULL, error));
	ck_assert_ptr_nonnull(strstr(error, "version 3"));
	ck_assert_int_eq(number_of("PRAGMA user_version"), 3);
	ck_assert_int_eq(number_of("SELECT count(*) FROM message"), 2);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("migration");
	TCase *t = tcase_create("migration");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, database_of_the_first_version_has_all_its_rows);
	tcase_add_test(t, migrated_database_is_as_a_new_one);
	tcase_add_test(t, migration_that_is_killed_changes_nothing);
	tcase_add_test(t, migration_that_was_killed_is_done_by_the_next);
	tcase_add_test(t, newer_version_is_refused_and_left_alone);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
