// SPDX-License-Identifier: Apache-2.0
//
// Lists of items to unfold, which stay quick when there are tens of thousands: the first ones are
// drawn, the others when they are asked for, and of each only its line until it is unfolded. The
// filter looks at the report, not at what is drawn.

const DRAWN_AT_ONCE = 500;
const DRAWN_WITH_MORE = 5000;

// What an item can be found by: the texts anywhere in it.
function wordsOf(value) {
	const words = [];
	const open = [value];
	while (open.length > 0) {
		const at = open.pop();
		if (at !== null && typeof at === "object")
			open.push(...Object.values(at));
		else if (typeof at === "string")
			words.push(at);
	}
	return words.join("\n").toLowerCase();
}

class List {
	// FACE has what an item is drawn by: { style(item), headline(item), body(item) }.
	constructor(items, face) {
		this.items = items;
		this.face = face;
		this.matching = items;
		this.box = make("div", { class: "list" });
		this.more = make("button", { type: "button", class: "more-items" });
		this.more.addEventListener("click", () => this.draw(this.drawn + DRAWN_WITH_MORE));
		this.element = make("div", {}, this.box, this.more);
		this.draw(DRAWN_AT_ONCE);
	}

	draw(room) {
		this.drawn = Math.min(room, this.matching.length);
		this.box.replaceChildren(...this.matching.slice(0, this.drawn).map((item) => this.detailsOf(item)));
		const left = this.matching.length - this.drawn;
		this.more.hidden = left === 0;
		fill(this.more, "Show " + number(Math.min(left, DRAWN_WITH_MORE)) + " more of " + number(left));
	}

	detailsOf(item) {
		if (!item.details) {
			item.details = make("details", { class: "item " + this.face.style(item), id: item.id }, this.face.headline(item));
			item.details.addEventListener("toggle", () => item.details.open && this.unfold(item));
		}
		return item.details;
	}

	unfold(item) {
		const details = this.detailsOf(item);
		if (details.children.length === 1)
			add(details, [make("div", { class: "body" }, this.face.body(item))]);
		details.open = true;
	}

	foldAll(isOpen) {
		for (const item of this.matching.slice(0, this.drawn))
			if (isOpen)
				this.unfold(item);
			else
				item.details.open = false;
	}

	filter(words) {
		const holds = (item) => {
			if (item.words === undefined)
				item.words = wordsOf(item.value) + "\n" + processName(item.report).toLowerCase();
			return words.every((word) => item.words.includes(word));
		};
		this.matching = words.length === 0 ? this.items : this.items.filter(holds);
		this.draw(DRAWN_AT_ONCE);
	}

	// Makes sure that the item called ID is seen; false when it is not of this list.
	reveal(id) {
		const at = this.items.findIndex((item) => item.id === id);
		if (at < 0)
			return false;
		if (!this.matching.includes(this.items[at]))
			this.filter([]);
		this.draw(Math.max(this.drawn, this.matching.indexOf(this.items[at]) + 1));
		this.unfold(this.items[at]);
		this.items[at].details.scrollIntoView();
		return true;
	}
}

// The field that filters LISTS.
function filterBar(lists) {
	const field = make("input", { type: "search", id: "filter", placeholder: "Filter findings and leaks",
		"aria-label": "Filter findings and leaks", autocomplete: "off", spellcheck: "false" });
	const result = make("output", { id: "filtered", for: "filter" });
	const unfold = make("button", { type: "button", id: "unfold" }, "Unfold all");
	const fold = make("button", { type: "button", id: "fold" }, "Fold all");
	const apply = () => {
		const words = field.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
		lists.forEach((list) => list.filter(words));
		fill(result, words.length === 0 ? "" : number(sum(lists, (list) => list.matching.length)) + " of " +
			number(sum(lists, (list) => list.items.length)) + " match");
	};
	field.addEventListener("input", apply);
	field.addEventListener("keydown", (event) => {
		if (event.key === "Escape") {
			field.value = "";
			apply();
		}
	});
	unfold.addEventListener("click", () => lists.forEach((list) => list.foldAll(true)));
	fold.addEventListener("click", () => lists.forEach((list) => list.foldAll(false)));
	return make("div", { class: "tools", role: "search" }, field, unfold, fold, result);
}
