#ifndef WQ_BASE_CONFIG_H
#define WQ_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define CONFIG_LISTEN_MAX	16	/* addresses; a bound for a fixed array */
#define CONFIG_ERROR_BYTES	256

/* Everything that can be set.  One table in config.c describes it. */
struct config {
	char *listen[CONFIG_LISTEN_MAX];	/* owned; address or path */
	size_t listen_count;
	int64_t port;
	int64_t lock_timeout_ms;
	bool auto_create;
	int64_t max_amount;
	int64_t max_body_bytes;
	int64_t max_header_bytes;
	int64_t max_connections;
	int64_t max_memory_bytes;	/* 0: no limit */
	int64_t max_wait_ms;
	int64_t idle_timeout_ms;
	int64_t request_timeout_ms;
	int64_t write_timeout_ms;
	int64_t drain_timeout_ms;
	char *data;			/* owned; "": memory only */
	int64_t sync;			/* index of its choices */
	bool sync_locks;
	char *public_url;		/* owned; "": what requests name */
	char *sqs_account;		/* owned; 12 digits */
	char *sqs_region;		/* owned */
	bool sqs_waits;
	bool verbose;
	bool foreground;
};

enum option_kind {
	OPTION_FLAG,		/* takes no value; in the environment 0 or 1 */
	OPTION_BOOL,		/* true or false */
	OPTION_COUNT,
	OPTION_MS,		/* milliseconds */
	OPTION_BYTES,		/* may end in K, M or G */
	OPTION_LIST,		/* separated by commas */
	OPTION_TEXT,		/* any, but not empty */
	OPTION_URL,		/* http://host or https://host */
	OPTION_WORD,		/* of a-z, 0-9 and -, min to max bytes */
	OPTION_DIGITS,		/* min to max of them */
	OPTION_CHOICE		/* one of the names in `choices` */
};

struct config_option {
	const char *name;	/* long option; NULL ends the table */
	char letter;		/* short option, or 0 */
	enum option_kind kind;
	size_t offset;		/* of its field in struct config */
	int64_t min, max;
	const char *preset;	/* its default, as a user would write it */
	const char *help;
	const char *choices;	/* of OPTION_CHOICE, such as "full|off"; its
				 * value is the index */
};

extern const struct config_option config_options[];

/* All defaults.  -1: no memory. */
int	config_init(struct config *) WQ_MUST;
void	config_fini(struct config *);

/*
 * Set one option from its text.  -1: it is not valid, and error (of
 * CONFIG_ERROR_BYTES) says what is wrong and what would be right.
 */
int	config_set(struct config *, const struct config_option *,
	    const char *value, char *error) WQ_MUST;

/*
 * Set what the environment names: PORT, then WQ_LOCK_TIMEOUT for lock-timeout
 * and so on.  -1 as above; the error names the variable.
 */
int	config_read_env(struct config *, char *error) WQ_MUST;

/* "300 to 5000 milliseconds", for messages; written to out. */
void	config_range(const struct config_option *, char *out, size_t);

#endif
