#ifndef WQ_CHECK_WQ_H
#define WQ_CHECK_WQ_H

#include <check.h>
#include <stdlib.h>

/* main() of a test program: run all of suite(), 0 when all is well. */
#define CHECK_MAIN(suite)						\
int									\
main(void)								\
{									\
	SRunner *runner = srunner_create(suite());			\
	int failed;							\
									\
	srunner_run_all(runner, CK_ENV);				\
	failed = srunner_ntests_failed(runner);				\
	srunner_free(runner);						\
	return failed == 0 ? 0 : 1;					\
}

#endif
