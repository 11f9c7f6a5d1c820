/* A directory for a store. */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
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
	char *directory;		/* owned */
	char *path;			/* owned: place_path()'s */
	size_t path_bytes;
	int lock_fd;			/* owned; -1: none */
};

const char *
place_path(struct store_place *p, const char *file)
{
	snprintf(p->path, p->path_bytes, "%s/%s", p->directory, file);
	return p->path;
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

	p->lock_fd = open(place_path(p, LOCK_FILE),
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

struct store_place *
place_open(const char *directory, char *error)
{
	struct store_place *p = mem_zalloc(sizeof(*p));

	if (p == NULL)
		goto no_memory;
	p->lock_fd = -1;
	p->path_bytes = strlen(directory) + 64;
	p->directory = mem_strdup(directory);
	p->path = mem_alloc(p->path_bytes);
	if (p->directory == NULL || p->path == NULL)
		goto no_memory;
	if (mkdir(directory, 0700) == -1 && errno != EEXIST) {
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
	mem_free(p->path);
	mem_free(p);
}

bool
place_reserve_take(struct store_place *p)
{
	const char *path = place_path(p, RESERVE_FILE);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
	bool taken;

	if (fd == -1)
		return false;
	taken = posix_fallocate(fd, 0, PLACE_RESERVE_BYTES) == 0;
	close(fd);
	if (!taken)
		unlink(path);
	return taken;
}

void
place_reserve_give(struct store_place *p)
{
	unlink(place_path(p, RESERVE_FILE));
}

bool
place_has_space(struct store_place *p, uint64_t bytes)
{
	struct statvfs fs;

	return statvfs(p->directory, &fs) == -1 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize >= bytes;
}
