/*
 * The writer takes all batches that are ready, writes them in one transaction
 * and gives them back; what keeps the database in shape comes after that.
 * What cannot be written is not forgotten: when the disk is full the pushes are
 * refused and the rest is written into the space that was kept back; when even
 * that fails it is tried until it succeeds or the store is closed.
 */
#include "store/writer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/place.h"

#define NS_PER_S	INT64_C(1000000000)
#define KEY_WINDOW_NS	(300 * NS_PER_S)	/* as core/dedup.c has it */
#define LOG_PAGES_BUSY	1000	/* a checkpoint of them takes some 5 ms */
#define TIDY_PAGES	64	/* at a time; a millisecond */
#define KEYS_AT_A_TIME	1000
#define COPY_PAGES	128
#define COPY_PART	STORE_BACKUP_FILE ".part"
#define IDLE_NS		(NS_PER_S / 50)	/* without work, until there is time */
#define RETRY_NS	(NS_PER_S / 10)
#define SPACE_NS	NS_PER_S	/* between looks for space */
#define PROBATION_NS	(5 * NS_PER_S)	/* after a failure that has passed */

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void
tell_loop(struct writer *w)
{
	const uint64_t one = 1;

	while (write(w->wake_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

static void
set_health(struct writer *w, enum store_health health, const char *why)
{
	bool changed;

	pthread_mutex_lock(&w->mutex);
	changed = w->health != health;
	if (changed) {
		w->health = health;
		snprintf(w->why, sizeof(w->why), "%s", why);
		w->health_changed = true;
	}
	pthread_mutex_unlock(&w->mutex);
	if (changed)
		tell_loop(w);
}

static enum store_health
health_of(struct writer *w)
{
	enum store_health health;

	pthread_mutex_lock(&w->mutex);
	health = w->health;
	pthread_mutex_unlock(&w->mutex);
	return health;
}

/*
 * After a failed fsync, or on a damaged database, what is on disk is left for a
 * restart to judge.
 */
static void
be_broken(struct writer *w)
{
	char text[STORE_ERROR_BYTES];

	snprintf(text, sizeof(text), "%s", engine_error(w->engine));
	w->broken = true;
	engine_abandon(w->engine);
	set_health(w, STORE_BROKEN, text);
}

/* What fails in another way is tried again with the next. */
static void
checkpoint(struct writer *w, int pages)
{
	enum engine_result result;

	if (w->broken || (w->checkpoint_failed_ns != 0 &&
	    now_ns() - w->checkpoint_failed_ns < NS_PER_S))
		return;
	result = engine_checkpoint(w->engine, pages);
	if (result == ENGINE_OK)
		w->checkpoint_failed_ns = 0;
	else if (result == ENGINE_BROKEN)
		be_broken(w);
	else {
		/* The log grows meanwhile: no pushes, until one succeeds. */
		w->checkpoint_failed_ns = w->failed_ns = now_ns();
		if (health_of(w) == STORE_WELL)
			set_health(w, STORE_SICK, engine_error(w->engine));
	}
}

static void
refuse_pushes(struct writer *w, struct store_batches *work,
    enum store_result why)
{
	struct store_batch *b;

	pthread_mutex_lock(&w->mutex);
	TAILQ_FOREACH(b, work, link) {
		if (b->result == STORE_OK)
			b->result = why;
		w->refused_number = b->number;
	}
	w->refused_why = why;
	pthread_mutex_unlock(&w->mutex);
	tell_loop(w);
}

static int
keys_in(const struct store_batches *work)
{
	const struct store_batch *b;
	size_t i, n = 0;

	TAILQ_FOREACH(b, work, link)
		for (i = 0; i < b->count; i++)
			n += b->record[i].verb == STORE_KEY;
	return n < INT_MAX / 4 ? (int)n : INT_MAX / 4;
}

/* Keys whose window is over go with a transaction that is there anyway. */
static enum engine_result
forget_keys(struct writer *w, const struct store_batch *last, int keys)
{
	if (!w->keys_are_left && last->now_ns < w->keys_looked_ns + NS_PER_S)
		return ENGINE_OK;
	w->keys_looked_ns = last->now_ns;
	return engine_expire(w->engine, last->now_ns - KEY_WINDOW_NS,
	    KEYS_AT_A_TIME + 2 * keys, &w->keys_are_left);
}

static enum engine_result
try_all(struct writer *w, struct store_batches *work)
{
	enum engine_result result = engine_begin(w->engine);
	struct store_batch *b;

	TAILQ_FOREACH(b, work, link)
		if (result == ENGINE_OK)
			result = engine_apply(w->engine, b,
			    b->result == STORE_OK);
	if (result == ENGINE_OK)
		result = forget_keys(w, TAILQ_LAST(work, store_batches),
		    keys_in(work));
	return result == ENGINE_OK ? engine_commit(w->engine) : result;
}

static void
give_reserve(struct writer *w)
{
	if (!w->reserved)
		return;
	place_reserve_give(w->place);
	w->reserved = false;
}

/* For pthread_cond_timedwait(). */
static struct timespec
instant_after(int64_t ns)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (ns <= 0)
		return ts;
	ts.tv_sec += ns / NS_PER_S;
	ts.tv_nsec += ns % NS_PER_S;
	if (ts.tv_nsec >= NS_PER_S) {
		ts.tv_sec++;
		ts.tv_nsec -= NS_PER_S;
	}
	return ts;
}

/* Wait for that long, or until the end.  True: it is the end. */
static bool
pause_for(struct writer *w, int64_t ns)
{
	struct timespec until = instant_after(ns);
	bool end;
	int rc = 0;

	pthread_mutex_lock(&w->mutex);
	while (!w->end && rc == 0)
		rc = pthread_cond_timedwait(&w->work, &w->mutex, &until);
	end = w->end;
	pthread_mutex_unlock(&w->mutex);
	return end;
}

/*
 * One attempt has failed: make the next one smaller, and find space for it.
 * False: nothing more can be done.
 */
static bool
mend(struct writer *w, struct store_batches *work, enum engine_result why)
{
	char text[STORE_ERROR_BYTES];

	if (why == ENGINE_BROKEN) {
		be_broken(w);
		return false;
	}
	snprintf(text, sizeof(text), "%s", engine_error(w->engine));
	w->failed_ns = now_ns();
	set_health(w, why == ENGINE_FULL && w->reserved ? STORE_FULL :
	    STORE_STUCK, text);
	refuse_pushes(w, work, why == ENGINE_FULL ? STORE_NO_SPACE :
	    STORE_FAILED);
	if (why == ENGINE_FULL)
		give_reserve(w);
	/* A log that went to the database is written from its begin again. */
	checkpoint(w, 1);
	return !w->broken;
}

/* What came meanwhile shares the fate of what is there: no push waits long. */
static void
take_more(struct writer *w, struct store_batches *work)
{
	pthread_mutex_lock(&w->mutex);
	TAILQ_CONCAT(work, &w->ready, link);
	pthread_mutex_unlock(&w->mutex);
	refuse_pushes(w, work, STORE_FAILED);
}

/* False: it cannot be written, and the store is at its end. */
static bool
write_all(struct writer *w, struct store_batches *work)
{
	enum engine_result result;
	bool first = true;

	while ((result = try_all(w, work)) != ENGINE_OK) {
		if (!mend(w, work, result))
			return false;
		/* At once without the pushes; then with patience. */
		if (!first && pause_for(w, RETRY_NS)) {
			take_more(w, work);
			return try_all(w, work) == ENGINE_OK;
		}
		if (!first)
			take_more(w, work);
		first = false;
	}
	return true;
}

static void
look_for_space(struct writer *w)
{
	if (w->reserved || !place_reserve_take(w->place))
		return;
	w->reserved = true;
}

static void
be_well(struct writer *w)
{
	enum store_health health = health_of(w);

	if (health == STORE_WELL || health == STORE_BROKEN)
		return;
	/* More than that, or it would be full again at once. */
	if (place_has_space(w->place, 2 * PLACE_RESERVE_BYTES))
		look_for_space(w);
	if (!w->reserved)
		set_health(w, STORE_FULL, "the disk is full");
	else if (w->checkpoint_failed_ns == 0 && (health == STORE_FULL ||
	    now_ns() - w->failed_ns > PROBATION_NS))
		set_health(w, STORE_WELL, "");
	else
		set_health(w, STORE_SICK, "the last pushes could not be "
		    "written");
}

static void
give_back(struct writer *w, struct store_batches *work)
{
	pthread_mutex_lock(&w->mutex);
	TAILQ_CONCAT(&w->kept, work, link);
	pthread_mutex_unlock(&w->mutex);
	tell_loop(w);
}

static void
end_copy(struct writer *w, const char *error)
{
	engine_copy_free(w->copy);
	w->copy = NULL;
	pthread_mutex_lock(&w->mutex);
	w->copy_wanted = false;
	w->copy_ended = true;
	snprintf(w->copy_error, sizeof(w->copy_error), "%s", error);
	pthread_mutex_unlock(&w->mutex);
	tell_loop(w);
}

/* The copy is complete: it takes the place of the last one. */
static void
finish_copy(struct writer *w)
{
	char error[STORE_ERROR_BYTES] = "";

	engine_copy_free(w->copy);
	w->copy = NULL;
	if (place_rename(w->place, COPY_PART, STORE_BACKUP_FILE) == -1)
		snprintf(error, sizeof(error), "it cannot be renamed: %s",
		    strerror(errno));
	end_copy(w, error);
}

/* A part of a copy, if one is wanted.  True: there is more to do. */
static bool
go_on_copying(struct writer *w)
{
	char error[STORE_ERROR_BYTES], path[PLACE_PATH_BYTES];
	bool wanted, done;

	pthread_mutex_lock(&w->mutex);
	wanted = w->copy_wanted;
	pthread_mutex_unlock(&w->mutex);
	if (!wanted)
		return false;
	if (w->copy == NULL) {
		place_remove(w->place, COPY_PART);
		if (place_create(w->place, COPY_PART) == -1) {
			end_copy(w, strerror(errno));
			return false;
		}
		w->copy = engine_copy_new(w->engine,
		    place_path_of(w->place, COPY_PART,
		    path, sizeof(path)), error);
	}
	if (w->copy == NULL || engine_copy_step(w->copy, COPY_PAGES, &done,
	    error) == -1) {
		end_copy(w, error);
		place_remove(w->place, COPY_PART);
		return false;
	}
	if (done)
		finish_copy(w);
	return !done;
}

/* What waits for a moment without work.  True: there is more of it. */
static bool
keep_house(struct writer *w)
{
	bool more = false;

	if (!w->broken &&
	    engine_tidy(w->engine, TIDY_PAGES, &more) == ENGINE_BROKEN)
		be_broken(w);
	checkpoint(w, more ? LOG_PAGES_BUSY : 1);
	return more;
}

/*
 * Take what is ready; where nothing is, wait for it, that long at most (0: not
 * at all, -1: for ever).  False: it is the end, and there is nothing.
 */
static bool
take(struct writer *w, struct store_batches *work, int64_t wait_ns)
{
	struct timespec until = instant_after(wait_ns);
	bool end;
	int rc = 0;

	TAILQ_INIT(work);
	pthread_mutex_lock(&w->mutex);
	while (rc == 0 && wait_ns != 0 && TAILQ_EMPTY(&w->ready) && !w->end &&
	    !w->copy_wanted) {
		atomic_store(&w->idle, true);
		rc = wait_ns < 0 ? pthread_cond_wait(&w->work, &w->mutex) :
		    pthread_cond_timedwait(&w->work, &w->mutex, &until);
	}
	atomic_store(&w->idle, false);
	TAILQ_CONCAT(work, &w->ready, link);
	end = w->end;
	pthread_mutex_unlock(&w->mutex);
	return !end || !TAILQ_EMPTY(work);
}

/* Bodies that are asked for.  What cannot be read stays out. */
static void
fetch_all(struct writer *w, struct store_batches *work)
{
	struct store_batch *b;
	struct store_record *r;
	size_t i;

	TAILQ_FOREACH(b, work, link)
		for (i = 0; i < b->count && !w->broken; i++) {
			r = &b->record[i];
			if (r->verb == STORE_FETCH && r->fetch.body == NULL &&
			    engine_fetch(w->engine, r->seq, &r->fetch.body,
			    &r->fetch.body_bytes) == ENGINE_BROKEN)
				be_broken(w);
		}
}

static void
work_on(struct writer *w, struct store_batches *work)
{
	coalesce(&w->coalescer, work);
	fetch_all(w, work);
	if (w->broken || !write_all(w, work)) {
		TAILQ_CONCAT(&w->lost, work, link);
		return;
	}
	fetch_all(w, work);	/* those that a move gave another seq */
	w->commits++;
	give_back(w, work);
	be_well(w);
	checkpoint(w, LOG_PAGES_BUSY);
}

/* Not well, but it may be again. */
static bool
is_ailing(struct writer *w)
{
	enum store_health health = health_of(w);

	return health != STORE_WELL && health != STORE_BROKEN;
}

/* Without work.  How long to wait for some, as take() has it. */
static int64_t
idle(struct writer *w)
{
	bool more;

	if (is_ailing(w)) {
		checkpoint(w, 1);
		be_well(w);
		return SPACE_NS;
	}
	more = keep_house(w);
	/* What has failed there is tried again, though nothing else comes. */
	return more ? 0 : is_ailing(w) ? SPACE_NS : -1;
}

void *
writer_main(void *arg)
{
	struct writer *w = arg;
	struct store_batches work;
	int64_t wait_ns = IDLE_NS;

	look_for_space(w);
	if (!w->reserved)
		set_health(w, STORE_FULL, "the disk is full");
	while (take(w, &work, wait_ns)) {
		if (!TAILQ_EMPTY(&work)) {
			work_on(w, &work);
			wait_ns = IDLE_NS;
		} else
			wait_ns = idle(w);
		if (go_on_copying(w))
			wait_ns = 0;
	}
	engine_copy_free(w->copy);
	w->copy = NULL;
	coalescer_fini(&w->coalescer);
	return NULL;
}
