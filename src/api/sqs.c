/* Which requests are SQS's, and from each to its action. */
#include "api/sqs.h"

#include <string.h>
#include <strings.h>

#include "api/sqs_actions.h"
#include "api/sqs_call.h"
#include "api/sqs_fault.h"
#include "api/sqs_form.h"
#include "base/mem.h"
#include "http/exchange.h"
#include "http/guard.h"

#define TARGET_PREFIX	"AmazonSQS."
#define SHOWN_BYTES	100

static bool
is_form(struct text type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	size_t n = sizeof(form) - 1;

	return type.bytes >= n && strncasecmp(type.data, form, n) == 0;
}

/*
 * Is it one of SQS's pages, which see to it that what is not of SQS keeps to
 * max-body?  Pages of the native API do not.
 */
static bool
is_page(struct text target)
{
	static const char queue[] = "/queue/";
	size_t i;

	if (target.bytes == 0 || target.data[0] != '/')
		return false;
	if (target.bytes == 1 || target.data[1] == '?')
		return true;
	if (target.bytes >= sizeof(queue) - 1 &&
	    memcmp(target.data, queue, sizeof(queue) - 1) == 0)
		return true;
	for (i = 1; i < target.bytes && target.data[i] >= '0' &&
	    target.data[i] <= '9'; i++)
		;
	return i > 1 && i < target.bytes && target.data[i] == '/';
}

bool
sqs_is_large(const struct guard_head *h, struct text head)
{
	return h->method.bytes == 4 && memcmp(h->method.data, "POST", 4) == 0 &&
	    is_page(h->target) &&
	    (guard_header(head, "X-Amz-Target").data != NULL ||
	    is_form(guard_header(head, "Content-Type")));
}

/* The queue of a page that is one, "" else. */
static void
use_path(struct sqs_call *c)
{
	const char *pattern = exchange_pattern(c->x);
	struct text name = { NULL, 0 };

	if (strcmp(pattern, "/{#}/{}") == 0)
		name = exchange_param(c->x, 1);
	else if (strcmp(pattern, "/queue/{}") == 0)
		name = exchange_param(c->x, 0);
	if (!sqs_url_queue(name, c->queue))
		c->queue[0] = '\0';
}

/* QueueUrl is always an action's first parameter, where it has one. */
static bool
use_queue_url(struct sqs_call *c)
{
	struct text url;

	if (strcmp(c->action->members[0].name, "QueueUrl") != 0)
		return true;
	url = sqs_text(c->in, "QueueUrl");
	if (url.data != NULL && !sqs_url_queue(url, c->queue))
		return sqs_fail(c, SQS_INVALID_ADDRESS, "The address %.*s is "
		    "not valid for this endpoint.", sqs_shown(url,
		    SHOWN_BYTES), url.data);
	c->op.queue = c->queue;
	return true;
}

static bool
start(struct sqs_call *c)
{
	return use_queue_url(c) && c->action->handler(c);
}

static bool
find_action(struct sqs_call *c, struct text name)
{
	if ((c->action = sqs_action_find(name)) != NULL)
		return true;
	return sqs_fail(c, SQS_UNKNOWN_ACTION, "The action %.*s is not valid "
	    "for this endpoint.", sqs_shown(name, SHOWN_BYTES), name.data);
}

static bool
start_json(struct sqs_call *c, struct text target)
{
	size_t n = strlen(TARGET_PREFIX);
	struct text body = exchange_body(c->x);

	if (target.bytes > n && memcmp(target.data, TARGET_PREFIX, n) == 0) {
		target.data += n;
		target.bytes -= n;
	}
	return find_action(c, target) &&
	    sqs_input_json(c, body, c->action->members) && start(c);
}

static bool
start_query(struct sqs_call *c, struct text body)
{
	struct sqs_form form;
	struct text action;
	bool good;

	if (!sqs_form_init(&form, c, body))
		return false;
	action = sqs_form_get(&form, "Action");
	good = action.data != NULL ? find_action(c, action) :
	    sqs_fail(c, SQS_MISSING_ACTION, "The request has no Action.");
	good = good && sqs_input_query(c, form.fields, form.count,
	    c->action->members);
	sqs_form_fini(&form);
	return good && start(c);
}

static void
take(struct sqs *s, struct exchange *x, struct text target, struct text body)
{
	struct sqs_call *c;

	c = sqs_call_new(s, x, target.data != NULL ? SQS_JSON : SQS_QUERY);
	if (c == NULL)
		return;
	use_path(c);
	if (!(target.data != NULL ? start_json(c, target) :
	    start_query(c, body)))
		sqs_call_free(c);
}

bool
sqs_take(struct sqs *s, struct exchange *x)
{
	struct text target = { NULL, 0 }, body = { "", 0 };
	bool in_query = exchange_query(x, "Action") != NULL;

	if (exchange_method(x) == HTTP_POST) {
		target = exchange_header(x, "X-Amz-Target");
		if (target.data == NULL &&
		    is_form(exchange_header(x, "Content-Type"))) {
			body = exchange_body(x);
			if (!in_query && !sqs_form_has_action(body))
				return false;
			in_query = true;
		}
	}
	if (target.data == NULL && !in_query)
		return false;
	take(s, x, target, body);
	return true;
}

struct sqs *
sqs_new(struct backend *backend, const struct config *config)
{
	struct sqs *s;

	if ((s = mem_zalloc(sizeof(*s))) == NULL)
		return NULL;
	s->backend = backend;
	s->config = config;
	return s;
}

void
sqs_free(struct sqs *s)
{
	mem_free(s);
}
