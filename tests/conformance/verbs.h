#ifndef WQ_CONFORMANCE_VERBS_H
#define WQ_CONFORMANCE_VERBS_H

/*
 * The verbs, as tests speak them.  A NOUN_call() makes a call with the usual
 * arguments, for the test to change and to start.  The others run one to its
 * end, and what does not return a status expects WQ_OK.
 */

#include "world.h"

/* Its own lock timeout, delay and ttl are the queue's; no group, no key. */
struct call	*push_call(const char *queue, const char *body);
/* Bodies "0", "1" and so on, in one op. */
struct call	*push_many_call(const char *queue, size_t n);
struct id	 push(const char *queue, const char *body);
void		 push_words(const char *queue, const char *words);
struct id	 push_group(const char *queue, const char *body,
		    const char *group);
/* On a call that is not started: its group, its key. */
void		 set_group(struct call *, const char *group);
void		 set_key(struct call *, const char *key);
/* With lock timeouts of their own, in one op each. */
struct id	 push_lock(const char *queue, const char *body,
		    int64_t lock_ms);
struct id	 push_delay(const char *queue, const char *body,
		    int64_t delay_ms);
struct id	 push_ttl(const char *queue, const char *body,
		    int64_t ttl_ms);
/* One with a key: its id, and whether it is a repeat. */
struct id	 push_key(const char *queue, const char *body,
		    const char *key, bool *duplicate);

/* Up to max, locked for an hour; does not wait. */
struct call	*receive_call(const char *queue, size_t max);
struct call	*receive(const char *queue, size_t max);
/* There is one, and it is that. */
struct seen	*receive_one(const char *queue, const char *body);
/* The same with a lock time; -1 is the message's own. */
struct seen	*receive_lock(const char *queue, const char *body,
		    int64_t lock_ms);
/* Begin to wait for an hour, behind those who wait already. */
struct call	*wait_start(const char *queue, size_t max);

enum wq_status	 confirm(const char *queue, struct id);
struct call	*confirm_call(const char *queue, const struct seen *);
struct call	*confirm_many_call(const char *queue, const struct id *,
		    size_t n);
enum wq_status	 extend(const char *queue, struct id, int64_t lock_ms);
struct call	*extend_call(const char *queue, const struct seen *,
		    int64_t lock_ms);
void		 release(const char *queue, const struct seen *);

struct call	*look(const char *queue, struct id);
struct seen	*look_seen(const char *queue, struct id);
/* MESSAGE_GONE: the queue has no such message. */
enum message_state	state_of(const char *queue, struct id);
#define STATES_ALL	(1u << MESSAGE_AVAILABLE | 1u << MESSAGE_LOCKED | \
			1u << MESSAGE_DELAYED)
struct call	*peek_call(const char *queue, unsigned states, size_t max);
struct call	*peek(const char *queue, unsigned states);
struct queue_info	info(const char *queue);
bool		 queue_exists(const char *queue);
/* Names, "a b c". */
const char	*list(const char *prefix, const char *after, size_t max);

struct call	*configure_call(const char *queue);
/* One setting that is a number. */
void		 set(const char *queue, unsigned setting, int64_t value);
void		 set_on(struct call *, unsigned setting, int64_t value);
/* Dead letters go to target after so many receives; 0: by ttl alone. */
void		 set_target(const char *queue, const char *target,
		    int64_t max_receives);
void		 set_target_on(struct call *, const char *target,
		    int64_t max_receives);
void		 set_text_on(struct call *, enum queue_text, const char *);
void		 set_paused(const char *queue, bool paused);
enum wq_status	 delete_queue(const char *queue);
void		 purge(const char *queue);
/* How many moved. */
size_t		 redrive(const char *queue, const char *to, size_t max);

/* Bodies of a receive or a peek, "a b c". */
const char	*bodies(const struct call *);
/* Receive and confirm all that is available: bodies in that order. */
const char	*drain(const char *queue);
/* Those of words that begin with c. */
const char	*only(char c, const char *words);

#endif
