// SPDX-License-Identifier: Apache-2.0
//
// The picture of a block: the slot with its guards to scale, and below it, to a larger scale, the
// bytes around what was hit. Only what the report says is drawn; offsets count from the start of
// the block, ranges are [from, to). It is drawn as wide as there is room, so that its words are
// read on a telephone, too.

const PICTURE_WIDTH = 960;
const PAGE_BYTES = 4096; // where the report does not say
const PADDED_SIDE = 16; // least padding on either side of a padded block
const SLOT_TOP = 26;
const SLOT_HEIGHT = 30;
const LENS_HEIGHT = 26;
const BYTES_TOP = SLOT_TOP + SLOT_HEIGHT + LENS_HEIGHT;
const BYTES_HEIGHT = 34;
const TICKS_TOP = BYTES_TOP + BYTES_HEIGHT;
const MARGIN_BYTES = 24; // shown around what matters
const WHOLE_BYTES = 192; // a block up to this size is shown whole
const LABEL_CHARACTER = 7; // width of a character of a label, a little too much
const MARKER_SIDE = 5; // half of its width
const MARKER_CHARACTER = 8; // it is bold
const TICK_WIDTH = 48; // from one to the next

// Whoever claims more was not written by us, and doubles would lose count of its bytes.
const SIZE_MAX_DRAWN = 2 ** 47;
const DISTANCE_MAX_DRAWN = 2 ** 48;

function remainder(address, page) {
	return Number(BigInt(address) % BigInt(page));
}

function guardBytes(report, page) {
	const pages = Number(report.settings.guard_pages);
	return pages > 0 && pages <= 1024 ? pages * page : page;
}

function slotOf(report, block) {
	const page = report.process.page_bytes >= 512 ? report.process.page_bytes : PAGE_BYTES;
	const before = remainder(block.address, page);
	let after = (page - (before + block.size) % page) % page;
	if (block.size === 0 && after === 0)
		after = before === 0 ? page : 0;
	return { slot: [-before, block.size + after], guard: guardBytes(report, page) };
}

// Null when nothing was hit.
function hitOf(finding) {
	const { block, evidence } = finding;
	if (evidence && !evidence.last && Math.abs(evidence.offset) <= DISTANCE_MAX_DRAWN)
		return [evidence.offset, evidence.offset + evidence.bytes.length / 2];
	if (finding.access === "unknown" || Math.abs(block.offset) > DISTANCE_MAX_DRAWN ||
			(finding.access === "free" && block.offset === 0))
		return null;
	return [block.offset, block.offset + 1];
}

function hitText(finding, hit) {
	const what = finding.evidence && !finding.evidence.last ? "changed bytes" : finding.access;
	const end = finding.block.size;
	if (hit[0] < 0)
		return what + ", " + -hit[0] + " before the start";
	return what + ", " + (hit[0] >= end ? hit[0] - end + " past the end" : hit[0] + " inside");
}

// What is drawn, in bytes from the start of the block.
function layOut(report, finding) {
	const { block, region } = finding;
	const scene = { size: block.size, block: [0, Math.max(block.size, 1)], hit: hitOf(finding), guard: 0,
		name: (block.free_thread !== null ? "freed " : "") + (region ? "region" : "block"), isFreed: block.free_thread !== null };
	if (region)
		scene.slot = scene.block; // it has neither padding nor guards
	else if (block.tier === "guarded")
		Object.assign(scene, slotOf(report, block));
	else
		scene.slot = [-PADDED_SIDE, block.size + PADDED_SIDE];
	scene.all = [scene.slot[0] - scene.guard, scene.slot[1] + scene.guard];
	// An access may have gone past the guards.
	if (scene.hit && scene.hit[0] < scene.all[0])
		scene.all[0] = scene.hit[0] - MARGIN_BYTES;
	if (scene.hit && scene.hit[1] > scene.all[1])
		scene.all[1] = scene.hit[1] + MARGIN_BYTES;
	return scene;
}

// What the lower strip shows: the block when it is small, and in any case what was hit. Null where
// that would not be larger.
function windowOf(scene) {
	const { all, block, hit } = scene;
	const isSmall = scene.size <= WHOLE_BYTES;
	let [from, to] = hit || block;
	if (isSmall && to > -WHOLE_BYTES && from < scene.size + WHOLE_BYTES)
		[from, to] = [Math.min(from, block[0]), Math.max(to, block[1])];
	[from, to] = [Math.max(from - MARGIN_BYTES, all[0]), Math.min(to + MARGIN_BYTES, all[1])];
	return (hit || isSmall) && to - from < (all[1] - all[0]) / 2 ? [from, to] : null;
}

// The wider part of RANGE that is left beside the hit.
function besideHit(hit, range) {
	if (!hit || hit[1] <= range[0] || hit[0] >= range[1])
		return range;
	const before = [range[0], Math.min(range[1], hit[0])];
	const after = [Math.max(range[0], hit[1]), range[1]];
	return before[1] - before[0] > after[1] - after[0] ? before : after;
}

// A strip of the picture: the bytes of RANGE over the whole width.
class Strip {
	constructor(svg, scene, range, top, height, width) {
		Object.assign(this, { svg, scene, range, top, height, width });
	}

	at(byte) {
		return (byte - this.range[0]) / (this.range[1] - this.range[0]) * this.width;
	}

	// The first of TEXTS for which there is room.
	putLabel(range, style, texts) {
		const width = this.at(range[1]) - this.at(range[0]);
		const text = texts.find((one) => one.length * LABEL_CHARACTER <= width);
		if (text)
			this.svg.append(draw("text", { class: "in " + style, x: this.at(range[0]) + width / 2,
				y: this.top + this.height / 2 + 4, "text-anchor": "middle" }, text));
	}

	putPart(range, style, ...texts) {
		const shown = [Math.max(range[0], this.range[0]), Math.min(range[1], this.range[1])];
		if (shown[1] <= shown[0])
			return;
		const left = this.at(shown[0]);
		this.svg.append(draw("rect", { class: style, x: left, y: this.top,
			width: Math.max(this.at(shown[1]) - left, 1), height: this.height }));
		this.putLabel(besideHit(this.scene.hit, shown), style, texts);
	}

	put() {
		const { slot, guard, block, hit, name, isFreed } = this.scene;
		const bytes = count(this.scene.size, "byte");
		this.putPart([slot[0] - guard, slot[0]], "guard", "guard");
		this.putPart([slot[1], slot[1] + guard], "guard", "guard");
		this.putPart([slot[0], 0], "padding", "padding");
		this.putPart([this.scene.size, slot[1]], "padding", "padding");
		this.putPart(block, isFreed ? "block freed" : "block", name + ", " + bytes, bytes, number(this.scene.size));
		if (hit)
			this.putPart(hit, "hit");
	}

	putMarker(text) {
		const middle = (this.at(this.scene.hit[0]) + this.at(this.scene.hit[1])) / 2;
		const half = text.length * MARKER_CHARACTER / 2;
		const x = Math.max(half, Math.min(middle, this.width - half));
		const tip = Math.max(MARKER_SIDE, Math.min(middle, this.width - MARKER_SIDE));
		this.svg.append(
			draw("path", { class: "marker", d: "M" + tip + " " + (this.top - 1) + "l-" + MARKER_SIDE + " -8h" + 2 * MARKER_SIDE + "z" }),
			draw("text", { class: "marker", x, y: this.top - 13, "text-anchor": "middle" }, text));
	}

	putTicks() {
		let step = 8;
		while (this.at(this.range[0] + step) < TICK_WIDTH)
			step *= 2;
		for (let tick = Math.ceil(this.range[0] / step) * step; tick <= this.range[1]; tick += step) {
			const x = this.at(tick);
			if (x >= 16 && x <= this.width - 16)
				this.svg.append(draw("path", { class: "tick", d: "M" + x + " " + TICKS_TOP + "v5" }),
					draw("text", { class: "tick", x, y: TICKS_TOP + 18, "text-anchor": "middle" },
						(tick > 0 ? "+" : "") + tick));
		}
	}
}

function describeScene(scene, hit) {
	return "A block of " + count(scene.size, "byte") + " in its slot: " + count(-scene.slot[0], "byte") +
		" of padding before it, " + (scene.slot[1] - scene.size) + " behind it" + (hit ? "; " + hit : "");
}

// The picture of FINDING's block; null where it is too large to be true.
function blockPicture(report, finding) {
	if (finding.block.size > SIZE_MAX_DRAWN)
		return null;
	const scene = layOut(report, finding);
	const window = windowOf(scene);
	const hit = scene.hit && hitText(finding, scene.hit);
	const height = window ? TICKS_TOP + 24 : SLOT_TOP + SLOT_HEIGHT + 4;
	const svg = draw("svg", { class: "slot", role: "img", height, "aria-label": describeScene(scene, hit) });
	const render = () => {
		const width = Math.min(svg.clientWidth, PICTURE_WIDTH);
		if (width === 0)
			return;
		svg.replaceChildren();
		const slot = new Strip(svg, scene, scene.all, SLOT_TOP, SLOT_HEIGHT, width);
		if (window)
			svg.append(draw("path", { class: "lens", d: "M" + slot.at(window[0]) + " " + (SLOT_TOP + SLOT_HEIGHT) +
				"L0 " + BYTES_TOP + "H" + width + "L" + slot.at(window[1]) + " " + (SLOT_TOP + SLOT_HEIGHT) + "z" }));
		slot.put();
		if (hit)
			slot.putMarker(hit);
		if (window) {
			const bytes = new Strip(svg, scene, window, BYTES_TOP, BYTES_HEIGHT, width);
			bytes.put();
			bytes.putTicks();
		}
	};
	new ResizeObserver(render).observe(svg);
	return svg;
}
