#ifndef MODEL_JOURNAL_H
#define MODEL_JOURNAL_H

/*
 * What a registry tells, kept as plain rows, as a store would keep it; and a
 * registry made again from these rows.
 */

#include <stdint.h>

struct journal;
struct registry;

const struct journal	*journal_rows(void);
/* The totals of the queues that were touched. */
void	journal_commit(struct registry *, int64_t now_ns);
/* All rows go into r, which is new. */
void	journal_recover(struct registry *r);

#endif
