# shellcheck shell=bash
# shellcheck disable=SC2154 # what it takes from scripts/bench
# Sections of scripts/bench, which reads this file, about wqd alone: batches,
# waits, how cost grows with what is there, fairness.
#
# A row is measured once a round, into $scratch/ROW.SECTION, one line each
# time; tables show medians.

# Call FUNCTION once a round.
interleaved()	# SECTION FUNCTION
{
	local round
	rm -f "$scratch"/*."$1"
	for round in $(seq "$rounds"); do
		echo "bench: $1, round $round of $rounds" >&2
		"$2"
	done
}

has_wqd()
{
	pick wqd
	[ ${#picked[@]} -gt 0 ]
}

# What GET /info of a queue says: a number of it.
info()	# QUEUE KEY
{
	curl -fsS "http://127.0.0.1:$port/queues/$1/info" |
	    sed -n "s/.*\"$2\": *\\([0-9]*\\).*/\\1/p"
}

expect()	# WHAT IS WANTED
{
	[ "$2" = "$3" ] || die "wqd: $1 are $2, not $3"
}

# ---- batch ----

batch_row()	# WORKLOAD BATCH
{
	start_server wqd
	# A limit to what a push may fill memory with: 0.4 GB.
	bench wqd -w "$1" -b "$2" -c 8 -n 2000000 -t "$seconds" \
	    --pid "$server_pid"
	stop_server
	echo "$(json messagesPerSecond) $(json serverCpuMicroseconds)" \
	    "$(json serverShare) $(json generatorShare)" \
	    >>"$scratch/$1-$2.batch"
}

batch_round()
{
	local size
	for size in 1 10 1000; do batch_row push "$size"; done
	for size in 1 10 100; do batch_row cycle "$size"; done
}

run_batch()
{
	local row aim single
	has_wqd || return 0
	interleaved batch batch_round
	echo "push: lines of NDJSON; cycle: such a push, a receive of as many," \
	    "a confirm of a list"
	echo "8 connections; 100-byte bodies; $rounds rounds of $seconds s;" \
	    "medians"
	printf '%-8s %6s %11s %8s %6s %6s %10s %9s %7s\n' batch size \
	    messages/s 'CPU us' 'srv %' 'gen %' 'x single' aim 'of aim'
	for row in push-1 push-10 push-1000 cycle-1 cycle-10 cycle-100; do
		case $row in
		push-1000) aim=1000000 ;;
		cycle-100) aim=500000 ;;
		*) aim=0 ;;
		esac
		single=$(column "${row%-*}-1" batch 1)
		echo "${row%-*} ${row#*-} $(column "$row" batch 1)" \
		    "$(column "$row" batch 2) $(column "$row" batch 3)" \
		    "$(column "$row" batch 4) $single $aim"
	done | awk '{
		printf "%-8s %6d %11.0f %8.2f %6.0f %6.0f %10.2f", $1, $2,
		    $3, $4, $5 * 100, $6 * 100, $3 / $7
		if ($8 > 0)
			printf " %9d %7.2f", $8, $3 / $8
		printf "\n"
	}'
}
