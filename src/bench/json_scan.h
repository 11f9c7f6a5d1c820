#ifndef WQ_BENCH_JSON_SCAN_H
#define WQ_BENCH_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A cursor over JSON text: it finds where values begin and end, and builds
 * nothing.  Every function skips white space first, and returns false and
 * stays of no further use where the text is not what was asked for.
 */
struct json_scan {
	const char	*at;
	const char	*end;		/* one past the last byte */
};

/* Step over one punctuation mark. */
bool	json_scan_mark(struct json_scan *s, char mark);

/* Is that mark next?  Does not step over it. */
bool	json_scan_is_mark(struct json_scan *s, char mark);

/* Step over a string; out and bytes are without the quotes, unescaped not. */
bool	json_scan_string(struct json_scan *s, const char **out, size_t *bytes);

/*
 * Undo the escapes of such a string; out has room for as many bytes.  A \u
 * beyond ASCII becomes a '?': whoever sends ASCII alone sees the difference.
 */
bool	json_scan_unescape(const char *text, size_t bytes, char *out,
	    size_t *out_bytes);

/* Step over any value; out and bytes are its text as it stands. */
bool	json_scan_value(struct json_scan *s, const char **out, size_t *bytes);

/* Step over an array or an object, with a call for each of what is in it. */
typedef bool	(*json_scan_item_fn)(struct json_scan *s, void *arg);
typedef bool	(*json_scan_member_fn)(struct json_scan *s, const char *name,
		    size_t bytes, void *arg);
bool	json_scan_array(struct json_scan *s, json_scan_item_fn item,
	    void *arg);
bool	json_scan_object(struct json_scan *s, json_scan_member_fn member,
	    void *arg);

/* Nothing but white space is left. */
bool	json_scan_is_done(struct json_scan *s);

#endif
