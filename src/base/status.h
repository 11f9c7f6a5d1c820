#ifndef WQ_BASE_STATUS_H
#define WQ_BASE_STATUS_H

/* On every function whose failure matters. */
#define WQ_MUST __attribute__((warn_unused_result))

/*
 * What became of an operation.  Each protocol in api/ turns these into its
 * own answers in one place, by a switch without default.
 */
enum wq_status {
	WQ_OK = 0,
	WQ_NOMEM,		/* no memory; nothing was changed */
	WQ_NO_MESSAGE,		/* the queue has no such message */
	WQ_NOT_LOCKED,		/* the message is not locked */
	WQ_STALE_RECEIPT,	/* the message was received again since */
	WQ_NO_QUEUE,		/* no such queue, and none is made here */
	WQ_BAD_NAME,		/* no queue can have that name */
	WQ_ROOT,		/* the default queue cannot be deleted */
	WQ_IS_TARGET,		/* it is another's dead-letter queue */
	WQ_BAD_TARGET,		/* no dead-letter queue can have that name */
	WQ_TARGET_MISSING,	/* no such queue, and none is made here */
	WQ_CYCLE,		/* dead letters would come back to it */
	WQ_NO_TARGET,		/* maxReceives without a deadLetterQueue */
	WQ_TARGET_KIND,		/* FIFO for standard, or the other way round */
	WQ_TARGET_DENIES,	/* its redrive_allow does not name the queue */
	WQ_CHANGED,		/* it is not what was expected */
	WQ_NO_KEY,		/* a FIFO push of which repeats are not known */
	WQ_MESSAGE_TOO_LARGE,	/* over the queue's max_message_bytes */
	WQ_BEYOND,		/* a lock would be longer than any may */
	WQ_NOT_TARGET,		/* it is nobody's dead-letter queue */
	WQ_TASK_RUNS,		/* the queue has a task already */
	WQ_NO_TASK,		/* no such task, or it runs no more */
	WQ_RECENT,		/* it was done a moment ago; wait */
	WQ_NO_DELAY,		/* a FIFO queue's messages have no own delay */
	WQ_TOO_LARGE,		/* a push that fits no empty queue here */
	WQ_FULL_MESSAGES,	/* the queue has its max_messages */
	WQ_FULL_BYTES,		/* the queue has its max_bytes */
	WQ_FULL_MEMORY,		/* the server has its max-memory */
	WQ_NO_SPACE,		/* the disk is full; nothing was changed */
	WQ_IO,			/* the disk failed; nothing was changed */
	WQ_BAD_ROW,		/* what was kept is damaged */
	WQ_BUSY,		/* one is on already */
	WQ_CANCELED,		/* the asker stopped waiting */
	WQ_UNSUPPORTED,		/* this backend has no such verb */
	WQ_UNAVAIL		/* starting, draining or the store is away */
};

#endif
