/* What the core shows of itself is what the model has. */
#include "model.h"

#include <stdio.h>
#include <string.h>

#include "verbs.h"

#define PAGE_MAX	20

static void
check_settings(const struct naive_queue *q, const struct queue_info *info)
{
	const char *to = q->dead_letters != NOWHERE ?
	    naive.queues[q->dead_letters].name : "";

	if (memcmp(&info->settings, &q->settings, sizeof(q->settings)) != 0)
		fail("%s: other settings", q->name);
	if (strcmp(info->dead_letter_queue, to) != 0 ||
	    info->fifo != q->fifo || info->paused != q->paused)
		fail("%s: another dead-letter queue, kind or pause", q->name);
	if ((info->text[QUEUE_TAGS] == NULL) != (q->tags == NULL) ||
	    (q->tags != NULL &&
	    strcmp(q->tags, info->text[QUEUE_TAGS]->text) != 0))
		fail("%s: other tags", q->name);
	if (info->created_ns != q->created_ns ||
	    info->changed_ns != q->changed_ns)
		fail("%s: made or changed at another time", q->name);
}

static void
check_oldest(int queue, int64_t oldest_ns)
{
	const struct naive_message *m = naive.messages;
	struct naive_lines lines;

	naive_lines(queue, &lines);
	if (oldest_ns == 0) {
		if (naive_has_next(queue, &lines, GROUP_NONE))
			fail("no next message is shown");
		return;
	}
	while (m < naive.messages + naive.count && (m->queue != queue ||
	    m->pushed_ns != oldest_ns))
		m++;
	if (m == naive.messages + naive.count ||
	    !naive_is_next(m, &lines, GROUP_NONE))
		fail("%s: another next message is shown",
		    naive.queues[queue].name);
}

static void
check_info(int queue, const struct queue_info *info)
{
	const struct naive_queue *q = &naive.queues[queue];
	const struct queue_totals *a = &info->totals, *b = &q->totals;
	size_t available = naive_count(queue, MESSAGE_AVAILABLE);
	size_t locked = naive_count(queue, MESSAGE_LOCKED);
	size_t delayed = naive_count(queue, MESSAGE_DELAYED);

	if (info->available_count != available ||
	    info->locked_count != locked || info->delayed_count != delayed)
		fail("%s has %zu %zu %zu, not %zu %zu %zu", q->name,
		    info->available_count, info->locked_count,
		    info->delayed_count, available, locked, delayed);
	if (info->waiter_count != q->waiter_count ||
	    info->body_bytes != naive_bytes(queue))
		fail("%s: other waiters or bytes", q->name);
	if (a->pushed != b->pushed || a->received != b->received ||
	    a->confirmed != b->confirmed || a->expired != b->expired ||
	    a->dead_lettered != b->dead_lettered ||
	    a->timed_out != b->timed_out || a->duplicates != b->duplicates)
		fail("%s: totals differ", q->name);
	check_settings(q, info);
	check_oldest(queue, info->oldest_ns);
}

void
check_counts(int queue)
{
	struct queue_info info;

	core_info(queue, &info);
	check_info(queue, &info);
	queue_info_fini(&info);
}

/* The next deadline, and the timers of locks. */
void
check_due(void)
{
	size_t locked = 0, i;

	/* A queue that is not free yet has deadlines too. */
	if (core_reap(1 + below(30)))
		return;
	for (i = 0; i < naive.count; i++)
		locked += naive.messages[i].state == MESSAGE_LOCKED;
	/* What comes back in time leaves a deadline that finds nothing. */
	if (events[RETENTION_CHANGED] == 0 ?
	    core_next_due_ns() != naive_next_due_ns() :
	    core_next_due_ns() > naive_next_due_ns())
		fail("another instant is the next");
	if (core_timers() != locked)
		fail("%zu locks have a timer, not %zu", core_timers(),
		    locked);
}

static void
check_attributes(const struct naive_message *m, const struct message *got)
{
	size_t bytes = 0;
	const char *attributes = message_attributes(got, &bytes);

	if ((attributes != NULL) != (*m->attributes != '\0') ||
	    bytes != strlen(m->attributes) || (bytes > 0 &&
	    memcmp(attributes, m->attributes, bytes) != 0))
		fail("the attributes are not %s", m->attributes);
	if (message_is_text(got) != m->is_text)
		fail("it is %sa text", m->is_text ? "not " : "");
}

static void
check_delivery(const struct naive_message *m, const struct delivery *d)
{
	const struct dead_letter *dead = message_dead_letter(d->message);
	char name[16] = "";
	const char *group;
	size_t bytes = 0;

	if (d->state != m->state || d->until_ns != m->hold.due_ns ||
	    d->receives != m->receives || d->receipt != m->receipt)
		fail("state %d, receives %u, not %d, %u; or another receipt "
		    "or end", d->state, d->receives, m->state, m->receives);
	if (m->group > GROUP_EMPTY)
		snprintf(name, sizeof(name), "g%d", m->group);
	group = message_group(d->message, &bytes);
	if (bytes != strlen(name) || (bytes > 0 &&
	    memcmp(group, name, bytes) != 0))
		fail("the group is not %s", name);
	if (message_pushed_ns(d->message) != m->pushed_ns)
		fail("pushed at another time");
	if (d->first_received_ns != m->first_received_ns)
		fail("received first at another time");
	check_attributes(m, d->message);
	if ((dead != NULL) != m->is_dead)
		fail("it is %sa dead letter", dead ? "" : "not ");
	if (dead != NULL && (dead->receives != m->dead.receives ||
	    dead->reason != m->dead.reason ||
	    strcmp(dead->queue, naive.queues[m->dead.queue].name) != 0))
		fail("a dead letter has another origin");
}

/* The first lock of m's group. */
static const struct naive_message *
blocker_of(const struct naive_message *m)
{
	const struct naive_message *o, *best = NULL;

	if (!naive.queues[m->queue].fifo || m->state != MESSAGE_AVAILABLE)
		return NULL;
	for (o = naive.messages; o < naive.messages + naive.count; o++)
		if (o->queue == m->queue && o->group == m->group &&
		    o->state == MESSAGE_LOCKED && (best == NULL ||
		    o->hold_order < best->hold_order))
			best = o;
	return best;
}

void
check_look(const struct naive_message *m)
{
	const struct naive_message *by = blocker_of(m);
	struct op_look l = { .id = m->id };

	if (core_look(m->queue, &l) != WQ_OK)
		fail("%.*s is not in %s", (int)m->bytes, m->body,
		    naive.queues[m->queue].name);
	check_delivery(m, &l.out);
	if (l.paused != naive.queues[m->queue].paused ||
	    l.blocked != (by != NULL) || (by != NULL &&
	    memcmp(&l.blocked_by, &by->id, sizeof(by->id)) != 0))
		fail("paused, blocked, or by another");
	if (by != NULL)
		happened(BLOCKED_SEEN);
	message_unref(l.out.message);
}

static int
rank(enum message_state state)
{
	return state == MESSAGE_AVAILABLE ? 0 : state == MESSAGE_LOCKED ? 1 :
	    2;
}

/* b comes behind a on the pages; seen are the groups that came before. */
static void
check_follows(const struct naive_message *a, const struct naive_message *b,
    bool seen[GROUPS])
{
	if (a != NULL && rank(a->state) > rank(b->state))
		fail("states are mixed on a page");
	if (b->state != MESSAGE_AVAILABLE) {
		if (a != NULL && a->state == b->state &&
		    a->hold_order >= b->hold_order)
			fail("a page is not in the order of locks or delays");
		return;
	}
	if (a == NULL || a->group != b->group) {
		if (seen[b->group] || (b->group == GROUP_NONE && a != NULL))
			fail("groups are mixed on a page");
		seen[b->group] = true;
	} else if (naive_compare(a, b) > 0)
		fail("a page is not in order");
}

void
check_pages(int queue)
{
	struct op_peek p = { .states = (unsigned)below(32), .max_bytes =
	    chance(3) ? below(100) : SIZE_MAX };
	const struct naive_message *last = NULL, *m;
	struct delivery out[PAGE_MAX];
	bool seen[GROUPS] = { false };
	size_t want = 0, got = 0, i;

	if (chance(2))
		p.states = ~0u;
	for (i = MESSAGE_AVAILABLE; i <= MESSAGE_DELAYED; i++)
		want += p.states & 1u << i ?
		    naive_count(queue, (enum message_state)i) : 0;
	p.out = out;
	p.max = 1 + below(PAGE_MAX);
	do {
		if (core_peek(queue, &p) != WQ_OK)
			fail("no page");
		for (i = 0; i < p.count; i++, got++) {
			m = naive_find(&out[i].message->id);
			if (m == NULL || m->queue != queue ||
			    !(p.states & 1u << m->state))
				fail("a page shows what it should not");
			check_delivery(m, &out[i]);
			check_follows(last, m, seen);
			last = m;
			p.after = m->id;
			p.has_after = true;
			message_unref(out[i].message);
		}
	} while (p.count > 0 && got <= want);
	if (got != want)
		fail("pages show %zu, not %zu", got, want);
	happened(PAGES_SEEN);
}

/* One that has gone elsewhere is no place to go on from. */
void
check_page_lost(void)
{
	struct naive_message *m = any_message();
	struct delivery out[1];
	struct op_peek p = { .has_after = true, .max = 1, .max_bytes = 1,
	    .out = out, .states = ~0u };
	int queue = some_queue();

	if (m == NULL)
		return;
	p.after = chance(2) ? m->id : gone_id();
	m = naive_find(&p.after);
	if (m != NULL && m->queue == queue)
		p.states = ~(1u << m->state);
	if (core_peek(queue, &p) != WQ_NO_MESSAGE)
		fail("a page goes on from nowhere");
	happened(PAGE_LOST);
}

static int
number_of(const char *name)
{
	int i;

	for (i = 0; i < QUEUES; i++)
		if (strcmp(naive.queues[i].name, name) == 0)
			return i;
	fail("a queue %s", name);
}

void
check_list(void)
{
	static const char *const prefixes[] = { "", "d", "dead", "x", "fair" };
	static const char *const after[] = { "", "dead", "g", "zz" };
	struct queue_entry out[QUEUES];
	struct op_list l = { .prefix = prefixes[below(5)],
	    .after = after[below(4)], .max = 1 + below(QUEUES), .out = out };
	size_t want = 0, i;

	for (i = 0; i < QUEUES; i++)
		want += naive.queues[i].exists && strncmp(l.prefix,
		    naive.queues[i].name, strlen(l.prefix)) == 0 &&
		    strcmp(naive.queues[i].name, l.after) > 0;
	core_list(&l);
	if (l.count != (want < l.max ? want : l.max))
		fail("a list has %zu queues", l.count);
	for (i = 0; i < l.count; i++) {
		if (strncmp(out[i].name, l.prefix, strlen(l.prefix)) != 0 ||
		    strcmp(out[i].name, i > 0 ? out[i - 1].name : l.after) <=
		    0)
			fail("a list is out of order");
		check_info(number_of(out[i].name), &out[i].info);
		queue_info_fini(&out[i].info);
	}
	happened(LISTED);
}
