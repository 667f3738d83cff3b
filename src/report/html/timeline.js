// SPDX-License-Identifier: Apache-2.0
//
// The timeline of live bytes: one line of the heap, and one of each stack that grew most.

const HEIGHT = 200;
const LEFT = 70;
const RIGHT = 12;
const TOP = 14;
const BOTTOM = 24;
const GROWING_DRAWN = 5; // lines in one chart that can be told apart
const TIME_WIDTH = 160; // of a label and the space before the next

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
		this.charted = reports.filter((report) => report.snapshots.length > 1)
			.sort((a, b) => b.heap.peak_bytes - a.heap.peak_bytes);
		add(this.choice, this.charted.map((report, i) => make("option", { value: i },
			processName(report) + ", " + size(report.heap.peak_bytes))));
		this.choice.hidden = this.charted.length < 2;
		this.scale = make("button", { type: "button", "aria-pressed": "false" }, "Scale to what grows");
		this.legend = make("ul", { class: "lines", "aria-label": "Stacks that grew most" });
		this.bar = make("div", { class: "bar" }, this.choice, this.scale);
		this.element = make("div", { class: "chart" }, this.bar, this.svg, this.legend, this.readout,
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
		this.report = this.charted[i];
		this.points = momentsOfHeap(this.report);
		this.at = this.points.reduce((best, point, j) => point.live_bytes > this.points[best].live_bytes ? j : best, 0);
		this.start = this.points[0].milliseconds;
		this.range = Math.max(1, this.points[this.points.length - 1].milliseconds - this.start);
		this.top = this.points.reduce((most, point) => Math.max(most, point.live_bytes), Math.max(1, this.report.heap.peak_bytes));
		this.growing = growing.filter((item) => item.report === this.report).slice(0, GROWING_DRAWN);
		this.mostGrown = Math.max(1, ...this.growing.flatMap((item) => item.value.pictures.map((point) => point.bytes)));
		this.scale.hidden = this.growing.length === 0;
		this.bar.hidden = this.choice.hidden && this.scale.hidden;
		fill(this.legend, this.growing.map((item, j) => make("li", { class: "g" + j },
			make("a", { href: "#" + item.id }, this.nameOf(item.value)))));
		this.svg.setAttribute("aria-valuemax", String(this.points.length - 1));
		this.render();
	}

	nameOf(grown) {
		const frame = placeOf(grown.alloc_stack);
		return frame ? shortName(frameName(frame)) : "(no stack was kept)";
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
		const path = (points, bytesOf) => points.map((point, i) => (i ? "L" : "M") +
			this.x(point.milliseconds).toFixed(1) + " " + this.y(bytesOf(point)).toFixed(1)).join("");
		const line = path(this.points, (point) => point.live_bytes);
		const end = this.x(this.start + this.range).toFixed(1);
		// On that scale the whole heap is out of sight.
		if (!this.isScaled())
			this.svg.append(draw("path", { class: "area", d: line + "L" + end + " " + this.y(0) + "L" + LEFT + " " + this.y(0) + "z" }),
				draw("path", { class: "live", d: line }));
		this.growing.forEach((item, i) => this.svg.append(draw("path", { class: "growing g" + i,
			d: path(item.value.pictures, (point) => point.bytes) })));
		const peak = peakOf(this.report);
		if (peak && !this.isScaled())
			this.svg.append(draw("circle", { class: "picture", r: 4, cx: this.x(peak.milliseconds), cy: this.y(peak.live_bytes) }));
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
			const peak = this.y(this.report.heap.peak_bytes);
			this.svg.append(draw("line", { class: "peak", x1: LEFT, x2: right, y1: peak, y2: peak }),
				draw("text", { x: right, y: peak - 4, "text-anchor": "end" }, "peak " + size(this.report.heap.peak_bytes)));
		}
		const pace = Math.max(1, niceStep(this.range, Math.max(2, Math.floor(this.width / TIME_WIDTH))));
		for (let time = Math.ceil(this.start / pace) * pace; time <= this.start + this.range; time += pace) {
			const x = this.x(time);
			this.svg.append(draw("text", { x, y: HEIGHT - 6,
				"text-anchor": x > right - 30 ? "end" : "middle" }, duration(time)));
		}
	}

	move(i) {
		this.at = Math.min(Math.max(i, 0), this.points.length - 1);
		const point = this.points[this.at];
		const x = this.x(point.milliseconds);
		const text = size(point.live_bytes) + " in " + count(point.live_blocks, "block") + " after " + duration(point.milliseconds);
		this.cursor.setAttribute("x1", x);
		this.cursor.setAttribute("x2", x);
		this.dot.setAttribute("cx", x);
		this.dot.setAttribute("cy", this.y(point.live_bytes));
		this.svg.setAttribute("aria-valuenow", String(this.at));
		this.svg.setAttribute("aria-valuetext", text);
		fill(this.readout, make("b", {}, size(point.live_bytes)), " in " + count(point.live_blocks, "block") + ", " +
			duration(point.milliseconds) + " after the start");
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
		const far = (point) => Math.abs(this.x(point.milliseconds) - x);
		this.move(this.points.reduce((best, point, i) => far(point) < far(this.points[best]) ? i : best, 0));
	}
}

// Of many reports merged, the one that the line and the stacks at the peak are of.
function heapSourceNote(report) {
	const source = (report.sources || [])[report.snapshots_source];
	return source === undefined ? null : make("p", { class: "keys" }, "The line and the stacks at the peak are those of " +
		sourceName(source) + ", whose heap was the largest of " + number(sourceCount(report)) + ".");
}

function timelineElements() {
	if (!reports.some((report) => report.snapshots.length > 1))
		return [];
	return [make("h3", {}, "Live bytes over time"), new Timeline().element, reports.map(heapSourceNote)];
}
