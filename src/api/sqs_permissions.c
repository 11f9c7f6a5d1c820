/*
 * Statements of a queue's policy.  The policy is kept and given back; who may
 * do what is not decided by it here.
 */
#include <stdio.h>
#include <string.h>

#include "api/json_read.h"
#include "api/sqs_attributes.h"
#include "api/sqs_call.h"
#include "api/sqs_edit.h"
#include "base/mem.h"
#include "base/name.h"

#define ACTIONS_MAX	7
#define ACCOUNT_DIGITS	12
#define STATEMENTS_MAX	20
#define SHOWN_BYTES	100

static bool
fail_value(struct sqs_call *c, struct text value, const char *name,
    const char *why)
{
	return sqs_fail_value(c, name, value, SHOWN_BYTES, why);
}

static bool
check_label(struct sqs_call *c)
{
	struct text label = sqs_text(c->in, "Label");

	if (name_is_plain(label.data, label.bytes))
		return true;
	return fail_value(c, label, "Label", "Can only include alphanumeric "
	    "characters, hyphens, or underscores. 1 to 80 in length");
}

static bool
is_one_of(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static bool
check_actions(struct sqs_call *c, json_t *actions)
{
	static const char *const shared[] = { "*", "ChangeMessageVisibility",
	    "DeleteMessage", "GetQueueAttributes", "GetQueueUrl",
	    "ListDeadLetterSourceQueues", "PurgeQueue", "ReceiveMessage",
	    "SendMessage", NULL };
	static const char *const owners[] = { "AddPermission",
	    "CancelMessageMoveTask", "CreateQueue", "DeleteQueue",
	    "ListMessageMoveTasks", "ListQueueTags", "ListQueues",
	    "RemovePermission", "SetQueueAttributes", "StartMessageMoveTask",
	    "TagQueue", "UntagQueue", NULL };
	struct text name;
	json_t *action;
	size_t i;

	if (json_array_size(actions) == 0)
		return sqs_fail_missing(c, "Actions");
	if (json_array_size(actions) > ACTIONS_MAX)
		return sqs_fail(c, SQS_OVER_LIMIT, "%zu Actions were found, "
		    "maximum allowed is %d.", json_array_size(actions),
		    ACTIONS_MAX);
	json_array_foreach(actions, i, action) {
		name.data = json_string_value(action);
		name.bytes = json_string_length(action);
		if (is_one_of(owners, name.data))
			return fail_value(c, name, "ActionName", "Only the "
			    "queue owner is allowed to invoke this action.");
		if (!is_one_of(shared, name.data))
			return fail_value(c, name, "ActionName", "Please refer "
			    "to the appropriate WSDL for a list of valid "
			    "actions.");
	}
	return true;
}

static bool
check_accounts(struct sqs_call *c, json_t *accounts)
{
	struct text id;
	json_t *account;
	size_t i;

	if (json_array_size(accounts) == 0)
		return sqs_fail_missing(c, "AWSAccountIds");
	json_array_foreach(accounts, i, account) {
		id.data = json_string_value(account);
		id.bytes = json_string_length(account);
		if (id.bytes != ACCOUNT_DIGITS ||
		    strspn(id.data, "0123456789") != id.bytes)
			return fail_value(c, id, "PrincipalId", "Unable to "
			    "verify.");
	}
	return true;
}

/*
 * One string alone, several as an array, each between two texts.  NULL: no
 * memory.
 */
static json_t *
one_or_many(const json_t *strings, const char *before, const char *behind)
{
	json_t *out = json_array(), *value, *one;
	size_t i;

	json_array_foreach(strings, i, value)
		if (json_array_append_new(out, json_sprintf("%s%s%s", before,
		    json_string_value(value), behind)) == -1) {
			json_decref(out);
			return NULL;
		}
	if (json_array_size(out) != 1)
		return out;
	one = json_incref(json_array_get(out, 0));
	json_decref(out);
	return one;
}

/* NULL: no memory. */
static json_t *
make_statement(const struct sqs_call *c)
{
	char arn[SQS_ARN_BYTES];

	return json_pack("{s:s, s:s, s:{s:o}, s:o, s:s}",
	    "Sid", sqs_text(c->in, "Label").data, "Effect", "Allow",
	    "Principal", "AWS", one_or_many(json_object_get(c->in,
	    "AWSAccountIds"), "arn:aws:iam::", ":root"),
	    "Action", one_or_many(json_object_get(c->in, "Actions"),
	    "SQS:", ""),
	    "Resource", sqs_arn(c->sqs, c->queue, arn));
}

/* The policy of a queue, a new one where it has none.  NULL: no memory. */
static json_t *
read_policy(const struct sqs_call *c, const json_t *kept)
{
	struct text text = sqs_text(kept, "Policy");
	char arn[SQS_ARN_BYTES];
	bool no_memory;

	if (text.bytes > 0)
		return json_read(text, &no_memory);
	return json_pack("{s:s, s:o, s:[]}", "Version", "2008-10-17", "Id",
	    json_sprintf("%s/SQSDefaultPolicy", sqs_arn(c->sqs, c->queue,
	    arn)), "Statement");
}

/* Its statements, as an array: one alone may stand without.  NULL: as above. */
static json_t *
statements_of(json_t *policy)
{
	json_t *s = json_object_get(policy, "Statement"), *array;

	if (json_is_array(s))
		return s;
	array = json_array();
	if (json_is_object(s) && json_array_append(array, s) == -1) {
		json_decref(array);
		return NULL;
	}
	return json_object_set_new(policy, "Statement", array) == 0 ? array :
	    NULL;
}

/* Where the statement of that label is; its size: there is none. */
static size_t
find_label(const json_t *statements, const char *label)
{
	const char *sid;
	json_t *s;
	size_t i;

	json_array_foreach(statements, i, s) {
		sid = json_string_value(json_object_get(s, "Sid"));
		if (sid != NULL && strcmp(sid, label) == 0)
			return i;
	}
	return json_array_size(statements);
}

/* Put the policy back among what is kept, or take it away. */
static bool
put_policy(struct sqs_call *c, struct sqs_edit *e, json_t *kept,
    const json_t *policy)
{
	char *text = NULL;
	bool good, fits = true;

	if (json_array_size(json_object_get(policy, "Statement")) == 0) {
		json_object_del(kept, "Policy");
		good = true;
	} else {
		good = sqs_dump(policy, &text);
		fits = !good || strlen(text) <= SQS_POLICY_MAX_BYTES;
		good = good && json_object_set_new(kept, "Policy",
		    json_string(text)) == 0;
		mem_free(text);
	}
	if (!fits)
		return sqs_fail(c, SQS_OVER_LIMIT, "The policy would be "
		    "longer than %d bytes, the maximum allowed.",
		    SQS_POLICY_MAX_BYTES);
	e->configure->given = SETTING_ATTRIBUTES;
	if (!good || !sqs_dump(kept, &e->text[QUEUE_ATTRIBUTES]))
		return sqs_fail_memory(c);
	return true;
}

static bool
add_statement(struct sqs_call *c, json_t *statements)
{
	struct text label = sqs_text(c->in, "Label");

	if (find_label(statements, label.data) < json_array_size(statements))
		return fail_value(c, label, "Label", "Already exists.");
	if (json_array_size(statements) >= STATEMENTS_MAX)
		return sqs_fail(c, SQS_OVER_LIMIT, "The policy has %d "
		    "statements already, the maximum allowed.",
		    STATEMENTS_MAX);
	if (json_array_append_new(statements, make_statement(c)) == -1)
		return sqs_fail_memory(c);
	return true;
}

static bool
remove_statement(struct sqs_call *c, json_t *statements)
{
	struct text label = sqs_text(c->in, "Label");
	size_t at = find_label(statements, label.data);

	if (at == json_array_size(statements))
		return fail_value(c, label, "Label", "can't find label.");
	json_array_remove(statements, at);
	return true;
}

static bool
edit_policy(struct sqs_call *c, struct sqs_edit *e,
    bool (*change)(struct sqs_call *, json_t *))
{
	json_t *kept = sqs_shared_object(e->info->text[QUEUE_ATTRIBUTES]);
	json_t *policy = NULL, *statements = NULL;
	bool good;

	if (kept != NULL && (policy = read_policy(c, kept)) != NULL)
		statements = statements_of(policy);
	good = statements != NULL ? change(c, statements) &&
	    put_policy(c, e, kept, policy) : sqs_fail_memory(c);
	json_decref(policy);
	json_decref(kept);
	return good;
}

static bool
add(struct sqs_call *c, struct sqs_edit *e)
{
	return edit_policy(c, e, add_statement);
}

static bool
take_away(struct sqs_call *c, struct sqs_edit *e)
{
	return edit_policy(c, e, remove_statement);
}

bool
sqs_add_permission(struct sqs_call *c)
{
	return check_label(c) &&
	    check_accounts(c, json_object_get(c->in, "AWSAccountIds")) &&
	    check_actions(c, json_object_get(c->in, "Actions")) &&
	    sqs_edit(c, add);
}

bool
sqs_remove_permission(struct sqs_call *c)
{
	return check_label(c) && sqs_edit(c, take_away);
}
