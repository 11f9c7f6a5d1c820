/* The verbs, as tests speak them. */
#include "verbs.h"

#define MANY	1000		/* as many as any test has in a queue */
#define LIST_MAX	64

struct call *
push_many_call(const char *queue, size_t n)
{
	struct call *c = call_new(OP_PUSH, queue);
	struct op_push *p = &c->op.push;
	char *text;
	size_t i;

	p->bodies = world_alloc(n * sizeof(*p->bodies));
	p->count = n;
	p->delay_ms = p->lock_ms = p->ttl_ms = -1;
	for (i = 0; i < n; i++) {
		text = world_text("%zu", i);
		p->bodies[i].data = text;
		p->bodies[i].bytes = strlen(text);
	}
	return c;
}

struct call *
push_call(const char *queue, const char *body)
{
	struct call *c = push_many_call(queue, 1);

	c->op.push.bodies[0].data = world_text("%s", body);
	c->op.push.bodies[0].bytes = strlen(body);
	return c;
}

static struct id
push_run(struct call *c)
{
	ck_assert_status(c, WQ_OK);
	return c->op.push.bodies[0].id;
}

struct id
push(const char *queue, const char *body)
{
	return push_run(push_call(queue, body));
}

void
push_words(const char *queue, const char *words)
{
	size_t n;

	for (; *words != '\0'; words += n) {
		words += strspn(words, " ");
		n = strcspn(words, " ");
		push(queue, world_text("%.*s", (int)n, words));
	}
}

void
set_group(struct call *c, const char *group)
{
	c->op.push.group = world_text("%s", group);
	c->op.push.group_bytes = strlen(group);
}

void
set_key(struct call *c, const char *key)
{
	c->op.push.dedup = world_text("%s", key);
	c->op.push.dedup_bytes = strlen(key);
}

struct id
push_group(const char *queue, const char *body, const char *group)
{
	struct call *c = push_call(queue, body);

	set_group(c, group);
	return push_run(c);
}

struct id
push_lock(const char *queue, const char *body, int64_t lock_ms)
{
	struct call *c = push_call(queue, body);

	c->op.push.lock_ms = lock_ms;
	return push_run(c);
}

struct id
push_delay(const char *queue, const char *body, int64_t delay_ms)
{
	struct call *c = push_call(queue, body);

	c->op.push.delay_ms = delay_ms;
	return push_run(c);
}

struct id
push_ttl(const char *queue, const char *body, int64_t ttl_ms)
{
	struct call *c = push_call(queue, body);

	c->op.push.ttl_ms = ttl_ms;
	return push_run(c);
}

struct id
push_key(const char *queue, const char *body, const char *key,
    bool *duplicate)
{
	struct call *c = push_call(queue, body);
	struct id id;

	set_key(c, key);
	id = push_run(c);
	*duplicate = c->op.push.bodies[0].duplicate;
	return id;
}

struct call *
receive_call(const char *queue, size_t max)
{
	struct call *c = call_new(OP_RECEIVE, queue);
	struct op_receive *r = &c->op.receive;

	r->max = max;
	r->max_bytes = SIZE_MAX;
	r->lock_ms = HOUR_MS;
	r->out = world_alloc(max * sizeof(*r->out));
	return c;
}

struct call *
receive(const char *queue, size_t max)
{
	struct call *c = receive_call(queue, max);

	ck_assert_status(c, WQ_OK);
	ck_assert_uint_le(c->count, max);
	return c;
}

struct seen *
receive_lock(const char *queue, const char *body, int64_t lock_ms)
{
	struct call *c = receive_call(queue, 1);

	c->op.receive.lock_ms = lock_ms;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_eq(c->count, 1);
	ck_assert_str_eq(c->seen->body, body);
	return c->seen;
}

struct seen *
receive_one(const char *queue, const char *body)
{
	return receive_lock(queue, body, HOUR_MS);
}

struct call *
wait_start(const char *queue, size_t max)
{
	struct call *c = receive_call(queue, max);
	size_t before = info(queue).waiter_count;

	c->op.receive.wait_ms = HOUR_MS;
	call_start(c);
	UNTIL(call_is_done(c) || info(queue).waiter_count > before);
	return c;
}

struct call *
confirm_call(const char *queue, const struct seen *s)
{
	struct call *c = call_new(OP_CONFIRM, queue);

	c->op.confirm.id = s->id;
	c->op.confirm.receipt.given = true;
	c->op.confirm.receipt.receives = s->receives;
	c->op.confirm.receipt.receipt = s->receipt;
	return c;
}

enum wq_status
confirm(const char *queue, struct id id)
{
	struct call *c = call_new(OP_CONFIRM, queue);

	c->op.confirm.id = id;
	return call_run(c);
}

struct call *
confirm_many_call(const char *queue, const struct id *ids, size_t n)
{
	struct call *c = call_new(OP_CONFIRM_MANY, queue);
	struct op_confirm_many *m = &c->op.confirm_many;
	struct id *copy = world_alloc(n * sizeof(*copy));

	memcpy(copy, ids, n * sizeof(*copy));
	m->count = n;
	m->ids = copy;
	m->confirmed = world_alloc(n * sizeof(*m->confirmed));
	return c;
}

struct call *
extend_call(const char *queue, const struct seen *s, int64_t lock_ms)
{
	struct call *c = call_new(OP_EXTEND, queue);

	c->op.extend.id = s->id;
	c->op.extend.lock_ms = lock_ms;
	c->op.extend.receipt.given = true;
	c->op.extend.receipt.receives = s->receives;
	c->op.extend.receipt.receipt = s->receipt;
	return c;
}

enum wq_status
extend(const char *queue, struct id id, int64_t lock_ms)
{
	struct call *c = call_new(OP_EXTEND, queue);

	c->op.extend.id = id;
	c->op.extend.lock_ms = lock_ms;
	return call_run(c);
}

void
release(const char *queue, const struct seen *s)
{
	struct call *c = call_new(OP_RELEASE, queue);

	c->op.release.deliveries = s->delivery;
	c->op.release.count = 1;
	ck_assert_status(c, WQ_OK);
}

struct call *
look(const char *queue, struct id id)
{
	struct call *c = call_new(OP_LOOK, queue);

	c->op.look.id = id;
	call_run(c);
	return c;
}

struct seen *
look_seen(const char *queue, struct id id)
{
	struct call *c = look(queue, id);

	ck_assert_int_eq(c->op.status, WQ_OK);
	return c->seen;
}

enum message_state
state_of(const char *queue, struct id id)
{
	struct call *c = look(queue, id);

	if (c->op.status == WQ_NO_MESSAGE)
		return MESSAGE_GONE;
	ck_assert_int_eq(c->op.status, WQ_OK);
	return c->seen->state;
}

struct call *
peek_call(const char *queue, unsigned states, size_t max)
{
	struct call *c = call_new(OP_PEEK, queue);

	c->op.peek.states = states;
	c->op.peek.max = max;
	c->op.peek.max_bytes = SIZE_MAX;
	c->op.peek.out = world_alloc(max * sizeof(*c->op.peek.out));
	return c;
}

struct call *
peek(const char *queue, unsigned states)
{
	struct call *c = peek_call(queue, states, MANY);

	ck_assert_status(c, WQ_OK);
	return c;
}

struct queue_info
info(const char *queue)
{
	struct call *c = call_new(OP_INFO, queue);

	ck_assert_status(c, WQ_OK);
	return c->op.info;
}

bool
queue_exists(const char *queue)
{
	enum wq_status st = call_run(call_new(OP_INFO, queue));

	ck_assert(st == WQ_OK || st == WQ_NO_QUEUE);
	return st == WQ_OK;
}

const char *
list(const char *prefix, const char *after, size_t max)
{
	struct call *c = call_new(OP_LIST, NULL);
	struct op_list *l = &c->op.list;
	const char *names = "";
	size_t i;

	ck_assert_uint_le(max, LIST_MAX);
	l->prefix = world_text("%s", prefix);
	l->after = world_text("%s", after);
	l->max = max;
	l->out = world_alloc(max * sizeof(*l->out));
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_le(l->count, max);
	for (i = 0; i < l->count; i++)
		names = world_text("%s%s%s", names, i > 0 ? " " : "",
		    l->out[i].name);
	return names;
}

struct call *
configure_call(const char *queue)
{
	return call_new(OP_CONFIGURE, queue);
}

void
set_on(struct call *c, unsigned setting, int64_t value)
{
	struct queue_settings *s = &c->op.configure.settings;

	c->op.configure.given |= setting;
	switch (setting) {
	case SETTING_LOCK_TIMEOUT:
		s->lock_timeout_ms = value;
		break;
	case SETTING_DELAY:
		s->delay_ms = value;
		break;
	case SETTING_MAX_MESSAGES:
		s->max_messages = value;
		break;
	case SETTING_MAX_BYTES:
		s->max_bytes = value;
		break;
	case SETTING_MAX_LOCKED:
		s->max_locked = value;
		break;
	case SETTING_TTL:
		s->ttl_ms = value;
		break;
	case SETTING_MAX_RECEIVES:
		s->max_receives = value;
		break;
	case SETTING_DEDUP:
		s->content_based_dedup = value;
		break;
	case SETTING_RETENTION:
		s->retention_ms = value;
		break;
	case SETTING_WAIT:
		s->wait_ms = value;
		break;
	case SETTING_MAX_MESSAGE:
		s->max_message_bytes = value;
		break;
	case SETTING_DEDUP_BY_GROUP:
		s->dedup_by_group = value;
		break;
	case SETTING_REDRIVE_ALLOW:
		s->redrive_allow = value;
		break;
	case SETTING_DELAY_FOR_ALL:
		s->delay_for_all = value;
		break;
	default:
		ck_abort_msg("not a number: setting %u", setting);
	}
}

void
set(const char *queue, unsigned setting, int64_t value)
{
	struct call *c = configure_call(queue);

	set_on(c, setting, value);
	ck_assert_status(c, WQ_OK);
}

void
set_target(const char *queue, const char *target, int64_t max_receives)
{
	struct call *c = configure_call(queue);

	set_target_on(c, target, max_receives);
	ck_assert_status(c, WQ_OK);
}

void
set_text_on(struct call *c, enum queue_text which, const char *text)
{
	static const unsigned settings[QUEUE_TEXTS] = {
	    [QUEUE_TAGS] = SETTING_TAGS,
	    [QUEUE_ATTRIBUTES] = SETTING_ATTRIBUTES,
	    [QUEUE_SOURCES] = SETTING_SOURCES };

	c->op.configure.given |= settings[which];
	c->op.configure.text[which] = text;
}

void
set_target_on(struct call *c, const char *target, int64_t max_receives)
{
	set_on(c, SETTING_MAX_RECEIVES, max_receives);
	c->op.configure.given |= SETTING_DEAD_LETTER_QUEUE;
	strcpy(c->op.configure.dead_letter_queue, target);
}

void
set_paused(const char *queue, bool paused)
{
	struct call *c = call_new(OP_PAUSE, queue);

	c->op.pause.pause = paused;
	ck_assert_status(c, WQ_OK);
}

enum wq_status
delete_queue(const char *queue)
{
	return call_run(call_new(OP_DELETE, queue));
}

void
purge(const char *queue)
{
	struct call *c = call_new(OP_PURGE, queue);

	ck_assert_status(c, WQ_OK);
}

size_t
redrive(const char *queue, const char *to, size_t max)
{
	struct call *c = call_new(OP_REDRIVE, queue);

	c->op.redrive.to = to;
	c->op.redrive.max = max;
	ck_assert_status(c, WQ_OK);
	ck_assert_uint_le(c->op.redrive.moved, max);
	return c->op.redrive.moved;
}

const char *
bodies(const struct call *c)
{
	const char *words = "";
	size_t i;

	for (i = 0; i < c->count; i++)
		words = world_text("%s%s%s", words, i > 0 ? " " : "",
		    c->seen[i].body);
	return words;
}

const char *
drain(const char *queue)
{
	const char *words = "";
	struct id ids[MANY];
	struct call *r, *c;
	size_t i;

	for (;;) {
		r = receive(queue, MANY);
		if (r->count == 0)
			return words;
		for (i = 0; i < r->count; i++)
			ids[i] = r->seen[i].id;
		c = confirm_many_call(queue, ids, r->count);
		ck_assert_status(c, WQ_OK);
		for (i = 0; i < r->count; i++)
			ck_assert(c->op.confirm_many.confirmed[i]);
		words = world_text("%s%s%s", words, *words != '\0' ? " " : "",
		    bodies(r));
	}
}

const char *
only(char c, const char *words)
{
	const char *out = "";
	size_t n;

	for (; *words != '\0'; words += n) {
		words += strspn(words, " ");
		n = strcspn(words, " ");
		if (*words == c)
			out = world_text("%s%s%.*s", out, *out != '\0' ?
			    " " : "", (int)n, words);
	}
	return out;
}
