# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# KTAP for suites written in bash:
#
#	. "$(dirname "$0")/../ktap.sh"
#	ktap_plan 2
#	ktap_case "what must hold" function [arguments]
#	ktap_skip "what cannot be seen here" "why"
#	ktap_progress "how far it has come"
#	ktap_end
#
# A case passes if its function returns 0; it runs in a subshell under `set -e`,
# and what it prints is shown as diagnostics when it fails. What it says of its progress
# is passed on at once, and tests/check shows it.

ktap_plan() {
	ktap_planned=$1 ktap_done=0 ktap_failed=0
	exec {ktap_stdout}>&1
	printf 'KTAP version 1\n1..%d\n' "$1"
}

ktap_case() {
	local name=$1 output status=0
	shift

	# Neither `if` nor `||` around the subshell: both would switch off `set -e` in it.
	set +e
	output=$(set -e; "$@" 2>&1 </dev/null)
	status=$?
	set -e
	ktap_done=$((ktap_done + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $ktap_done $name"
	else
		[ -z "$output" ] || sed 's/^/# /' <<<"$output"
		echo "# returned $status"
		echo "not ok $ktap_done $name"
		ktap_failed=$((ktap_failed + 1))
	fi
}

ktap_progress() {
	echo "# $*" >&"$ktap_stdout"
}

ktap_skip() {
	ktap_done=$((ktap_done + 1))
	echo "ok $ktap_done $1 # SKIP $2"
}

ktap_end() {
	[ "$ktap_done" -eq "$ktap_planned" ] || exit 2
	[ "$ktap_failed" -eq 0 ]
}
