#ifndef WQ_API_SQS_CALL_H
#define WQ_API_SQS_CALL_H

/* A request of SQS on its way through the backend, for api/sqs*.c alone. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/sqs_error.h"
#include "api/sqs_input.h"
#include "api/sqs_output.h"
#include "base/id.h"
#include "core/op.h"

struct backend;
struct config;
struct exchange;
struct sqs_call;

enum sqs_protocol { SQS_JSON, SQS_QUERY };

struct sqs {
	struct backend *backend;	/* borrowed */
	const struct config *config;	/* borrowed */
};

/*
 * Start an action whose input is call->in.  True: it is on its way, and may
 * be over already.  False: it was answered, and the caller frees the call.
 */
typedef bool (*sqs_handler_fn)(struct sqs_call *);

struct sqs_action {
	const char *name;
	const struct sqs_member *members;
	sqs_handler_fn handler;
};

/*
 * It is freed by who has its last op's done; when the client goes before, only
 * the exchange is.
 */
struct sqs_call {
	struct op op;
	struct sqs *sqs;		/* borrowed */
	struct exchange *x;		/* borrowed; NULL: answered, or the
					 * client has gone */
	const struct sqs_action *action;	/* NULL: none yet */
	enum sqs_protocol protocol;
	bool is_submitted;		/* op is the backend's */
	json_t *in;			/* owned; NULL: none yet */
	void *state;			/* owned; see sqs_call_alloc() */
	void (*state_fini)(void *state);	/* what it owns; NULL is fine */
	char *url_base;			/* owned; see sqs_call_urls() */
	char queue[QUEUE_NAME_BYTES + 1];	/* of QueueUrl; op.queue is
					 * it where the action has one */
};

/* All zero but for what is known; NULL: no memory, and x was answered. */
struct sqs_call	*sqs_call_new(struct sqs *, struct exchange *,
		    enum sqs_protocol) WQ_MUST;
void		 sqs_call_free(struct sqs_call *);

/*
 * Submit call->op, whose done and verb are set here and whose arguments were
 * set before; done's arg is the call.  The last statement of a handler, for
 * the answer may leave from in here.  Always true.
 */
bool	sqs_submit(struct sqs_call *, enum op_verb, op_done_fn done);
/*
 * For a handler with several ops of its own: from here on a client that goes
 * takes call->x away.  Those ops are not canceled, so they must not wait.
 */
void	sqs_watch(struct sqs_call *);
/* A done for an action without a result: the answer, and the call's end. */
void	sqs_status_done(struct op *, void *call);

/*
 * Zeroed memory in call->state, freed with the call, after state_fini(); the
 * handler's own.  False: no memory, and it was answered.
 */
bool	sqs_call_alloc(struct sqs_call *, size_t bytes) WQ_MUST;

/*
 * Have the URLs of queues, which need the request's Host, in the answer; to be
 * called by the handler.  False: no memory, and it was answered.
 */
bool	sqs_call_urls(struct sqs_call *) WQ_MUST;
void	sqs_out_url(struct sqs_out *, const char *name, const char *queue);
void	sqs_out_item_url(struct sqs_out *, const char *xml,
	    const char *queue);

/*
 * The name of a queue in a URL, in a path or alone: what follows the last
 * slash; and in an ARN: what follows the last colon.  False: no queue can have
 * it.  out has QUEUE_NAME_BYTES + 1.
 */
bool	sqs_url_queue(struct text url, char *out) WQ_MUST;
bool	sqs_arn_queue(struct text arn, char *out) WQ_MUST;
/* arn:aws:sqs:REGION:ACCOUNT:NAME, for out of SQS_ARN_BYTES. */
#define SQS_ARN_BYTES	256
const char	*sqs_arn(const struct sqs *, const char *queue, char *out);

/* The actions. */
bool	sqs_add_permission(struct sqs_call *);
bool	sqs_cancel_move_task(struct sqs_call *);
bool	sqs_change_visibility(struct sqs_call *);
bool	sqs_change_visibility_batch(struct sqs_call *);
bool	sqs_create_queue(struct sqs_call *);
bool	sqs_delete_message(struct sqs_call *);
bool	sqs_delete_message_batch(struct sqs_call *);
bool	sqs_delete_queue(struct sqs_call *);
bool	sqs_get_attributes(struct sqs_call *);
bool	sqs_get_url(struct sqs_call *);
bool	sqs_list_move_tasks(struct sqs_call *);
bool	sqs_list_queues(struct sqs_call *);
bool	sqs_list_sources(struct sqs_call *);
bool	sqs_list_tags(struct sqs_call *);
bool	sqs_purge_queue(struct sqs_call *);
bool	sqs_receive(struct sqs_call *);
bool	sqs_remove_permission(struct sqs_call *);
bool	sqs_send(struct sqs_call *);
bool	sqs_send_batch(struct sqs_call *);
bool	sqs_set_attributes(struct sqs_call *);
bool	sqs_start_move_task(struct sqs_call *);
bool	sqs_tag_queue(struct sqs_call *);
bool	sqs_untag_queue(struct sqs_call *);

#endif
