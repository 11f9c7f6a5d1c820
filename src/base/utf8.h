#ifndef WQ_BASE_UTF8_H
#define WQ_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The length of the UTF-8 character that text begins with, 1 to 4; 0 where
 * there is none: a wrong byte, an overlong form, a surrogate, one above
 * U+10FFFF, or one cut off.  Source: RFC 3629, section 4.  bytes is not 0.
 */
size_t	utf8_bytes(const char *text, size_t bytes);
/* Is all of it UTF-8?  Of nothing, yes. */
bool	utf8_is_valid(const char *text, size_t bytes);

#endif
