/*
 * A power loss.  What is written to a file of WQ_LOSE_DIR is on disk for sure
 * only once the file was flushed; what a file had before is kept until then, a
 * page at a time.  At the call number WQ_LOSE_AT, or once the file WQ_LOSE_WHEN
 * is there, some of the pages that were not flushed, or parts of them, go back
 * to what they were, sizes too, files that were made may be gone, and those
 * that were removed be back where the directory was not flushed.  Then the
 * process is killed.  WQ_LOSE_SEED says which.
 *
 * Invariant: pages and names are looked at and changed with the mutex held,
 * over the real call too, so that nothing is written after the loss.
 */
#include "shim.h"

#include <signal.h>

#define PAGE		4096
#define SECTOR		512
#define SLOTS		8192
#define FILES		64
#define NAMES		256

struct page {
	struct page *next;
	off_t at;
	size_t bytes;			/* that the file had there */
	unsigned char data[PAGE];
};

struct file {
	char path[PATH_BYTES];
	bool used, changed;
	off_t size;			/* when it was flushed */
	struct page *pages[SLOTS];
};

/* A change of the directory that is not flushed. */
struct name {
	char path[PATH_BYTES];
	char kept[PATH_BYTES];		/* a link to what was removed; or "" */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct file *files[FILES];
static int file_of_fd[FDS];		/* index + 1; 0: none; -1: directory */
static struct name names[NAMES];
static int name_count;
static long calls, lose_at = -1;
static const char *directory, *when;
static uint64_t random_state;

static ssize_t
real_pread(int fd, void *buf, size_t n, off_t at)
{
	REAL(ssize_t, "pread64", int, void *, size_t, off_t);
	return real(fd, buf, n, at);
}

static ssize_t
real_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
	return real(fd, buf, n, at);
}

static int
real_ftruncate(int fd, off_t size)
{
	REAL(int, "ftruncate64", int, off_t);
	return real(fd, size);
}

static int
real_open(const char *path, int flags, mode_t mode)
{
	REAL(int, "open64", const char *, int, ...);
	return real(path, flags, mode);
}

static int
real_unlink(const char *path)
{
	REAL(int, "unlink", const char *);
	return real(path);
}

static int
real_rename(const char *from, const char *to)
{
	REAL(int, "rename", const char *, const char *);
	return real(from, to);
}

static int
real_fdatasync(int fd)
{
	REAL(int, "fdatasync", int);
	return real(fd);
}

static void
begin(void)
{
	const char *s;

	if (lose_at != -1)
		return;
	directory = getenv("WQ_LOSE_DIR");
	when = getenv("WQ_LOSE_WHEN");
	lose_at = (s = getenv("WQ_LOSE_AT")) != NULL ? atol(s) : 0;
	random_state = (s = getenv("WQ_LOSE_SEED")) != NULL ?
	    strtoull(s, NULL, 10) : 1;
	random_state = random_state * 6364136223846793005u + 1;
}

static unsigned
rnd(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state * 2685821657736338717u) >> 33) % below;
}

static struct file *
file_of(int fd)
{
	int i = fd >= 0 && fd < FDS ? file_of_fd[fd] : 0;

	return i > 0 ? files[i - 1] : NULL;
}

static void
forget_pages(struct file *f)
{
	struct page *p;
	int i;

	for (i = 0; i < SLOTS; i++)
		while ((p = f->pages[i]) != NULL) {
			f->pages[i] = p->next;
			free(p);
		}
	f->changed = false;
}

static off_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_size : 0;
}

/* Before that part of the file changes. */
static void
keep(struct file *f, int fd, off_t at, off_t bytes)
{
	off_t page = at / PAGE * PAGE;
	struct page **slot, *p;
	ssize_t got;

	if (!f->changed) {
		f->changed = true;
		f->size = size_of(fd);
	}
	for (; page < at + bytes; page += PAGE) {
		slot = &f->pages[page / PAGE % SLOTS];
		for (p = *slot; p != NULL && p->at != page; p = p->next)
			;
		if (p != NULL)
			continue;
		if ((p = calloc(1, sizeof(*p))) == NULL)
			abort();
		p->at = page;
		if (page < f->size && (got = real_pread(fd, p->data, PAGE,
		    page)) > 0)
			p->bytes = (size_t)got;
		p->next = *slot;
		*slot = p;
	}
}

/* One page as it was, or a part of it, or not. */
static void
lose_page(int fd, const struct page *p, unsigned percent)
{
	size_t from = 0, to = PAGE;

	if (rnd(100) >= percent)
		return;
	if (rnd(4) == 0) {		/* torn */
		from = rnd(PAGE / SECTOR) * SECTOR;
		if (rnd(2) == 0) {
			to = from;
			from = 0;
		}
	}
	if (from < to)
		real_pwrite(fd, p->data + from, to - from, p->at + (off_t)from);
}

static void
lose_file(struct file *f)
{
	static const unsigned percents[] = { 0, 10, 50, 90, 100, 100 };
	unsigned percent = percents[rnd(6)];
	int fd, i;
	off_t size;
	struct page *p;

	if (!f->changed || (fd = real_open(f->path, O_RDWR, 0)) == -1)
		return;
	size = size_of(fd);
	for (i = 0; i < SLOTS; i++)
		for (p = f->pages[i]; p != NULL; p = p->next)
			lose_page(fd, p, percent);
	/* The size of before, of now, or what it grew to in between. */
	if (percent == 100 || rnd(2) == 0)
		size = f->size;
	else if (size < f->size && rnd(2) == 0)
		size = f->size;
	if (real_ftruncate(fd, size) == -1)
		abort();
	close(fd);
}

/* The last changes of the directory may not have been. */
static void
lose_names(void)
{
	struct name *n;

	while (name_count > 0 && rnd(2) == 0) {
		n = &names[--name_count];
		if (n->kept[0] != '\0')
			real_rename(n->kept, n->path);
		else
			real_unlink(n->path);
	}
}

static void
forget_names(void)
{
	while (name_count > 0)
		if (names[--name_count].kept[0] != '\0')
			real_unlink(names[name_count].kept);
}

/* At each call that changes something; the mutex is held. */
static void
count(void)
{
	int i;

	calls++;
	if (calls != lose_at && (when == NULL || access(when, F_OK) == -1))
		return;
	for (i = 0; i < FILES; i++)
		if (files[i] != NULL && files[i]->used)
			lose_file(files[i]);
	lose_names();
	forget_names();
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void
name_changed(const char *path, const char *kept)
{
	if (name_count == NAMES)
		forget_names();		/* as if it were flushed */
	snprintf(names[name_count].path, PATH_BYTES, "%s", path);
	snprintf(names[name_count].kept, PATH_BYTES, "%s", kept);
	name_count++;
}

static void
opened(int fd, const char *path)
{
	int i, unused = -1;

	for (i = 0; i < FILES; i++) {
		if (files[i] == NULL || !files[i]->used) {
			if (unused == -1)
				unused = i;
		} else if (strcmp(files[i]->path, path) == 0)
			break;
	}
	if (i == FILES) {
		i = unused;
		if (i == -1 || (files[i] == NULL && (files[i] = calloc(1,
		    sizeof(**files))) == NULL))
			abort();
		snprintf(files[i]->path, PATH_BYTES, "%s", path);
		files[i]->used = true;
	}
	file_of_fd[fd] = i + 1;
}

static int
do_open(const char *path, int flags, mode_t mode)
{
	bool is_new;
	int fd;

	begin();
	if (!shim_is_in(directory, path))
		return real_open(path, flags, mode);
	pthread_mutex_lock(&mutex);
	is_new = (flags & O_CREAT) != 0 && access(path, F_OK) == -1;
	if (is_new)
		count();
	fd = real_open(path, flags, mode);
	if (fd >= 0 && fd < FDS) {
		if (strcmp(path, directory) == 0)
			file_of_fd[fd] = -1;
		else
			opened(fd, path);
		if (is_new)
			name_changed(path, "");
	}
	pthread_mutex_unlock(&mutex);
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
		file_of_fd[fd] = 0;
	return real(fd);
}

static ssize_t
do_pwrite(int fd, const void *buf, size_t n, off_t at)
{
	struct file *f = file_of(fd);
	ssize_t result;

	if (f == NULL)
		return real_pwrite(fd, buf, n, at);
	pthread_mutex_lock(&mutex);
	keep(f, fd, at, (off_t)n);
	result = real_pwrite(fd, buf, n, at);
	count();
	pthread_mutex_unlock(&mutex);
	return result;
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

ssize_t
write(int fd, const void *buf, size_t n)
{
	struct file *f = file_of(fd);
	ssize_t result;

	REAL(ssize_t, "write", int, const void *, size_t);
	if (f == NULL)
		return real(fd, buf, n);
	pthread_mutex_lock(&mutex);
	keep(f, fd, lseek(fd, 0, SEEK_CUR), (off_t)n);
	result = real(fd, buf, n);
	count();
	pthread_mutex_unlock(&mutex);
	return result;
}

static int
do_ftruncate(int fd, off_t size)
{
	struct file *f = file_of(fd);
	off_t old;
	int result;

	if (f == NULL)
		return real_ftruncate(fd, size);
	pthread_mutex_lock(&mutex);
	old = size_of(fd);
	keep(f, fd, size < old ? size : old, size < old ? old - size : 0);
	result = real_ftruncate(fd, size);
	count();
	pthread_mutex_unlock(&mutex);
	return result;
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

/* Space alone; what is in it does not matter. */
int
posix_fallocate(int fd, off_t at, off_t n)
{
	REAL(int, "posix_fallocate", int, off_t, off_t);
	if (file_of(fd) != NULL) {
		pthread_mutex_lock(&mutex);
		count();
		pthread_mutex_unlock(&mutex);
	}
	return real(fd, at, n);
}

int
fallocate(int fd, int mode, off_t at, off_t n)
{
	REAL(int, "fallocate", int, int, off_t, off_t);
	if (file_of(fd) != NULL) {
		pthread_mutex_lock(&mutex);
		count();
		pthread_mutex_unlock(&mutex);
	}
	return real(fd, mode, at, n);
}

/* The loss comes before the flush, or it would be none. */
static int
do_sync(int fd)
{
	struct file *f = file_of(fd);
	bool is_directory = fd >= 0 && fd < FDS && file_of_fd[fd] == -1;
	int result;

	if (f == NULL && !is_directory)
		return real_fdatasync(fd);
	pthread_mutex_lock(&mutex);
	count();
	/* The data of a test need not survive a true loss of power. */
	result = 0;
	if (f != NULL)
		forget_pages(f);
	else
		forget_names();
	pthread_mutex_unlock(&mutex);
	return result;
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

int
unlink(const char *path)
{
	static unsigned number;
	char kept[PATH_BYTES];
	int i, result;

	begin();
	if (!shim_is_in(directory, path))
		return real_unlink(path);
	pthread_mutex_lock(&mutex);
	count();
	snprintf(kept, sizeof(kept), "%.4000s.removed.%u", directory, number++);
	if (link(path, kept) == -1)
		kept[0] = '\0';
	result = real_unlink(path);
	if (result == 0 && kept[0] != '\0')
		name_changed(path, kept);
	for (i = 0; i < FILES; i++)
		if (files[i] != NULL && files[i]->used &&
		    strcmp(files[i]->path, path) == 0) {
			/* What comes back, comes back as it is now. */
			forget_pages(files[i]);
			snprintf(files[i]->path, PATH_BYTES, "%s", kept);
		}
	pthread_mutex_unlock(&mutex);
	return result;
}

int
rename(const char *from, const char *to)
{
	int result;

	begin();
	if (!shim_is_in(directory, from))
		return real_rename(from, to);
	pthread_mutex_lock(&mutex);
	count();
	result = real_rename(from, to);
	pthread_mutex_unlock(&mutex);
	return result;
}
