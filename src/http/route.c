/* From a method and a path to its handler. */
#include "http/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool
has_only_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p == end;
}

static bool
matches(const char *pattern, const char *path, size_t bytes,
    struct text *param)
{
	const char *end = path + bytes, *slash;
	size_t n = 0;

	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (path == end || *path++ != *pattern++)
				return false;
			continue;
		}
		slash = memchr(path, '/', (size_t)(end - path));
		if (slash == NULL)
			slash = end;
		if (slash == path || n == ROUTE_PARAMS_MAX ||
		    (pattern[1] == '#' && !has_only_digits(path, slash)))
			return false;
		param[n].data = path;
		param[n++].bytes = (size_t)(slash - path);
		path = slash;
		pattern = strchr(pattern, '}') + 1;
	}
	return path == end;
}

void
route_find(const struct http_route *routes, int method, const char *path,
    size_t path_bytes, struct route_match *out)
{
	const struct http_route *r;
	struct text param[ROUTE_PARAMS_MAX];
	const char *pattern = NULL;

	memset(out, 0, sizeof(*out));
	for (r = routes; r->pattern != NULL; r++) {
		/* Once a pattern has matched, only it counts. */
		if (pattern != NULL && strcmp(pattern, r->pattern) != 0)
			continue;
		if (pattern == NULL &&
		    !matches(r->pattern, path, path_bytes, param))
			continue;
		if (pattern == NULL)
			memcpy(out->param, param, sizeof(param));
		pattern = r->pattern;
		out->allowed |= (int)r->method;
		if (r->method == HTTP_GET)
			out->allowed |= HTTP_HEAD;
		if ((int)r->method == method || (out->route == NULL &&
		    method == HTTP_HEAD && r->method == HTTP_GET)) {
			out->route = r;
			if ((int)r->method == method)
				return;
		}
	}
}

const char *
route_allow(int allowed, char *out, size_t out_bytes)
{
	static const struct {
		int method;
		const char *name;
	} names[] = {
		{ HTTP_GET, "GET" }, { HTTP_HEAD, "HEAD" },
		{ HTTP_POST, "POST" }, { HTTP_PUT, "PUT" },
		{ HTTP_PATCH, "PATCH" }, { HTTP_DELETE, "DELETE" },
		{ HTTP_OPTIONS, "OPTIONS" },
	};
	size_t i, o = 0;

	allowed |= HTTP_OPTIONS;
	out[0] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (allowed & names[i].method && o < out_bytes)
			o += (size_t)snprintf(out + o, out_bytes - o, "%s%s",
			    o > 0 ? ", " : "", names[i].name);
	return out;
}
