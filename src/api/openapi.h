#ifndef WQ_API_OPENAPI_H
#define WQ_API_OPENAPI_H

#include <stddef.h>

/* openapi.yaml, as the build made it from the file. */
extern const unsigned char	openapi_yaml[];
extern const size_t		openapi_yaml_bytes;

#endif
