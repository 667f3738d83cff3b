// SPDX-License-Identifier: Apache-2.0
//
// The page: what ran and the verdict in figures, the lists, the charts, and how each process was
// run. It takes the place of the text that stands there for whoever has no scripts.

const FILTER_FROM = 6; // with fewer findings and leaks it is in the way
const PROCESSES_OPEN = 1;
const SUPPRESSIONS_SHOWN = 500;

const findings = collect("finding", (report) => report.findings);
const leaks = collect("leak", (report) => report.leaks.filter((leak) => leak.kind !== "possible"), (leak) => leak.bytes);
const possible = collect("possible", (report) => report.leaks.filter((leak) => leak.kind === "possible"), (leak) => leak.bytes);
const growing = collect("growth", (report) => report.growth ? report.growth.stacks : [], (one) => one.grown_bytes);

// Title and header.

function subject() {
	const first = reports[0];
	if (reports.length > 1)
		return number(reports.length) + " processes";
	if (first.sources)
		return count(sourceCount(first), "merged report");
	return first.process.executable ? baseName(first.process.executable) : "Unknown program";
}

function title() {
	const leaked = sum(reports, (report) => report.summary.leaked_blocks);
	const what = findings.length > 0 ? count(findings.length, "finding") : leaked > 0 ? "Leaks" : "No findings";
	return plain(what + " in " + subject());
}

function figure(style, label, value) {
	return make("div", { class: "figure " + style }, make("dt", {}, label), make("dd", {}, value));
}

function leakFigure() {
	const checked = reports.filter(areLeaksTold).length;
	const blocks = sum(reports, (report) => report.summary.leaked_blocks);
	if (checked === 0)
		return figure("", "leaks not checked", "\u2013");
	if (blocks > 0)
		return figure("bad", "leaked in " + count(blocks, "block"), size(sum(reports, (report) => report.summary.leaked_bytes)));
	return checked === reports.length ? figure("good", "leaked", size(0)) : figure("", "leaked, not checked in all", size(0));
}

function figures() {
	const counted = reports.filter((report) => !report.process.uncounted);
	const allocations = sum(reports, (report) => report.protection.allocations);
	const guarded = sum(reports, (report) => report.protection.guarded);
	const peak = reports.reduce((most, report) => Math.max(most, report.heap.peak_bytes), 0);
	const known = (value) => counted.length > 0 ? value : "\u2013";
	return make("dl", { class: "figures" },
		figure(findings.length > 0 ? "bad" : "good", findings.length === 1 ? "finding" : "findings", number(findings.length)),
		leakFigure(),
		figure("", "live at the peak", known(size(peak))),
		figure("", allocations === 1 ? "allocation" : "allocations", known(number(allocations))),
		figure("", "guarded", allocations > 0 ? Number((100 * guarded / allocations).toPrecision(4)) + " %" : "\u2013"));
}

function commandOf(report) {
	return report.process.argv.join(" ");
}

function header(sections) {
	const command = reports.length === 1 ? commandOf(reports[0]) : "";
	return [make("h1", {}, subject()),
		command ? make("p", { class: "command" }, make("code", {}, command)) : null,
		figures(),
		make("nav", { "aria-label": "Sections" }, sections.map((section) =>
			make("a", { href: "#" + section.id }, section.querySelector("h2").textContent)))];
}

// Sections.

function section(id, heading, ...content) {
	return make("section", { id, "aria-labelledby": "h-" + id }, make("h2", { id: "h-" + id }, heading), content);
}

function none(text) {
	return make("p", { class: "none" }, text);
}

function quiet(text) {
	return make("p", { class: "quiet" }, text);
}

// What the user asked for is told, but is no finding.
function failedNote(failed) {
	const all = count(failed.count, "allocation") + " failed as fail_alloc asks";
	const stack = failed.alloc_stack || [];
	return stack.length === 0 ? [all, ", of other stacks"] : [all, " at ", placeSpans(stack, null)];
}

function notes() {
	const lines = reports.flatMap((report) => [...report.notes, ...report.failed_allocations.map(failedNote)].map((note) =>
		make("li", {}, reports.length > 1 ? processName(report) + ": " : null, note)));
	return lines.length > 0 ? make("ul", { class: "notes", "aria-label": "Notes" }, lines) : null;
}

function explainNoLeaks() {
	const checked = reports.filter(areLeaksTold).length;
	if (checked === 0)
		return "Leaks were not looked for.";
	return checked === reports.length ? "No leaks." : "No leaks where they were looked for.";
}

// A list of blocks that are almost all in use hides from a reader those that are not.
function possibleElement(list) {
	const blocks = sum(possible, (item) => item.value.blocks);
	return make("details", { class: "stack possible" }, make("summary", {}, count(blocks, "block") + " with " +
		size(sum(possible, (item) => item.value.bytes)) + (blocks === 1 ? " is" : " are") +
		" possibly leaked: only pointers into the middle were found"), list.element);
}

function growthSection(list) {
	const asked = reports.filter((report) => report.growth);
	const leftOut = sum(asked, (report) => report.growth.left_out);
	if (asked.length === 0)
		return null;
	return section("growth", "Growth",
		make("p", { class: "what" }, "Allocation stacks whose live bytes only ever rose. What levelled off is not among them; " +
			"what a program needs may be."),
		growing.length > 0 ? list.element : none(asked.some((report) => report.growth.judged) ? "Nothing that only grew." :
			"The run was too short to tell what grows."),
		leftOut > 0 ? quiet(count(leftOut, "more stack") + " grew, less than those that are listed.") : null);
}

// What it did, where it matched something and where it did not.
const SUPPRESSION_WORDS = new Map([
	["foreign", ["names what is never found here", "names what is never found here"]],
	["expired", ["expired: what it matches is reported", "expired, and matched nothing"]],
	["exceeded", ["exceeded: what it matches is reported", "exceeded"]],
	["active", ["used", "never used"]],
]);

function suppressionRow(one) {
	return make("tr", {}, make("td", {}, make("code", {}, one.name)), make("td", {}, one.file + ":" + one.line),
		make("td", {}, SUPPRESSION_WORDS.get(one.state)[one.matched > 0 ? 0 : 1] + (one.max === undefined ? "" : ", max=" + one.max) +
			(one.until === undefined ? "" : ", until=" + one.until)),
		make("td", { class: "number" }, number(one.matched)), make("td", { class: "number" }, number(one.used)));
}

// All reports of a set have the same.
function suppressionSection() {
	const all = reports[0].suppressions || [];
	const head = ["suppression", "file", "what it did", "findings and leaked blocks it matches", "findings and leaks taken out"];
	if (all.length === 0)
		return null;
	return section("suppressions", "Suppressions",
		make("div", { class: "wide" }, make("table", {},
			make("thead", {}, make("tr", {}, head.map((text) => make("th", { scope: "col" }, text)))),
			make("tbody", {}, all.slice(0, SUPPRESSIONS_SHOWN).map(suppressionRow)))),
		all.length > SUPPRESSIONS_SHOWN ? quiet("and " + number(all.length - SUPPRESSIONS_SHOWN) + " more") : null);
}

function memorySection() {
	const charts = [...timelineElements(), ...flameElements()];
	return section("memory", "Memory", charts.length > 0 ? charts : none("There is no record of the heap over time."));
}

// How a process was run and how it went.

function endOf(report) {
	const { exit } = report.process;
	if (!exit)
		return "not known";
	return "code" in exit ? "exit status " + exit.code : "killed by " +
		(/^\d/.test(exit.signal) ? "signal " : "") + exit.signal;
}

function originFacts(report) {
	const names = (report.sources || []).slice(0, SOURCES_SHOWN).map((source) => source.name || source.layout || "");
	const more = sourceCount(report) - names.length;
	if (report.sources)
		return [["sources", names.join(", ") + (more > 0 ? " and " + number(more) + " more" : "")]];
	return [["command", make("code", {}, commandOf(report))],
		["executable", make("code", {}, report.process.executable)],
		["process", report.process.pid + ", started by " + report.process.ppid],
		["end", endOf(report)]];
}

function heapFacts({ process, protection, heap }) {
	if (process.uncounted)
		return [["allocations", "not known"]];
	return [["allocations", number(protection.allocations)], ["guarded", number(protection.guarded)],
		["padded", number(protection.padded)], ["plain", number(protection.plain)],
		...Object.entries(protection.reasons).map(([reason, blocks]) => ["not guarded: " + reason, number(blocks)]),
		["frees", number(heap.frees)],
		["live at the end", size(heap.live_bytes) + " in " + count(heap.live_blocks, "block")],
		["live at the peak", size(heap.peak_bytes)]];
}

function settingsElement(report) {
	const settings = Object.entries(report.settings);
	return settings.length === 0 ? null : make("details", { class: "stack" }, make("summary", {}, "Settings"),
		facts(...settings.map(([key, value]) => [key, value === "" ? "\u2013" : value])));
}

function processHeadline({ report }) {
	return make("summary", {}, make("span", { class: "kind" }, processName(report)), " ",
		make("span", { class: "marks" }, count(report.findings.length, "finding") + (report.sources ? "" : ", " + endOf(report))));
}

function processBody({ report }) {
	return [facts(...originFacts(report), ...heapFacts(report)), settingsElement(report)];
}

function start() {
	const lists = {
		findings: new List(findings, { style: ({ value }) => value.severity === "error" ? "error" : "warning",
			headline: findingHeadline, body: findingBody }),
		leaks: new List(leaks, { style: () => "leak", headline: leakHeadline, body: leakBody }),
		possible: new List(possible, { style: () => "leak", headline: leakHeadline, body: leakBody }),
		growing: new List(growing, { style: () => "growing", headline: growingHeadline, body: growingBody }),
		run: new List(collect("process", (report) => [report.process]), { style: () => "process",
			headline: processHeadline, body: processBody }),
	};
	const filtered = [lists.findings, lists.leaks, lists.possible, lists.growing];
	const sections = [
		section("findings", "Findings", findings.length > 0 ? lists.findings.element : none("No findings.")),
		section("leaks", "Leaks", leaks.length > 0 ? lists.leaks.element : none(explainNoLeaks()),
			possible.length > 0 ? possibleElement(lists.possible) : null),
		growthSection(lists.growing), suppressionSection(), memorySection(),
		section("run", "Run", lists.run.element)].filter((one) => one !== null);
	document.title = title();
	add(document.querySelector("header"), header(sections));
	fill(document.getElementById("main"), notes(),
		sum(filtered, (list) => list.items.length) >= FILTER_FROM ? filterBar(filtered) : null, sections);
	if (findings.length > 0)
		lists.findings.unfold(findings[0]);
	if (reports.length <= PROCESSES_OPEN)
		lists.run.unfold(lists.run.items[0]);
	const target = () => location.hash.slice(1);
	const openTarget = () => Object.values(lists).some((list) => list.reveal(target()));
	addEventListener("hashchange", openTarget);
	// A section was not there yet when the browser looked for it.
	if (!openTarget() && document.getElementById(target()))
		document.getElementById(target()).scrollIntoView();
}

start();
