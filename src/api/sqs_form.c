/* Fields of a form, application/x-www-form-urlencoded. */
#include "api/sqs_form.h"

#include <string.h>

#include "api/sqs_call.h"
#include "base/digit.h"
#include "base/mem.h"
#include "http/exchange.h"

/* The largest request of all has some 400: ten messages, ten attributes. */
#define FIELDS_MAX	2048

bool
sqs_form_has_action(struct text body)
{
	static const char name[] = "Action=";
	size_t n = sizeof(name) - 1, i;
	const char *p;

	for (i = 0; i < body.bytes && strchr(" \t\r\n", body.data[i]) != NULL;
	    i++)
		;
	if (i == body.bytes || strchr("{[\"", body.data[i]) != NULL)
		return false;
	if (body.bytes >= n && memcmp(body.data, name, n) == 0)
		return true;
	p = memmem(body.data, body.bytes, "&Action=", n + 1);
	return p != NULL;
}

/*
 * Decode what is from *p up to a byte of `ends` or to end, to *o, and end it
 * with a NUL.  False: a percent sign does not begin an escape.
 */
static bool
decode(const char **p, const char *end, const char *ends, char **o,
    struct text *out)
{
	const char *in = *p;
	char *to = *o;
	int high, low;

	out->data = to;
	for (; in < end && *in != ends[0] && *in != ends[1]; in++) {
		if (*in != '%') {
			*to++ = *in == '+' ? ' ' : *in;
			continue;
		}
		high = end - in > 2 ? digit_hex(in[1]) : -1;
		low = end - in > 2 ? digit_hex(in[2]) : -1;
		if (high < 0 || low < 0)
			return false;
		*to++ = (char)(high * 16 + low);
		in += 2;
	}
	out->bytes = (size_t)(to - out->data);
	*to++ = '\0';
	*p = in;
	*o = to;
	return true;
}

/* The form's fields, decoded into room that fits all of them. */
static bool
read_form(struct sqs_form *f, struct text body, char *room)
{
	const char *p = body.data, *end = p + body.bytes;
	struct sqs_field *field;

	while (p < end) {
		field = &f->fields[f->count];
		if (!decode(&p, end, "=&", &room, &field->name))
			return false;
		field->value.data = "";
		field->value.bytes = 0;
		if (p < end && *p == '=') {
			p++;
			if (!decode(&p, end, "&&", &room, &field->value))
				return false;
		}
		p++;				/* the & */
		if (field->name.bytes > 0)
			f->count++;
	}
	return true;
}

bool
sqs_form_init(struct sqs_form *f, struct sqs_call *c, struct text body)
{
	struct sqs_field *field;
	const char *name, *value, *p, *end = body.data + body.bytes;
	size_t i, most = 1;

	f->count = 0;
	for (p = body.data; p < end && (p = memchr(p, '&',
	    (size_t)(end - p))) != NULL; p++)
		most++;
	for (i = 0; exchange_query_at(c->x, i, &name, &value); i++)
		most++;
	if (most > FIELDS_MAX)
		return sqs_fail(c, SQS_MALFORMED, "The request has more than "
		    "%d parameters.", FIELDS_MAX);
	/* Each field may have two NULs where it had = and &. */
	f->fields = mem_alloc(most * sizeof(*f->fields) + body.bytes + 2 *
	    most);
	if (f->fields == NULL)
		return sqs_fail_memory(c);
	for (i = 0; exchange_query_at(c->x, i, &name, &value); i++) {
		field = &f->fields[f->count++];
		field->name.data = name;
		field->name.bytes = strlen(name);
		field->value.data = value;
		field->value.bytes = strlen(value);
	}
	if (read_form(f, body, (char *)(f->fields + most)))
		return true;
	sqs_form_fini(f);
	return sqs_fail(c, SQS_MALFORMED, "A percent sign in the form is not "
	    "followed by two hexadecimal digits.");
}

void
sqs_form_fini(struct sqs_form *f)
{
	mem_free(f->fields);
	f->fields = NULL;
}

struct text
sqs_form_get(const struct sqs_form *f, const char *name)
{
	struct text none = { NULL, 0 };
	size_t i, n = strlen(name);

	for (i = f->count; i-- > 0;)
		if (f->fields[i].name.bytes == n &&
		    memcmp(f->fields[i].name.data, name, n) == 0)
			return f->fields[i].value;
	return none;
}
