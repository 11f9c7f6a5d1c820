#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

/* What the parts of the driver share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "naive.h"

/* Each must have happened by the end of a run of the usual length. */
enum event {
	PUSHED, REPEATED, REFUSED_DELAY, REFUSED_MESSAGES, REFUSED_BYTES,
	REFUSED_MEMORY, REFUSED_FOR_EVER, DELAYED, DELAY_ENDED,
	FIFO_DELAY_RAISED, DELAY_LENGTHENED, DELAY_SHORTENED,
	RECEIVED, RECEIVED_BY_BYTES, FIFO_RUN, NOISY_OVERTAKEN, LOCKED_OUT,
	NOT_WHILE_PAUSED, NOT_FROM_BLOCKED, PARTIAL_EXPIRY, EXPIRED,
	CONFIRMED, CONFIRMED_LATE, CONFIRMED_TOO_LATE, CONFIRMED_DEAD,
	CONFIRMED_MANY,
	NOT_LOCKED, NO_MESSAGE,
	STALE, STALE_BY_ONE, EXTENDED, BEYOND, GIVEN_BACK, RELEASED,
	RELEASED_LATE,
	DEAD_BY_RECEIVES, DEAD_BY_TTL, DEAD_TWICE, TIMED_OUT, TOO_OLD,
	TOO_OLD_HELD, RETENTION_CHANGED, DEDUP_ENDED,
	REDRIVEN_HOME, REDRIVEN_TO, REDRIVEN_SOME, RENAMED, LETTER_STUCK,
	WAITED, SERVED, WAIT_ENDED, UNWAITED, WAIT_DELETED,
	PURGED, PAUSED, RESUMED, MADE, MADE_TARGET, DELETED, DELETED_FULL,
	DELETE_ROOT, DELETE_TARGET, DELETED_TARGET, CONFIGURED, CYCLE,
	NO_TARGET, BAD_TARGET,
	RESTARTED, RESTARTED_IN_CROWD, ORPHAN, BLOCKED_SEEN, PAGES_SEEN,
	PAGE_LOST, LISTED,
	EVENTS
};

extern int64_t	now_ns, step;
extern uint64_t	events[EVENTS];

uint64_t	next_random(void);
size_t		below(size_t);
bool		chance(size_t one_of);
int64_t		some_ms(void);
void		happened(enum event);
void		fail(const char *, ...)
		    __attribute__((noreturn, format(printf, 1, 2)));

int		some_queue(void);	/* one that is there */
/* May it be that it keeps messages for a time, and not that they have a ttl? */
bool		may_retain(int queue);
/* All that is due takes effect, in both. */
void		expire_all(void);
struct naive_message	*some_message(enum message_state);	/* or NULL */
struct naive_message	*any_message(void);	/* NULL: none */
struct id		gone_id(void);
void			remember_gone(const struct id *);

/* Messages: messages.c. */
void	do_push(int queue);
void	do_receive(int queue, bool one);
void	do_confirm(void);
void	do_confirm_many(void);
void	do_extend(void);
void	do_release(void);
void	release_all_refs(void);
/* What the core gave out is what could be. */
void	check_received(int queue, const struct op_receive *,
	    const struct delivery *, size_t n);

/* Waiting: waiting.c. */
void	do_wait(int queue);
void	do_unwait(void);
void	forget_waits(void);
void	serve(void);

/* A new process: restart.c. */
void	do_restart(bool in_crowd);

/* Queues: queues.c. */
void	delete_all(void);
void	do_configure(void);
void	do_settle(int queue);	/* to what it is set to at the start */
void	do_make(void);
void	do_delete(void);
void	do_purge(void);
void	do_pause(void);
void	do_redrive(void);

/* Comparing: compare.c. */
void	check_counts(int queue);
void	check_due(void);
void	check_look(const struct naive_message *);
void	check_pages(int queue);
void	check_page_lost(void);
void	check_list(void);

#endif
