/* SHA-256, by libmd. */
#include "base/digest.h"

#include <sha2.h>

_Static_assert(DIGEST_BYTES == SHA256_DIGEST_LENGTH, "not SHA-256");

void
digest(char kind, const void *bytes, size_t n, uint8_t out[DIGEST_BYTES])
{
	SHA2_CTX c;

	SHA256Init(&c);
	SHA256Update(&c, (const uint8_t *)&kind, 1);
	SHA256Update(&c, bytes, n);
	SHA256Final(out, &c);
}
