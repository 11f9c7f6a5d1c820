/*
 * A disk that fails, for the files of WQ_FAULT_DIR.
 *
 * WQ_FAULT_CALL	write, sync, truncate, open, allocate, unlink: this kind
 * WQ_FAULT_NTH		the call number n of it fails ...
 * WQ_FAULT_ERROR	... with ENOSPC or EIO, or "short": half of it is written
 * WQ_FAULT_UNTIL	a file: as long as it is there all after n fail too
 * WQ_FAULT_FULL	a file: as long as it is there the file system is full.
 *			What makes a file longer, or a new one, is ENOSPC, but
 *			for the space of files that were removed since.
 * WQ_FAULT_CREDIT	bytes of such space that an earlier process has left
 * WQ_FAULT_MARK	a file that is made when the first call fails
 */
#include "shim.h"

#include <sys/statvfs.h>

enum kind { WRITE, SYNC, TRUNCATE, OPEN, ALLOCATE, UNLINK, KINDS };

static const char *const kind_names[KINDS] = { "write", "sync", "truncate",
	"open", "allocate", "unlink" };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool is_ours[FDS];
static bool begun;
static const char *directory, *until, *full, *mark;
static int kind = -1, error;		/* 0: a short write */
static long nth, calls;
static long long credit;		/* bytes that were freed while full */

static void
begin(void)
{
	const char *s;
	int i;

	if (begun)
		return;
	begun = true;
	directory = getenv("WQ_FAULT_DIR");
	until = getenv("WQ_FAULT_UNTIL");
	full = getenv("WQ_FAULT_FULL");
	mark = getenv("WQ_FAULT_MARK");
	nth = (s = getenv("WQ_FAULT_NTH")) != NULL ? atol(s) : 0;
	credit = (s = getenv("WQ_FAULT_CREDIT")) != NULL ? atoll(s) : 0;
	s = getenv("WQ_FAULT_ERROR");
	error = s == NULL || strcmp(s, "ENOSPC") == 0 ? ENOSPC :
	    strcmp(s, "EIO") == 0 ? EIO : 0;
	if ((s = getenv("WQ_FAULT_CALL")) != NULL)
		for (i = 0; i < KINDS; i++)
			if (strcmp(s, kind_names[i]) == 0)
				kind = i;
}

static bool
exists(const char *path)
{
	return path != NULL && access(path, F_OK) == 0;
}

/* Does this call fail?  The mutex is held. */
static bool
fails(enum kind k)
{
	REAL(int, "open64", const char *, int, ...);
	int fd;

	if ((int)k != kind)
		return false;
	calls++;
	if (calls < nth || (calls > nth && !exists(until)))
		return false;
	if (calls == nth && mark != NULL &&
	    (fd = real(mark, O_WRONLY | O_CREAT, 0600)) != -1)
		close(fd);
	return true;
}

/* Is there no space for so much more? */
static bool
no_space(long long bytes)
{
	if (bytes <= 0 || !exists(full))
		return false;
	if (bytes > credit)
		return true;
	credit -= bytes;
	return false;
}

static bool
ours(int fd)
{
	return fd >= 0 && fd < FDS && is_ours[fd];
}

static long long
allocated(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return 0;
	return st.st_size > st.st_blocks * 512 ? st.st_size :
	    st.st_blocks * 512;
}

static int
do_open(const char *path, int flags, mode_t mode)
{
	REAL(int, "open64", const char *, int, ...);
	bool bad;
	int fd;

	begin();
	if (!shim_is_in(directory, path))
		return real(path, flags, mode);
	pthread_mutex_lock(&mutex);
	bad = fails(OPEN) || ((flags & O_CREAT) != 0 && !exists(path) &&
	    no_space(4096));
	pthread_mutex_unlock(&mutex);
	if (bad) {
		errno = error != 0 ? error : EIO;
		return -1;
	}
	fd = real(path, flags, mode);
	if (fd >= 0 && fd < FDS)
		is_ours[fd] = true;
	return fd;
}

int
open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = shim_mode(flags, ap);
	va_end(ap);
	return do_open(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = shim_mode(flags, ap);
	va_end(ap);
	return do_open(path, flags, mode);
}

int
close(int fd)
{
	REAL(int, "close", int);
	if (fd >= 0 && fd < FDS)
		is_ours[fd] = false;
	return real(fd);
}

static ssize_t
do_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
	bool bad, none;

	if (!ours(fd))
		return real(fd, buf, n, at);
	pthread_mutex_lock(&mutex);
	bad = fails(WRITE);
	none = !bad && no_space(at + (off_t)n - allocated(fd));
	pthread_mutex_unlock(&mutex);
	if (bad && error == 0 && n > 1)
		return real(fd, buf, n / 2, at);
	if (!bad && !none)
		return real(fd, buf, n, at);
	errno = none || error == 0 ? ENOSPC : error;
	return -1;
}

ssize_t
pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return do_pwrite(fd, buf, n, at);
}

ssize_t
pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
	return do_pwrite(fd, buf, n, at);
}

static int
do_sync(int fd)
{
	REAL(int, "fdatasync", int);
	bool bad;

	if (!ours(fd))
		return real(fd);
	pthread_mutex_lock(&mutex);
	bad = fails(SYNC);
	pthread_mutex_unlock(&mutex);
	if (!bad)
		return real(fd);
	errno = error != 0 ? error : EIO;
	return -1;
}

int
fsync(int fd)
{
	return do_sync(fd);
}

int
fdatasync(int fd)
{
	return do_sync(fd);
}

static int
do_ftruncate(int fd, off_t size)
{
	REAL(int, "ftruncate64", int, off_t);
	long long more;
	bool bad, none;

	if (!ours(fd))
		return real(fd, size);
	pthread_mutex_lock(&mutex);
	bad = fails(TRUNCATE);
	more = size - allocated(fd);
	none = !bad && no_space(more);
	if (!bad && more < 0 && exists(full))
		credit -= more;
	pthread_mutex_unlock(&mutex);
	if (!bad && !none)
		return real(fd, size);
	errno = none || error == 0 ? ENOSPC : error;
	return -1;
}

int
ftruncate(int fd, off_t size)
{
	return do_ftruncate(fd, size);
}

int
ftruncate64(int fd, off64_t size)
{
	return do_ftruncate(fd, size);
}

/* The error, or 0. */
static int
allocate(int fd, off_t end)
{
	int result = 0;

	if (!ours(fd))
		return 0;
	pthread_mutex_lock(&mutex);
	if (fails(ALLOCATE))
		result = error != 0 ? error : ENOSPC;
	else if (no_space(end - allocated(fd)))
		result = ENOSPC;
	pthread_mutex_unlock(&mutex);
	return result;
}

int
posix_fallocate(int fd, off_t at, off_t n)
{
	REAL(int, "posix_fallocate", int, off_t, off_t);
	int bad = allocate(fd, at + n);

	return bad != 0 ? bad : real(fd, at, n);
}

int
posix_fallocate64(int fd, off64_t at, off64_t n)
{
	return posix_fallocate(fd, at, n);
}

int
fallocate(int fd, int mode, off_t at, off_t n)
{
	REAL(int, "fallocate", int, int, off_t, off_t);

	if ((errno = allocate(fd, at + n)) != 0)
		return -1;
	return real(fd, mode, at, n);
}

int
unlink(const char *path)
{
	REAL(int, "unlink", const char *);
	struct stat st;
	bool bad;

	begin();
	if (!shim_is_in(directory, path))
		return real(path);
	pthread_mutex_lock(&mutex);
	bad = fails(UNLINK);
	if (!bad && exists(full) && stat(path, &st) == 0)
		credit += st.st_blocks * 512;
	pthread_mutex_unlock(&mutex);
	if (!bad)
		return real(path);
	errno = error != 0 ? error : EIO;
	return -1;
}

int
statvfs(const char *path, struct statvfs *fs)
{
	REAL(int, "statvfs", const char *, struct statvfs *);
	int result = real(path, fs);

	begin();
	if (result == 0 && exists(full) && fs->f_frsize > 0)
		fs->f_bavail = fs->f_bfree = (fsblkcnt_t)credit / fs->f_frsize;
	return result;
}

int
statvfs64(const char *path, struct statvfs64 *fs)
{
	REAL(int, "statvfs64", const char *, struct statvfs64 *);
	int result = real(path, fs);

	begin();
	if (result == 0 && exists(full) && fs->f_frsize > 0)
		fs->f_bavail = fs->f_bfree =
		    (fsblkcnt64_t)credit / fs->f_frsize;
	return result;
}
