# SPDX-License-Identifier: Apache-2.0
#
# bench.csv to the tables of bench.md: medians, with the ratio to Fencepost's first back end that
# runs here in brackets; why the others have no figure; and the targets.
END {
	for (i = 1; i <= row_count && reference == ""; i++)
		if (row[i] ~ /^fencepost/ && why("", row[i]) == "")
			reference = row[i]
	for (i = 1; i <= fact_count; i++)
		print "* " facts[i]
	print "* figures: medians; in brackets: times the figure of " title[reference]

	begin_table("Nanoseconds of processor time for one free and one alloc of 64 bytes, at so many live blocks")
	column("churn-1k", "ns_per_pair", "1 k")
	column("churn-1k-deep", "ns_per_pair", "1 k, 20 frames deeper")
	column("churn-20k", "ns_per_pair", "20 k")
	column("churn-200k", "ns_per_pair", "200 k")
	column("churn-1m", "ns_per_pair", "1 M")
	print_table()

	begin_table("Nanoseconds of processor time for each alloc of a fill and each free of a drain")
	column("fill-20k", "ns_per_alloc", "fill 20 k")
	column("fill-20k", "ns_per_free", "drain 20 k")
	column("fill-200k", "ns_per_alloc", "fill 200 k")
	column("fill-200k", "ns_per_free", "drain 200 k")
	print_table()

	begin_table("Nanoseconds that pass (on a quiet machine) for each free and alloc, all threads together, 1 k live blocks a thread")
	column("threads-1", "ns_per_pair", "1 thread")
	column("threads-2-own", "ns_per_pair", "2")
	column("threads-4-own", "ns_per_pair", "4")
	column("threads-2-shared", "ns_per_pair", "2, freeing each other's")
	column("threads-4-shared", "ns_per_pair", "4, freeing each other's")
	print_table()

	begin_table("Bytes for each of 1 M live blocks of 64 bytes")
	column("resident-1m", "bytes", "resident and page tables")
	column("resident-1m", "page_table_bytes", "page tables alone")
	print_table()

	begin_table("Nanoseconds that pass (on a quiet machine) for a fork and the end of the child, at so many live blocks")
	column("fork-0", "ns_per_fork", "1")
	column("fork-1k", "ns_per_fork", "1 k")
	print_table()

	print_samples()
	print_partial()
	print_failures()
	print_targets()
}

function begin_table(heading) {
	table_heading = heading
	column_count = 0
}

function column(question, metric, heading) {
	column_count++
	column_question[column_count] = question
	column_metric[column_count] = metric
	column_heading[column_count] = heading
}

function figure(question, contestant, metric,    value, base, text) {
	if (!has(question, contestant, metric))
		return shorten(why(question, contestant))
	value = median(question, contestant, metric)
	text = value < 100 ? sprintf("%.1f", value) : sprintf("%.0f", value)
	if (is_partial(question, contestant))
		text = text "*"
	if (contestant == reference || !has(question, reference, metric))
		return text
	base = median(question, reference, metric)
	return base > 0 ? text sprintf(" (%.*f)", value < base ? 3 : 1, value / base) : text
}

# A reason, as short as a cell wants it.
function shorten(reason,    word) {
	if (reason ~ /^not installed/)
		return "not installed"
	if (split(reason, word, " ") && word[1] == "refused")
		return "NULL at " word[3]
	if (word[1] == "died" || word[1] == "timeout")
		return word[1] " at " word[4]
	return reason == "" ? "-" : "none, see below"
}

function pad(text, width) {
	return sprintf("%-" width "s", text)
}

# Leaves out who was not asked, and a table that nobody was asked for.
function print_table(    i, c, width, line, rule, cell, was_asked, rows_asked) {
	width[0] = length("AddressSanitizer, recompiled")
	for (c = 1; c <= column_count; c++) {
		width[c] = length(column_heading[c])
		for (i = 1; i <= row_count; i++) {
			cell[i, c] = figure(column_question[c], row[i], column_metric[c])
			if (cell[i, c] != "-")
				rows_asked += !was_asked[i]++
			if (length(cell[i, c]) > width[c])
				width[c] = length(cell[i, c])
		}
	}
	if (!rows_asked)
		return
	print "\n" table_heading ":\n"
	line = "| " pad("", width[0]) " |"
	rule = "|---|"
	for (c = 1; c <= column_count; c++) {
		line = line " " pad(column_heading[c], width[c]) " |"
		rule = rule "---|"
	}
	print line "\n" rule
	for (i = 1; i <= row_count; i++) {
		if (!was_asked[i])
			continue
		line = "| " pad(title[row[i]], width[0]) " |"
		for (c = 1; c <= column_count; c++)
			line = line " " pad(cell[i, c], width[c]) " |"
		print line
	}
}

function times_glibc(time) {
	if (!has("churn-1k", "glibc", "ns_per_pair"))
		return "-"
	return sprintf("%.2f", time / median("churn-1k", "glibc", "ns_per_pair"))
}

function print_samples(    n, question, time, rows_printed) {
	for (n = 1; n <= 10000; n *= 10) {
		question = "sample-" n
		if (!has(question, "malloc-door", "ns_per_pair"))
			continue
		if (!rows_printed++)
			print "\nsample=N, 1 k live blocks, " title["malloc-door"] ":\n\n" \
				"| N | ns of processor time for one free and one alloc | times glibc |\n|---|---|---|"
		time = median(question, "malloc-door", "ns_per_pair")
		printf "| %d | %.1f | %s |\n", n, time, times_glibc(time)
	}
}

function print_partial(    i, key, part, n) {
	for (i = 1; i <= row_count; i++)
		for (key in result_count) {
			split(key, part, SUBSEP)
			if (part[2] != row[i] || part[3] != "guarded_percent" || part[1] ~ /^sample/ ||
			    !is_partial(part[1], row[i]))
				continue
			if (!n++)
				print "\nWith *, so many of the blocks were between guards, the others padded only:\n"
			printf "* %s, %s: %.1f %%\n", title[row[i]], part[1],
				median(part[1], row[i], "guarded_percent")
		}
}

# One line for each contestant and reason, with all the questions it concerns. How many blocks were
# live is in the tables.
function print_failures(    i, n, part, reason, group, order, concerns) {
	n = 0
	for (i = 1; i <= failure_count; i++) {
		split(failed[i], part, SUBSEP)
		reason = failure[failed[i]]
		sub(/ live [0-9]+ pairs [0-9]+/, "", reason)
		sub(/^refused/, "Alloc returned NULL", reason)
		group = part[2] SUBSEP reason
		if (!(group in concerns))
			order[++n] = group
		concerns[group] = concerns[group] " " part[1]
	}
	print "\nWithout a figure:\n"
	for (i = 1; i <= n; i++) {
		split(order[i], part, SUBSEP)
		print "* " title[part[1]] ": " part[2] " (" substr(concerns[order[i]], 2) ")"
	}
	if (n == 0)
		print "* none"
}

function target(what, known, value, limit, unit) {
	printf "| %s | %s%s | %s | %s |\n", what, limit, unit,
		known ? sprintf("%.3g", value) unit : "not measured",
		known ? (value <= limit ? "met" : sprintf("missed by %.1f %%", (value / limit - 1) * 100)) : ""
}

function ratio_target(what, one, contestant, other, peer, limit,    known) {
	known = has(one, contestant, "ns_per_pair") && has(other, peer, "ns_per_pair")
	target(what, known, known ? median(one, contestant, "ns_per_pair") / median(other, peer, "ns_per_pair") : 0,
		limit, " x")
}

function print_targets(    known) {
	print "\nTargets, " title[reference] ":\n\n| figure | at most | measured | |\n|---|---|---|---|"
	ratio_target("churn at 1 k live, to tcmalloc's page fence", "churn-1k", reference, "churn-1k", "tcmalloc", 0.12)
	ratio_target("churn at 1 k live, to Valgrind", "churn-1k", reference, "churn-1k", "valgrind", 1.2)
	ratio_target("churn at 1 M live, to 1 k live", "churn-1m", reference, "churn-1k", reference, 2.5)
	ratio_target("churn with sample=1000 under malloc, to glibc", "sample-1000", "malloc-door", "churn-1k", "glibc", 1.15)
	known = has("resident-1m", reference, "bytes")
	target("bytes for a live block, to a page", known,
		known ? median("resident-1m", reference, "bytes") / 4096 : 0, 1.06, " x")
	known = has("leaks-1m", "leaks", "ms_per_check")
	target("check for leaks, 1 M live blocks", known, known ? median("leaks-1m", "leaks", "ms_per_check") : 0, 2000, " ms")
	known = has("leaks-1g", "leaks", "gib_per_second")
	target("seconds to search 1 GiB of globals for pointers", known, known ? 1 / median("leaks-1g", "leaks", "gib_per_second") : 0, 1, " s")
	known = has("trace", "trace", "ns_per_capture")
	target("warm capture of 20 frames", known, known ? median("trace", "trace", "ns_per_capture") : 0, 400, " ns")
}
