# shellcheck shell=bash
# shellcheck disable=SC2154 # what it takes from scripts/bench
# A section of scripts/bench, which reads this file: the cycle over SQS beside
# the native one.
#
# In memory the server has core 0 and the generator core 1, as in the cycle.
# With --data both have both, as in the section durable: the writer is a thread
# of its own.

sqs_connections=64

# A row of a store is measured once a round, into $scratch/ROW.sqs-STORE.
sqs_row()	# STORE ROW
{
	local options=(-w cycle -t "$seconds" -c $sqs_connections)
	case $2 in
	native) options+=(-q bench-native) ;;
	sqs-10) options+=(-b 10) ;;
	esac
	if [ "$1" = durable ]; then
		local on_server_core='' on_generator_core=''
		local WQD_OPTIONS="$WQD_OPTIONS -d $scratch/data"
		rm -rf "$scratch/data"
		mkdir "$scratch/data"
	fi
	start_server wqd
	bench "$2" "${options[@]}" --pid "$server_pid"
	stop_server
	echo "$(json messagesPerSecond) $(json serverCpuMicroseconds)" \
	    "$(latency request p50) $(latency request p99)" \
	    "$(json serverShare) $(json generatorShare)" \
	    >>"$scratch/$2.sqs-$1"
}

sqs_round()
{
	local row
	for row in "${sqs_rows[@]}"; do
		sqs_row "$sqs_store" "$row"
	done
}

# How ROW does beside BASE, as a median and by the CPU of a message.
sqs_ratio()	# STORE ROW BASE AIM
{
	echo "$2/$3 $(column "$2" "sqs-$1" 1) $(column "$3" "sqs-$1" 1)" \
	    "$(column "$2" "sqs-$1" 2) $(column "$3" "sqs-$1" 2) $4" |
	awk '{
		printf "  %-20s %8.2f %8.2f %8.2f %8.2f\n", $1, $2 / $3,
		    $6, $2 / $3 / $6, $4 / $5
	}'
}

sqs_table()	# STORE
{
	local row
	printf '%-14s %-8s %11s %8s %8s %9s %6s %6s\n' sqs store messages/s \
	    'CPU us' 'p50 us' 'p99 us' 'srv %' 'gen %'
	for row in "${sqs_rows[@]}"; do
		echo "$row $1 $(for f in 1 2 3 4 5 6; do
			column "$row" "sqs-$1" $f
		    done | tr '\n' ' ')"
	done | awk '{
		printf "%-14s %-8s %11.0f %8.2f %8.0f %9.0f %6.0f %6.0f\n",
		    $1, $2, $3, $4, $5, $6, $7 * 100, $8 * 100
	}'
	printf '  %-20s %8s %8s %8s %8s\n' 'messages/s' ratio aim 'of aim' \
	    'CPU x'
	sqs_ratio "$1" sqs native 0.75
	sqs_ratio "$1" sqs-10 sqs 4
}

run_sqs()
{
	local sqs_rows=(native-root native sqs sqs-10) sqs_store
	has_wqd || return 0
	for sqs_store in memory durable; do
		interleaved "sqs-$sqs_store" sqs_round
		[ "$sqs_store" = memory ] || echo
		[ "$sqs_store" = durable ] ||
		    echo "the cycle on $sqs_connections connections, 100-byte" \
		    "bodies; $rounds rounds of $seconds s; medians"
		sqs_table "$sqs_store"
	done
	echo "native-root: on /; native: on a queue with a name; sqs:" \
	    "SendMessage, ReceiveMessage,"
	echo "DeleteMessage over JSON; sqs-10: batches of 10 of them.  CPU us:" \
	    "of a message."
}
