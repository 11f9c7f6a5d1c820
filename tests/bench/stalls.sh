# shellcheck shell=bash
# shellcheck disable=SC2154 # what it takes from scripts/bench
# Sections of scripts/bench, which reads this file, about the slowest request.
#
# What a client sees is also what the machine and the generator do meanwhile.
# So the tables say beside it how long the longest turn of the server's loop
# was, and what of it the server was running.

# The server that is started next writes its longest turn.
watch_turns()
{
	[ -e "$LOOP_TURNS" ] || die "no $LOOP_TURNS: make bench-programs"
	export LOOP_TURNS_TO="$scratch/turns"
	rm -f "$scratch/turns"
	preload=$(realpath "$LOOP_TURNS")
}

# The time and the CPU time of it, in microseconds.
turns()
{
	[ -s "$scratch/turns" ] || die "$LOOP_TURNS has seen no epoll_wait()"
	cat "$scratch/turns"
}

run_growth()
{
	local name
	pick wqd beanstalkd epoll
	printf '%-11s %9s %10s %7s %7s %8s %8s %8s %8s\n' growth messages \
	    messages/s 'p50 us' 'p99 us' p99.99 'max us' 'turn us' 'its CPU'
	for name in "${picked[@]}"; do
		watch_turns
		start_server "$name"
		bench "$name" -w push -n "${messages:-10000000}" -c 16
		stop_server
		echo "$name $(json messages) $(json messagesPerSecond)" \
		    "$(latency push p50)" "$(latency push p99)" \
		    "$(latency push p99.99) $(latency push max) $(turns)" |
		awk '{ printf "%-11s %9d %10.0f %7.0f %7.0f %8.0f %8.0f %8d " \
		    "%8d\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }'
	done
	echo "turn: the longest of the server's loop"
}

now_ms()
{
	date +%s%3N
}

# The locks all end `lead` seconds from now; requests go on across that.
expiry_of()	# NAME COUNT WORKLOAD
{
	local lead until wait_ms calm after others=0
	watch_turns
	start_server "$1"
	# By default wqd locks 120000 messages of a queue at most.
	[ "$1" != wqd ] || curl -fsS -X PUT -d '{"maxLocked": 0}' \
	    "http://127.0.0.1:$port/queues/default" >/dev/null ||
	    die "$1: the settings were refused"
	bench "$1" -w push -n "$2" -c 64
	lead=$((13 + $2 / 50000))
	until=$(($(now_ms) + lead * 1000))
	bench "$1" -w lock -b 1000 -c 16 --until-ms "$until"
	[ "$(json messages)" -eq "$2" ] ||
	    die "$1: $(json messages) of $2 messages were locked"
	wait_ms=$((until - $(now_ms) - 3500))
	[ $wait_ms -gt 0 ] ||
	    die "$1: locking took so long that the locks have ended"
	sleep "$(awk -v ms=$wait_ms 'BEGIN { print ms / 1000 }')"
	# Before the end of the locks: what the requests cost by themselves.
	bench "$1" -w "$3" --rate 1000 -c 8 -t 3
	calm=$(latency "$3" max)
	[ "$3" != push ] || others=$(json messages)
	kill -PROF "$server_pid"
	bench "$1" -w "$3" --rate 1000 -c 8 -t 3
	after="$(latency "$3" p50) $(latency "$3" p99) $(latency "$3" p99.9)"
	after+=" $(latency "$3" max) $(turns)"
	[ "$3" != push ] || others=$((others + $(json messages)))
	bench "$1" -w drain -b 10 -c 16
	[ "$(json messages)" -eq $(($2 + others)) ] ||
	    die "$1: $(json messages) of $(($2 + others)) messages came back"
	stop_server
	echo "$calm $after" >>"$scratch/$1-$3.expiry"
}

expiry_row()	# NAME WORKLOAD
{
	local field row=()
	for field in 1 2 3 4 5 6 7; do
		row+=("$(column "$1-$2" expiry $field)")
	done
	for field in 5 6; do
		row+=("$(awk -v f=$field '{ print $f }' \
		    "$scratch/$1-$2.expiry" | sort -g | tail -n 1)")
	done
	printf '%-6s %-6s %9.0f' "$1" "$2" "${row[0]}"
	printf ' %7.0f' "${row[@]:1}"
	echo
}

run_expiry()
{
	local name round count=${messages:-1000000}
	pick wqd epoll
	rm -f "$scratch"/*.expiry
	for round in $(seq "$rounds"); do
		echo "bench: expiry, round $round of $rounds" >&2
		for name in "${picked[@]}"; do
			expiry_of "$name" "$count" probe
			expiry_of "$name" "$count" push
		done
	done
	printf '%-6s %-6s %9s %7s %7s %7s %7s %7s %7s %7s %7s\n' expiry of \
	    'calm max' 'p50 us' 'p99 us' p99.9 'max us' 'turn us' 'its CPU' \
	    worst 'turn'
	for name in "${picked[@]}"; do
		expiry_row "$name" probe
		expiry_row "$name" push
	done
	echo "locks of $count messages end 0.5 s after the requests begin:" \
	    "1000/s of GET /health or of pushes, each from its due time;" \
	    "turn: the longest of the server's loop in that time, medians;" \
	    "worst: of $rounds rounds, max and turn"
}
