/* A copy of a database that is in use. */
#include <stdio.h>

#include "base/mem.h"
#include "store/sqlite_state.h"

struct engine_copy {
	sqlite3 *to;			/* owned */
	sqlite3_backup *backup;		/* owned */
};

static void
fail(struct engine_copy *c, char *error)
{
	snprintf(error, STORE_ERROR_BYTES, "%s", c->to != NULL ?
	    sqlite3_errmsg(c->to) : "no memory");
}

struct engine_copy *
engine_copy_new(struct engine *e, const char *path, char *error)
{
	struct engine_copy *c = mem_zalloc(sizeof(*c));

	if (c == NULL) {
		snprintf(error, STORE_ERROR_BYTES, "no memory");
		return NULL;
	}
	if (sqlite3_open_v2(path, &c->to, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
		c->backup = sqlite3_backup_init(c->to, "main", e->db, "main");
	if (c->backup != NULL)
		return c;
	fail(c, error);
	engine_copy_free(c);
	return NULL;
}

int
engine_copy_step(struct engine_copy *c, int pages, bool *done, char *error)
{
	int rc = sqlite3_backup_step(c->backup, pages);

	*done = rc == SQLITE_DONE;
	if (rc == SQLITE_OK || rc == SQLITE_DONE)
		return 0;
	fail(c, error);
	return -1;
}

void
engine_copy_free(struct engine_copy *c)
{
	if (c == NULL)
		return;
	if (c->backup != NULL)
		sqlite3_backup_finish(c->backup);
	sqlite3_close(c->to);
	mem_free(c);
}
