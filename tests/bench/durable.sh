# shellcheck shell=bash
# shellcheck disable=SC2154 # what it takes from scripts/bench
# Sections of scripts/bench, which reads this file, about what is on disk: what
# it costs to keep everything, and how long a start takes.
#
# Here the server has both cores, for its writer is a thread of its own; with
# two cores the generator takes its part from them.

durable_names=(memory durable durable+1ms beanstalkd-f0)

# What writes, and how: the options and environment of a name.
start_durable()	# NAME
{
	local delay=
	rm -rf "$scratch/data"
	mkdir "$scratch/data"
	free_port
	case $1 in
	memory) command_line=("$WQD" -l 127.0.0.1 -p "$port") ;;
	durable|durable+1ms)
		[ "$1" = durable ] || delay=1000
		command_line=(env "LD_PRELOAD=$SLOW_DISK"
		    "SLOW_DISK_COUNT=$scratch/flushes"
		    ${delay:+"SLOW_DISK_US=$delay"} "$WQD" -l 127.0.0.1
		    -p "$port" -d "$scratch/data") ;;
	beanstalkd-f0)
		command_line=(beanstalkd -l 127.0.0.1 -p "$port" -z 1048576
		    -b "$scratch/data" -f0) ;;
	esac
	"${command_line[@]}" >"$scratch/server" 2>&1 &
	server_pid=$!
	for _ in $(seq 200); do
		is_open "$port" && break
		sleep 0.05
	done
	is_open "$port" || {
		cat "$scratch/server" >&2
		die "$1 does not listen"
	}
}

# CPU of the first thread, and of the others, in microseconds.
thread_cpu()
{
	cat "/proc/$server_pid/task"/*/stat 2>/dev/null |
	    awk -v pid="$server_pid" -v hz="$(getconf CLK_TCK)" '{
		id = $1
		sub(/.*\) /, "")
		us = ($12 + $13) * 1e6 / hz
		if (id == pid) loop += us; else rest += us
	    } END { print loop + 0, rest + 0 }'
}

written()
{
	sed -n 's/^write_bytes: //p' "/proc/$server_pid/io"
}

durable_row()	# NAME ROW PUSHED_BYTES OPTIONS...
{
	local name=$1 row=$2 pushed=$3 before after bytes_before bytes_after
	shift 3
	start_durable "$name"
	[ "$name" != beanstalkd-f0 ] || set -- "$@" --protocol beanstalkd
	read -r -a before <<<"$(thread_cpu)"
	bytes_before=$(written)
	"$WQ_BENCH" -p "$port" --json -t "$seconds" "$@" >"$scratch/json" || {
		cat "$scratch/json" >&2
		die "$name: wq-bench $* has failed"
	}
	read -r -a after <<<"$(thread_cpu)"
	bytes_after=$(written)
	rm -f "$scratch/flushes"
	stop_server
	awk -v n="$(json messages)" -v rate="$(json messagesPerSecond)" \
	    -v p99="$(latency message p99)" -v max="$(latency request max)" \
	    -v a="${before[0]}" -v b="${after[0]}" -v c="${before[1]}" \
	    -v d="${after[1]}" -v w=$((bytes_after - bytes_before)) \
	    -v pushed="$pushed" \
	    -v flushes="$(cat "$scratch/flushes" 2>/dev/null || echo 0)" \
	    -v commits="$(sed -n 's/.* commits=\([0-9]*\).*/\1/p' \
	    "$scratch/server")" 'BEGIN {
		print rate, (b - a) / n, (d - c) / n, p99, max,
		    w / (n * pushed),
		    (commits > 0 ? flushes / commits : 0),
		    (commits > 0 ? n / commits : 0)
	    }' >>"$scratch/$name.$row"
}

durable_round()
{
	local name
	for name in "${picked_durable[@]}"; do
		durable_row "$name" cycle-64 100 -w cycle -c 64
		durable_row "$name" cycle-256 100 -w cycle -c 256
		durable_row "$name" push-1K-64 1000 -w push -c 64 -s 1000
		[ "$name" = beanstalkd-f0 ] ||
		    durable_row "$name" ndjson-8 100 -w push -b 1000 -c 8 \
		    -n 2000000
	done
}

durable_table()
{
	local row name
	printf '%-14s %-11s %10s %9s %9s %7s %7s %7s %7s %7s %7s %8s\n' \
	    durable load messages/s 'of memory' 'core each' 'loop us' \
	    'rest us' 'p99 us' 'max us' 'bytes x' flushes 'a commit'
	for row in cycle-64 cycle-256 push-1K-64 ndjson-8; do
		for name in "${picked_durable[@]}"; do
			[ -s "$scratch/$name.$row" ] || continue
			echo "$name $row $(column memory "$row" 1)" \
			    "$(column memory "$row" 2)" \
			    "$(for f in 1 2 3 4 5 6 7 8; do
				column "$name" "$row" $f
			    done | tr '\n' ' ')"
		done
	done | awk '{
		each = "-"
		if ($1 !~ /beanstalkd/ && $6 > 0)
			each = sprintf("%.2f", $4 / $6)
		printf "%-14s %-11s %10.0f %9.2f %9s %7.1f %7.1f %7.0f " \
		    "%7.0f %7.1f %7.2f %8.1f\n", $1, $2, $5, $5 / $3,
		    each, $6, $7, $8, $9, $10, $11, $12
	}'
}

run_durable()
{
	local name
	[ -x "$WQD" ] || return 0
	[ -e "$SLOW_DISK" ] || die "no $SLOW_DISK: make bench-programs"
	picked_durable=()
	for name in "${durable_names[@]}"; do
		if [ "$name" = beanstalkd-f0 ] &&
		    ! command -v beanstalkd >/dev/null; then
			continue
		fi
		picked_durable+=("$name")
	done
	for round in $(seq "$rounds"); do
		echo "bench: durable, round $round of $rounds" >&2
		durable_round
	done
	echo "100-byte bodies, or 1 KB; $rounds rounds of $seconds s; medians"
	durable_table
	echo "loop, rest: CPU a message of the loop and of the writer; core" \
	    "each: what that of the loop"
	echo "would make of memory's rate, if loop, writer and generator had" \
	    "one; bytes x: written a byte"
	echo "pushed; flushes: a commit; a commit: messages in one.  +1ms:" \
	    "each flush takes that much longer."
}

# ---- recover: how long a start takes ----

run_recover()
{
	local count=${messages:-1000000} file
	has_wqd || return 0
	start_durable durable
	bench wqd -w push -b 1000 -c 8 -n "$count"
	stop_server
	file=$(stat -c %s "$scratch/data/wq.db")
	for _ in $(seq "$rounds"); do
		# As after a boot, as far as one may.
		{ sync; echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null
		"$WQD" -l 127.0.0.1 -p "$port" -d "$scratch/data" \
		    2>"$scratch/server" &
		server_pid=$!
		for _ in $(seq 600); do
			grep -q 'all is read' "$scratch/server" && break
			sleep 0.1
		done
		sed -n 's/.*all is read.* seconds=\([0-9.]*\).*/\1/p' \
		    "$scratch/server" >>"$scratch/recover"
		stop_server
	done
	median <"$scratch/recover" | awk -v n="$count" -v file="$file" '{
		printf "recover: %d messages of 100 bytes, %.0f MB: %.2f s, " \
		    "%.0f messages/s\n", n, file / 1e6, $1, n / $1
	}'
	start_again
	bench wqd -w drain -b 1000 -c 8
	sleep 10
	stop_server
	echo "after a drain and 10 s: $(stat -c %s "$scratch/data/wq.db")" \
	    "bytes"
}

start_again()
{
	"$WQD" -l 127.0.0.1 -p "$port" -d "$scratch/data" \
	    2>"$scratch/server" &
	server_pid=$!
	for _ in $(seq 600); do
		grep -q 'all is read' "$scratch/server" && break
		sleep 0.1
	done
}
