// SPDX-License-Identifier: Apache-2.0
//
// The report as --json writes it, one object a process, and the questions that the page asks of it.
// Nothing here draws.

const reports = (() => {
	const data = JSON.parse(document.getElementById("data").textContent);
	return Array.isArray(data) ? data : [data];
})();

const BELOW_MAIN = "below main";

function processName(report) {
	return baseName(report.process.executable || "") + (report.process.pid ? " (" + report.process.pid + ")" : "");
}

// Null where a process needs no name because there is only one.
function processTag(report) {
	return reports.length > 1 ? processName(report) : null;
}

function sourceCount(report) {
	return report.sources ? report.sources.length + (report.more_sources || 0) : 0;
}

function sourceName(source) {
	return source.name || source.layout || baseName(source.executable || "");
}

// Frames, and the stacks of them.

function shownFrames(stack) {
	return (stack || []).filter((frame) => frame.hidden !== BELOW_MAIN);
}

// The frame that stands for the stack.
function placeOf(stack) {
	return (stack || []).find((frame) => frame.place) || null;
}

// The frame of another file that called it.
function callerOf(stack) {
	return (stack || []).find((frame) => frame.caller) || null;
}

// Who made the access for the place of STACK.
function helperOf(stack) {
	return (stack || []).find((frame) => frame.helper) || null;
}

function frameModule(frame) {
	return frame.module === "[unknown]" ? frame.offset + (frame.function ? ", JIT code" : ", in no known module") : baseName(frame.module) + "+" + frame.offset;
}

function frameName(frame) {
	return frame.function || frameModule(frame);
}

function frameLine(frame) {
	return frame.file ? frame.file + (frame.line ? ":" + frame.line : "") : frameModule(frame);
}

function isSameFrame(a, b) {
	return a.module === b.module && a.offset === b.offset && a.function === b.function && a.line === b.line;
}

function isSameStack(a, b) {
	return a.length === b.length && a.every((frame, i) => isSameFrame(frame, b[i]));
}

const REPEATED_LEAST = 4; // times that a recursion repeats before it is folded
const FOLDED_LEAST = 2; // frames that are worth a line in their place
const PERIOD_MOST = 12; // functions of a recursion

// How many of FRAMES behind the PERIOD ones at AT are those, again and again, as { period, count }; null when that
// is not often (report/fold.c).
function recursionAt(frames, at) {
	for (let period = 1; period <= PERIOD_MOST && at + period < frames.length; period++) {
		let end = at + period;
		while (end < frames.length && isSameFrame(frames[end], frames[end - period]))
			end++;
		const count = end - at;
		if (count >= REPEATED_LEAST * period && count >= period + FOLDED_LEAST)
			return { period, count: count - count % period - period };
	}
	return null;
}

// The frames of STACK one after the other, or as { owner, first, frames } where one line stands for several of
// a run time, { again, first, frames } where they are those before it, again and again, if that IS_FOLDED.
function linesOf(stack, isFolded) {
	const lines = [];
	const frames = shownFrames(stack);
	for (let i = 0; i < frames.length; i++) {
		const frame = frames[i];
		const last = lines[lines.length - 1];
		const recursion = frame.hidden || !isFolded ? null : recursionAt(frames, i);
		if (recursion) {
			const { period, count: repeated } = recursion;
			for (let first = i; first < i + period; first++)
				lines.push({ frame: frames[first], first });
			lines.push({ again: repeated / period, first: i + period,
				frames: frames.slice(i + period, i + period + repeated) });
			i += period + repeated - 1;
		} else if (!frame.hidden) {
			lines.push({ frame, first: i });
		} else if (last && last.owner === frame.hidden) {
			last.frames.push(frame);
		} else {
			lines.push({ owner: frame.hidden, first: i, frames: [frame] });
		}
	}
	return lines;
}

// What a template is made of is seldom what one looks for: "push<...>" for "push<std::pair<int, int>>".
// An operator like "<<" and an arrow stay.
function shortName(name) {
	let short = "";
	let depth = 0;
	for (let i = 0; i < name.length; i++) {
		const before = depth === 0 && /operator[<>=-]?$/.test(short);
		if (name[i] === "<" && !before) {
			short += depth === 0 ? "<\u2026" : "";
			depth++;
		} else if (name[i] === ">" && depth > 0 && name[i - 1] !== "-") {
			depth--;
			short += depth === 0 ? ">" : "";
		} else if (depth === 0) {
			short += name[i];
		}
	}
	return depth === 0 ? short : name;
}

// The moments in the life of a block that FINDING has stacks of, from the last to the first.

// The instruction at the address is what was read.
function isExecuted(finding) {
	const first = finding.stack[0];
	return finding.access === "read" && first !== undefined && first.module === "[unknown]" && first.offset === finding.address;
}

function callTitle(finding) {
	const isCrash = finding.kind === "crash";
	const freed = finding.block && finding.block.free_stack;
	if (finding.access === "free")
		return finding.kind === "double-free" ? "freed again" : "freed";
	if (isCrash && isExecuted(finding))
		return "executed";
	if (finding.exact && finding.access === "read")
		return "read";
	if (finding.exact && finding.access === "write")
		return "written";
	if (isCrash)
		return "raised";
	if (!finding.evidence)
		return "called";
	return freed && isSameStack(freed, finding.stack) ? "found while it was freed" : "found";
}

// Bytes were found changed that nobody saw change.
function isLate({ evidence, block, exact }) {
	return Boolean(evidence && !evidence.last && !exact && block);
}

const OTHER_TITLES = new Map([
	["inside", "at the same time the heap was being used"],
	["holder", "the heap had been locked"],
	["releaser", "the heap had been released"],
	["finder", "the heap had been found unusable"],
	["unmapper", "the memory had been unmapped"],
	["poisoner", "the memory had been poisoned"],
]);

function freeTitle(finding) {
	if (finding.kind === "double-free")
		return "first freed";
	if (!finding.region)
		return "freed";
	return finding.region.page_state === "decommitted" ? "decommitted" : "released";
}

function momentsOf(finding) {
	const { block, region, other } = finding;
	const moments = [{ title: callTitle(finding), stack: finding.stack, thread: finding.thread, isCall: true }];
	const add = (title, stack, thread) => moments.push({ title, stack, thread: { id: thread, name: "" } });
	if (other)
		add(OTHER_TITLES.get(other.role) || other.role, other.stack, other.thread);
	if (block && block.free_stack && !isSameStack(block.free_stack, finding.stack))
		add(freeTitle(finding), block.free_stack, block.free_thread);
	if (region && region.commit_stack)
		add("committed", region.commit_stack, region.commit_thread);
	if (block)
		add(region ? "reserved" : "allocated", block.alloc_stack, block.alloc_thread);
	for (const { id, creator, created } of finding.threads || [])
		add("thread " + id + " created", created, creator);
	return moments;
}

// The heap over time, oldest first. Within a millisecond the order is that of the log, but for pictures
// by stack, which are logged when later moments are there already: each goes where the line makes the
// smallest detour to it.
function momentsOfHeap(report) {
	const isPicture = (snapshot) => snapshot.stacks.length > 0;
	const moments = report.snapshots.filter((snapshot) => !isPicture(snapshot))
		.sort((a, b) => a.milliseconds - b.milliseconds);
	const far = (a, b) => a && b ? Math.abs(a.live_bytes - b.live_bytes) : 0;
	for (const picture of report.snapshots.filter(isPicture)) {
		const detour = (at) => far(moments[at - 1], picture) + far(picture, moments[at]) - far(moments[at - 1], moments[at]);
		let best = moments.filter((moment) => moment.milliseconds < picture.milliseconds).length;
		for (let at = best + 1; at <= moments.length && moments[at - 1].milliseconds === picture.milliseconds; at++)
			best = detour(at) < detour(best) ? at : best;
		moments.splice(best, 0, picture);
	}
	return moments;
}

// The picture by stack that holds most bytes, or null.
function peakOf(report) {
	return report.snapshots.filter((snapshot) => snapshot.stacks.length > 0)
		.reduce((most, snapshot) => most && most.live_bytes >= snapshot.live_bytes ? most : snapshot, null);
}

// Whether it is known, and told here, which blocks leaked.
function areLeaksTold(report) {
	return report.leak_check.made && report.leak_check.listed;
}

// All of one kind in all processes, as { report, value, id }.
function collect(kind, valuesOf, order) {
	const all = reports.flatMap((report) => valuesOf(report).map((value) => ({ report, value })));
	if (order)
		all.sort((a, b) => order(b.value) - order(a.value));
	all.forEach((item, i) => { item.id = kind + "-" + (i + 1); });
	return all;
}
