// SPDX-License-Identifier: Apache-2.0
//
// Flame graphs: a tree of boxes that can be walked with the arrow keys. One box stands for the
// frames of a run time that the stacks have one line for, and templates go by their short names.

function node(name, file, parent) {
	return { name, label: shortName(name), file, parent, bytes: 0, blocks: 0, children: new Map(), left: 0 };
}

// Outermost first: what each box says, and the file that it is in. What only passes on a block has none.
function pathOf(stack) {
	const lines = linesOf(stack.filter((frame) => !frame.passes_on), false);
	if (lines.length === 0)
		return [["(no stack was kept)", ""]];
	return lines.reverse().map((line) => line.owner ? ["(" + line.owner + ")", ""] :
		[frameName(line.frame), line.frame.function ? line.frame.file || baseName(line.frame.module) : ""]);
}

function addPath(root, path, { blocks, bytes }) {
	let at = root;
	at.blocks += blocks;
	at.bytes += bytes;
	for (const [name, file, which] of path) {
		const key = name + "\n" + file + "\n" + (which || "");
		if (!at.children.has(key))
			at.children.set(key, node(name, file, at));
		at = at.children.get(key);
		at.blocks += blocks;
		at.bytes += bytes;
	}
}

// STACKS_OF gives the { stack, blocks, bytes } of a report; a stack of null is what was too small.
function buildTree(label, stacksOf) {
	const root = node(label, "", null);
	for (const [i, report] of reports.entries()) {
		const top = reports.length > 1 ? [[processName(report), "", i]] : [];
		for (const part of stacksOf(report).filter((one) => one.bytes > 0))
			addPath(root, [...top, ...(part.stack === null ? [["(smaller stacks)", ""]] : pathOf(part.stack))], part);
	}
	return root.bytes > 0 ? root : null;
}

function leaksOf(...kinds) {
	return (report) => report.leaks.filter((leak) => kinds.includes(leak.kind))
		.map((leak) => ({ stack: leak.alloc_stack || [], blocks: leak.blocks, bytes: leak.bytes }));
}

function grownOf(report) {
	return (report.growth ? report.growth.stacks : []).map((one) =>
		({ stack: one.alloc_stack || [], blocks: one.blocks, bytes: one.grown_bytes }));
}

// What no stack of the picture accounts for is the rest.
function peakStacksOf(report) {
	const peak = peakOf(report);
	if (!peak)
		return [];
	const rest = (key, whole) => Math.max(0, whole - sum(peak.stacks, (group) => group[key]));
	return [...peak.stacks.map((group) => ({ stack: group.alloc_stack || [], blocks: group.blocks, bytes: group.bytes })),
		{ stack: null, blocks: rest("blocks", peak.live_blocks), bytes: rest("bytes", peak.live_bytes) }];
}

function sortedChildren(parent) {
	if (!parent.sorted) {
		parent.sorted = [...parent.children.values()].sort((a, b) => b.bytes - a.bytes);
		let left = 0;
		for (const child of parent.sorted) {
			child.left = left;
			left += child.bytes;
		}
	}
	return parent.sorted;
}

function colour(at) {
	let hash = 0;
	for (const character of at.file || at.name)
		hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
	return "f" + hash % 6 + " t" + at.name.length % 3;
}

function matches(at, words) {
	const text = (at.name + " " + at.file).toLowerCase();
	return at.parent !== null && words.every((word) => text.includes(word));
}

// Bytes of the topmost boxes that match: a recursion counts once.
function matchedBytes(at, words) {
	if (matches(at, words))
		return at.bytes;
	let bytes = 0;
	for (const child of at.children.values())
		bytes += matchedBytes(child, words);
	return bytes;
}

const ROW = 20;
const LEAST_WIDTH = 0.6;
const PEAKS_TOLD = 4; // processes

class Flame {
	constructor(trees) {
		this.trees = trees;
		this.tree = trees[0].root;
		this.zoomed = this.tree;
		this.words = [];
		this.box = make("div", { class: "flame", role: "tree", "aria-label": "Flame graph" });
		this.readout = make("p", { class: "readout" });
		this.field = make("input", { type: "search", placeholder: "Search functions and files",
			"aria-label": "Search the flame graph", autocomplete: "off", spellcheck: "false" });
		this.found = make("output", {});
		this.reset = make("button", { type: "button" }, "Reset zoom");
		this.tabs = make("div", { class: "tabs", role: "tablist", "aria-label": "Bytes shown" });
		trees.forEach((tree, i) => this.addTab(tree, i));
		this.element = make("div", { class: "chart" },
			make("div", { class: "bar" }, this.tabs, this.field, this.reset, this.found),
			this.box, this.readout,
			make("p", { class: "keys" }, "Arrow keys move, ", make("kbd", {}, "Enter"), " zooms in, ",
				make("kbd", {}, "Escape"), " zooms out."));
		this.listen();
	}

	addTab(tree, i) {
		const tab = make("button", { type: "button", role: "tab", "aria-selected": String(i === 0),
			tabindex: i === 0 ? "0" : "-1" }, tree.label);
		tab.addEventListener("click", () => this.show(i));
		tab.addEventListener("keydown", (event) => {
			const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
			if (step) {
				const next = (i + step + this.trees.length) % this.trees.length;
				this.show(next);
				this.tabs.children[next].focus();
			}
		});
		this.tabs.append(tab);
	}

	show(i) {
		[...this.tabs.children].forEach((tab, j) => {
			tab.setAttribute("aria-selected", String(i === j));
			tab.tabIndex = i === j ? 0 : -1;
		});
		this.tree = this.trees[i].root;
		this.zoomed = this.tree;
		this.render();
	}

	listen() {
		this.field.addEventListener("input", () => {
			this.words = this.field.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
			this.render();
		});
		this.field.addEventListener("keydown", (event) => {
			if (event.key === "Escape") {
				this.field.value = "";
				this.words = [];
				this.render();
			}
		});
		this.reset.addEventListener("click", () => this.zoom(this.tree));
		this.box.addEventListener("click", (event) => {
			const at = this.nodes.get(event.target);
			if (at)
				this.zoom(at);
		});
		this.box.addEventListener("mouseover", (event) => this.tell(this.nodes.get(event.target)));
		this.box.addEventListener("focusin", (event) => this.tell(this.nodes.get(event.target)));
		this.box.addEventListener("keydown", (event) => this.press(event));
		new ResizeObserver(() => this.render()).observe(this.box);
	}

	press(event) {
		const at = this.nodes.get(event.target);
		const step = { ArrowDown: "down", ArrowUp: "up", ArrowLeft: "left", ArrowRight: "right" }[event.key];
		if (!at)
			return;
		if (event.key === "Enter" || event.key === " ")
			this.zoom(at);
		else if (event.key === "Escape")
			this.zoom(this.zoomed.parent || this.tree);
		else if (event.key === "Home")
			this.focus(this.tree);
		else if (step)
			this.focus(this.neighbour(at, step));
		else
			return;
		event.preventDefault();
	}

	neighbour(at, step) {
		if (step === "down")
			return sortedChildren(at).find((child) => this.boxes.has(child)) || at;
		if (step === "up" || !at.parent)
			return at.parent || at;
		const siblings = sortedChildren(at.parent).filter((child) => this.boxes.has(child));
		return siblings[siblings.indexOf(at) + (step === "right" ? 1 : -1)] || at;
	}

	focus(at) {
		const box = this.boxes.get(at);
		if (!box)
			return;
		for (const other of this.box.children)
			other.tabIndex = -1;
		box.tabIndex = 0;
		box.focus();
	}

	zoom(at) {
		const had = this.box.contains(document.activeElement);
		this.zoomed = at;
		this.render();
		if (had)
			this.focus(at);
	}

	percent(at) {
		return (100 * at.bytes / this.tree.bytes).toFixed(1) + " %";
	}

	describe(at) {
		return size(at.bytes) + " in " + count(at.blocks, "block") + ", " + this.percent(at);
	}

	tell(at) {
		if (!at)
			return;
		fill(this.readout, make("b", {}, at.name), (at.file ? "  " + at.file : "") + "  \u2013  " + this.describe(at));
	}

	put(at, depth, left, width, above) {
		const box = make("div", { role: "treeitem", tabindex: "-1", "aria-level": String(depth + 1),
			"aria-label": at.name + ", " + this.describe(at) });
		const found = this.words.length > 0 && matches(at, this.words);
		box.className = (at.parent === null ? "root" : colour(at)) + (above ? " above" : "") +
			(found ? " found" : "");
		if (width > 24)
			fill(box, at.parent === null ? at.name + ", " + size(at.bytes) : at.label);
		else
			box.style.padding = "0";
		box.style.left = left + "px";
		box.style.top = depth * ROW + "px";
		box.style.width = Math.max(width, 1) + "px";
		if (at.children.size > 0)
			box.setAttribute("aria-expanded", "true");
		this.box.append(box);
		this.nodes.set(box, at);
		this.boxes.set(at, box);
		this.depth = Math.max(this.depth, depth + 1);
	}

	// Without recursion: a stack of 256 frames is a tree as deep.
	render() {
		const width = this.box.clientWidth;
		const scale = width / this.zoomed.bytes;
		const path = [];
		this.box.replaceChildren();
		this.nodes = new Map();
		this.boxes = new Map();
		this.depth = 0;
		for (let at = this.zoomed; at; at = at.parent)
			path.unshift(at);
		path.forEach((at, depth) => this.put(at, depth, 0, width, at !== this.zoomed));
		const open = [{ at: this.zoomed, depth: path.length - 1, left: 0 }];
		while (open.length > 0) {
			const { at, depth, left } = open.pop();
			for (const child of sortedChildren(at)) {
				const start = left + child.left * scale;
				if (child.bytes * scale < LEAST_WIDTH)
					break;
				this.put(child, depth + 1, start, child.bytes * scale, false);
				open.push({ at: child, depth: depth + 1, left: start });
			}
		}
		this.box.style.height = this.depth * ROW + "px";
		this.boxes.get(this.zoomed).tabIndex = 0;
		this.reset.hidden = this.zoomed === this.tree;
		fill(this.found, this.words.length === 0 ? "" :
			"found in " + (100 * matchedBytes(this.tree, this.words) / this.tree.bytes).toFixed(1) + " % of the bytes");
		this.tell(this.zoomed);
	}
}

const FLAMES = [["Leaked bytes", leaksOf("definite", "indirect")], ["Possibly leaked bytes", leaksOf("possible")],
	["Reachable bytes", leaksOf("reachable")], ["Bytes grown", grownOf],
	[reports.some(isBeforePeak) ? "Bytes near the peak" : "Bytes at the peak", peakStacksOf]];

// Pictures by stack are taken now and then: the largest need not be the peak.
function isBeforePeak(report) {
	const peak = peakOf(report);
	return peak !== null && peak.live_bytes < report.heap.peak_bytes;
}

function peakNote(report) {
	const peak = peakOf(report);
	return make("p", { class: "keys" }, (reports.length > 1 ? processName(report) + ": the" : "The") +
		" stacks near the peak are those of " + duration(peak.milliseconds) + " after the start, when " +
		size(peak.live_bytes) + " of " + size(report.heap.peak_bytes) + " were live.");
}

function flameElements() {
	const trees = FLAMES.map(([label, stacksOf]) => ({ label, root: buildTree(label, stacksOf) })).filter((tree) => tree.root);
	if (trees.length === 0)
		return [];
	return [make("h3", {}, "Where the bytes were allocated"), new Flame(trees).element,
		reports.filter(isBeforePeak).slice(0, PEAKS_TOLD).map(peakNote)];
}
