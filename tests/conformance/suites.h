#ifndef WQ_CONFORMANCE_SUITES_H
#define WQ_CONFORMANCE_SUITES_H

#include <check.h>

/* The tests by theme; each file has one. */
TCase	*push_tests(void);
TCase	*beside_tests(void);
TCase	*attempt_tests(void);
TCase	*delay_tests(void);
TCase	*limit_tests(void);
TCase	*receive_tests(void);
TCase	*lock_tests(void);
TCase	*wait_tests(void);
TCase	*look_tests(void);
TCase	*manage_tests(void);
TCase	*terms_tests(void);
TCase	*retention_tests(void);
TCase	*task_tests(void);
TCase	*letter_tests(void);
TCase	*rename_tests(void);
TCase	*fifo_tests(void);
TCase	*mixed_tests(void);
TCase	*restart_tests(void);

#endif
