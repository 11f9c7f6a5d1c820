#ifndef WQ_BENCH_LEDGER_H
#define WQ_BENCH_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Two quotes, 16 digits of the token, a dash, 8 digits of number. */
	LEDGER_BODY_MIN_BYTES = 27
};

/*
 * Which messages a run pushed and which it got back.  Every body is a JSON
 * string of one fixed size that carries the token of the run and the number
 * of the message.
 */
struct ledger;

struct ledger_counts {
	uint64_t	pushed;		/* answered pushes */
	uint64_t	received;	/* of this run, each counted once */
	uint64_t	lost;		/* pushed, never received */
	uint64_t	duplicated;	/* received again */
	uint64_t	garbled;	/* this run's token, another body */
	uint64_t	foreign;	/* of other runs or programs */
};

/* body_bytes is LEDGER_BODY_MIN_BYTES or more; NULL without memory. */
struct ledger	*ledger_new(uint64_t token, size_t body_bytes);
void		 ledger_free(struct ledger *l);

/* Write the body of message `number`, exactly body_bytes, no NUL. */
void	 ledger_body(const struct ledger *l, uint64_t number, char *out);
size_t	 ledger_body_bytes(const struct ledger *l);

/* Note `count` answered pushes from `first` on.  -1: no memory. */
int	 ledger_note_pushed(struct ledger *l, uint64_t first, size_t count);

/* Is it a whole body of this run?  Then of which message? */
bool	 ledger_read(const struct ledger *l, const char *body, size_t bytes,
	    uint64_t *number);

/* Note a received body, of whatever origin.  -1: no memory. */
int	 ledger_note_received(struct ledger *l, const char *body,
	    size_t bytes);

/* Pushed and not yet received; walks nothing. */
uint64_t ledger_missing(const struct ledger *l);

void	 ledger_count(const struct ledger *l, struct ledger_counts *out);

#endif
