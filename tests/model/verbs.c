/* The core as the model drives it; see verbs.h. */
#include "verbs.h"

#include <stdlib.h>

#include "base/id.h"
#include "journal.h"
#include "model.h"

static struct registry	*registry;
static size_t		timers;
static uint64_t		empty_bytes;

static void
arm(void *arg, struct hold *h, int64_t due_ns, int64_t usual_ns)
{
	size_t *armed = hold_timer(h);

	(void)arg;
	(void)usual_ns;
	if (hold_due_ns(h) != due_ns)
		fail("a timer is armed for another end");
	timers += *armed == 0;
	*armed = 1;
}

static void
disarm(void *arg, struct hold *h)
{
	size_t *armed = hold_timer(h);

	(void)arg;
	if (*armed != 1)
		fail("a timer is disarmed that was not armed");
	*armed = 0;
	timers--;
}

void
core_open(const struct queue_settings *defaults, uint64_t seed)
{
	struct lock_timers t = { .timer_bytes = sizeof(size_t), .arm = arm,
	    .disarm = disarm };

	if ((registry = registry_new(defaults, &t, seed)) == NULL)
		fail("no memory");
	registry_set_ids(registry, id_new);
	empty_bytes = registry_memory_bytes(registry);
	journal_recover(registry);
	if (!registry_attach(registry, journal_rows()))
		fail("no memory");
}

void
core_restart(const struct queue_settings *defaults, uint64_t seed,
    int64_t at_ns)
{
	journal_commit(registry, at_ns);
	registry_end_waits(registry);
	while (registry_next_timed_out(registry) != NULL)
		;
	core_close();
	core_open(defaults, seed);
}

/* Nothing is in it but the default queue. */
void
core_check_empty(void)
{
	if (registry_memory_bytes(registry) != empty_bytes)
		fail("memory is counted that is not there");
}

void
core_commit(int64_t at_ns)
{
	journal_commit(registry, at_ns);
}

void
core_close(void)
{
	registry_free(registry);
	if (timers != 0)
		fail("%zu timers are left", timers);
}

bool
core_reap(size_t max)
{
	return registry_reap(registry, max);
}

size_t
core_timers(void)
{
	return timers;
}

struct queue *
core_queue(int queue)
{
	return registry_find(registry, naive.queues[queue].name);
}

int
core_number(const struct queue *q)
{
	int i;

	for (i = 0; i < QUEUES; i++)
		if (naive.queues[i].exists && core_queue(i) == q)
			return i;
	fail("a queue that is not there");
}

void
core_expire(int64_t at_ns, size_t max)
{
	registry_expire(registry, at_ns, max);
}

int64_t
core_next_due_ns(void)
{
	return registry_next_due_ns(registry);
}

void
core_check(int queue)
{
	queue_check(core_queue(queue));
}

enum wq_status
core_push(int queue, struct op_push *push, const struct push_room *room,
    int64_t at_ns)
{
	struct queue *q = core_queue(queue);
	enum wq_status st = push_begin(q, push, room, at_ns);

	if (st == WQ_OK)
		push_end(q, push, true);
	return st;
}

size_t
core_receive(int queue, const struct op_receive *r, int64_t at_ns,
    struct delivery *out)
{
	size_t n = 0;

	if (queue_receive(core_queue(queue), r->max, r->max_bytes, r->lock_ms,
	    at_ns, out, &n) != WQ_OK)
		fail("receive failed");
	return n;
}

void
core_release(int queue, const struct delivery *d, int64_t at_ns)
{
	queue_release(core_queue(queue), d, at_ns);
}

enum wq_status
core_confirm(int queue, struct op_confirm *c, int64_t at_ns)
{
	return queue_confirm(core_queue(queue), c, at_ns);
}

enum wq_status
core_extend(int queue, struct op_extend *e, int64_t at_ns)
{
	return queue_extend(core_queue(queue), e, at_ns);
}

enum wq_status
core_look(int queue, struct op_look *l)
{
	return queue_look(core_queue(queue), l);
}

void
core_info(int queue, struct queue_info *info)
{
	queue_info(core_queue(queue), info);
}

void
core_list(struct op_list *list)
{
	registry_list(registry, list, NULL);
}

enum wq_status
core_make(int queue, bool *created, int64_t at_ns)
{
	struct queue *q;

	return registry_make(registry, naive.queues[queue].name, &q, at_ns,
	    created);
}

enum wq_status
core_configure(int queue, struct op_configure *c, int64_t at_ns)
{
	return queue_configure(core_queue(queue), c, true, at_ns);
}

enum wq_status
core_delete(int queue, bool even_target, int64_t at_ns)
{
	return queue_delete(core_queue(queue), even_target, at_ns);
}

void
core_purge(int queue)
{
	if (queue_purge(core_queue(queue), 0) != WQ_OK)
		fail("no memory");
}

void
core_pause(int queue, bool pause)
{
	if (queue_pause(core_queue(queue), pause) != WQ_OK)
		fail("no memory");
}

enum wq_status
core_peek(int queue, struct op_peek *p)
{
	return queue_peek(core_queue(queue), p);
}

void
core_redrive(int queue, struct op_redrive *r, int to, int64_t at_ns,
    size_t slice)
{
	struct queue *q = core_queue(queue);
	struct queue *target = to != NOWHERE ? core_queue(to) : NULL;

	r->began_ns = at_ns;
	while (!queue_redrive(q, r, target, at_ns, slice))
		;
	if (r->reached != NULL)
		fail("a redrive that is done keeps a message");
}

void
core_wait(int queue, struct waiter *w, int64_t wait_ms, int64_t at_ns)
{
	queue_wait(core_queue(queue), w, wait_ms, at_ns);
}

void
core_unwait(struct waiter *w)
{
	queue_unwait(w);
}

int
core_next_served(void)
{
	struct queue *q = registry_next_served(registry);

	return q != NULL ? core_number(q) : NOWHERE;
}

struct waiter *
core_served_waiter(int queue)
{
	return queue_served_waiter(core_queue(queue));
}

struct waiter *
core_next_timed_out(void)
{
	return registry_next_timed_out(registry);
}
