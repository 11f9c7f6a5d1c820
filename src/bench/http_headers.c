/*
 * The headers that every request over HTTP carries, whatever it asks for.
 */
#include "bench/http_headers.h"

#include <stdbool.h>
#include <string.h>

#include "bench/buffer.h"
#include "bench/options.h"

/*
 * Twelve headers, a bit under 600 bytes: what a page's script makes a browser
 * send along.
 */
static const char browser_headers[] =
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
    "Firefox/128.0\r\n"
    "Accept: application/json, text/plain;q=0.9, */*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.8,de-DE;q=0.5,de;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: http://localhost/queue/overview.html?view=latest\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=6f0c7d1be2a94c53a8d1c4f70b9e2a35; theme=dark; "
    "seen=2024-05-17\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Cache-Control: no-cache\r\n"
    "Pragma: no-cache\r\n";

void
http_headers_append(struct buffer *out, const struct options *o)
{
	bool is_v6 = strchr(o->address, ':') != NULL;
	size_t i;

	buffer_append_text(out, is_v6 ? "Host: [" : "Host: ");
	buffer_append_text(out, o->address);
	buffer_append_text(out, is_v6 ? "]:" : ":");
	buffer_append_text(out, o->port);
	buffer_append_text(out, "\r\n");
	if (o->browser_headers)
		buffer_append_text(out, browser_headers);
	for (i = 0; i < o->extra_headers; i++) {
		buffer_append_text(out, "X-Bench-");
		buffer_append_number(out, i + 1);
		buffer_append_text(out,
		    ": a value of thirty-two characters\r\n");
	}
}
