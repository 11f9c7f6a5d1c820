/* Queues: their URLs, made, deleted, listed and emptied. */
#include <string.h>

#include "api/sqs_call.h"

static void
url_done(struct op *op, void *arg)
{
	struct sqs_call *c = arg;
	struct sqs_out o;

	if (op->status != WQ_OK)
		sqs_fail_status(c, op);
	else if (c->x != NULL) {
		sqs_out_begin(&o, c);
		sqs_out_url(&o, "QueueUrl", c->queue);
		sqs_out_send(&o);
	}
	if (op->status == WQ_OK)
		queue_info_fini(&op->info);
	sqs_call_free(c);
}

bool
sqs_get_url(struct sqs_call *c)
{
	struct text name = sqs_text(c->in, "QueueName");

	if (memchr(name.data, '/', name.bytes) != NULL ||
	    !sqs_url_queue(name, c->queue)) {
		c->op.status = WQ_NO_QUEUE;
		return sqs_fail_status(c, &c->op);
	}
	c->op.queue = c->queue;
	return sqs_call_urls(c) && sqs_submit(c, OP_INFO, url_done);
}
