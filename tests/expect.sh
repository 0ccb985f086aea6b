# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What more than one of the tests expects; each function fails with a word on why.
#
#	. "$(dirname "$0")/../expect.sh"
#	lacks PATTERN TEXT
#	fails STATUS PATTERN COMMAND...
#
# and of a process that was traced, in a guest:
#
#	nothing_left
#	text_is_clean PID FILE-PATTERN

# shellcheck disable=SC2154	# $work is the caller's

# `! grep` would not end a function under set -e.
lacks() {
	if grep "$1" <<<"$2"; then
		return 1
	fi
}

# The command ends with that status, and the last line on stderr says why; not
# counted are those that make and the usage of a command put behind it. Leaves
# $work/out and $work/err.
fails() {
	local want=$1 pattern=$2 status=0
	shift 2

	"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	cat "$work/err"
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want"; return 1; }
	grep -vE '^(make(\[[0-9]+\])?: |Try )' "$work/err" | tail -n 1 | grep -qiE -- "$pattern" ||
		{ echo "does not say: $pattern"; return 1; }
}

# fasttrap has no session, probe or process. What a session held is reaped behind
# its back: wait for that.
nothing_left() {
	local end=$((SECONDS + 60)) in=/sys/kernel/debug/xsync/fasttrap
	until [[ $(head -n 1 $in/reaper) == "pending 0 sessions, 0 probes, stranded 0"* &&
		 -z $(cat $in/providers $in/probes) ]]; do
		[ $SECONDS -lt $end ] || { tail -n +1 $in/reaper $in/providers $in/probes; return 1; }
		sleep 0.01
	done
}

# The process maps executable parts of such files, and each is as it is in the file.
# With -s, cmp would go by the sizes of files.
text_is_clean() {
	local range perms offset path status=1
	while read -r range perms offset _ _ path; do
		# shellcheck disable=SC2053	# a pattern
		[[ $perms == ??x? && $path == $2 ]] || continue
		status=0
		cmp -n $((16#${range#*-} - 16#${range%-*})) \
			-i $((16#${range%-*})):$((16#$offset)) "/proc/$1/mem" "$path" || return
	done <"/proc/$1/maps"
	return $status
}
