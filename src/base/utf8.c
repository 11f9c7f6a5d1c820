/* UTF-8, checked. */
#include "base/utf8.h"

size_t
utf8_bytes(const char *text, size_t bytes)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n, i;

	if (p[0] < 0x80)
		return 1;
	n = p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 :
	    p[0] >= 0xe0 && p[0] < 0xf0 ? 3 :
	    p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : 0;
	if (n == 0 || bytes < n)
		return 0;
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool
utf8_is_valid(const char *text, size_t bytes)
{
	size_t i, n;

	for (i = 0; i < bytes; i += n)
		if ((n = utf8_bytes(text + i, bytes - i)) == 0)
			return false;
	return true;
}
