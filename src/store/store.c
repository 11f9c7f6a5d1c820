/* The loop's side of a store: batches out, batches back, and what happened. */
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/place.h"
#include "store/writer.h"

#define SPARE_MAX	8		/* batches that are kept for later */

struct store {
	struct store_place *place;	/* owned */
	struct engine *engine;		/* owned; the writer's while it runs */
	struct writer writer;
	pthread_t thread;
	bool started;
	struct event *wake;		/* owned */
	int wake_fd;			/* owned; -1: none */
	struct store_events events;
	struct store_batches spare;	/* owned; empty ones */
	size_t spare_count;
	uint64_t number;		/* of the last batch */
	uint64_t waiting_bytes;
	size_t waiting_records;
};

struct store *
store_open(const char *directory, enum store_sync sync, char *error)
{
	struct store *s = mem_zalloc(sizeof(*s));
	char path[PLACE_PATH_BYTES];

	if (s == NULL) {
		snprintf(error, STORE_ERROR_BYTES, "no memory");
		return NULL;
	}
	s->wake_fd = -1;
	TAILQ_INIT(&s->spare);
	TAILQ_INIT(&s->writer.ready);
	TAILQ_INIT(&s->writer.kept);
	TAILQ_INIT(&s->writer.lost);
	if ((s->place = place_open(directory, error)) == NULL)
		goto fail;
	if (place_create(s->place, STORE_FILE) == -1) {
		snprintf(error, STORE_ERROR_BYTES, "%.400s: %s: %s", directory,
		    STORE_FILE, strerror(errno));
		goto fail;
	}
	s->engine = engine_open(place_path_of(s->place, STORE_FILE, path,
	    sizeof(path)), sync, error);
	if (s->engine == NULL)
		goto fail;
	return s;
fail:
	store_close(s);
	return NULL;
}

int
store_read(struct store *s, const struct store_reader *reader, int max,
    bool *more, char *error)
{
	return engine_read(s->engine, reader, max, more, error);
}

static void
free_batches(struct store_batches *list)
{
	struct store_batch *b;

	while ((b = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, b, link);
		batch_free(b);
	}
}

struct store_batch *
store_batch(struct store *s)
{
	struct store_batch *b = TAILQ_FIRST(&s->spare);

	if (b == NULL)
		return batch_new();
	TAILQ_REMOVE(&s->spare, b, link);
	s->spare_count--;
	return b;
}

static void
put_away(struct store *s, struct store_batch *b)
{
	if (s->spare_count == SPARE_MAX) {
		batch_free(b);
		return;
	}
	batch_clear(b);
	TAILQ_INSERT_HEAD(&s->spare, b, link);
	s->spare_count++;
}

/* All that the writer has given back. */
static void
take_back(struct store *s)
{
	struct store_batches kept;
	struct store_batch *b;

	TAILQ_INIT(&kept);
	pthread_mutex_lock(&s->writer.mutex);
	TAILQ_CONCAT(&kept, &s->writer.kept, link);
	pthread_mutex_unlock(&s->writer.mutex);
	while ((b = TAILQ_FIRST(&kept)) != NULL) {
		TAILQ_REMOVE(&kept, b, link);
		s->waiting_bytes -= b->body_bytes;
		s->waiting_records -= b->count;
		s->events.kept(s->events.arg, b);
		put_away(s, b);
	}
}

static void
wake_cb(evutil_socket_t fd, short what, void *arg)
{
	struct store *s = arg;
	struct writer *w = &s->writer;
	char why[STORE_ERROR_BYTES], copy_error[STORE_ERROR_BYTES];
	char path[PLACE_PATH_BYTES];
	enum store_health health;
	enum store_result refused_why;
	uint64_t counter, refused;
	bool changed, copied;

	(void)what;
	if (read(fd, &counter, sizeof(counter)) == -1)
		return;
	pthread_mutex_lock(&w->mutex);
	refused = w->refused_number;
	refused_why = w->refused_why;
	health = w->health;
	changed = w->health_changed;
	w->health_changed = false;
	memcpy(why, w->why, sizeof(why));
	copied = w->copy_ended;
	w->copy_ended = false;
	memcpy(copy_error, w->copy_error, sizeof(copy_error));
	pthread_mutex_unlock(&w->mutex);
	/* Batches first: what is kept is not refused. */
	take_back(s);
	if (refused > 0)
		s->events.refused(s->events.arg, refused, refused_why);
	if (copied)
		s->events.copied(s->events.arg, place_path_of(s->place,
		    STORE_BACKUP_FILE, path, sizeof(path)),
		    *copy_error != '\0' ? copy_error : NULL);
	if (changed)
		s->events.health(s->events.arg, health, why);
}

static int
start_thread(struct store *s)
{
	struct writer *w = &s->writer;
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	w->engine = s->engine;
	w->place = s->place;
	w->wake_fd = s->wake_fd;
	atomic_store(&w->idle, true);
	if (pthread_condattr_init(&attr) != 0)
		return -1;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (pthread_mutex_init(&w->mutex, NULL) != 0 ||
	    pthread_cond_init(&w->work, &attr) != 0)
		return -1;
	pthread_condattr_destroy(&attr);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = pthread_create(&s->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? 0 : -1;
}

int
store_start(struct store *s, struct event_base *base,
    const struct store_events *events, char *error)
{
	s->events = *events;
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd != -1)
		s->wake = event_new(base, s->wake_fd, EV_READ | EV_PERSIST,
		    wake_cb, s);
	if (s->wake == NULL || event_add(s->wake, NULL) == -1 ||
	    start_thread(s) == -1) {
		snprintf(error, STORE_ERROR_BYTES, "the writer cannot be "
		    "started");
		return -1;
	}
	s->started = true;
	return 0;
}

uint64_t
store_hand_over(struct store *s, struct store_batch *b, int64_t now_ns)
{
	struct writer *w = &s->writer;

	b->number = ++s->number;
	b->now_ns = now_ns;
	s->waiting_bytes += b->body_bytes;
	s->waiting_records += b->count;
	pthread_mutex_lock(&w->mutex);
	TAILQ_INSERT_TAIL(&w->ready, b, link);
	atomic_store(&w->idle, false);
	pthread_mutex_unlock(&w->mutex);
	pthread_cond_signal(&w->work);
	return s->number;
}

bool
store_is_idle(const struct store *s)
{
	return atomic_load(&s->writer.idle);
}

uint64_t
store_waiting_bytes(const struct store *s)
{
	return s->waiting_bytes;
}

size_t
store_waiting_records(const struct store *s)
{
	return s->waiting_records;
}

int
store_copy(struct store *s)
{
	struct writer *w = &s->writer;
	int result = -1;

	pthread_mutex_lock(&w->mutex);
	if (!w->copy_wanted) {
		w->copy_wanted = true;
		pthread_cond_signal(&w->work);
		result = 0;
	}
	pthread_mutex_unlock(&w->mutex);
	return result;
}

static void
lose(struct store *s, struct store_batches *list)
{
	struct store_batch *b;

	TAILQ_FOREACH(b, list, link)
		s->events.lost(s->events.arg, b);
	free_batches(list);
}

void
store_close(struct store *s)
{
	struct writer *w;

	if (s == NULL)
		return;
	w = &s->writer;
	if (s->started) {
		pthread_mutex_lock(&w->mutex);
		w->end = true;
		pthread_cond_signal(&w->work);
		pthread_mutex_unlock(&w->mutex);
		pthread_join(s->thread, NULL);
		take_back(s);
		log_info("store", "closed", "commits=%" PRIu64, w->commits);
		pthread_cond_destroy(&w->work);
		pthread_mutex_destroy(&w->mutex);
	}
	lose(s, &w->lost);
	free_batches(&w->ready);
	free_batches(&s->spare);
	if (s->wake != NULL)
		event_free(s->wake);
	if (s->wake_fd != -1)
		close(s->wake_fd);
	engine_close(s->engine);
	place_close(s->place);
	mem_free(s);
}

int
store_check(const char *directory, void (*out)(const char *), char *error)
{
	char path[PLACE_PATH_BYTES];
	struct store *s;
	int result;

	snprintf(path, sizeof(path), "%.4000s/%s", directory, STORE_FILE);
	if (access(path, F_OK) == -1) {
		snprintf(error, STORE_ERROR_BYTES, "%.400s: there is no %s",
		    directory, STORE_FILE);
		return -1;
	}
	if ((s = store_open(directory, STORE_SYNC_FULL, error)) == NULL)
		return -1;
	if ((result = engine_check(s->engine, out)) == -1)
		snprintf(error, STORE_ERROR_BYTES, "%.400s: the database is "
		    "damaged; a backup takes its place", directory);
	store_close(s);
	return result;
}
