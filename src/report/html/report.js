// SPDX-License-Identifier: Apache-2.0
//
// The moving parts of the report. Names come from JSON beside this script and reach the page
// as text only: nothing here makes markup from a string.
"use strict";

const processes = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

function make(name, attributes, ...children) {
	const element = document.createElement(name);
	for (const key in attributes)
		element.setAttribute(key, attributes[key]);
	element.append(...children);
	return element;
}

function draw(name, attributes, text) {
	const element = document.createElementNS(SVG, name);
	for (const key in attributes)
		element.setAttribute(key, attributes[key]);
	if (text !== undefined)
		element.textContent = text;
	return element;
}

function size(bytes) {
	const units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let unit = -1;
	if (bytes < 1024)
		return bytes + (bytes === 1 ? " byte" : " bytes");
	for (; bytes >= 1024; unit++)
		bytes /= 1024;
	return bytes.toFixed(bytes < 100 ? 1 : 0) + " " + units[unit];
}

function count(number, noun) {
	return number.toLocaleString("en") + " " + noun + (number === 1 ? "" : "s");
}

function duration(milliseconds) {
	if (milliseconds < 1000)
		return milliseconds + " ms";
	const seconds = milliseconds / 1000;
	if (seconds < 120)
		return seconds.toFixed(seconds < 10 ? 2 : 1) + " s";
	return Math.floor(seconds / 60) + " min " + Math.round(seconds % 60) + " s";
}

function processName(process) {
	return process.name + " (" + process.pid + ")";
}

// Filtering and unfolding of what the page lists.

function startFilter() {
	const field = document.getElementById("filter");
	const result = document.getElementById("filtered");
	const items = [...document.querySelectorAll("#findings > .item, #leaks > .item, #growth > .item")];
	if (!field)
		return;
	const texts = items.map((item) => item.textContent.toLowerCase());
	const apply = () => {
		const words = field.value.toLowerCase().split(/\s+/);
		let shown = 0;
		items.forEach((item, i) => {
			item.hidden = !words.every((word) => texts[i].includes(word));
			shown += item.hidden ? 0 : 1;
		});
		result.textContent = field.value.trim() === "" ? "" : shown + " of " + items.length + " shown";
	};
	field.addEventListener("input", apply);
	field.addEventListener("keydown", (event) => {
		if (event.key === "Escape") {
			field.value = "";
			apply();
		}
	});
	const fold = (open) => () => items.forEach((item) => {
		item.open = open && !item.hidden;
	});
	document.getElementById("unfold").addEventListener("click", fold(true));
	document.getElementById("fold").addEventListener("click", fold(false));
}

function openTarget() {
	const target = document.getElementById(location.hash.slice(1));
	if (target && target.tagName === "DETAILS")
		target.open = true;
}

// Flame graphs: a tree of boxes that can be walked with the arrow keys.

function node(frame, parent) {
	return { frame, parent, bytes: 0, blocks: 0, children: new Map(), left: 0 };
}

function frameKey(frame) {
	return frame.slice(0, 2).join("\n") + "\n" + frame[3];
}

function addStack(root, stack, frames) {
	let at = root;
	const path = stack[2] === null ? [["(smaller stacks)", "", 0, ""]] :
		stack[2].length === 0 ? [["(no stack was kept)", "", 0, ""]] :
		stack[2].map((index) => frames[index]);
	for (const frame of [null, ...path]) {
		if (frame) {
			const key = frameKey(frame);
			if (!at.children.has(key))
				at.children.set(key, node(frame, at));
			at = at.children.get(key);
		}
		at.blocks += stack[0];
		at.bytes += stack[1];
	}
}

function buildTree(kind, label) {
	const root = node([label, "", 0, ""], null);
	for (const process of processes) {
		const stacks = process[kind];
		if (!stacks || stacks.length === 0)
			continue;
		const top = processes.length > 1 ? node([processName(process), "", 0, ""], root) : root;
		for (const stack of stacks)
			addStack(top, stack, process.frames);
		if (top !== root) {
			root.children.set(String(process.pid) + root.children.size, top);
			root.bytes += top.bytes;
			root.blocks += top.blocks;
		}
	}
	return root.bytes > 0 ? root : null;
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

function frameText(frame) {
	return frame[0].startsWith("+0x") && frame[3] ? frame[3] + frame[0] : frame[0];
}

function frameFile(frame) {
	if (frame[1])
		return frame[1] + (frame[2] ? ":" + frame[2] : "");
	return frame[3];
}

function colour(frame) {
	let hash = 0;
	for (const character of frame[3] + frame[1])
		hash = (hash * 31 + character.charCodeAt(0)) >>> 0;
	return "f" + hash % 6 + " t" + frame[0].length % 3;
}

function matches(at, words) {
	const text = (frameText(at.frame) + " " + frameFile(at.frame)).toLowerCase();
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
		const file = frameFile(at.frame);
		this.readout.replaceChildren(make("b", {}, frameText(at.frame)),
			(file ? "  " + file : "") + "  \u2013  " + this.describe(at));
	}

	put(at, depth, left, width, above) {
		const box = make("div", { role: "treeitem", tabindex: "-1", "aria-level": String(depth + 1),
			"aria-label": frameText(at.frame) + ", " + this.describe(at) });
		const found = this.words.length > 0 && matches(at, this.words);
		box.className = (at.parent === null ? "root" : colour(at.frame)) + (above ? " above" : "") +
			(found ? " found" : "");
		if (width > 24)
			box.textContent = at.parent === null ? frameText(at.frame) + ", " + size(at.bytes) : frameText(at.frame);
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
		this.found.textContent = this.words.length === 0 ? "" :
			"found in " + (100 * matchedBytes(this.tree, this.words) / this.tree.bytes).toFixed(1) + " % of the bytes";
		this.tell(this.zoomed);
	}
}

function startFlame(charts) {
	const kinds = [["leaked", "Leaked bytes"], ["reachable", "Reachable bytes"], ["grown", "Bytes grown"],
		["peak", "Bytes at the peak"]];
	const trees = [];
	for (const [kind, label] of kinds) {
		const root = buildTree(kind, label);
		if (root)
			trees.push({ label, root });
	}
	if (trees.length === 0)
		return;
	charts.append(make("h3", {}, "Where the bytes were allocated"));
	charts.append(new Flame(trees).element);
	for (const process of processes) {
		if (processes.length === 1 && process.picture && process.picture[1] < process.peak_bytes)
			charts.append(make("p", { class: "keys" }, "The stacks at the peak are those of " +
				duration(process.picture[0]) + " after the start, when " + size(process.picture[1]) + " of " +
				size(process.peak_bytes) + " were live."));
	}
}

// The timeline of live bytes.

const HEIGHT = 200;
const LEFT = 70;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 24;

function niceStep(range, parts) {
	const rough = range / parts;
	const power = Math.pow(10, Math.floor(Math.log10(rough)));
	for (const factor of [1, 2, 5])
		if (power * factor >= rough)
			return power * factor;
	return power * 10;
}

// A step of bytes that is round in the unit it is shown in.
function byteStep(range) {
	let unit = 1;
	while (range / unit >= 1024)
		unit *= 1024;
	return Math.max(1, niceStep(range / unit, 4) * unit);
}

class Timeline {
	constructor() {
		this.svg = draw("svg", { class: "timeline", role: "slider", tabindex: "0", "aria-label": "Live bytes over time",
			"aria-valuemin": "0" });
		this.readout = make("p", { class: "readout" });
		this.choice = make("select", { "aria-label": "Process" });
		this.charted = processes.filter((process) => process.timeline.length > 1)
			.sort((a, b) => b.peak_bytes - a.peak_bytes);
		this.charted.forEach((process, i) => this.choice.append(make("option", { value: i },
			processName(process) + ", " + size(process.peak_bytes))));
		this.choice.hidden = this.charted.length < 2;
		this.scale = make("button", { type: "button", "aria-pressed": "false" }, "Scale to what grows");
		this.legend = make("ul", { class: "lines", "aria-label": "Stacks that grew most" });
		this.element = make("div", { class: "chart" }, make("div", { class: "bar" }, this.choice, this.scale),
			this.svg, this.legend, this.readout,
			make("p", { class: "keys" }, "Arrow keys move along the line. The circle is the moment whose stacks are shown below."));
		this.choice.addEventListener("change", () => this.show(Number(this.choice.value)));
		this.scale.addEventListener("click", () => {
			this.scale.setAttribute("aria-pressed", String(!this.isScaled()));
			this.render();
		});
		this.svg.addEventListener("keydown", (event) => this.press(event));
		this.svg.addEventListener("pointermove", (event) => this.point(event));
		new ResizeObserver(() => this.render()).observe(this.svg);
		this.show(0);
	}

	show(i) {
		this.process = this.charted[i];
		this.points = [...this.process.timeline].sort((a, b) => a[0] - b[0]);
		this.at = this.points.reduce((best, point, j) => point[2] > this.points[best][2] ? j : best, 0);
		this.start = this.points[0][0];
		this.range = Math.max(1, this.points[this.points.length - 1][0] - this.start);
		this.top = Math.max(1, this.process.peak_bytes, ...this.points.map((point) => point[2]));
		this.growing = this.process.growing || [];
		this.mostGrown = Math.max(1, ...this.growing.flatMap((one) => one[2].map((point) => point[1])));
		this.scale.hidden = this.growing.length === 0;
		this.legend.replaceChildren(...this.growing.map((one, i) => make("li", { class: "g" + i },
			make("a", { href: "#growth-" + one[0] }, one[1] ? frameText(one[1]) : "(no stack was kept)"))));
		this.svg.setAttribute("aria-valuemax", String(this.points.length - 1));
		this.render();
	}

	isScaled() {
		return this.scale.getAttribute("aria-pressed") === "true" && this.growing.length > 0;
	}

	x(milliseconds) {
		return LEFT + (milliseconds - this.start) / this.range * (this.width - LEFT - RIGHT);
	}

	// The bytes at the upper edge.
	height() {
		return this.isScaled() ? this.mostGrown : this.top;
	}

	y(bytes) {
		return HEIGHT - BOTTOM - Math.min(1, bytes / this.height()) * (HEIGHT - TOP - BOTTOM);
	}

	render() {
		this.width = this.svg.clientWidth;
		if (this.width === 0 || !this.points)
			return;
		this.svg.setAttribute("viewBox", "0 0 " + this.width + " " + HEIGHT);
		this.svg.replaceChildren();
		this.drawGrid();
		const line = this.points.map((point, i) => (i ? "L" : "M") + this.x(point[0]).toFixed(1) + " " +
			this.y(point[2]).toFixed(1)).join("");
		const end = this.x(this.start + this.range).toFixed(1);
		// On that scale the whole heap is out of sight.
		if (!this.isScaled())
			this.svg.append(draw("path", { class: "area", d: line + "L" + end + " " + this.y(0) + "L" + LEFT + " " + this.y(0) + "z" }),
				draw("path", { class: "live", d: line }));
		this.growing.forEach((one, i) => this.svg.append(draw("path", { class: "growing g" + i,
			d: one[2].map((point, j) => (j ? "L" : "M") + this.x(point[0]).toFixed(1) + " " +
				this.y(point[1]).toFixed(1)).join("") })));
		if (this.process.picture)
			this.svg.append(draw("circle", { class: "picture", r: 4, cx: this.x(this.process.picture[0]),
				cy: this.y(this.process.picture[1]) }));
		this.cursor = draw("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM });
		this.dot = draw("circle", { class: "dot", r: 3.5 });
		this.svg.append(this.cursor, this.dot);
		this.move(this.at);
	}

	drawGrid() {
		const step = byteStep(this.height());
		const right = this.width - RIGHT;
		for (let bytes = 0; bytes <= this.height(); bytes += step) {
			const y = this.y(bytes);
			this.svg.append(draw("line", { class: "grid", x1: LEFT, x2: right, y1: y, y2: y }),
				draw("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, bytes === 0 ? "0" : size(bytes)));
		}
		if (!this.isScaled()) {
			const peak = this.y(this.process.peak_bytes);
			this.svg.append(draw("line", { class: "peak", x1: LEFT, x2: right, y1: peak, y2: peak }),
				draw("text", { x: right, y: peak - 4, "text-anchor": "end" }, "peak " + size(this.process.peak_bytes)));
		}
		const pace = Math.max(1, niceStep(this.range, Math.max(2, Math.floor(this.width / 160))));
		for (let time = Math.ceil(this.start / pace) * pace; time <= this.start + this.range; time += pace) {
			const x = this.x(time);
			this.svg.append(draw("text", { x, y: HEIGHT - 6,
				"text-anchor": x > right - 30 ? "end" : "middle" }, duration(time)));
		}
	}

	move(i) {
		this.at = Math.min(Math.max(i, 0), this.points.length - 1);
		const point = this.points[this.at];
		const x = this.x(point[0]);
		const text = size(point[2]) + " in " + count(point[1], "block") + " after " + duration(point[0]);
		this.cursor.setAttribute("x1", x);
		this.cursor.setAttribute("x2", x);
		this.dot.setAttribute("cx", x);
		this.dot.setAttribute("cy", this.y(point[2]));
		this.svg.setAttribute("aria-valuenow", String(this.at));
		this.svg.setAttribute("aria-valuetext", text);
		this.readout.replaceChildren(make("b", {}, size(point[2])), " in " + count(point[1], "block") + ", " +
			duration(point[0]) + " after the start");
	}

	press(event) {
		const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 20, PageDown: -20,
			Home: -Infinity, End: Infinity };
		if (!(event.key in steps))
			return;
		this.move(this.at + steps[event.key]);
		event.preventDefault();
	}

	point(event) {
		const x = event.clientX - this.svg.getBoundingClientRect().left;
		let best = 0;
		this.points.forEach((point, i) => {
			if (Math.abs(this.x(point[0]) - x) < Math.abs(this.x(this.points[best][0]) - x))
				best = i;
		});
		this.move(best);
	}
}

function startCharts() {
	const charts = document.getElementById("charts");
	if (processes.some((process) => process.timeline.length > 1)) {
		charts.append(make("h3", {}, "Live bytes over time"));
		charts.append(new Timeline().element);
		for (const process of processes)
			if (process.source)
				charts.append(make("p", { class: "keys" }, "The line and the stacks at the peak are those of " +
					process.source + ", whose heap was the largest of " + process.sources + "."));
	}
	startFlame(charts);
	if (charts.children.length === 0)
		charts.append(make("p", { class: "none" }, "The event log has no record of the heap over time."));
}

startFilter();
startCharts();
openTarget();
addEventListener("hashchange", openTarget);
