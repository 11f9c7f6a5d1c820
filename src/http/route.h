#ifndef WQ_HTTP_ROUTE_H
#define WQ_HTTP_ROUTE_H

#include <stddef.h>

struct exchange;

enum http_method {
	HTTP_GET = 1, HTTP_HEAD = 2, HTTP_POST = 4, HTTP_PUT = 8,
	HTTP_PATCH = 16, HTTP_DELETE = 32, HTTP_OPTIONS = 64
};

#define ROUTE_PARAMS_MAX	2

/* A piece of text that does not end in NUL. */
struct text {
	const char *data;	/* borrowed */
	size_t bytes;
};

typedef void (*http_handler_fn)(struct exchange *, void *arg);

/*
 * One page.  In its pattern "{}" stands for one segment of the path that is
 * not empty, and "{#}" for one that has only digits; of two that match, the
 * earlier counts.  A table ends with a NULL pattern.  A route for GET answers
 * HEAD too, without the body, unless the table has one for HEAD.
 */
struct http_route {
	enum http_method method;
	const char *pattern;
	http_handler_fn handler;
};

struct route_match {
	const struct http_route *route;		/* NULL: none */
	int allowed;				/* methods of that path */
	struct text param[ROUTE_PARAMS_MAX];	/* what each {} stands for */
};

void	route_find(const struct http_route *, int method, const char *path,
	    size_t path_bytes, struct route_match *);

/* "GET, HEAD, POST" for an Allow header; OPTIONS is always there. */
const char	*route_allow(int allowed, char *out, size_t out_bytes);

#endif
