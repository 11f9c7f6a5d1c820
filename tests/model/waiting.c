/* Steps of the model test that wait, and the serving of those who do. */
#include "model.h"

#include "verbs.h"

#define RECEIVE_MAX	4

static struct wait {
	struct waiter waiter;	/* first: they are cast */
	bool is_used;
	int queue;
	struct op_receive receive;
} waits[WAITERS_MAX];

void
do_wait(int queue)
{
	struct delivery out[RECEIVE_MAX];
	struct wait *w = waits;
	int64_t wait_ms = 1 + some_ms();
	size_t n;

	while (w < waits + WAITERS_MAX && w->is_used)
		w++;
	if (w == waits + WAITERS_MAX)
		return;
	w->receive = (struct op_receive){ .max = 1 + below(RECEIVE_MAX),
	    .max_bytes = SIZE_MAX, .lock_ms = chance(2) ? -1 : some_ms() };
	n = core_receive(queue, &w->receive, now_ns, out);
	check_received(queue, &w->receive, out, n);
	if (n > 0)
		return;
	w->is_used = true;
	w->queue = queue;
	core_wait(queue, &w->waiter, wait_ms, now_ns);
	naive_wait(queue, &w->waiter, wait_ms, now_ns);
	happened(WAITED);
}

void
do_unwait(void)
{
	struct wait *w = &waits[below(WAITERS_MAX)];
	struct naive_queue *q;
	size_t i = 0;

	if (!w->is_used || w->waiter.queue == NULL)
		return;
	q = &naive.queues[w->queue];
	while (i < q->waiter_count && q->waiters[i].waiter != &w->waiter)
		i++;
	if (i == q->waiter_count)
		fail("one waits that should not");
	core_unwait(&w->waiter);
	naive_unwait(w->queue, i);
	w->is_used = false;
	happened(UNWAITED);
}

void
forget_waits(void)
{
	size_t i;

	for (i = 0; i < WAITERS_MAX; i++)
		waits[i].is_used = false;
}

static void
serve_queue(int queue)
{
	struct naive_queue *q = &naive.queues[queue];
	struct delivery out[RECEIVE_MAX];
	struct waiter *waiter;
	struct wait *w;
	size_t n;

	while ((waiter = core_served_waiter(queue)) != NULL) {
		if (q->waiter_count == 0 || q->waiters[0].waiter != waiter)
			fail("one is served before his turn");
		w = (struct wait *)(void *)waiter;
		n = core_receive(queue, &w->receive, now_ns, out);
		if (n == 0)
			fail("one is served with nothing");
		core_unwait(waiter);
		naive_unwait(queue, 0);
		w->is_used = false;
		check_received(queue, &w->receive, out, n);
		happened(SERVED);
	}
}

static void
check_nobody_waits_for_nothing(int queue)
{
	struct naive_lines lines;

	if (naive.queues[queue].waiter_count == 0 || !naive_may_lock(queue))
		return;
	naive_lines(queue, &lines);
	if (naive_has_next(queue, &lines, GROUP_NONE))
		fail("one waits in %s though a message is there",
		    naive.queues[queue].name);
}

/* As the backend does after each op. */
void
serve(void)
{
	struct waiter *waiter;
	size_t n = 0;
	int queue;

	while ((queue = core_next_served()) != NOWHERE)
		serve_queue(queue);
	while ((waiter = core_next_timed_out()) != NULL) {
		if (n == naive.timed_out_count ||
		    naive.timed_out[n++] != waiter)
			fail("another's wait has ended");
		((struct wait *)(void *)waiter)->is_used = false;
		happened(WAIT_ENDED);
	}
	if (n < naive.timed_out_count)
		fail("a wait has not ended");
	naive.timed_out_count = 0;
	for (queue = 0; queue < QUEUES; queue++)
		if (naive.queues[queue].exists)
			check_nobody_waits_for_nothing(queue);
}
