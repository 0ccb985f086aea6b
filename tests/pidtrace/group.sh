# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Several test programs as one suite: group_plan NUMBER once, then
#
#	group NAME COMMAND...
#
# for each program that prints KTAP of its own; in the end group_end.
# A group also fails when its program does so after its last case, as a sanitizer
# makes it do.

group_plan() {
	group_done=0 group_failed=0
	printf 'KTAP version 1\n1..%d\n' "$1"
}

group() {
	local name=$1 status=0
	shift
	group_done=$((group_done + 1))
	{ "$@" || status=$?; } > >(sed 's,^,    ,')
	wait $!
	if [ $status -eq 0 ]; then
		echo "ok $group_done $name"
	else
		echo "not ok $group_done $name"
		group_failed=1
	fi
}

group_end() {
	[ "$group_failed" -eq 0 ]
}
