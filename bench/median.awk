# SPDX-License-Identifier: Apache-2.0
#
# Reads bench.csv for the scripts that print it. has(), median() and why() answer for a contestant
# and a question.
BEGIN {
	FS = ","
	rows = "fencepost-move fencepost-batch fencepost-guard fencepost-mprotect fencepost-none malloc-door kernel glibc valgrind asan " \
		"tcmalloc efence duma libdislocator"
	row_count = split(rows, row, " ")
	title["fencepost-move"] = "Fencepost, move"
	title["fencepost-guard"] = "Fencepost, guard"
	title["fencepost-mprotect"] = "Fencepost, mprotect"
	title["fencepost-none"] = "Fencepost, none"
	title["fencepost-batch"] = "Fencepost, seal_batch=64"
	title["malloc-door"] = "Fencepost under malloc"
	title["kernel"] = "kernel alone"
	title["glibc"] = "glibc, nothing protected"
	title["valgrind"] = "Valgrind memcheck"
	title["asan"] = "AddressSanitizer, recompiled"
	title["tcmalloc"] = "tcmalloc page fence"
	title["efence"] = "Electric Fence"
	title["duma"] = "DUMA"
	title["libdislocator"] = "AFL++ libdislocator"
}
/^#/ {
	facts[++fact_count] = substr($0, 3)
	next
}
$1 == "question" { next }
$4 == "failed" {
	reason = $0
	sub(/^[^"]*"/, "", reason)
	sub(/"$/, "", reason)
	failed[++failure_count] = $1 SUBSEP $2
	failure[$1, $2] = reason
	next
}
{
	key = $1 SUBSEP $2 SUBSEP $4
	results[key, ++result_count[key]] = $5 + 0
}

function has(question, contestant, metric) {
	return (question, contestant, metric) in result_count
}

function median(question, contestant, metric,    key, n, i, j, x, sorted) {
	key = question SUBSEP contestant SUBSEP metric
	n = result_count[key]
	for (i = 1; i <= n; i++) {
		x = results[key, i]
		for (j = i; j > 1 && sorted[j - 1] > x; j--)
			sorted[j] = sorted[j - 1]
		sorted[j] = x
	}
	return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

# Whether some of the blocks had no guards. The none back end promises none.
function is_partial(question, contestant) {
	return has(question, contestant, "guarded_percent") && contestant != "fencepost-none" &&
		median(question, contestant, "guarded_percent") < 99.9
}

# Why there is no figure; "" when the question was not asked.
function why(question, contestant) {
	if (("all", contestant) in failure)
		return failure["all", contestant]
	return (question, contestant) in failure ? failure[question, contestant] : ""
}
