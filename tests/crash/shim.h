#ifndef WQ_CRASH_SHIM_H
#define WQ_CRASH_SHIM_H

/*
 * What the shims for LD_PRELOAD share: the functions that they stand before,
 * and which files they are about.  A file is one whose path begins with the
 * directory that an environment variable names; SQLite and wqd open them by
 * their whole path.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define FDS		4096		/* others are none of ours */
#define PATH_BYTES	4096

/* The next function of that name; found once. */
#define REAL(result, name, ...) \
	static result (*real)(__VA_ARGS__); \
	if (real == NULL) { \
		void *found = dlsym(RTLD_NEXT, name); \
		memcpy(&real, &found, sizeof(real)); \
	}

static inline bool
shim_is_in(const char *directory, const char *path)
{
	size_t n = directory != NULL ? strlen(directory) : 0;

	return n > 0 && strncmp(path, directory, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0');
}

static inline mode_t
shim_mode(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

#endif
