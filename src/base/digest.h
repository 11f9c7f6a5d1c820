#ifndef WQ_BASE_DIGEST_H
#define WQ_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES	32

/*
 * SHA-256 of a kind, which keeps texts of different meaning apart, and bytes.
 */
void	digest(char kind, const void *bytes, size_t n,
	    uint8_t out[DIGEST_BYTES]);

#endif
