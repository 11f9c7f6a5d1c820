#ifndef WQ_CORE_DEDUP_H
#define WQ_CORE_DEDUP_H

#include <stdint.h>

#include "base/digest.h"
#include "base/status.h"

struct id;
struct queue;

/*
 * Pushes that were, for repeats of them within 5 minutes.  find: the id of the
 * first, borrowed, NULL when there is none.
 */
const struct id	*queue_find_dedup(const struct queue *,
		    const uint8_t key[DIGEST_BYTES]);
/* The sequence of the first push, of a key that is there. */
int64_t		queue_dedup_pushed_ns(const struct queue *,
		    const uint8_t key[DIGEST_BYTES]);
/* The same is set; until when a repeat of it is none, which is returned. */
int64_t		queue_number_dedup(struct queue *,
		    const uint8_t key[DIGEST_BYTES], int64_t pushed_ns);
enum wq_status	queue_add_dedup(struct queue *,
		    const uint8_t key[DIGEST_BYTES], const struct id *,
		    int64_t now_ns) WQ_MUST;
/* The same, of before: until that instant. */
enum wq_status	queue_restore_dedup(struct queue *,
		    const uint8_t key[DIGEST_BYTES], const struct id *,
		    int64_t pushed_ns, int64_t until_ns) WQ_MUST;
/* Forget it, if it is of the message of that id. */
void		queue_drop_dedup(struct queue *,
		    const uint8_t key[DIGEST_BYTES], const struct id *);
void		queue_count_duplicate(struct queue *);

#endif
