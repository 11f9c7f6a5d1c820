#ifndef WQ_BENCH_HTTP_HEADERS_H
#define WQ_BENCH_HTTP_HEADERS_H

struct buffer;
struct options;

/* Append what every HTTP request says: Host, and what --headers wants. */
void	http_headers_append(struct buffer *out, const struct options *o);

#endif
