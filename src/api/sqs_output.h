#ifndef WQ_API_SQS_OUTPUT_H
#define WQ_API_SQS_OUTPUT_H

/*
 * A writer of answers, in JSON or in XML, straight into the exchange's reply.
 * Between sqs_out_begin() and sqs_out_send() the exchange must be there, and
 * nothing else may write.  Texts must be UTF-8; names are constants.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct buf;
struct exchange;
struct sqs_call;

#define SQS_JSON_TYPE	"application/x-amz-json-1.0"
#define SQS_XML_TYPE	"text/xml"
#define SQS_NAMESPACE	"http://queue.amazonaws.com/doc/2012-11-05/"

struct sqs_out {
	struct sqs_call *call;	/* borrowed */
	struct buf *buf;	/* borrowed */
	bool xml;
	bool comma;		/* JSON: something stands before */
};

/* The names of a map's parts in XML; see sqs_out_map(). */
struct sqs_map {
	const char *json;	/* "Attributes": in JSON, of all */
	const char *entry;	/* "Attribute": in XML, of each */
	const char *key;	/* "Name" or "Key" */
};

/* A new id of the request, as a header; out has ID_TEXT_BYTES + 1. */
void	sqs_out_request_id(struct exchange *, char *out);

/* Begin the answer, and its result. */
void	sqs_out_begin(struct sqs_out *, struct sqs_call *);
/*
 * End it and send it with status 200; the call has no exchange any more.
 * False: it did not reach the client.
 */
bool	sqs_out_send(struct sqs_out *);
/* The whole answer of an action that has no result. */
bool	sqs_out_nothing(struct sqs_call *);

/* Members: "name": "text" and so on; <name>text</name>. */
void	sqs_out_text(struct sqs_out *, const char *name, const char *text,
	    size_t bytes);
void	sqs_out_string(struct sqs_out *, const char *name, const char *text);
void	sqs_out_integer(struct sqs_out *, const char *name, int64_t);
void	sqs_out_bool(struct sqs_out *, const char *name, bool);
/* What is JSON already; not in XML. */
void	sqs_out_json(struct sqs_out *, const char *name, const char *json,
	    size_t bytes);

/*
 * A list: "json": [..], and in XML only its items, each in an element of its
 * own name.  An item is a structure or a string.
 */
void	sqs_out_list(struct sqs_out *, const char *json);
void	sqs_out_list_end(struct sqs_out *);
void	sqs_out_item(struct sqs_out *, const char *xml);
void	sqs_out_item_end(struct sqs_out *, const char *xml);
void	sqs_out_item_string(struct sqs_out *, const char *xml,
	    const char *text);

/*
 * A map: "Attributes": {"k": "v"}, and in XML
 * <Attribute><Name>k</Name><Value>v</Value></Attribute> for each entry.  An
 * entry's value is a string, or a structure between entry and entry_end.
 */
void	sqs_out_map(struct sqs_out *, const struct sqs_map *);
void	sqs_out_map_end(struct sqs_out *);
void	sqs_out_map_text(struct sqs_out *, const struct sqs_map *,
	    const char *key, const char *text, size_t bytes);
void	sqs_out_map_pair(struct sqs_out *, const struct sqs_map *,
	    const char *key, size_t key_bytes, const char *text,
	    size_t bytes);
void	sqs_out_map_string(struct sqs_out *, const struct sqs_map *,
	    const char *key, const char *text);
void	sqs_out_map_integer(struct sqs_out *, const struct sqs_map *,
	    const char *key, int64_t);	/* as a string */
void	sqs_out_map_entry(struct sqs_out *, const struct sqs_map *,
	    const char *key, size_t key_bytes);
void	sqs_out_map_entry_end(struct sqs_out *, const struct sqs_map *);

/* Text as XML has it in an element; and as JSON has it within quotes. */
void	sqs_xml_text(struct buf *, const char *text, size_t bytes);
void	sqs_json_text(struct buf *, const char *text, size_t bytes);

#endif
