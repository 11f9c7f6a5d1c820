/* What every backend must do, run on each. */
#include <stdlib.h>

#include "base/log.h"
#include "late.h"
#include "suites.h"
#include "world.h"

#define TIMEOUT_S	120	/* of a test; world.c says first what hangs */

static void
place(struct config *config, const char *dir)
{
	char error[CONFIG_ERROR_BYTES];
	const struct config_option *o;

	for (o = config_options; strcmp(o->name, "data") != 0; o++)
		;
	ck_assert_int_eq(config_set(config, o, dir, error), 0);
}

static const struct conformance_backend backends[] = {
	{ .name = "memory", .open = local_new,
	    .refuses_at_max_memory = true },
	/* It keeps the tests honest about when an answer comes. */
	{ .name = "late", .open = late_new,
	    .refuses_at_max_memory = true },
	{ .name = "durable", .open = local_new, .place = place,
	    .durable = true },
};

static TCase	*(*const themes[])(void) = {
	push_tests, limit_tests, receive_tests, lock_tests, wait_tests,
	look_tests, manage_tests, letter_tests, fifo_tests, mixed_tests,
	restart_tests, beside_tests, attempt_tests, terms_tests,
	retention_tests, task_tests, delay_tests, rename_tests,
};

static int
run_on(const struct conformance_backend *b)
{
	Suite *s = suite_create(b->name);
	SRunner *runner;
	TCase *t;
	size_t i;
	int failed;

	world_backend = b;
	for (i = 0; i < sizeof(themes) / sizeof(themes[0]); i++) {
		t = themes[i]();
		tcase_set_timeout(t, TIMEOUT_S);
		tcase_add_checked_fixture(t, world_open, world_close);
		suite_add_tcase(s, t);
	}
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed;
}

/* CONFORMANCE names the one backend to run it on; by default all. */
int
main(void)
{
	const char *only = getenv("CONFORMANCE");
	int failed = 0;
	size_t i;

	log_init(LOG_LEVEL_ERROR, 0);
	for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (only == NULL || strcmp(only, backends[i].name) == 0)
			failed += run_on(&backends[i]);
	return failed == 0 ? 0 : 1;
}
