// SPDX-License-Identifier: Apache-2.0
//
// One finding, one leak, one stack that grew: a line to recognise it by, and what one needs to
// know to mend it, which is made when it is unfolded.

const LINES_AT_ONCE = 16; // of a stack; the others unfold
const LINES_WORTH_FOLDING = 4;
const SOURCES_SHOWN = 50;
const EVIDENCE_LINE = 16; // bytes

function facts(...pairs) {
	return make("dl", { class: "facts" }, pairs.filter((pair) => pair !== null).map(([name, ...value]) =>
		[make("dt", {}, name), make("dd", {}, value)]));
}

function tag(text) {
	return text === null ? null : make("span", { class: "tag" }, text);
}

function lineSpan(line) {
	return line ? make("span", { class: "line" }, ":" + line) : null;
}

function whereSpan({ file, line }) {
	return make("span", { class: "where" }, baseName(file), lineSpan(line));
}

// "plant.c:31" and the function it is in, from the stack or else from the site.
function placeSpans(stack, site) {
	const frame = placeOf(stack);
	const hasFile = frame && frame.file;
	const spans = [];
	if (hasFile)
		spans.push(whereSpan(frame), " ");
	else if (site)
		return [whereSpan(site)];
	if (frame)
		spans.push(make("span", { class: "function" }, shortName(frameName(frame))));
	return spans;
}

// The same with who called it from another file, or did it for it there.
function placeAndCaller(stack, site) {
	const caller = callerOf(stack);
	const other = caller || helperOf(stack);
	return [...placeSpans(stack, site), other ? [caller ? ", called from " : ", through ", whereSpan(other), " ",
		make("span", { class: "function" }, shortName(frameName(other)))] : null];
}

function frameItem(frame, value) {
	return make("li", { value }, make("span", { class: "function" }, frameName(frame)),
		frame.function ? [" ", make("span", { class: "file" }, frame.file ? [frame.file, lineSpan(frame.line)] :
			frameModule(frame))] : null,
		frame.inlined ? [" ", tag("inlined")] : null);
}

function lineItem(line) {
	if (line.frame)
		return frameItem(line.frame, line.first);
	return make("li", { value: line.first }, make("details", { class: "run" },
		make("summary", {}, line.again ? "the same " + count(line.again, "time") + " more" :
			count(line.frames.length, "frame") + " of " + line.owner),
		make("ol", { class: "frames" }, line.frames.map((frame, i) => frameItem(frame, line.first + i)))));
}

function stackElements(stack) {
	const lines = linesOf(stack, true);
	const at = lines.length - LINES_AT_ONCE > LINES_WORTH_FOLDING ? LINES_AT_ONCE : lines.length;
	const rest = lines.slice(at);
	if (lines.length === 0)
		return [make("p", { class: "quiet" }, "No stack was kept.")];
	return [make("ol", { class: "frames" }, lines.slice(0, at).map(lineItem)),
		rest.length > 0 ? make("details", { class: "more" },
			make("summary", {}, count(shownFrames(stack).length - rest[0].first, "more frame")),
			make("ol", { class: "frames" }, rest.map(lineItem))) : null];
}

// The source around the place of STACK, AROUND lines on either side; null without it.
function excerpt(stack, around) {
	const frame = placeOf(stack);
	if (!frame || !frame.source)
		return null;
	const lines = frame.source.lines.map((text, i) => ({ text, number: frame.source.first + i }))
		.filter((line) => Math.abs(line.number - frame.line) <= around);
	return make("pre", { class: "source" }, lines.map(({ text, number: at }) => {
		// Tabs are the one control character that source needs.
		const shown = document.createTextNode(text.split("\t").map(plain).join("\t"));
		const parts = [make("span", { class: "file" }, String(at).padStart(6)), "  ", shown];
		return [at === frame.line ? make("mark", {}, parts) : parts, document.createTextNode("\n")];
	}));
}

function sourceLine(report, share) {
	const source = report.sources[share.source] || {};
	return make("li", {}, sourceName(source), source.name && source.layout ? " (" + source.layout + ")" : null,
		source.pid ? ", process " + source.pid : null, ": " + number(share.count));
}

// Of a merged report: which of its sources have it.
function sourcesOf(report, value) {
	const shares = value.sources || [];
	const all = shares.length + (value.more_sources ? value.more_sources.sources : 0);
	const named = shares.slice(0, SOURCES_SHOWN);
	if (!report.sources || all === 0)
		return null;
	return make("details", { class: "stack" },
		make("summary", {}, "In " + number(all) + " of " + count(sourceCount(report), "source")),
		make("ul", {}, named.map((share) => sourceLine(report, share)),
			named.length < all ? make("li", {}, "and " + number(all - named.length) + " more") : null));
}

function siteFact(site) {
	return site ? ["asked for at", site.file + ":" + site.line] : null;
}

function marks(value) {
	return make("p", { class: "quiet" }, "fingerprint ", make("code", {}, value.fingerprint),
		value.cwe > 0 ? ", CWE-" + value.cwe : null);
}

function headline(kind, place, ...marksOfIt) {
	return make("summary", {}, make("span", { class: "kind" }, kind), " ",
		make("span", { class: "place" }, place), " ",
		make("span", { class: "marks" }, marksOfIt.filter((mark) => mark !== null).flatMap((mark) => [mark, " "])));
}

// Findings.

// When the bytes were changed.
function timesSpans({ block, stack }) {
	const freed = block.free_stack;
	if (freed && !isSameStack(freed, stack))
		return ["written after the free at ", placeSpans(freed, null)];
	return ["written between the allocation at ", placeSpans(block.alloc_stack, block.site),
		freed ? " and the free at " : stack.length > 0 ? " and the check at " : " and the end of the process",
		placeSpans(stack, null)];
}

function findingPlace(finding) {
	const { block, stack } = finding;
	if (isLate(finding))
		return timesSpans(finding);
	return stack.length === 0 && block ? placeSpans(block.alloc_stack, block.site) : placeAndCaller(stack, null);
}

function findingHeadline({ report, value }) {
	return headline(value.kind, findingPlace(value), tag(processTag(report)),
		value.count > 1 ? make("span", { class: "count" }, count(value.count, "time")) : null);
}

function momentElement(moment) {
	if (moment.isCall && moment.stack.length === 0)
		return make("p", { class: "quiet" }, "Found when the process ended.");
	return make("details", { class: "stack", open: "" },
		make("summary", {}, make("span", { class: "title" }, capital(moment.title)), " by thread " + moment.thread.id,
			moment.thread.name ? " (" + moment.thread.name + ")" : null, moment.through ? " through " + moment.through : null),
		stackElements(moment.stack), excerpt(moment.stack, moment.isCall ? 3 : 1));
}

function evidenceElements(evidence) {
	const bytes = (evidence.bytes.match(/../g) || []).map((digits) => parseInt(digits, 16));
	const lines = [];
	for (let i = 0; i < bytes.length; i += EVIDENCE_LINE) {
		const line = bytes.slice(i, i + EVIDENCE_LINE);
		const width = 3 * Math.min(EVIDENCE_LINE, bytes.length) + 1;
		lines.push(make("span", { class: "file" }, String(evidence.offset + i).padStart(6)), "  " +
			line.map((byte) => byte.toString(16).padStart(2, "0") + " ").join("").padEnd(width) +
			line.map((byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".").join(""),
			document.createTextNode("\n"));
	}
	return [make("p", { class: "label" }, evidence.last ? "What the block held when it was freed" : "Changed bytes"),
		make("pre", { class: "bytes" }, lines)];
}

function blockFacts(block, region) {
	return facts([region ? "region" : "block", count(block.size, "byte") + " at ", make("code", {}, block.address)],
		[region ? "number" : "serial", number(block.serial)],
		region ? null : ["heap", block.heap],
		region ? null : ["family", block.family],
		region ? null : ["tier", block.tier],
		block.critical_level ? ["critical level", block.critical_level] : null,
		siteFact(block.site));
}

// A live block that is not far from where a wild pointer led.
function nearestElement(block) {
	const distance = block.offset < 0 ? count(-block.offset, "byte") + " before" :
		block.offset < block.size ? count(block.offset, "byte") + " inside" :
			count(block.offset - block.size, "byte") + " past the end of";
	return make("details", { class: "stack" },
		make("summary", {}, "That is " + distance + (block.free_stack ? " a freed block of " : " a block of ") + count(block.size, "byte") +
			", allocated by thread " + block.alloc_thread),
		stackElements(block.alloc_stack), excerpt(block.alloc_stack, 1));
}

// What only crashes have.
function crashElements({ signal, cause, message, registers, nearest }) {
	return [(nearest || []).map(nearestElement),
		signal ? facts(["signal", signal], ["cause", cause], message ? ["message", message] : null) : null,
		registers ? make("details", { class: "stack registers" }, make("summary", {}, "Registers"),
			facts(...Object.entries(registers).map(([name, { value, points_to: meaning }]) =>
				[name, make("code", {}, value), meaning ? " " + meaning : null]))) : null];
}

function findingBody({ report, value }) {
	const moments = momentsOf(value);
	moments[0].through = value.through;
	return [
		make("p", { class: "what" }, capital(value.description || value.kind) + ".",
			value.hresult ? [" The caller got ", make("code", {}, value.hresult), "."] : null),
		value.block ? blockPicture(report, value) : null,
		value.evidence ? evidenceElements(value.evidence) : null,
		moments.map(momentElement),
		holderElements(value),
		crashElements(value),
		value.block ? blockFacts(value.block, value.region) : null,
		marks(value), sourcesOf(report, value)];
}

// Leaks.

function leakHeadline({ report, value }) {
	return headline(size(value.bytes), placeAndCaller(value.alloc_stack, value.site), tag(processTag(report)),
		value.kind === "definite" ? null : tag(value.kind),
		make("span", { class: "count" }, count(value.blocks, "block")));
}

function leakSentence(report, leak) {
	return count(leak.bytes, "byte") + " in " + count(leak.blocks, "block") + ", " + leak.kind +
		(leak.age ? ", " + age(leak.age) : "") +
		(report.leak_check.repeated && leak.new ? "; new since the last check: " + count(leak.new.blocks, "block") : "") + "." +
		(leak.indirect_blocks > 0 ? " " + count(leak.indirect_blocks, "block") + " with " + size(leak.indirect_bytes) +
			" can only be reached from " + (leak.blocks === 1 ? "it" : "them") + "." : "");
}

// What hangs from a leak, by depth.
function memberElements({ members, indirect_blocks: blocks }) {
	if (!members)
		return null;
	const others = blocks - members.reduce((sum, member) => sum + member.blocks, 0);
	return make("ul", { class: "members" }, members.map((member) => make("li", {},
		"Depth " + member.depth + (member.depth === 8 ? " or more" : "") + ": " + count(member.blocks, "block") + ", " +
		size(member.bytes) + " ", placeSpans(member.alloc_stack, null))),
	others > 0 ? make("li", {}, count(others, "other block")) : null);
}

function leakBody({ report, value }) {
	return [make("p", { class: "what" }, leakSentence(report, value)), memberElements(value),
		stackElements(value.alloc_stack), excerpt(value.alloc_stack, 3),
		holderElements(value),
		value.site ? facts(siteFact(value.site)) : null,
		marks(value), sourcesOf(report, value)];
}

// Stacks that only grew.

const RISE_WIDTH = 640;
const RISE_HEIGHT = 96;

function growingHeadline({ report, value }) {
	return headline("+ " + size(value.grown_bytes), placeSpans(value.alloc_stack, null), tag(processTag(report)),
		make("span", { class: "count" }, size(value.bytes_per_minute) + " a minute"));
}

function pointText(point) {
	return size(point.bytes) + " in " + count(point.blocks, "block") + " after " + duration(point.milliseconds);
}

// The bytes over the time, from nothing at all up.
function riseDrawing(points) {
	const first = points[0];
	const last = points[points.length - 1];
	const share = (part, whole) => whole === 0 ? 0 : Math.min(1, Math.max(0, part / whole));
	const path = points.map((point, i) => (i ? "L" : "M") +
		(1 + (RISE_WIDTH - 2) * share(point.milliseconds - first.milliseconds, last.milliseconds - first.milliseconds)).toFixed(1) +
		" " + (RISE_HEIGHT - 1 - (RISE_HEIGHT - 2) * share(point.bytes, last.bytes)).toFixed(1)).join("");
	return draw("svg", { class: "rise", role: "img", "aria-label": "Live bytes of this stack over time",
		viewBox: "0 0 " + RISE_WIDTH + " " + RISE_HEIGHT }, draw("path", { d: path }));
}

function growingBody({ report, value }) {
	const points = value.pictures;
	return [make("p", { class: "what" }, "From " + pointText(points[0]) + " to " + pointText(points[points.length - 1]) +
			", never less in any of " + points.length + " heap snapshots. It last rose after " +
			duration(value.last_rise_milliseconds) + "."),
		riseDrawing(points), stackElements(value.alloc_stack), excerpt(value.alloc_stack, 3),
		holderElements(value),
		marks(value), sourcesOf(report, value)];
}
