#ifndef WQ_API_CALL_H
#define WQ_API_CALL_H

/* A native request on its way through the backend, for api/native*.c alone. */

#include <stdbool.h>
#include <stddef.h>

#include "core/op.h"
#include "http/route.h"

struct backend;
struct buf;
struct config;
struct exchange;
struct sqs;

#define JSON_TYPE	"application/json"
#define CALL_FEW	10		/* deliveries without an allocation */
/* Bodies of one answer; what does not fit stays for the next. */
#define CALL_BODIES_MAX_BYTES	(16 * 1024 * 1024)
/* Answers that wait for their readers, above which nothing is given out. */
#define CALL_UNSENT_MAX_BYTES	(256 * 1024 * 1024)
#define CALL_TEXT_BYTES	128		/* of a group, or of a dedup id */

struct native {
	struct backend *backend;	/* borrowed */
	const struct config *config;	/* borrowed */
	struct sqs *sqs;		/* owned */
};

/*
 * It is freed by its op's done, always; when the client goes before, only the
 * exchange is.
 */
struct call {
	struct op op;
	struct native *native;		/* borrowed */
	struct exchange *x;		/* borrowed; NULL: the client has gone */
	void *memory;			/* owned; arguments of many messages */
	char queue[QUEUE_NAME_BYTES + 1];	/* "": the default queue */
	struct op_body body;		/* of a push */
	bool details;
	struct delivery *out;		/* owned where it is not `few` */
	struct delivery few[CALL_FEW];
	char group[CALL_TEXT_BYTES + 1];	/* parameters of a push */
	char dedup[CALL_TEXT_BYTES + 1];
};

/* A call for x, on the queue of its path; NULL: x was answered. */
struct call	*call_new(struct native *, struct exchange *, enum op_verb,
		    op_done_fn done) WQ_MUST;
void		 call_free(struct call *);

/* The last statement of a handler: the answer may leave from in here. */
void	call_submit(struct call *);

/* Memory for its arguments, freed with it; false: x was answered, c is free. */
bool	call_alloc(struct call *, size_t bytes) WQ_MUST;

/* The one place where a status becomes an answer. */
void	answer_status(struct exchange *, const struct op *);
void	answer_no_memory(struct exchange *);

/* A done that answers 204, or what the status asks for. */
void	status_done(struct op *, void *call);

/* What the path names behind the queue: a message's id, as text. */
struct text	call_path_id(const struct exchange *);

/* Handlers of native_queues.c; their argument is a struct native. */
void	native_head(struct exchange *, void *);
void	native_info(struct exchange *, void *);
void	native_list(struct exchange *, void *);
void	native_configure(struct exchange *, void *);
void	native_delete(struct exchange *, void *);
void	native_purge(struct exchange *, void *);
void	native_pause(struct exchange *, void *);
void	native_resume(struct exchange *, void *);
void	native_backup(struct exchange *, void *);

/* Handlers of native_batch.c. */
void	native_push_many(struct exchange *, void *);
void	native_confirm_many(struct exchange *, void *);

/* Memory for that many deliveries in c->out; as call_alloc(). */
bool	call_alloc_out(struct call *, size_t count) WQ_MUST;

/*
 * What the parameters of a push are; false: x was answered.  Texts in it are
 * the exchange's: native_keep_texts() makes them the call's.
 */
bool	native_push_params(struct exchange *, struct op_push *);
void	native_keep_texts(struct call *);

/* The message that the path, or a parameter, names. */
void	native_add_delivery(struct exchange *, const struct delivery *,
	    bool details);
const char	*native_state_name(enum message_state);

/* Handlers of native_look.c. */
void	native_look(struct exchange *, void *);
void	native_peek(struct exchange *, void *);
void	native_redrive(struct exchange *, void *);
bool	native_read_id(struct exchange *, struct id *);

#endif
