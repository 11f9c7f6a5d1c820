#ifndef WQ_CORE_OP_H
#define WQ_CORE_OP_H

#include <sys/queue.h>

#include "base/status.h"
#include "core/args.h"
#include "core/info.h"
#include "core/manage.h"

struct op;

typedef void (*op_done_fn)(struct op *, void *arg);

/* The verbs of the house.  A backend has a table with one entry for each. */
enum op_verb {
	OP_PUSH,		/* put messages into a queue */
	OP_RECEIVE,		/* lock and give out available messages */
	OP_RELEASE,		/* a receive did not reach its client */
	OP_CONFIRM,		/* a locked message is gone for good */
	OP_CONFIRM_MANY,	/* the same for several */
	OP_EXTEND,		/* set when a lock runs out */
	OP_LOOK,		/* one message, without touching it */
	OP_INFO,		/* settings and counts of a queue */
	OP_LIST,		/* the same of many queues */
	OP_CONFIGURE,		/* make a queue, or change its settings */
	OP_DELETE,		/* a queue and its messages are gone */
	OP_PURGE,		/* all messages of a queue are gone */
	OP_PAUSE,		/* a queue gives out nothing, or again */
	OP_PEEK,		/* several messages, without touching them */
	OP_REDRIVE,		/* dead letters go back where they came from */
	OP_BACKUP,		/* a copy of all that is kept */
	OP_TASK_START,		/* dead letters go back, by and by */
	OP_TASK_CANCEL,
	OP_TASK_LIST,		/* those of one queue */
	OP_VERBS
};

/*
 * One operation: arguments, results and whom to tell.  The maker owns it and
 * must keep it until done.
 */
struct op {
	enum op_verb verb;
	enum wq_status status;		/* result; set when done is called */
	const char *queue;		/* name, borrowed until done; NULL is
					 * the default queue */
	op_done_fn done;
	void *arg;			/* borrowed, for done */
	TAILQ_ENTRY(op) link;		/* the backend's */
	int stage;			/* the backend's */
	uint64_t commit;		/* the backend's */
	union {
		struct op_push push;
		struct op_receive receive;
		struct op_release release;
		struct op_confirm confirm;
		struct op_confirm_many confirm_many;
		struct op_extend extend;
		struct op_look look;
		struct queue_info info;	/* result */
		struct op_list list;
		struct op_configure configure;
		struct op_delete delete;
		struct op_pause pause;
		struct op_peek peek;
		struct op_redrive redrive;
		struct op_backup backup;
		struct op_task_start task_start;
		struct op_task_cancel task_cancel;
		struct op_task_list task_list;
	};
};

TAILQ_HEAD(op_queue, op);

#endif
