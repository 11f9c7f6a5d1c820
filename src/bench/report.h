#ifndef WQ_BENCH_REPORT_H
#define WQ_BENCH_REPORT_H

#include <stdbool.h>

struct ledger_counts;
struct options;
struct result;

/* Nothing was lost, received twice, changed, or refused. */
bool	report_is_good(const struct options *, const struct result *,
	    const struct ledger_counts *);

/* To standard output, -1 when that failed. */
int	report_table(const struct options *, const struct result *,
	    const struct ledger_counts *);
int	report_json(const struct options *, const struct result *,
	    const struct ledger_counts *);

#endif
