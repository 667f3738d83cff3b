// SPDX-License-Identifier: Apache-2.0
//
// Who holds a block: a drawing, what each holder is, how it is reached, and what was not searched.

const HOLDERS_DRAWN = 6;
const HOLDER_WIDTH = 300; // of a box
const HOLDER_STEP = 28; // from one box to the next
const HOLDER_HEIGHT = 22;
const HELD_LEFT = 400; // where the box of the block begins
const HOLDERS_WIDTH = 560;
const HOLDER_CHARACTERS = 40; // for which a box has room

function holderText(holder) {
	const name = holder.name ? holder.name + (holder.name_offset > 0 ? "+" + holder.name_offset : "") : null;
	const file = holder.module ? holder.module.replace(/.*\//, "") : null;
	switch (holder.kind) {
	case "global":
		return name ? name + " (" + file + ")" : file + "+0x" + holder.name_offset.toString(16);
	case "block":
	case "freed-block":
		return "offset " + number(holder.block.offset) + " in a " + (holder.kind === "block" ? "block" : "freed block") +
			" of " + count(holder.block.size, "byte") + " (serial " + number(holder.block.serial) + ")";
	case "stack":
		return (name ? "variable " + name : "the stack") + " of thread " + holder.thread;
	case "thread-local":
		return "thread-local " + (name || "storage") + " of thread " + holder.thread;
	case "register":
		return "register " + name + " of thread " + holder.thread;
	default:
		return "memory at " + holder.address;
	}
}

function holderElement(holder) {
	const words = make("code", {}, holderText(holder));
	const inside = holder.offset !== 0 ? ", " + count(holder.offset, "byte") + " inside" : null;
	const stack = holder.block ? holder.block.alloc_stack : holder.stack;
	if (!stack || stack.length === 0)
		return make("p", { class: "holder" }, words, " \u2192 the block", inside);
	return make("details", { class: "stack holder" },
		make("summary", {}, words, " \u2192 the block", inside, holder.block ? "; allocated" : null),
		stackElements(stack), excerpt(stack, 1));
}

// How the holder is reached, the outermost first.
function pathElement({ path, path_left_out: leftOut }) {
	if (!path)
		return null;
	const steps = path.map((step) => [make("code", {}, holderText(step)),
		step.block ? [" ", placeSpans(step.block.alloc_stack, step.block.site)] : null]);
	if (leftOut)
		steps.splice(3, 0, count(leftOut, "more block"));
	return make("ol", { class: "path" }, steps.map((step) => make("li", {}, step)));
}

// Boxes of holders, each with an arrow to the box of what it points to.
function holdersPicture(holders, held) {
	const drawn = holders.slice(0, HOLDERS_DRAWN);
	const height = drawn.length * HOLDER_STEP;
	const svg = draw("svg", { class: "held", role: "img", viewBox: "0 0 " + HOLDERS_WIDTH + " " + height,
		"aria-label": drawn.map(holderText).join(", ") + " \u2192 " + held });
	drawn.forEach((holder, i) => {
		const text = holderText(holder);
		const middle = i * HOLDER_STEP + HOLDER_STEP / 2;
		svg.append(
			draw("rect", { class: "holder " + holder.kind, x: 0, y: middle - HOLDER_HEIGHT / 2, width: HOLDER_WIDTH, height: HOLDER_HEIGHT }),
			draw("text", { x: 8, y: middle + 4 }, text.length > HOLDER_CHARACTERS ? text.slice(0, HOLDER_CHARACTERS - 1) + "\u2026" : text),
			draw("path", { d: "M" + HOLDER_WIDTH + " " + middle + "H" + (HELD_LEFT - 2) + "m-7 -4l7 4l-7 4" }));
	});
	svg.append(draw("rect", { class: "block", x: HELD_LEFT, y: 3, width: HOLDERS_WIDTH - HELD_LEFT, height: height - 6 }),
		draw("text", { x: (HELD_LEFT + HOLDERS_WIDTH) / 2, y: height / 2 + 4, "text-anchor": "middle" }, held));
	return svg;
}

// Who points to the block: what is known, and what was not searched.
function holderElements({ holders, holders_search: search, kind, path, path_left_out: leftOut, block }) {
	if (kind === "definite")
		return make("p", { class: "label" }, "Nothing that the program can still reach holds it.");
	if (!holders && !search)
		return null;
	const listed = holders || [];
	return make("section", { class: "holders" }, make("p", { class: "label" }, listed.length > 0 ? "Still held by" :
		search.result === "whole" ? "Nothing holds a pointer to it any more" : "Holders not searched"),
		listed.length > 0 ? holdersPicture(listed, block ? "block of " + count(block.size, "byte") : "one of the blocks") : null,
		listed.map(holderElement),
		path ? make("p", { class: "label" }, "And that is reached from") : null,
		pathElement({ path, path_left_out: leftOut }),
		search && search.found > listed.length ? make("p", { class: "quiet" }, "And " + count(search.found - listed.length, "other pointer") + ".") : null,
		search && search.obstacle ? make("p", { class: "quiet" }, (listed.length > 0 ? "More may hold it, because not all was searched: " + search.obstacle :
			capital(search.obstacle)) + ".") : null);
}
