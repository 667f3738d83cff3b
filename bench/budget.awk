# SPDX-License-Identifier: Apache-2.0
#
# budget.csv of budget.sh as tables or, with svg=1, as a picture of cost against mistakes found.
$1 == "cost" {
	seconds[$2] = $3
	kib[$2] = $4
	next
}
{
	if (!($1 in times))
		tools[++count] = $1
	found[$1] += $6
	times[$1] += $7
	row = $4 ", " $5
	if (!(row in known)) {
		known[row] = 1
		rows[++row_count] = row
	}
	found_in[$1, row] += $6
	times_in[$1, row] += $7
}
function share(tool) { return 100 * found[tool] / times[tool] }
function cost(tool) { return seconds[tool] / seconds["native"] }
function table(    i, tool, row) {
	print "| tool | processor time | times native | peak resident | planted mistakes found |"
	print "|---|---:|---:|---:|---:|"
	for (i = 1; i <= count; i++) {
		tool = tools[i]
		printf "| %s | %.3f s | %.2f | %.1f MiB | %.1f %% |\n", tool, seconds[tool], cost(tool), kib[tool] / 1024, share(tool)
	}
	print "\nOf the same mistakes, by the place that makes them and when, `budget=25` and `" same "`, which costs as much:\n"
	print "| place, execution | budget=25 | " same " |"
	print "|---|---:|---:|"
	for (i = 1; i <= row_count; i++) {
		row = rows[i]
		printf "| %s | %.1f %% | %.1f %% |\n", row, 100 * found_in["budget=25", row] / times_in["budget=25", row], 100 * found_in[same, row] / times_in[same, row]
	}
}
function x(times_native) { return 70 + 560 * log(times_native) / log(128) }
function y(percent) { return 330 - 2.9 * percent }
function picture(    i, tool, at) {
	print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 390\" font-family=\"sans-serif\" font-size=\"13\">"
	print "<rect width=\"720\" height=\"390\" fill=\"white\"/>"
	for (i = 1; i <= 128; i *= 2) {
		printf "<line x1=\"%.0f\" y1=\"40\" x2=\"%.0f\" y2=\"330\" stroke=\"#ddd\"/>", x(i), x(i)
		printf "<text x=\"%.0f\" y=\"348\" text-anchor=\"middle\" fill=\"#555\">%d x</text>\n", x(i), i
	}
	for (i = 0; i <= 100; i += 25) {
		printf "<line x1=\"70\" y1=\"%.0f\" x2=\"630\" y2=\"%.0f\" stroke=\"#ddd\"/>", y(i), y(i)
		printf "<text x=\"62\" y=\"%.0f\" text-anchor=\"end\" fill=\"#555\">%d %%</text>\n", y(i) + 4, i
	}
	print "<text x=\"350\" y=\"375\" text-anchor=\"middle\">processor time, times native</text>"
	print "<text x=\"70\" y=\"24\">planted mistakes found</text>"
	for (i = 1; i <= count; i++) {
		tool = tools[i]
		at = cost(tool) < 1 ? 1 : cost(tool)
		printf "<circle cx=\"%.0f\" cy=\"%.0f\" r=\"6\" fill=\"%s\"/>", x(at), y(share(tool)), tool ~ /^budget/ ? "#c0392b" : "#2c5f8a"
		printf "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n", x(at) + 10, y(share(tool)) + (i % 2 ? -8 : 16), tool
	}
	print "</svg>"
}
END {
	if (svg)
		picture()
	else
		table()
}
