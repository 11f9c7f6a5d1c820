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

# ---- wake ----

cpu_ms()	# PID
{
	# Behind the name in brackets, which may hold anything.
	sed 's/.*) //' "/proc/$1/stat" |
	    awk -v hz="$(getconf CLK_TCK)" \
	    '{ print ($12 + $13) * 1000 / hz }'
}

wake_row()	# ROW
{
	bench wqd -w wake -c 1 -t "$seconds"
	echo "$(latency message p50) $(latency message p99)" \
	    "$(latency message max) $(latency push p50)" \
	    "$(json generatorLongestTurn)" >>"$scratch/$1.wake"
}

# Connections that wait, each on a queue of its own, for what never comes.
start_others()	# COUNT
{
	local try waiting
	bench wqd -w push -n "$1" -q idle --queues "$1"
	$on_generator_core "$WQ_BENCH" -p "$port" -w wait -c "$1" -q idle \
	    --queues "$1" >"$scratch/others" 2>&1 &
	other_pid=$!
	for try in $(seq 30); do
		sleep 0.2
		waiting=$(curl -fsS \
		    "http://127.0.0.1:$port/queues/idle-[0-$(($1 - 1))]/info" |
		    grep -o '"waiters": 1' | wc -l)
		[ "$waiting" -lt "$1" ] || return 0
	done
	cat "$scratch/others" >&2
	die "$waiting of $1 wait after $try attempts"
}

stop_others()
{
	kill "$other_pid"
	wait "$other_pid" || die "those who waited have failed"
	other_pid=
}

wake_round()
{
	local before
	start_server wqd
	wake_row alone
	start_others "$others"
	before=$(cpu_ms "$server_pid")
	sleep "$seconds"
	echo "$before $(cpu_ms "$server_pid") $seconds" |
	    awk '{ print ($2 - $1) / $3 }' >>"$scratch/idle.wake"
	wake_row crowd
	stop_others
	stop_server
}

run_wake()
{
	local row others=10000
	has_wqd || return 0
	if [ "$(ulimit -Hn)" != unlimited ] &&
	    [ "$(ulimit -Hn)" -lt $((others + 200)) ]; then
		others=$(($(ulimit -Hn) - 200))
		echo "bench: the limit of descriptors allows $others waits" >&2
	fi
	interleaved wake wake_round
	echo "from a push, as it is sent, to the answer of one receiver that" \
	    "waits; 1000/s"
	echo "$rounds rounds of $seconds s; medians"
	printf '%-8s %8s %8s %9s %9s %9s %8s %7s\n' wake 'others' 'p50 us' \
	    'p99 us' 'max us' 'own turn' 'aim p50' 'of aim'
	for row in alone crowd; do
		echo "$row $([ $row = alone ] && echo 0 || echo "$others")" \
		    "$(column $row wake 1) $(column $row wake 2)" \
		    "$(column $row wake 3) $(column $row wake 5)"
	done | awk '{
		printf "%-8s %8d %8.1f %9.1f %9.1f %9.1f %8d %7.2f\n", $1,
		    $2, $3, $4, $5, $6, 150, $3 / 150
	}'
	echo "the answer to the push itself: $(column alone wake 4) us in the" \
	    "median; own turn: the longest the generator was busy, us"
	echo "CPU of the server while $others wait and nothing happens:" \
	    "$(column idle wake 1) ms a second (aim 0)"
}
