/* The bytes of a reply. */
#include "http/response.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

static const char *
reason(int status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 204: return "No Content";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 413: return "Content Too Large";
	case 417: return "Expectation Failed";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	case 507: return "Insufficient Storage";
	default: return "Unknown";
	}
}

void
response_head(struct buf *out, int status, const char *content_type,
    size_t body_bytes, const char *date, enum response_connection connection,
    const char *extra, size_t extra_bytes)
{
	char line[] = "HTTP/1.1 nnn ";

	line[9] = (char)('0' + status / 100);
	line[10] = (char)('0' + status / 10 % 10);
	line[11] = (char)('0' + status % 10);
	buf_add(out, line, sizeof(line) - 1);
	buf_add_str(out, reason(status));
	if (content_type != NULL) {
		buf_add(out, "\r\nContent-Type: ", 16);
		buf_add_str(out, content_type);
	}
	if (status != 204) {
		buf_add(out, "\r\nContent-Length: ", 18);
		buf_add_uint(out, body_bytes);
	}
	buf_add(out, "\r\nDate: ", 8);
	buf_add_str(out, date);
	if (connection == RESPONSE_CLOSE)
		buf_add_str(out, "\r\nConnection: close");
	else if (connection == RESPONSE_KEEP)
		buf_add_str(out, "\r\nConnection: keep-alive");
	buf_add(out, "\r\n", 2);
	buf_add(out, extra, extra_bytes);
	buf_add(out, "\r\n", 2);
}

void
response_json_string(struct buf *out, const char *text, size_t bytes)
{
	const char *p = text;
	size_t n;

	buf_add(out, "\"", 1);
	for (; bytes > 0; p += n, bytes -= n) {
		n = utf8_bytes(p, bytes);
		if (n == 0) {
			buf_add_str(out, "\\ufffd");
			n = 1;
		} else if (*p == '"' || *p == '\\') {
			buf_add(out, "\\", 1);
			buf_add(out, p, 1);
		} else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			buf_printf(out, "\\u%04x", *p);
		else
			buf_add(out, p, n);
	}
	buf_add(out, "\"", 1);
}

void
response_problem(struct buf *out, int status, const char *detail)
{
	buf_printf(out, "{\"type\": \"about:blank\", \"title\": \"%s\", "
	    "\"status\": %d, \"detail\": ", reason(status), status);
	response_json_string(out, detail, strlen(detail));
	buf_add(out, "}\n", 2);
}
