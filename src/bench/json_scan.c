/*
 * The few steps through JSON that the answers of the server need.  Nested
 * values are stepped over by counting brackets, so that a foreign message of
 * any depth costs no stack.
 */
#include "bench/json_scan.h"

#include <string.h>

static void
skip_space(struct json_scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' ||
	    *s->at == '\r' || *s->at == '\t'))
		s->at++;
}

bool
json_scan_is_mark(struct json_scan *s, char mark)
{
	skip_space(s);
	return s->at < s->end && *s->at == mark;
}

bool
json_scan_mark(struct json_scan *s, char mark)
{
	if (!json_scan_is_mark(s, mark))
		return false;
	s->at++;
	return true;
}

bool
json_scan_string(struct json_scan *s, const char **out, size_t *bytes)
{
	const char *p, *quote;

	if (!json_scan_mark(s, '"'))
		return false;
	for (p = s->at; p < s->end; p = quote + 1) {
		const char *back;
		size_t slashes = 0;

		quote = memchr(p, '"', (size_t)(s->end - p));
		if (quote == NULL)
			return false;
		for (back = quote; back > s->at && back[-1] == '\\'; back--)
			slashes++;
		if (slashes % 2 == 0) {
			*out = s->at;
			*bytes = (size_t)(quote - s->at);
			s->at = quote + 1;
			return true;
		}
	}
	return false;
}

/* The four digits behind a \u; beyond ASCII it is all the same to us. */
static bool
read_unit(const char *digits, char *out)
{
	unsigned unit = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		unit <<= 4;
		if (digits[i] >= '0' && digits[i] <= '9')
			unit |= (unsigned)(digits[i] - '0');
		else if ((digits[i] | 32) >= 'a' && (digits[i] | 32) <= 'f')
			unit |= (unsigned)((digits[i] | 32) - 'a' + 10);
		else
			return false;
	}
	*out = (char)(unit < 128 ? unit : '?');
	return true;
}

bool
json_scan_unescape(const char *text, size_t bytes, char *out,
    size_t *out_bytes)
{
	static const char marks[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	const char *end = text + bytes, *slash, *mark;
	char *p = out;

	while ((slash = memchr(text, '\\', (size_t)(end - text))) != NULL) {
		memcpy(p, text, (size_t)(slash - text));
		p += slash - text;
		text = slash + 1;
		if (end - text >= 5 && *text == 'u') {
			if (!read_unit(text + 1, p++))
				return false;
			text += 5;
			continue;
		}
		if (text == end || *text == '\0' ||
		    (mark = strchr(marks, *text)) == NULL)
			return false;
		*p++ = meant[mark - marks];
		text++;
	}
	memcpy(p, text, (size_t)(end - text));
	*out_bytes = (size_t)(p - out) + (size_t)(end - text);
	return true;
}

static bool
skip_nested(struct json_scan *s)
{
	const char *text;
	size_t bytes, depth = 0;

	while (s->at < s->end) {
		switch (*s->at) {
		case '"':
			if (!json_scan_string(s, &text, &bytes))
				return false;
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			depth--;
			break;
		}
		s->at++;
		if (depth == 0)
			return true;
	}
	return false;
}

bool
json_scan_value(struct json_scan *s, const char **out, size_t *bytes)
{
	const char *text;
	size_t n;

	skip_space(s);
	*out = s->at;
	if (s->at == s->end)
		return false;
	if (*s->at == '"') {
		if (!json_scan_string(s, &text, &n))
			return false;
	} else if (*s->at == '{' || *s->at == '[') {
		if (!skip_nested(s))
			return false;
	} else {
		while (s->at < s->end &&
		    strchr("+-.0123456789aeflnrstuE", *s->at) != NULL &&
		    *s->at != '\0')
			s->at++;
	}
	*bytes = (size_t)(s->at - *out);
	return *bytes > 0;
}

bool
json_scan_array(struct json_scan *s, json_scan_item_fn item, void *arg)
{
	if (!json_scan_mark(s, '['))
		return false;
	if (json_scan_mark(s, ']'))
		return true;
	do {
		if (!item(s, arg))
			return false;
	} while (json_scan_mark(s, ','));
	return json_scan_mark(s, ']');
}

bool
json_scan_object(struct json_scan *s, json_scan_member_fn member, void *arg)
{
	const char *name;
	size_t bytes;

	if (!json_scan_mark(s, '{'))
		return false;
	if (json_scan_mark(s, '}'))
		return true;
	do {
		if (!json_scan_string(s, &name, &bytes) ||
		    !json_scan_mark(s, ':') || !member(s, name, bytes, arg))
			return false;
	} while (json_scan_mark(s, ','));
	return json_scan_mark(s, '}');
}

bool
json_scan_is_done(struct json_scan *s)
{
	skip_space(s);
	return s->at == s->end;
}
