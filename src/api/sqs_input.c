/*
 * Parameters of a request.  JSON brings them as they are used; a Query is
 * turned into the same, in one pass over its fields: each name is a path
 * through the tables of members, and numbers in it are places of arrays.
 */
#include "api/sqs_input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_read.h"
#include "api/sqs_call.h"
#include "api/sqs_fault.h"
#include "base/utf8.h"

/* More than any list of SQS has, so that arrays stay small. */
#define PLACE_MAX	256
#define SHOWN_BYTES	100

static bool
fail_type(struct sqs_call *c, const char *name, const char *what)
{
	return sqs_fail(c, SQS_SERIALIZATION, "%s can not be converted to %s",
	    name, what);
}

static bool	check_members(struct sqs_call *, json_t *,
		    const struct sqs_member *);

/* The values of a map, which are strings or structures. */
static bool
check_map(struct sqs_call *c, json_t *map, const struct sqs_member *m)
{
	const struct sqs_member *of = &m->members[1];
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(map, next, key, value) {
		if (of->kind == SQS_STRING && !json_is_string(value))
			return fail_type(c, m->name, "a map of strings");
		if (of->kind == SQS_STRUCTURE && (!json_is_object(value) ||
		    !check_members(c, value, of->members)))
			return fail_type(c, m->name, "a map of structures");
	}
	return true;
}

static bool
check_array(struct sqs_call *c, json_t *array, const struct sqs_member *m)
{
	json_t *value;
	size_t i;

	if (m->kind == SQS_STRINGS && json_array_size(array) > PLACE_MAX)
		return sqs_fail(c, SQS_INVALID_PARAMETER, "%s can have at "
		    "most %d members.", m->name, PLACE_MAX);
	json_array_foreach(array, i, value) {
		if (m->kind == SQS_STRINGS && !json_is_string(value))
			return fail_type(c, m->name, "a list of strings");
		if (m->kind == SQS_STRUCTURES && (!json_is_object(value) ||
		    !check_members(c, value, m->members)))
			return fail_type(c, m->name, "a list of structures");
	}
	return true;
}

/* A real without a fraction is an integer, as JSON has only numbers. */
static bool
check_integer(struct sqs_call *c, json_t *object, json_t *value,
    const struct sqs_member *m)
{
	double real = json_real_value(value);

	if (json_is_integer(value))
		return true;
	if (!json_is_real(value) || real < -1e15 || real > 1e15 ||
	    real != (double)(int64_t)real)
		return fail_type(c, m->name, "an Integer");
	if (json_object_set_new(object, m->name, json_integer((int64_t)real))
	    == -1)
		return sqs_fail_memory(c);
	return true;
}

static bool
check_value(struct sqs_call *c, json_t *object, json_t *value,
    const struct sqs_member *m)
{
	switch (m->kind) {
	case SQS_STRING:
		return json_is_string(value) ||
		    fail_type(c, m->name, "a String");
	case SQS_INTEGER:
		return check_integer(c, object, value, m);
	case SQS_STRINGS:
	case SQS_STRUCTURES:
		return json_is_array(value) ? check_array(c, value, m) :
		    fail_type(c, m->name, "a list");
	case SQS_STRUCTURE:
		return json_is_object(value) ?
		    check_members(c, value, m->members) :
		    fail_type(c, m->name, "a structure");
	case SQS_MAP:
		return json_is_object(value) ? check_map(c, value, m) :
		    fail_type(c, m->name, "a map");
	}
	return false;
}

static bool
check_members(struct sqs_call *c, json_t *object, const struct sqs_member *m)
{
	json_t *value;

	for (; m->name != NULL; m++) {
		value = json_object_get(object, m->name);
		if (json_is_null(value)) {
			json_object_del(object, m->name);
			value = NULL;
		}
		if (value != NULL && !check_value(c, object, value, m))
			return false;
	}
	return true;
}

/*
 * Of the request itself: an entry of a batch fails alone.  The path may name
 * the queue.
 */
static bool
check_required(struct sqs_call *c, const struct sqs_member *m)
{
	for (; m->name != NULL; m++)
		if (m->required && json_object_get(c->in, m->name) == NULL &&
		    (c->queue[0] == '\0' || strcmp(m->name, "QueueUrl") != 0))
			return sqs_fail_missing(c, m->name);
	return true;
}

bool
sqs_input_json(struct sqs_call *c, struct text body,
    const struct sqs_member *members)
{
	bool no_memory = true;

	c->in = body.bytes == 0 ? json_object() : json_read(body, &no_memory);
	if (c->in == NULL && no_memory)
		return sqs_fail_memory(c);
	if (!json_is_object(c->in))
		return sqs_fail(c, SQS_SERIALIZATION, "The body must be one "
		    "JSON object, of no more values than a request has.");
	return check_members(c, c->in, members) && check_required(c, members);
}

/* A part of a Query's name up to the next point. */
static struct text
next_part(struct text *path)
{
	const char *dot = memchr(path->data, '.', path->bytes);
	struct text part = *path;

	if (dot == NULL) {
		path->data += path->bytes;
		path->bytes = 0;
		return part;
	}
	part.bytes = (size_t)(dot - path->data);
	path->data = dot + 1;
	path->bytes -= part.bytes + 1;
	return part;
}

static const struct sqs_member *
find_member(const struct sqs_member *m, struct text part)
{
	const char *name;

	for (; m->name != NULL; m++) {
		name = m->query != NULL ? m->query : m->name;
		if (strlen(name) == part.bytes &&
		    memcmp(name, part.data, part.bytes) == 0)
			return m;
	}
	return NULL;
}

/* The N of "Name.N", from 1; 0: it is none. */
static size_t
read_place(struct text part)
{
	size_t i, n = 0;

	for (i = 0; i < part.bytes && n <= PLACE_MAX; i++) {
		if (part.data[i] < '0' || part.data[i] > '9')
			return 0;
		n = n * 10 + (size_t)(part.data[i] - '0');
	}
	return n <= PLACE_MAX ? n : 0;
}

/* The member of that name, made empty where there is none; NULL: no memory. */
static json_t *
member_of(json_t *object, const char *name, bool array)
{
	json_t *value = json_object_get(object, name);

	if (value != NULL)
		return value;
	value = array ? json_array() : json_object();
	return json_object_set_new(object, name, value) == 0 ? value : NULL;
}

/* What is at a place of an array, an object where there is none yet. */
static json_t *
object_at(json_t *array, size_t place)
{
	json_t *value;

	while (json_array_size(array) < place)
		if (json_array_append_new(array, json_null()) == -1)
			return NULL;
	value = json_array_get(array, place - 1);
	if (json_is_object(value))
		return value;
	value = json_object();
	return json_array_set_new(array, place - 1, value) == 0 ? value :
	    NULL;
}

static bool
fail_field(struct sqs_call *c, const struct sqs_field *f, const char *why)
{
	return sqs_fail(c, SQS_MALFORMED, "The parameter %.*s %s.",
	    sqs_shown(f->name, SHOWN_BYTES), f->name.data, why);
}

/* The value as JSON has it; NULL: it was answered. */
static json_t *
make_value(struct sqs_call *c, const struct sqs_field *f,
    const struct sqs_member *m)
{
	const char *p = f->value.data + f->value.bytes;
	json_t *value;
	char *end;
	long long integer;

	if (!utf8_is_valid(f->value.data, f->value.bytes)) {
		fail_field(c, f, "is not UTF-8");
		return NULL;
	}
	if (m->kind == SQS_INTEGER) {
		errno = 0;
		integer = strtoll(f->value.data, &end, 10);
		if (f->value.bytes == 0 || end != p || errno != 0 ||
		    strchr("-0123456789", f->value.data[0]) == NULL) {
			fail_field(c, f, "must be an integer");
			return NULL;
		}
		value = json_integer(integer);
	} else
		value = json_stringn_nocheck(f->value.data, f->value.bytes);
	if (value == NULL)
		sqs_fail_memory(c);
	return value;
}

static bool
put_value(struct sqs_call *c, json_t *object, const struct sqs_field *f,
    const struct sqs_member *m)
{
	json_t *value = make_value(c, f, m);

	if (value == NULL)
		return false;
	return json_object_set_new(object, m->name, value) == 0 ||
	    sqs_fail_memory(c);
}

static bool
put_string(struct sqs_call *c, json_t *array, size_t place,
    const struct sqs_field *f, const struct sqs_member *m)
{
	json_t *value = make_value(c, f, m);

	if (value == NULL)
		return false;
	while (json_array_size(array) < place)
		if (json_array_append_new(array, json_null()) == -1)
			goto fail;
	if (json_array_set_new(array, place - 1, value) == 0)
		return true;
	return sqs_fail_memory(c);
fail:
	json_decref(value);
	return sqs_fail_memory(c);
}

/* Put one field where its name leads to; those unknown are left out. */
static bool
put_field(struct sqs_call *c, const struct sqs_field *f,
    const struct sqs_member *members)
{
	struct text path = f->name, part;
	const struct sqs_member *m;
	json_t *at = c->in;
	size_t place;

	for (;;) {
		part = next_part(&path);
		if ((m = find_member(members, part)) == NULL)
			return true;
		if (m->kind == SQS_STRING || m->kind == SQS_INTEGER)
			return path.bytes > 0 || put_value(c, at, f, m);
		at = member_of(at, m->name, m->kind != SQS_STRUCTURE);
		if (at == NULL)
			return sqs_fail_memory(c);
		members = m->members;
		if (m->kind == SQS_STRUCTURE)
			continue;
		/* A name without a number is the next one's, as in SQS. */
		place = path.bytes > 0 || m->kind != SQS_STRINGS ?
		    read_place(next_part(&path)) : json_array_size(at) + 1;
		if (place == 0 || place > PLACE_MAX)
			return fail_field(c, f, "must be numbered from 1, "
			    "and not so far");
		if (m->kind == SQS_STRINGS)
			return put_string(c, at, place, f, m);
		if ((at = object_at(at, place)) == NULL)
			return sqs_fail_memory(c);
	}
}

static bool	settle(struct sqs_call *, json_t *,
		    const struct sqs_member *);

/* An array of keys and values becomes an object. */
static bool
settle_map(struct sqs_call *c, json_t *object, const struct sqs_member *m)
{
	json_t *array = json_object_get(object, m->name), *entry, *map, *value;
	const struct sqs_member *key = &m->members[0], *of = &m->members[1];
	struct text name;
	size_t i;

	if ((map = json_object()) == NULL)
		return sqs_fail_memory(c);
	json_array_foreach(array, i, entry) {
		name = sqs_text(entry, key->name);
		value = json_object_get(entry, of->name);
		if (name.data == NULL || (value == NULL &&
		    of->kind != SQS_STRING) ||
		    memchr(name.data, '\0', name.bytes) != NULL) {
			json_decref(map);
			return sqs_fail_missing(c, m->query != NULL ?
			    m->query : m->name);
		}
		value = value == NULL ? json_string("") : json_incref(value);
		if (json_object_setn_new_nocheck(map, name.data, name.bytes,
		    value) == -1) {
			json_decref(map);
			return sqs_fail_memory(c);
		}
	}
	return json_object_set_new(object, m->name, map) == 0 ||
	    sqs_fail_memory(c);
}

/* Close the gaps of an array, and settle what is in it. */
static bool
settle_array(struct sqs_call *c, json_t *array, const struct sqs_member *m)
{
	json_t *value;
	size_t i, o = 0;

	for (i = 0; i < json_array_size(array); i++) {
		value = json_array_get(array, i);
		if (json_is_null(value))
			continue;
		if (m->kind != SQS_STRINGS && !settle(c, value, m->members))
			return false;
		if (i != o && json_array_set(array, o, value) == -1)
			return sqs_fail_memory(c);
		o++;
	}
	for (i = json_array_size(array); i > o; i--)
		json_array_remove(array, i - 1);
	return true;
}

static bool
settle(struct sqs_call *c, json_t *object, const struct sqs_member *m)
{
	json_t *value;

	for (; m->name != NULL; m++) {
		if ((value = json_object_get(object, m->name)) == NULL)
			continue;
		if (m->kind == SQS_STRUCTURE && !settle(c, value, m->members))
			return false;
		if ((m->kind == SQS_STRINGS || m->kind == SQS_STRUCTURES ||
		    m->kind == SQS_MAP) && !settle_array(c, value, m))
			return false;
		if (m->kind == SQS_MAP && !settle_map(c, object, m))
			return false;
	}
	return true;
}

bool
sqs_input_query(struct sqs_call *c, const struct sqs_field *fields,
    size_t count, const struct sqs_member *members)
{
	size_t i;

	if ((c->in = json_object()) == NULL)
		return sqs_fail_memory(c);
	for (i = 0; i < count; i++)
		if (!put_field(c, &fields[i], members))
			return false;
	return settle(c, c->in, members) && check_required(c, members);
}

struct text
sqs_text(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	struct text t = { json_string_value(value),
	    json_string_length(value) };

	return t;
}

bool
sqs_integer(const json_t *object, const char *name, int64_t *out)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL)
		return false;
	*out = json_integer_value(value);
	return true;
}

bool
sqs_integer_within(struct sqs_call *c, const char *name, int64_t min,
    int64_t max, int64_t *out)
{
	int64_t n;

	if (!sqs_integer(c->in, name, &n))
		return true;
	if (n < min || n > max)
		return sqs_fail(c, SQS_INVALID_PARAMETER, "Value %" PRId64
		    " for parameter %s is invalid. Reason: Must be between %"
		    PRId64 " and %" PRId64 ", if provided.", n, name, min,
		    max);
	*out = n;
	return true;
}
