#ifndef WQ_CONFORMANCE_WORLD_H
#define WQ_CONFORMANCE_WORLD_H

/*
 * The world of one test: a loop, a backend and the ops that were submitted to
 * it.  It knows of a backend what backend.h and op.h promise and no more: an
 * op is done at some later time, never within the call that asked for it, and
 * exactly once.  What breaks that fails the test.  There is one world at a
 * time, so nobody needs to hand it around.
 */

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#include "backend/backend.h"
#include "base/config.h"
#include "core/op.h"

/* Of a lock that is not to end within the test, or a wait. */
#define HOUR_MS		INT64_C(3600000)
/* Of one whose end the test waits for. */
#define SOON_MS		INT64_C(30)

/* A backend that the suite is run on; the table is check_conformance.c's. */
struct conformance_backend {
	const char *name;
	struct backend *(*open)(struct event_base *, const struct config *);
	/*
	 * Say in the config where it keeps its data: in dir, which is the
	 * test's own and empty at first.  NULL: it keeps none.
	 */
	void	(*place)(struct config *, const char *dir);
	/* What dir is not: data elsewhere is removed.  NULL: there is none. */
	void	(*clean)(const struct config *);
	/*
	 * All comes back after a restart.  Where it does not, the tests of
	 * restarts run with a pause instead: after a restart all must be as
	 * it would have been without one.
	 */
	bool durable;
	bool refuses_at_max_memory;	/* rather than moving bodies out */
};

extern const struct conformance_backend *world_backend;

/* A message as a receive, a look or a peek told of it; all the world's. */
struct seen {
	struct id id;
	const char *body;		/* ends in NUL */
	size_t body_bytes;
	enum message_state state;
	uint32_t receives, receipt;
	int64_t until_ns, pushed_ns;
	int64_t first_received_ns;
	const char *group;		/* ends in NUL; NULL: none */
	const char *attributes;		/* the same */
	bool is_text;
	bool is_letter;			/* the rest is of dead letters */
	const char *source;
	uint32_t source_receives;
	enum dead_reason reason;
	int64_t source_pushed_ns;
	const struct delivery *delivery;	/* until a restart */
};

/* One op, from call_new() to the end of the test. */
struct call {
	struct op op;			/* to be set before call_start() */
	enum { CALL_NEW, CALL_FLIES, CALL_DONE } state;
	bool canceled;			/* call_cancel() was there */
	int64_t done_ns;		/* when it was done */
	struct seen *seen;		/* of a receive, a look, a peek */
	size_t count;			/* how many */
	bool holds;			/* refs to the messages of these */
	const char *text[QUEUE_TEXTS];	/* of an info, a configure; or NULL */
	void *user;			/* the test's */
	TAILQ_ENTRY(call) link;
};

/*
 * world_open() is the set-up of each test, with the presets of the server, and
 * world_close() its end: all calls must be done by then or by the end of
 * waits, and the backend must stop.  world_open_with() begins again with other
 * options, which a test says as the command line would.
 */
void	world_open(void);
void	world_open_with(const char *option, const char *value);
void	world_close(void);

/*
 * Stop the backend and open it again on the same data, where it is durable.
 * The second form keeps it down until that instant is over.
 */
void	world_restart(void);
void	world_restart_after(int64_t until_ns);

/* What has no op. */
void	world_run(void);		/* backend_run() */
void	world_end_waits(void);
void	world_stop(void);		/* stopped() may come at any time */
int	world_stopped_count(void);
/* Let the loop run for a moment, or until something happens. */
void	world_turn(void);
/*
 * So much time passes at once: it is clock_now_ns() that jumps.  What is due
 * by then has begun to take effect; of a crowd, the rest does by and by.
 */
void	world_pass(int64_t ms);

/* Memory until the end of the test, zeroed. */
void	*world_alloc(size_t);
char	*world_text(const char *format, ...)
	    __attribute__((format(printf, 1, 2)));

/* An op with nothing in it but its verb and queue; NULL: the default one. */
struct call	*call_new(enum op_verb, const char *queue);
struct call	*call_start(struct call *);	/* the same call */
void		 call_cancel(struct call *);
bool		 call_is_done(const struct call *);
/* Run the loop until it is done; its status. */
enum wq_status	 call_wait(struct call *);
/* Both. */
enum wq_status	 call_run(struct call *);

/* How long anything may take before the test is said to hang. */
struct patience {
	int64_t end_ns;
	const char *what;
};

struct patience	patience_new(const char *what);
void		patience_turn(struct patience *);

/* What cond asks for comes at some time; nobody knows when. */
#define UNTIL(cond) do {						\
	struct patience patience_ = patience_new(#cond);		\
									\
	while (!(cond))							\
		patience_turn(&patience_);				\
} while (0)

#define ck_assert_status(call, status)					\
	ck_assert_int_eq(call_run(call), (status))
#define ck_assert_id(a, b)						\
	ck_assert_mem_eq((a).bytes, (b).bytes, sizeof((a).bytes))

#endif
