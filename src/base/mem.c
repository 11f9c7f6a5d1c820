/* Allocation with a place to make it fail. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef HAVE_MIMALLOC
#include <mimalloc.h>
#endif

static _Thread_local long	fail_after = -1;	/* the test's thread alone */
static _Thread_local int	has_failed;
static void	*reserve;

static int
must_fail(void)
{
	if (__builtin_expect(fail_after < 0, 1))
		return 0;
	if (fail_after-- > 0)
		return 0;
	has_failed = 1;
	return 1;
}

void *
mem_alloc(size_t n)
{
	return must_fail() ? NULL : malloc(n);
}

void *
mem_zalloc(size_t n)
{
	return must_fail() ? NULL : calloc(1, n);
}

void *
mem_realloc(void *p, size_t n)
{
	return must_fail() ? NULL : realloc(p, n);
}

char *
mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = mem_alloc(n);

	if (copy != NULL)
		memcpy(copy, s, n);
	return copy;
}

void
mem_free(void *p)
{
	free(p);
}

/* Give the reserve up.  False: there is none. */
static bool
reserve_give(void)
{
	bool had = reserve != NULL;

	free(reserve);
	reserve = NULL;
	return had;
}

void *
mem_alloc_reserved(size_t n)
{
	void *p = mem_alloc(n);

	return p == NULL && reserve_give() ? mem_alloc(n) : p;
}

void *
mem_realloc_reserved(void *old, size_t n)
{
	void *p = mem_realloc(old, n);

	return p == NULL && reserve_give() ? mem_realloc(old, n) : p;
}

bool
mem_reserve_fill(void)
{
	if (reserve == NULL)
		reserve = mem_alloc(MEM_RESERVE_BYTES);
	return reserve != NULL;
}

void
mem_reserve_free(void)
{
	reserve_give();
}

void *
mem_pages_alloc(size_t bytes)
{
	void *p;

	if (must_fail())
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED ? p : NULL;
}

void
mem_pages_discard(void *p, size_t bytes)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)p + bytes) & ~(page - 1);

	if (from < to)
		madvise((char *)p + (from - (uintptr_t)p), to - from,
		    MADV_DONTNEED);
}

void
mem_pages_free(void *p, size_t bytes)
{
	if (p != NULL)
		munmap(p, bytes);
}

void
mem_give_back(bool at_once)
{
#ifdef HAVE_MIMALLOC
	/* Milliseconds; mimalloc's own default is 25. */
	mi_option_set(mi_option_decommit_delay, at_once ? 0 : 25);
	mi_option_set(mi_option_segment_decommit_delay, at_once ? 0 : 500);
#else
	(void)at_once;
#endif
}

void
mem_fail_after(long n)
{
	fail_after = n;
	has_failed = 0;
}

int
mem_has_failed(void)
{
	return has_failed;
}
