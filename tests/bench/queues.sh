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

# ---- scale ----

# A cycle beside what is there, which must be there after it.
scale_cycle()	# ROW OPTION...
{
	local row=$1
	shift
	bench wqd -w cycle -c 64 -t "$seconds" --pid "$server_pid" "$@"
	echo "$(json messagesPerSecond) $(json serverCpuMicroseconds)" \
	    "$(latency request p99)" >>"$scratch/$row.scale"
}

scale_empty()
{
	scale_cycle empty
}

scale_waiting()	# ROW COUNT
{
	bench wqd -w push -c 8 -b 1000 -n "$2"
	scale_cycle "$1" --leave
	expect "messages available" "$(info default available)" "$2"
}

scale_delayed()	# ROW COUNT
{
	bench wqd -w push -c 8 -b 1000 -n "$2" --delay 3600000
	scale_cycle "$1"
	expect "messages delayed" "$(info default delayed)" "$2"
}

scale_groups()	# ROW COUNT QUEUE
{
	local options=(-q "$3" --group g --groups "$2")
	bench wqd -w push -n "$2" "${options[@]}"
	scale_cycle "$1" --leave "${options[@]}"
	expect "messages available" "$(info "$3" available)" "$2"
}

scale_queues()	# ROW COUNT
{
	local options=(-q scale --queues "$2")
	bench wqd -w push -n "$2" "${options[@]}"
	scale_cycle "$1" --leave "${options[@]}"
	bench wqd -w drain "${options[@]}"
	expect "messages drained" "$(json messages)" "$2"
}

has_memory_for()	# MESSAGES
{
	# A message takes 202 bytes; the rest is for what else there is.
	awk -v need=$(($1 * 260)) '/^MemAvailable:/ {
		exit $2 * 1024 < need
	}' /proc/meminfo
}

scale_row()	# FUNCTION ROW ARGUMENT...
{
	local what=$1
	shift
	start_server wqd
	"scale_$what" "$@"
	stop_server
}

scale_round()
{
	scale_row empty
	scale_row waiting some-waiting $((most / 10))
	[ "$is_left_out" = yes ] || scale_row waiting most-waiting "$most"
	scale_row delayed delayed $((most / 10))
	scale_row groups groups 100000 default
	scale_row groups fifo-groups 100000 scale.fifo
	scale_row queues queues 10000
}

run_scale()
{
	local row what most=${messages:-10000000} is_left_out=no
	has_wqd || return 0
	[ "$most" -ge 10 ] || bad "--messages of scale is 10 or more"
	if ! has_memory_for "$most"; then
		is_left_out=yes
		echo "bench: $most messages need $((most * 260 >> 20)) MiB" \
		    "of memory, left out" >&2
	fi
	interleaved scale scale_round
	echo "the cycle on 64 connections beside what is there; $rounds rounds" \
	    "of $seconds s; medians"
	echo "ratios to the empty server, limit 2: CPU a cycle, and how much" \
	    "slower"
	printf '%-30s %11s %8s %9s %7s %7s\n' scale messages/s 'CPU us' \
	    'p99 us' 'CPU x' 'slower'
	while read -r row what; do
		if [ ! -s "$scratch/$row.scale" ]; then
			echo "$what: left out, there is no memory for it"
			continue
		fi
		printf '%-30s %s %s %s %s %s\n' "$what" \
		    "$(column "$row" scale 1)" "$(column "$row" scale 2)" \
		    "$(column "$row" scale 3)" "$(column empty scale 1)" \
		    "$(column empty scale 2)" |
		awk '{
			printf "%s %11.0f %8.1f %9.0f %7.2f %7.2f\n",
			    substr($0, 1, 30), $(NF - 4), $(NF - 3),
			    $(NF - 2), $(NF - 3) / $NF, $(NF - 1) / $(NF - 4)
		}'
	done <<-EOF
		empty an empty server
		some-waiting $((most / 10)) waiting
		most-waiting $most waiting
		delayed $((most / 10)) delayed
		groups 100000 groups
		fifo-groups 100000 groups, FIFO
		queues 10000 queues
	EOF
}

# ---- fair ----

fair_round()
{
	start_server wqd
	bench wqd -w push -c 8 -b 1000 -n 100000 --group large
	bench wqd -w wake -c 100 --hold "$hold" --rate 1 -t "$fair_seconds" \
	    --group small
	stop_server
	echo "$(latency message p50) $(latency message max)" \
	    "$(json messages) $(json foreign)" >>"$scratch/small.fair"
}

run_fair()
{
	# All workers may come to be in step, but not in step with the pushes:
	# a second is no multiple of the time that a message takes.
	local hold=230 fair_seconds=10
	has_wqd || return 0
	interleaved fair fair_round
	echo "100 workers, $hold ms a message; a group with a backlog of 100000," \
	    "another with 1 message/s"
	echo "from push to receive of the latter; $rounds rounds of" \
	    "$fair_seconds s; medians, and the worst of all"
	printf '%-8s %9s %9s %9s %9s %12s %6s\n' fair messages 'p50 ms' \
	    'max ms' 'worst ms' 'in turns' limit
	echo "$(column small fair 3) $(column small fair 1)" \
	    "$(column small fair 2)" \
	    "$(sort -g -k 2 "$scratch/small.fair" | tail -n 1)" "$hold" |
	awk '{
		printf "%-8s %9d %9.1f %9.1f %9.1f %12.2f %6.2f\n", "small",
		    $1, $2 / 1e3, $3 / 1e3, $5 / 1e3, $5 / 1e3 / $8, 2
	}'
	echo "in turns: the worst, in processing times of $hold ms;" \
	    "$(column small fair 4) of the large group were done meanwhile"
}
