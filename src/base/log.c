/* The log: whole lines to standard error, the house's one global. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES	2048

static enum log_level	level_max = LOG_LEVEL_INFO;
static int		to_journal;

void
log_init(enum log_level max, int journal)
{
	level_max = max;
	to_journal = journal;
}

int
log_is_on(enum log_level level)
{
	return level <= level_max;
}

void
log_write(enum log_level level, const char *room, const char *event,
    const char *fields, ...)
{
	/* syslog(3) priorities: err, warning, info, debug */
	static const char *const priority[] = { "<3>", "<4>", "<6>", "<7>" };
	char line[LINE_BYTES];
	va_list ap;
	size_t n;
	int len, saved = errno;

	if (!log_is_on(level))
		return;
	len = snprintf(line, sizeof(line), "%s%s: %s%s",
	    to_journal ? priority[level] : "", room, event,
	    fields != NULL ? " " : "");
	if (fields != NULL && len >= 0 && (size_t)len < sizeof(line)) {
		va_start(ap, fields);
		vsnprintf(line + len, sizeof(line) - (size_t)len, fields, ap);
		va_end(ap);
	}
	n = strlen(line);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	/* One write, so that lines of several writers do not mix. */
	if (write(STDERR_FILENO, line, n) < 0) {
		/* There is nobody left to tell. */
	}
	errno = saved;
}

const char *
log_quote(const void *bytes, size_t n, char *out, size_t out_bytes)
{
	const unsigned char *p = bytes;
	size_t i, o = 0;

	if (out_bytes < 8)
		return "";
	out[o++] = '"';
	for (i = 0; i < n; i++) {
		if (o + 4 + 5 > out_bytes) {	/* \xNN and ..." and NUL */
			memcpy(out + o, "...", 3);
			o += 3;
			break;
		}
		if (p[i] < 0x20 || p[i] > 0x7e || p[i] == '"' || p[i] == '\\')
			o += (size_t)snprintf(out + o, 5, "\\x%02x", p[i]);
		else
			out[o++] = (char)p[i];
	}
	out[o++] = '"';
	out[o] = '\0';
	return out;
}
