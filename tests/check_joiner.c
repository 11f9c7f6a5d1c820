/*
 * Files whose writes are joined: they hold what they would without that, and a
 * write that fails is told to whoever asked.  Below the joiner is a VFS of the
 * test's that counts and fails.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_wq.h"
#include "store/sqlite_joiner.h"

#define ROUNDS		20000
#define FILE_BYTES	(1024 * 1024)
#define WRITE_MAX_BYTES	65536

/* A file below the joiner's; the system's follows it. */
struct low_file {
	sqlite3_file file;
	sqlite3_file *real;
};

static sqlite3_vfs	 low, *unix_vfs;
static struct joiner	*joiner;
static char		 path[] = "/tmp/wq-joiner-XXXXXX";
static char		 log_path[sizeof(path) + 4];
static size_t		 writes, syncs;
static int		 fail_write;	/* the how manieth from now; 0: none */

static sqlite3_file *
real_of(sqlite3_file *file)
{
	return ((struct low_file *)file)->real;
}

static int
low_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int
low_read(sqlite3_file *file, void *data, int bytes, sqlite3_int64 at)
{
	return real_of(file)->pMethods->xRead(real_of(file), data, bytes, at);
}

static int
low_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
	writes++;
	ck_assert_int_le(bytes, WRITE_MAX_BYTES);
	if (fail_write > 0 && --fail_write == 0)
		return SQLITE_FULL;
	return real_of(file)->pMethods->xWrite(real_of(file), data, bytes, at);
}

static int
low_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int
low_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	syncs++;
	return SQLITE_OK;
}

static int
low_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int
low_lock(sqlite3_file *file, int lock)
{
	return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int
low_unlock(sqlite3_file *file, int lock)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int
low_check_lock(sqlite3_file *file, int *is)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is);
}

static int
low_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int
low_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
low_device(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods low_methods = { .iVersion = 1,
	.xClose = low_close, .xRead = low_read, .xWrite = low_write,
	.xTruncate = low_truncate, .xSync = low_sync, .xFileSize = low_size,
	.xLock = low_lock, .xUnlock = low_unlock,
	.xCheckReservedLock = low_check_lock, .xFileControl = low_control,
	.xSectorSize = low_sector, .xDeviceCharacteristics = low_device };

static int
low_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *out)
{
	struct low_file *f = (struct low_file *)file;
	int rc;

	(void)vfs;
	f->real = (sqlite3_file *)(f + 1);
	rc = unix_vfs->xOpen(unix_vfs, name, f->real, flags, out);
	file->pMethods = rc == SQLITE_OK ? &low_methods : NULL;
	return rc;
}

static void
setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ne(fd, -1);
	close(fd);
	snprintf(log_path, sizeof(log_path), "%s-wal", path);
	unix_vfs = sqlite3_vfs_find(NULL);
	low = *unix_vfs;
	low.zName = "low";
	low.szOsFile += (int)sizeof(struct low_file);
	low.xOpen = low_open;
	ck_assert_int_eq(sqlite3_vfs_register(&low, 1), SQLITE_OK);
	ck_assert_ptr_nonnull(joiner = joiner_new());
	writes = syncs = 0;
	fail_write = 0;
}

static void
teardown(void)
{
	joiner_free(joiner);
	sqlite3_vfs_unregister(&low);
	unlink(path);
	unlink(log_path);
	strcpy(path, "/tmp/wq-joiner-XXXXXX");
}

static sqlite3_file *
open_log(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(joiner_name(joiner));
	sqlite3_file *f;
	int out;

	ck_assert_ptr_nonnull(vfs);
	ck_assert_ptr_nonnull(f = calloc(1, (size_t)vfs->szOsFile));
	ck_assert_int_eq(vfs->xOpen(vfs, log_path, f, SQLITE_OPEN_WAL |
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &out), SQLITE_OK);
	return f;
}

static void
close_log(sqlite3_file *f)
{
	ck_assert_int_eq(f->pMethods->xClose(f), SQLITE_OK);
	free(f);
}

/* Reads behind the end give zeroes, and say so. */
static void
check_read(sqlite3_file *f, const char *wanted, size_t size, size_t at,
    size_t bytes)
{
	static char got[WRITE_MAX_BYTES];
	int rc = f->pMethods->xRead(f, got, (int)bytes, (sqlite3_int64)at);

	ck_assert_int_eq(rc, at + bytes <= size ? SQLITE_OK :
	    SQLITE_IOERR_SHORT_READ);
	ck_assert_mem_eq(got, wanted + at, bytes);
}

START_TEST(a_file_holds_what_a_plain_one_would)
{
	static char wanted[FILE_BYTES + WRITE_MAX_BYTES];
	static char data[WRITE_MAX_BYTES];
	sqlite3_file *f = open_log();
	size_t at = 0, size = 0, bytes, i;
	sqlite3_int64 told;
	int round;

	memset(wanted, 0, sizeof(wanted));
	srand(20261128);
	for (round = 0; round < ROUNDS; round++) {
		bytes = (size_t)rand() % (rand() % 20 == 0 ? WRITE_MAX_BYTES :
		    5000) + 1;
		if (rand() % 8 == 0 || at + bytes > FILE_BYTES)
			at = (size_t)rand() % (size < FILE_BYTES - bytes ?
			    size + 1 : FILE_BYTES - bytes);
		switch (rand() % 16) {
		case 0:
			ck_assert_int_eq(f->pMethods->xSync(f,
			    SQLITE_SYNC_NORMAL), SQLITE_OK);
			break;
		case 1:
			ck_assert_int_eq(f->pMethods->xFileSize(f, &told),
			    SQLITE_OK);
			ck_assert_int_eq(told, (sqlite3_int64)size);
			break;
		case 2:
			if (rand() % 20 != 0 || at > size)
				break;
			ck_assert_int_eq(f->pMethods->xTruncate(f,
			    (sqlite3_int64)at), SQLITE_OK);
			memset(wanted + at, 0, sizeof(wanted) - at);
			size = at;
			break;
		case 3: case 4: case 5: case 6: case 7: case 8:
			check_read(f, wanted, size, at, bytes);
			at += bytes + (rand() % 2 == 0 ? 24 : 0);
			break;
		default:
			for (i = 0; i < bytes; i++)
				data[i] = (char)rand();
			ck_assert_int_eq(f->pMethods->xWrite(f, data,
			    (int)bytes, (sqlite3_int64)at), SQLITE_OK);
			memcpy(wanted + at, data, bytes);
			at += bytes;
			size = at > size ? at : size;
		}
	}
	close_log(f);
	f = open_log();
	for (at = 0; at < size; at += bytes) {
		bytes = size - at < 4096 ? size - at : 4096;
		check_read(f, wanted, size, at, bytes);
	}
	close_log(f);
}
END_TEST

START_TEST(writes_that_follow_one_another_are_one)
{
	sqlite3_file *f = open_log();
	char page[4096] = "page";
	int i;

	for (i = 0; i < 10; i++)
		ck_assert_int_eq(f->pMethods->xWrite(f, page, sizeof(page),
		    i * (sqlite3_int64)sizeof(page)), SQLITE_OK);
	ck_assert_uint_eq(writes, 0);
	ck_assert_int_eq(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	ck_assert_uint_eq(writes, 1);
	ck_assert_uint_eq(syncs, 1);
	ck_assert_int_eq(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	ck_assert_uint_eq(writes, 1);
	close_log(f);
}
END_TEST

START_TEST(a_write_that_fails_is_told_by_the_sync_and_only_once)
{
	sqlite3_file *f = open_log();

	ck_assert_int_eq(f->pMethods->xWrite(f, "some", 4, 0), SQLITE_OK);
	fail_write = 1;
	ck_assert_int_eq(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL),
	    SQLITE_FULL);
	ck_assert_uint_eq(syncs, 0);
	ck_assert_int_eq(f->pMethods->xWrite(f, "more", 4, 0), SQLITE_OK);
	ck_assert_int_eq(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
	check_read(f, "more", 4, 0, 4);
	close_log(f);
}
END_TEST

/* SQLite asks such things without a look at the result. */
START_TEST(calls_whose_results_nobody_heeds_write_nothing)
{
	sqlite3_file *f = open_log();
	sqlite3_int64 size;

	ck_assert_int_eq(f->pMethods->xWrite(f, "some", 4, 0), SQLITE_OK);
	f->pMethods->xFileControl(f, SQLITE_FCNTL_CKPT_DONE, NULL);
	f->pMethods->xUnlock(f, SQLITE_LOCK_NONE);
	ck_assert_int_eq(f->pMethods->xFileSize(f, &size), SQLITE_OK);
	ck_assert_int_eq(size, 4);
	ck_assert_uint_eq(writes, 0);
	close_log(f);
}
END_TEST

static int
sql(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL);
}

static int
number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *st;
	int n;

	ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &st, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return n;
}

static int
count(sqlite3 *db)
{
	return number(db, "SELECT count(*) FROM t");
}

/* The system's own way of reading sees so many rows, and no damage. */
static void
check_database(int rows)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE,
	    unix_vfs->zName), SQLITE_OK);
	ck_assert_int_eq(count(db), rows);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM t "
	    "WHERE length(v) <> 4000"), 0);
	ck_assert_int_eq(number(db, "SELECT count(*) FROM "
	    "pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static sqlite3 *
open_database(void)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE, joiner_name(joiner)), SQLITE_OK);
	ck_assert_int_eq(sql(db, "PRAGMA locking_mode=EXCLUSIVE;"
	    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
	    "PRAGMA wal_autocheckpoint=0;"
	    "CREATE TABLE IF NOT EXISTS t (k INTEGER PRIMARY KEY, v BLOB)"),
	    SQLITE_OK);
	return db;
}

#define HUNDRED	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 " \
	"FROM n WHERE i < 100) INSERT INTO t (v) SELECT randomblob(4000) FROM n"

/*
 * Whichever write of a commit and of a checkpoint fails, nothing is lost.  The
 * database is made anew for each, so that it is the same writes.
 */
START_TEST(each_write_of_a_database_may_fail)
{
	sqlite3 *db;
	int n, rows, rc;
	bool reached = true;

	for (n = 1; reached; n++) {
		unlink(path);
		unlink(log_path);
		db = open_database();
		fail_write = n;
		rc = sql(db, HUNDRED);
		ck_assert_int_eq(rc, fail_write == 0 ? SQLITE_FULL :
		    SQLITE_OK);
		rows = rc == SQLITE_OK ? 100 : 0;
		ck_assert_int_eq(count(db), rows);
		rc = sqlite3_wal_checkpoint_v2(db, NULL,
		    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		ck_assert_int_eq(rc, rows == 100 && fail_write == 0 ?
		    SQLITE_FULL : SQLITE_OK);
		reached = fail_write == 0;
		fail_write = 0;
		/* One that seemed to succeed lets the log begin anew. */
		ck_assert_int_eq(sql(db, "INSERT INTO t (v) VALUES "
		    "(randomblob(4000))"), SQLITE_OK);
		ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
		check_database(rows + 1);
	}
	ck_assert_int_gt(n, 12);
}
END_TEST

START_TEST(a_commit_of_a_hundred_pages_is_a_few_writes)
{
	sqlite3 *db = open_database();

	writes = 0;
	ck_assert_int_eq(sql(db, HUNDRED), SQLITE_OK);
	ck_assert_uint_le(writes, 12);
	writes = 0;
	ck_assert_int_eq(sqlite3_wal_checkpoint_v2(db, NULL,
	    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_OK);
	ck_assert_uint_le(writes, 12);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}
END_TEST

static Suite *
joiner_suite(void)
{
	Suite *s = suite_create("joiner");
	TCase *t = tcase_create("joiner");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_file_holds_what_a_plain_one_would);
	tcase_add_test(t, writes_that_follow_one_another_are_one);
	tcase_add_test(t,
	    a_write_that_fails_is_told_by_the_sync_and_only_once);
	tcase_add_test(t, calls_whose_results_nobody_heeds_write_nothing);
	tcase_add_test(t, each_write_of_a_database_may_fail);
	tcase_add_test(t, a_commit_of_a_hundred_pages_is_a_few_writes);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(joiner_suite)
