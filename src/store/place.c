/* A directory for a store. */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/store.h"

#define LOCK_FILE	"lock"
#define RESERVE_FILE	"reserve"
#define FILE_MODE	0600

struct store_place {
	char *directory;		/* owned; made once, then only read */
	int lock_fd;			/* owned; -1: none */
};

const char *
place_path_of(const struct store_place *p, const char *file, char *out,
    size_t room)
{
	snprintf(out, room, "%s/%s", p->directory, file);
	return out;
}

int
place_create(const struct store_place *p, const char *file)
{
	char path[PLACE_PATH_BYTES];
	int fd = open(place_path_of(p, file, path, sizeof(path)),
	    O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

	return fd == -1 ? -1 : close(fd);
}

/* What was made or renamed in a directory is there after a power loss too. */
static int
sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd == -1)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int
place_rename(const struct store_place *p, const char *from, const char *to)
{
	char a[PLACE_PATH_BYTES], b[PLACE_PATH_BYTES];

	if (rename(place_path_of(p, from, a, sizeof(a)),
	    place_path_of(p, to, b, sizeof(b))) == -1)
		return -1;
	return sync_directory(p->directory);
}

void
place_remove(const struct store_place *p, const char *file)
{
	char path[PLACE_PATH_BYTES];

	unlink(place_path_of(p, file, path, sizeof(path)));
}

/* Into error: what cannot be done with it, and why. */
static void
refuse(char *error, const char *directory, const char *what)
{
	snprintf(error, STORE_ERROR_BYTES, "%s: %s: %s", directory, what,
	    strerror(errno));
}

/* The file locks of POSIX tell who has one; they go with the process. */
static int
lock(struct store_place *p, char *error)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PLACE_PATH_BYTES];

	p->lock_fd = open(place_path_of(p, LOCK_FILE, path, sizeof(path)),
	    O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	if (p->lock_fd == -1) {
		refuse(error, p->directory, "its lock cannot be made");
		return -1;
	}
	if (fcntl(p->lock_fd, F_SETLK, &fl) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES) {
		refuse(error, p->directory, "it cannot be locked");
		return -1;
	}
	fl.l_pid = 0;
	if (fcntl(p->lock_fd, F_GETLK, &fl) == -1)
		fl.l_pid = 0;
	snprintf(error, STORE_ERROR_BYTES, "%s: the process %d has it open; "
	    "only one can", p->directory, (int)fl.l_pid);
	return -1;
}

static int
make_directory(const char *directory)
{
	char parent[PLACE_PATH_BYTES];

	if (mkdir(directory, 0700) == -1)
		return errno == EEXIST ? 0 : -1;
	snprintf(parent, sizeof(parent), "%s", directory);
	return sync_directory(dirname(parent));
}

struct store_place *
place_open(const char *directory, char *error)
{
	struct store_place *p = mem_zalloc(sizeof(*p));

	if (p == NULL)
		goto no_memory;
	p->lock_fd = -1;
	if ((p->directory = mem_strdup(directory)) == NULL)
		goto no_memory;
	if (strlen(directory) > PLACE_PATH_BYTES - 64) {
		errno = ENAMETOOLONG;
		refuse(error, "the data directory", "its path");
		place_close(p);
		return NULL;
	}
	if (make_directory(directory) == -1) {
		refuse(error, directory, "it cannot be made");
		place_close(p);
		return NULL;
	}
	if (lock(p, error) == 0)
		return p;
	place_close(p);
	return NULL;
no_memory:
	snprintf(error, STORE_ERROR_BYTES, "%s: no memory", directory);
	place_close(p);
	return NULL;
}

void
place_close(struct store_place *p)
{
	if (p == NULL)
		return;
	if (p->lock_fd != -1)
		close(p->lock_fd);
	mem_free(p->directory);
	mem_free(p);
}

bool
place_reserve_take(const struct store_place *p)
{
	char path[PLACE_PATH_BYTES];
	bool taken;
	int fd;

	place_path_of(p, RESERVE_FILE, path, sizeof(path));
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE)) == -1)
		return false;
	taken = posix_fallocate(fd, 0, PLACE_RESERVE_BYTES) == 0;
	close(fd);
	if (!taken)
		unlink(path);
	return taken;
}

void
place_reserve_give(const struct store_place *p)
{
	place_remove(p, RESERVE_FILE);
}

bool
place_has_space(const struct store_place *p, uint64_t bytes)
{
	struct statvfs fs;

	return statvfs(p->directory, &fs) == -1 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize >= bytes;
}
