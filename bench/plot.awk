# SPDX-License-Identifier: Apache-2.0
#
# bench.csv to a gnuplot program that draws bench.svg: the pair of free and alloc over the live
# blocks, and the sample=N curve beside it when there is one.
END {
	split("1k 20k 200k 1m", question, " ")
	split("1000 20000 200000 1000000", live, " ")
	split("1 10 100 1000 10000", sample, " ")
	for (i = 1; i <= row_count; i++) {
		for (q = 1; q <= 4; q++)
			if (has("churn-" question[q], row[i], "ns_per_pair") && !is_partial("churn-" question[q], row[i]))
				churn[i] = churn[i] live[q] " " median("churn-" question[q], row[i], "ns_per_pair") "\n"
		for (q = 1; q <= 5; q++)
			if (has("sample-" sample[q], row[i], "ns_per_pair"))
				samples[i] = samples[i] sample[q] " " median("sample-" sample[q], row[i], "ns_per_pair") "\n"
	}
	for (i = 1; i <= row_count; i++) {
		if (churn[i] != "")
			add("churn", i, churn[i])
		if (samples[i] != "")
			add("sample", i, samples[i])
	}
	print "set terminal svg noenhanced size " ("sample" in plot ? 1600 : 1000) ",700 font 'sans,13' background 'white'"
	print "set logscale xy\nset grid\nset format x '%.0s%c'\nset ylabel 'nanoseconds for one free and one alloc'"
	print "set key outside right top"
	if ("sample" in plot)
		print "set multiplot"
	if ("churn" in plot)
		print ("sample" in plot ? "set size 0.62,1\n" : "") "set xlabel 'live blocks of 64 bytes'\nset xrange [700:1500000]\nplot " plot["churn"]
	if ("sample" in plot)
		print "unset key\nset size 0.38,1\nset origin 0.62,0\nset xlabel 'N of sample=N, 1 k live blocks'\nset xrange [0.7:15000]\nplot " plot["sample"]
}

function add(name, i, data) {
	print "$" name i " << END\n" data "END"
	plot[name] = plot[name] (name in plot && plot[name] != "" ? ", " : "") "$" name i \
		" with linespoints linewidth 2 pointtype " i " linecolor " (i - 1) % 8 + 1 " dashtype " (i > 8 ? 2 : 1) " title \"" title[row[i]] "\""
}
