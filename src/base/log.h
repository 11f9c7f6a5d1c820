#ifndef WQ_BASE_LOG_H
#define WQ_BASE_LOG_H

#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,	/* somebody must act */
	LOG_LEVEL_WARN,		/* degraded */
	LOG_LEVEL_INFO,		/* life cycle */
	LOG_LEVEL_DEBUG		/* one line an operation */
};

/*
 * Choose what is written; the default is INFO.  With journal set each line
 * begins with the level as sd-daemon(3) gives it ("<4>").
 */
void	log_init(enum log_level max, int journal);
int	log_is_on(enum log_level);

/*
 * Write one line "room: event key=value ..." to standard error.
 * fields is a printf format, or NULL; untrusted text in it goes through
 * log_quote() first.  Keeps errno.
 */
void	log_write(enum log_level, const char *room, const char *event,
	    const char *fields, ...) __attribute__((format(printf, 4, 5)));

#define log_error(...)	log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	do {						\
	if (log_is_on(LOG_LEVEL_DEBUG))					\
		log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);		\
} while (0)

/*
 * Quote bytes for a log line: "..." with what is not printable ASCII as \xNN,
 * cut off with ... when it does not fit.  Returns out.
 */
const char	*log_quote(const void *bytes, size_t n, char *out,
		    size_t out_bytes);

#endif
