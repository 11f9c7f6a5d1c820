/*
 * SQLite writes the log of a commit page by page, with two calls of the system
 * for each, and a checkpoint reads and writes as many, though most of it lies
 * in one piece.  The files of a database are therefore ours, around those of
 * the system's own VFS.  Writes that go on where the last one ended are
 * gathered, and go to the system as one when another is elsewhere, when
 * something is read, and when the file is cut off or synced, so that what was
 * synced is on disk as it is without us.  A write that then fails is the
 * failure of that call, with the code of the write, and SQLite undoes the
 * transaction or leaves the log as it was.  It heeds the results of these
 * calls, but not of all others, so that those must not write.  Reads that
 * follow one another get some that was read ahead.
 */
#include "store/sqlite_joiner.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/*
 * The most that goes to the system at once: SQLite's largest page.  Its VFS for
 * Unix cannot do much more, and loses what is over.
 */
#define ROOM_BYTES	65536
#define GAP_BYTES	64		/* a page in a log has a head of 24 */

struct joiner {
	sqlite3_vfs vfs;		/* the system's, but for xOpen */
	sqlite3_vfs *system;		/* borrowed: SQLite's */
	char name[32];
};

/* A file of a database.  The system's own follows it in memory. */
struct joined_file {
	sqlite3_file file;
	sqlite3_file *real;		/* borrowed: what follows */
	char *data;			/* owned: one of these two */
	int gathered;			/* bytes that are to be written at `at` */
	int ahead;			/* bytes that were read at `at` */
	sqlite3_int64 at;
	sqlite3_int64 read_end;		/* of the last read */
};

static struct joined_file *
joined(sqlite3_file *file)
{
	return (struct joined_file *)file;
}

/* Write what was gathered.  It is gone even if that fails. */
static int
flush(struct joined_file *f)
{
	int bytes = f->gathered;

	f->gathered = 0;
	return bytes == 0 ? SQLITE_OK :
	    f->real->pMethods->xWrite(f->real, f->data, bytes, f->at);
}

static int
joined_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
	struct joined_file *f = joined(file);
	int rc;

	f->ahead = 0;
	if (f->gathered > 0 && (at != f->at + f->gathered ||
	    bytes > ROOM_BYTES - f->gathered) && (rc = flush(f)) != SQLITE_OK)
		return rc;
	if (bytes > ROOM_BYTES)
		return f->real->pMethods->xWrite(f->real, data, bytes, at);
	if (f->gathered == 0)
		f->at = at;
	memcpy(f->data + f->gathered, data, (size_t)bytes);
	f->gathered += bytes;
	return SQLITE_OK;
}

/* Read as much as is there and has room. */
static int
read_ahead(struct joined_file *f, sqlite3_int64 at)
{
	sqlite3_int64 size;
	int rc, bytes = ROOM_BYTES;

	f->ahead = 0;
	if ((rc = f->real->pMethods->xFileSize(f->real, &size)) != SQLITE_OK)
		return rc;
	if (size <= at)
		return SQLITE_OK;
	if (size - at < bytes)
		bytes = (int)(size - at);
	rc = f->real->pMethods->xRead(f->real, f->data, bytes, at);
	if (rc == SQLITE_OK) {
		f->at = at;
		f->ahead = bytes;
	}
	return rc;
}

static bool
is_ahead(const struct joined_file *f, int bytes, sqlite3_int64 at)
{
	return at >= f->at && at + bytes <= f->at + f->ahead;
}

static int
joined_read(sqlite3_file *file, void *data, int bytes, sqlite3_int64 at)
{
	struct joined_file *f = joined(file);
	bool follows = at >= f->read_end && at <= f->read_end + GAP_BYTES;
	int rc;

	if ((rc = flush(f)) != SQLITE_OK)
		return rc;
	f->read_end = at + bytes;
	if (follows && bytes < ROOM_BYTES &&
	    !is_ahead(f, bytes, at) && (rc = read_ahead(f, at)) != SQLITE_OK)
		return rc;
	if (!is_ahead(f, bytes, at))
		return f->real->pMethods->xRead(f->real, data, bytes, at);
	memcpy(data, f->data + (at - f->at), (size_t)bytes);
	return SQLITE_OK;
}

static int
joined_close(sqlite3_file *file)
{
	struct joined_file *f = joined(file);
	int flushed = flush(f), closed = f->real->pMethods->xClose(f->real);

	mem_free(f->data);
	f->data = NULL;
	return flushed != SQLITE_OK ? flushed : closed;
}

static int
joined_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct joined_file *f = joined(file);
	int rc = flush(f);

	f->ahead = 0;
	return rc != SQLITE_OK ? rc : f->real->pMethods->xTruncate(f->real,
	    size);
}

static int
joined_sync(sqlite3_file *file, int flags)
{
	struct joined_file *f = joined(file);
	int rc = flush(f);

	return rc != SQLITE_OK ? rc : f->real->pMethods->xSync(f->real,
	    flags);
}

static int
joined_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	struct joined_file *f = joined(file);
	int rc = f->real->pMethods->xFileSize(f->real, size);

	if (f->gathered > 0 && *size < f->at + f->gathered)
		*size = f->at + f->gathered;
	return rc;
}

static int
joined_lock(sqlite3_file *file, int lock)
{
	sqlite3_file *real = joined(file)->real;

	return real->pMethods->xLock(real, lock);
}

static int
joined_unlock(sqlite3_file *file, int lock)
{
	sqlite3_file *real = joined(file)->real;

	return real->pMethods->xUnlock(real, lock);
}

static int
joined_check_reserved_lock(sqlite3_file *file, int *is)
{
	sqlite3_file *real = joined(file)->real;

	return real->pMethods->xCheckReservedLock(real, is);
}

static int
joined_file_control(sqlite3_file *file, int op, void *arg)
{
	sqlite3_file *real = joined(file)->real;

	return real->pMethods->xFileControl(real, op, arg);
}

static int
joined_sector_size(sqlite3_file *file)
{
	sqlite3_file *real = joined(file)->real;

	return real->pMethods->xSectorSize(real);
}

static int
joined_device_characteristics(sqlite3_file *file)
{
	sqlite3_file *real = joined(file)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

/*
 * Without the methods for shared memory and for maps: a connection that has the
 * database to itself needs neither.
 */
static const sqlite3_io_methods joined_methods = {
	.iVersion = 1,
	.xClose = joined_close,
	.xRead = joined_read,
	.xWrite = joined_write,
	.xTruncate = joined_truncate,
	.xSync = joined_sync,
	.xFileSize = joined_file_size,
	.xLock = joined_lock,
	.xUnlock = joined_unlock,
	.xCheckReservedLock = joined_check_reserved_lock,
	.xFileControl = joined_file_control,
	.xSectorSize = joined_sector_size,
	.xDeviceCharacteristics = joined_device_characteristics
};

static int
open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
    int *out_flags)
{
	struct joiner *j = (struct joiner *)vfs;
	struct joined_file *f = joined(file);
	int rc;

	if ((flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB)) == 0)
		return j->system->xOpen(j->system, name, file, flags,
		    out_flags);
	memset(f, 0, sizeof(*f));	/* without methods it is not open */
	if ((f->data = mem_alloc(ROOM_BYTES)) == NULL)
		return SQLITE_NOMEM;
	f->real = (sqlite3_file *)(f + 1);
	rc = j->system->xOpen(j->system, name, f->real, flags, out_flags);
	if (rc == SQLITE_OK) {
		file->pMethods = &joined_methods;
		return SQLITE_OK;
	}
	/* A file that could not be opened may want to be closed all the same. */
	if (f->real->pMethods != NULL)
		f->real->pMethods->xClose(f->real);
	mem_free(f->data);
	f->data = NULL;
	return rc;
}

struct joiner *
joiner_new(void)
{
	struct joiner *j = mem_zalloc(sizeof(*j));

	if (j == NULL)
		return NULL;
	if ((j->system = sqlite3_vfs_find(NULL)) == NULL)
		goto fail;
	j->vfs = *j->system;
	j->vfs.pNext = NULL;
	j->vfs.szOsFile += (int)sizeof(struct joined_file);
	j->vfs.xOpen = open_file;
	snprintf(j->name, sizeof(j->name), "wq-%p", (void *)j);
	j->vfs.zName = j->name;
	if (sqlite3_vfs_register(&j->vfs, 0) == SQLITE_OK)
		return j;
fail:
	mem_free(j);
	return NULL;
}

void
joiner_free(struct joiner *j)
{
	if (j == NULL)
		return;
	sqlite3_vfs_unregister(&j->vfs);
	mem_free(j);
}

const char *
joiner_name(const struct joiner *j)
{
	return j->name;
}
