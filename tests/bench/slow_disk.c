/*
 * A slower disk, and how often it is flushed.  Preloaded into a server:
 *
 *	SLOW_DISK_US=1000	each fsync and fdatasync takes that much longer
 *	SLOW_DISK_COUNT=file	how many there were is written there at the end
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic long	flushes;

static int
flush(const char *name, int fd)
{
	int (*real)(int);
	const char *us = getenv("SLOW_DISK_US");

	*(void **)&real = dlsym(RTLD_NEXT, name);
	flushes++;
	if (us != NULL)
		usleep((useconds_t)atoi(us));
	return real(fd);
}

int
fsync(int fd)
{
	return flush("fsync", fd);
}

int
fdatasync(int fd)
{
	return flush("fdatasync", fd);
}

static void __attribute__((destructor))
report(void)
{
	const char *path = getenv("SLOW_DISK_COUNT");
	FILE *f = path != NULL ? fopen(path, "w") : NULL;

	if (f == NULL)
		return;
	fprintf(f, "%ld\n", flushes);
	fclose(f);
}
