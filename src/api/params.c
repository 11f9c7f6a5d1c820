/* Parameters of a query, checked. */
#include "api/params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/exchange.h"

#define SHOWN_BYTES	60

bool
params_known(struct exchange *x, const char *const *names)
{
	const char *stranger;
	struct buf list;
	bool twice;
	size_t i;

	if ((stranger = exchange_query_stranger(x, names, &twice)) == NULL)
		return true;
	if (twice) {
		exchange_problem(x, 400, "the parameter %.*s is given twice",
		    SHOWN_BYTES, stranger);
		return false;
	}
	buf_init(&list);
	for (i = 0; names[i] != NULL; i++)
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	if (i == 0)
		exchange_problem(x, 400, "there is no parameter %.*s; this "
		    "call takes none", SHOWN_BYTES, stranger);
	else
		exchange_problem(x, 400, "there is no parameter %.*s here; "
		    "there are %.*s", SHOWN_BYTES, stranger, (int)list.bytes,
		    list.data != NULL ? list.data : "");
	buf_fini(&list);
	return false;
}

bool
params_int(struct exchange *x, const char *name, int64_t min, int64_t max,
    int64_t *out)
{
	const char *text = exchange_query(x, name);
	char *end;
	int64_t v;

	if (text == NULL)
		return true;
	errno = 0;
	v = strtoll(text, &end, 10);
	/* strtoll takes spaces and a plus too; we do not. */
	if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
	    errno == 0 && v >= min && v <= max) {
		*out = v;
		return true;
	}
	exchange_problem(x, 400, "%s must be an integer from %" PRId64 " to %"
	    PRId64 ", not \"%.*s\"", name, min, max, SHOWN_BYTES, text);
	return false;
}

bool
params_bool(struct exchange *x, const char *name, bool *out)
{
	const char *text = exchange_query(x, name);

	if (text == NULL)
		return true;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		*out = text[0] == 't';
		return true;
	}
	exchange_problem(x, 400, "%s must be true or false, not \"%.*s\"",
	    name, SHOWN_BYTES, text);
	return false;
}
