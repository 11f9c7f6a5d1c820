/*
 * The actions of SQS and their parameters, as its service model has them
 * (API version 2012-11-05).
 */
#include "api/sqs_actions.h"

#include <string.h>

#include "api/sqs_call.h"

#define END	{ NULL, SQS_STRING, false, NULL, NULL }
#define QUEUE_URL	{ "QueueUrl", SQS_STRING, true, NULL, NULL }
#define TEXT(name)	{ name, SQS_STRING, false, NULL, NULL }
#define NEED(name)	{ name, SQS_STRING, true, NULL, NULL }
#define INTEGER(name)	{ name, SQS_INTEGER, false, NULL, NULL }
#define STRINGS(name, query)	{ name, SQS_STRINGS, false, query, NULL }
/* Not required: a batch without any has an error of its own. */
#define ENTRIES(query, of)	{ "Entries", SQS_STRUCTURES, false, query, of }

static const struct sqs_member name_value[] = { TEXT("Name"), TEXT("Value"),
    END };
static const struct sqs_member key_value[] = { TEXT("Key"), TEXT("Value"),
    END };

/* The value of a message attribute. */
static const struct sqs_member attribute[] = {
	TEXT("StringValue"), TEXT("BinaryValue"),
	STRINGS("StringListValues", "StringListValue"),
	STRINGS("BinaryListValues", "BinaryListValue"), TEXT("DataType"), END
};
static const struct sqs_member name_attribute[] = {
	TEXT("Name"), { "Value", SQS_STRUCTURE, false, NULL, attribute }, END
};

static const struct sqs_member queue_only[] = { QUEUE_URL, END };
static const struct sqs_member add_permission[] = {
	QUEUE_URL, NEED("Label"),
	{ "AWSAccountIds", SQS_STRINGS, true, "AWSAccountId", NULL },
	{ "Actions", SQS_STRINGS, true, "ActionName", NULL }, END
};
static const struct sqs_member remove_permission[] = {
	QUEUE_URL, NEED("Label"), END
};
static const struct sqs_member create_queue[] = {
	NEED("QueueName"),
	{ "Attributes", SQS_MAP, false, "Attribute", name_value },
	{ "tags", SQS_MAP, false, "Tag", key_value }, END
};
static const struct sqs_member get_queue_url[] = {
	NEED("QueueName"), TEXT("QueueOwnerAWSAccountId"), END
};
static const struct sqs_member get_attributes[] = {
	QUEUE_URL, STRINGS("AttributeNames", "AttributeName"), END
};
static const struct sqs_member set_attributes[] = {
	QUEUE_URL, { "Attributes", SQS_MAP, true, "Attribute", name_value },
	END
};
static const struct sqs_member list_queues[] = {
	TEXT("QueueNamePrefix"), TEXT("NextToken"), INTEGER("MaxResults"), END
};
static const struct sqs_member list_sources[] = {
	QUEUE_URL, TEXT("NextToken"), INTEGER("MaxResults"), END
};
static const struct sqs_member tag_queue[] = {
	QUEUE_URL, { "Tags", SQS_MAP, true, "Tag", key_value }, END
};
static const struct sqs_member untag_queue[] = {
	QUEUE_URL, { "TagKeys", SQS_STRINGS, true, "TagKey", NULL }, END
};
static const struct sqs_member start_move_task[] = {
	NEED("SourceArn"), TEXT("DestinationArn"),
	INTEGER("MaxNumberOfMessagesPerSecond"), END
};
static const struct sqs_member cancel_move_task[] = {
	NEED("TaskHandle"), END
};
static const struct sqs_member list_move_tasks[] = {
	NEED("SourceArn"), INTEGER("MaxResults"), END
};

/* What SendMessage and an entry of its batch have in common. */
#define MESSAGE \
	INTEGER("DelaySeconds"), \
	{ "MessageAttributes", SQS_MAP, false, "MessageAttribute", \
	    name_attribute }, \
	{ "MessageSystemAttributes", SQS_MAP, false, \
	    "MessageSystemAttribute", name_attribute }, \
	TEXT("MessageDeduplicationId"), TEXT("MessageGroupId"), END

static const struct sqs_member send_message[] = {
	QUEUE_URL, NEED("MessageBody"), MESSAGE
};
static const struct sqs_member send_entry[] = {
	NEED("Id"), NEED("MessageBody"), MESSAGE
};
static const struct sqs_member send_batch[] = {
	QUEUE_URL, ENTRIES("SendMessageBatchRequestEntry", send_entry), END
};
static const struct sqs_member receive_message[] = {
	QUEUE_URL, STRINGS("AttributeNames", "AttributeName"),
	STRINGS("MessageSystemAttributeNames", "MessageSystemAttributeName"),
	STRINGS("MessageAttributeNames", "MessageAttributeName"),
	INTEGER("MaxNumberOfMessages"), INTEGER("VisibilityTimeout"),
	INTEGER("WaitTimeSeconds"), TEXT("ReceiveRequestAttemptId"), END
};
static const struct sqs_member delete_message[] = {
	QUEUE_URL, NEED("ReceiptHandle"), END
};
static const struct sqs_member delete_entry[] = {
	NEED("Id"), NEED("ReceiptHandle"), END
};
static const struct sqs_member delete_batch[] = {
	QUEUE_URL, ENTRIES("DeleteMessageBatchRequestEntry", delete_entry),
	END
};
static const struct sqs_member change_visibility[] = {
	QUEUE_URL, NEED("ReceiptHandle"),
	{ "VisibilityTimeout", SQS_INTEGER, true, NULL, NULL }, END
};
static const struct sqs_member change_entry[] = {
	NEED("Id"), NEED("ReceiptHandle"), INTEGER("VisibilityTimeout"), END
};
static const struct sqs_member change_batch[] = {
	QUEUE_URL, ENTRIES("ChangeMessageVisibilityBatchRequestEntry",
	    change_entry), END
};

/* Those of messages first: they are looked for all the time. */
static const struct sqs_action actions[] = {
	{ "SendMessage", send_message, sqs_send },
	{ "ReceiveMessage", receive_message, sqs_receive },
	{ "DeleteMessage", delete_message, sqs_delete_message },
	{ "SendMessageBatch", send_batch, sqs_send_batch },
	{ "DeleteMessageBatch", delete_batch, sqs_delete_message_batch },
	{ "ChangeMessageVisibility", change_visibility, sqs_change_visibility },
	{ "ChangeMessageVisibilityBatch", change_batch,
	    sqs_change_visibility_batch },
	{ "GetQueueUrl", get_queue_url, sqs_get_url },
	{ "GetQueueAttributes", get_attributes, sqs_get_attributes },
	{ "AddPermission", add_permission, sqs_add_permission },
	{ "CancelMessageMoveTask", cancel_move_task, sqs_cancel_move_task },
	{ "CreateQueue", create_queue, sqs_create_queue },
	{ "DeleteQueue", queue_only, sqs_delete_queue },
	{ "ListDeadLetterSourceQueues", list_sources, sqs_list_sources },
	{ "ListMessageMoveTasks", list_move_tasks, sqs_list_move_tasks },
	{ "ListQueueTags", queue_only, sqs_list_tags },
	{ "ListQueues", list_queues, sqs_list_queues },
	{ "PurgeQueue", queue_only, sqs_purge_queue },
	{ "RemovePermission", remove_permission, sqs_remove_permission },
	{ "SetQueueAttributes", set_attributes, sqs_set_attributes },
	{ "StartMessageMoveTask", start_move_task, sqs_start_move_task },
	{ "TagQueue", tag_queue, sqs_tag_queue },
	{ "UntagQueue", untag_queue, sqs_untag_queue },
};

#define ACTIONS	(sizeof(actions) / sizeof(actions[0]))

const struct sqs_action *
sqs_action_find(struct text name)
{
	const struct sqs_action *a;

	for (a = actions; a < actions + ACTIONS; a++)
		if (strlen(a->name) == name.bytes &&
		    memcmp(a->name, name.data, name.bytes) == 0)
			return a;
	return NULL;
}
