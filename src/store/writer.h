#ifndef WQ_STORE_WRITER_H
#define WQ_STORE_WRITER_H

/* The writer thread and what it shares with the loop; for store/ alone. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "store/coalesce.h"
#include "store/sqlite.h"
#include "store/store.h"

struct store_place;

struct writer {
	/* The writer's alone, while it runs. */
	struct engine *engine;		/* owned by the store */
	struct store_place *place;	/* owned by the store */
	struct engine_copy *copy;	/* owned; NULL: none is on */
	struct store_batches lost;	/* could not be written; the end */
	struct coalescer coalescer;
	uint64_t commits;
	bool broken;			/* it writes no more */
	bool reserved;			/* it has space to give up */
	bool keys_are_left;		/* that can be forgotten */
	int64_t keys_looked_ns;		/* when it looked for them */
	int64_t failed_ns;		/* when it last could not write */
	int64_t checkpoint_failed_ns;	/* when, if the last one has; else 0 */
	int wake_fd;			/* tells the loop */

	/* Both sides', under the mutex. */
	pthread_mutex_t mutex;
	pthread_cond_t work;		/* there is something to do */
	struct store_batches ready;	/* for the writer */
	struct store_batches kept;	/* for the loop */
	uint64_t refused_number;	/* pushes up to it are refused */
	enum store_result refused_why;
	enum store_health health;
	char why[STORE_ERROR_BYTES];
	bool health_changed;
	bool end;			/* write what there is, then end */
	bool copy_wanted, copy_ended;
	char copy_error[STORE_ERROR_BYTES];

	/* A hint, without it. */
	_Atomic bool idle;
};

/* The thread's function; arg is the struct writer. */
void	*writer_main(void *arg);

#endif
