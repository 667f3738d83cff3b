# SPDX-License-Identifier: Apache-2.0
#
# await COMMAND...: until it succeeds. A busy machine takes its time, and one where it never does is told
# from it by ten minutes; false then.
await() {
	await_turns=0
	until "$@" >/dev/null 2>&1; do
		await_turns=$((await_turns + 1))
		test $await_turns -lt 6000 || return 1
		sleep 0.1
	done
}
