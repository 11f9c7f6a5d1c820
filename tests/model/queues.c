/* Steps of the model test on whole queues. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "verbs.h"

/* Those that are tried. */
#define SETTINGS	((SETTING_TAGS * 2 - 1) | SETTING_RETENTION | \
			SETTING_DEDUP_BY_GROUP | SETTING_DELAY_FOR_ALL)

/* What they are set to at the start, and again and again. */
static const struct {
	struct queue_settings settings;
	int dead_letters;
} usual[QUEUES] = {
	{ { .lock_timeout_ms = 1000 }, NOWHERE },
	{ { .lock_timeout_ms = 20000 }, NOWHERE },
	{ { .lock_timeout_ms = 1000, .max_receives = 4, .retention_ms = 9000,
	    .delay_ms = 300, .delay_for_all = 1 }, 7 },
	{ { .lock_timeout_ms = 300, .max_receives = 2, .ttl_ms = 3000,
	    .delay_for_all = 1 }, 4 },
	{ { .lock_timeout_ms = 300, .max_receives = 2, .retention_ms = 5000 },
	    5 },
	{ { .lock_timeout_ms = 1000 }, NOWHERE },
	{ { .lock_timeout_ms = 500, .delay_ms = 50, .ttl_ms = 4000,
	    .content_based_dedup = 1 }, NOWHERE },
	{ { .lock_timeout_ms = 500 }, NOWHERE },
	{ { .lock_timeout_ms = 2000, .max_messages = 30, .max_bytes = 600,
	    .max_locked = 5, .retention_ms = 7000 }, NOWHERE },
};

static void
check_configured(int queue, const struct op_configure *c)
{
	const struct naive_queue *q = &naive.queues[queue];

	if (memcmp(&c->settings, &q->settings, sizeof(q->settings)) != 0)
		fail("the settings of %s are others", q->name);
	if (strcmp(c->dead_letter_queue, q->dead_letters != NOWHERE ?
	    naive.queues[q->dead_letters].name : "") != 0)
		fail("dead letters of %s go to %s", q->name,
		    c->dead_letter_queue);
	if ((c->now.text[QUEUE_TAGS] == NULL) != (q->tags == NULL) ||
	    (q->tags != NULL &&
	    strcmp(q->tags, c->now.text[QUEUE_TAGS]->text) != 0))
		fail("the tags of %s are others", q->name);
	queue_info_fini((struct queue_info *)(uintptr_t)&c->now);
	happened(CONFIGURED);
}

/* The core does it in slices, one a nanosecond. */
static void
look_at_all(void)
{
	happened(RETENTION_CHANGED);
	now_ns += MESSAGES_MAX;
	expire_all();
}

static void
change_delays(void)
{
	now_ns += MESSAGES_MAX;
	expire_all();
}

static void
configure(int queue, struct op_configure *c, int target, bool is_bad_name)
{
	bool makes = target != NOWHERE && !naive.queues[target].exists;
	int64_t retention_ms = naive.queues[queue].settings.retention_ms;
	enum wq_status want, got;

	strcpy(c->dead_letter_queue, is_bad_name ? "no name!" :
	    target != NOWHERE ? naive.queues[target].name : "");
	want = naive_configure(queue, c, target, is_bad_name, now_ns);
	if ((got = core_configure(queue, c, now_ns)) != want)
		fail("configure is %d, not %d", got, want);
	if (got == WQ_OK) {
		check_configured(queue, c);
		if (makes && c->given & SETTING_DEAD_LETTER_QUEUE)
			happened(MADE_TARGET);
		if (c->settings.retention_ms != retention_ms)
			look_at_all();
		else if (naive.queues[queue].fifo)
			change_delays();
	} else
		happened(got == WQ_CYCLE ? CYCLE : got == WQ_NO_TARGET ?
		    NO_TARGET : BAD_TARGET);
}

/* Before, deadlines can be compared to the nanosecond. */
static bool
may_begin_to_retain(void)
{
	return step > 8000;
}

void
do_settle(int queue)
{
	struct op_configure c = { .settings = usual[queue].settings,
	    .given = SETTINGS };

	if (!may_begin_to_retain())
		c.given &= ~(unsigned)SETTING_RETENTION;
	configure(queue, &c, usual[queue].dead_letters, false);
}

void
do_configure(void)
{
	static const char *const tags[] = { NULL, "{}", "{\"a\":\"b\"}" };
	struct op_configure c = { .given = (unsigned)(next_random() &
	    next_random()) & SETTINGS };
	struct queue_settings *s = &c.settings;
	int queue = some_queue();

	if (chance(3)) {
		do_settle(queue);
		return;
	}
	if (queue == 1)		/* where many are to be locked */
		c.given &= SETTING_TAGS | SETTING_LOCK_TIMEOUT;
	s->lock_timeout_ms = queue == 1 ? 20000 : some_ms();
	if (naive.queues[queue].fifo)	/* a shorter one must not overtake */
		c.given |= SETTING_DELAY;
	s->delay_ms = chance(2) ? 0 : (int64_t)below(2000);
	s->ttl_ms = chance(2) || may_retain(queue) ? 0 : some_ms();
	if (!may_retain(queue) || !may_begin_to_retain())
		c.given &= ~(unsigned)SETTING_RETENTION;
	s->retention_ms = chance(3) ? 0 : (int64_t)below(9000);
	s->dedup_by_group = (int64_t)below(2);
	s->delay_for_all = usual[queue].settings.delay_for_all;
	s->max_receives = (int64_t)below(4);
	s->max_messages = chance(2) ? 0 : (int64_t)below(60);
	s->max_bytes = chance(2) ? 0 : (int64_t)below(1000);
	s->max_locked = chance(2) ? 0 : 1 + (int64_t)below(6);
	s->content_based_dedup = (int64_t)below(2);
	c.text[QUEUE_TAGS] = tags[below(3)];
	configure(queue, &c, chance(3) ? NOWHERE : (int)below(QUEUES),
	    chance(6));
}

void
do_make(void)
{
	int queue = (int)below(QUEUES);
	bool created;

	if (core_make(queue, &created, now_ns) != WQ_OK)
		fail("no memory");
	if (created == naive.queues[queue].exists)
		fail("a queue was %smade", created ? "" : "not ");
	if (!created)
		return;
	naive_make(queue, now_ns);
	happened(MADE);
	if (!chance(4))
		do_settle(queue);
}

void
do_delete(void)
{
	int queue = some_queue();
	bool even_target = chance(4);
	enum wq_status want = naive_delete_status(queue, even_target), got;

	if (queue == 1 && !chance(5))
		return;
	if (want == WQ_OK && chance(2)) {
		core_purge(queue);
		naive_purge(queue);
		do_wait(queue);
	}
	if ((got = core_delete(queue, even_target, now_ns)) != want)
		fail("delete is %d, not %d", got, want);
	if (got == WQ_OK) {
		happened(naive_bytes(queue) > 0 ? DELETED_FULL : DELETED);
		if (naive.queues[queue].waiter_count > 0)
			happened(WAIT_DELETED);
		naive_delete(queue, now_ns);
	} else
		happened(got == WQ_ROOT ? DELETE_ROOT : DELETE_TARGET);
}

void
do_purge(void)
{
	int queue = some_queue();

	if (queue == 1 && !chance(5))
		return;
	core_purge(queue);
	naive_purge(queue);
	happened(PURGED);
	if (chance(4))		/* before what it left is freed */
		do_restart(false);
}

void
do_pause(void)
{
	int queue = some_queue();
	bool *paused = &naive.queues[queue].paused;

	if (!*paused && !chance(3))
		return;
	*paused = !*paused;
	core_pause(queue, *paused);
	happened(*paused ? PAUSED : RESUMED);
}

/* Where a redrive takes m; NOWHERE: it stays. */
static int
redriven_to(const struct naive_message *m, int to)
{
	if (to == NOWHERE && m->is_dead && naive.queues[m->dead.queue].exists)
		to = m->dead.queue;
	return to == m->queue ? NOWHERE : to;
}

static int
compare_redriven(const void *a, const void *b)
{
	return naive_compare(*(struct naive_message *const *)a,
	    *(struct naive_message *const *)b);
}

/* Those that may move, by group and in their order there. */
static size_t
list_redriven(int queue, int to, struct naive_message **list)
{
	struct naive_message *m;
	size_t n = 0;

	for (m = naive.messages; m < naive.messages + naive.count; m++)
		if (m->queue == queue && m->state == MESSAGE_AVAILABLE) {
			/* Its stamp may be ahead: then it came since. */
			if (m->available_ns <= now_ns &&
			    redriven_to(m, to) != NOWHERE)
				list[n++] = m;
			else
				happened(LETTER_STUCK);
		}
	qsort(list, n, sizeof(*list), compare_redriven);
	return n;
}

/* The core's message, wherever it is yet; its ref is the caller's. */
static struct message *
message_of(const struct naive_message *m)
{
	struct op_look l = { .id = m->id };
	int queue;

	for (queue = 0; queue < QUEUES; queue++)
		if (naive.queues[queue].exists &&
		    core_look(queue, &l) == WQ_OK)
			return l.out.message;
	fail("a letter is nowhere");
}

/* m was moved by the core, maybe with another id. */
static void
redriven(struct naive_message *m, int to, const struct message *got,
    bool renew)
{
	int home = redriven_to(m, to);

	if ((memcmp(&m->id, &got->id, sizeof(m->id)) != 0) != renew)
		fail("a letter has %s id", renew ? "no other" : "another");
	if (renew) {
		remember_gone(&m->id);
		m->id = got->id;
		happened(RENAMED);
	}
	naive_move(m, home, naive_retains(home), now_ns);
	m->is_dead = false;
	happened(to != NOWHERE ? REDRIVEN_TO : REDRIVEN_HOME);
}

static bool
has_left(int queue, const struct naive_message *m)
{
	struct op_look l = { .id = m->id };

	if (core_look(queue, &l) == WQ_NO_MESSAGE)
		return true;
	message_unref(l.out.message);
	return false;
}

/* m has another place in time; the order of the groups is the core's. */
static void
take_place(struct naive_message *m, int64_t last_ns[QUEUES][GROUPS])
{
	int64_t *last = &last_ns[m->queue][m->group];
	struct op_look l = { .id = m->id };

	if (core_look(m->queue, &l) != WQ_OK)
		fail("a letter is not where it was redriven to");
	m->place_ns = l.out.message->pushed_ns;
	message_unref(l.out.message);
	if (m->place_ns < now_ns || m->place_ns <= *last ||
	    m->place_ns > naive.stamp_ns)
		fail("a redrive does not keep the order");
	*last = m->place_ns;
}

void
do_redrive(void)
{
	static struct naive_message *list[MESSAGES_MAX];
	static struct message *held[MESSAGES_MAX];
	int64_t last_ns[QUEUES][GROUPS] = { { 0 } };
	struct op_redrive r = { .max = chance(2) ? 1 + below(5) : 1000,
	    .renew = chance(2) };
	int queue = some_queue(), to = chance(3) ? some_queue() : NOWHERE;
	bool over[GROUPS] = { false }, moved[MESSAGES_MAX];
	size_t n = list_redriven(queue, to, list), want, i;

	if (to != NOWHERE && (queue == 1 || to == 1 || n > 60))
		r.max = 1 + below(5);
	want = n < r.max ? n : r.max;
	for (i = 0; i < n; i++)
		held[i] = message_of(list[i]);
	core_redrive(queue, &r, to, now_ns, 1 + below(30));
	if (r.moved != want)
		fail("%zu are redriven, not %zu", r.moved, want);
	for (i = 0; i < n; i++) {
		moved[i] = has_left(queue, list[i]);
		want -= moved[i];
		if (moved[i] && over[list[i]->group])
			fail("a redrive is out of order");
		over[list[i]->group] |= !moved[i];
	}
	if (want != 0)
		fail("other letters are redriven");
	for (i = 0; i < n; i++) {
		if (moved[i])
			redriven(list[i], to, held[i], r.renew);
		message_unref(held[i]);
	}
	for (i = 0; i < n; i++)
		if (moved[i] && (naive.queues[list[i]->queue].fifo ||
		    naive_retains(list[i]->queue)))
			take_place(list[i], last_ns);
	if (r.moved < n)
		happened(REDRIVEN_SOME);
}

/* All queues but the default one, and what it has; and all that passes. */
void
delete_all(void)
{
	struct op_configure c = { .given = SETTING_MAX_RECEIVES |
	    SETTING_DEAD_LETTER_QUEUE };
	int i;

	for (i = 0; i < QUEUES; i++)
		if (naive.queues[i].exists)
			configure(i, &c, NOWHERE, false);
	for (i = 1; i < QUEUES; i++)
		if (naive.queues[i].exists &&
		    core_delete(i, false, now_ns) != WQ_OK)
			fail("%s is not deleted", naive.queues[i].name);
	core_purge(0);
	now_ns += INT64_C(3600000) * 1000000;
	core_expire(now_ns, SIZE_MAX);
	while (core_reap(1000))
		;
}
