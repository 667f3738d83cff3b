// SPDX-License-Identifier: Apache-2.0
//
// Elements, and numbers and names in words. Whatever a report says may come from an enemy: it
// enters the page through make(), draw() and fill() only, as text, and characters that have an
// effect instead of a shape are shown and never obeyed. Nothing here or elsewhere makes markup
// from a string.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

// Controls, line separators, marks and overrides of direction, the byte order mark, no characters.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]/g;

function plain(text) {
	return String(text).replace(INVISIBLE, (character) => {
		const code = character.charCodeAt(0);
		return code < 0x100 ? "\\x" + code.toString(16).padStart(2, "0") : "\\u" + code.toString(16);
	});
}

function visible(child) {
	return child instanceof Node ? child : plain(child);
}

// Children are elements, texts, lists of these, or null where there is none.
function add(element, children) {
	element.append(...children.flat(Infinity).filter((child) => child !== null).map(visible));
	return element;
}

function fill(element, ...children) {
	element.replaceChildren();
	return add(element, children);
}

function setAll(element, attributes) {
	for (const key in attributes)
		element.setAttribute(key, plain(attributes[key]));
	return element;
}

function make(name, attributes, ...children) {
	return add(setAll(document.createElement(name), attributes), children);
}

function draw(name, attributes, ...children) {
	return add(setAll(document.createElementNS(SVG, name), attributes), children);
}

function size(bytes) {
	const units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let unit = -1;
	if (bytes < 1024)
		return count(bytes, "byte");
	for (; bytes >= 1024; unit++)
		bytes /= 1024;
	return bytes.toFixed(bytes < 100 ? 1 : 0) + " " + units[unit];
}

function number(value) {
	return value.toLocaleString("en");
}

function count(value, noun) {
	return number(value) + " " + noun + (value === 1 ? "" : "s");
}

function duration(milliseconds) {
	if (milliseconds < 1000)
		return milliseconds + " ms";
	const seconds = milliseconds / 1000;
	if (seconds < 120)
		return seconds.toFixed(seconds < 10 ? 2 : 1) + " s";
	return span(milliseconds);
}

// The two largest units.
function span(milliseconds) {
	const seconds = Math.floor(milliseconds / 1000);
	const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
	const first = units.findIndex(([length]) => seconds >= length);
	if (first < 0)
		return milliseconds + " ms";
	return units.slice(first, first + 2).map(([length, name], i) =>
		Math.floor((i ? seconds % units[first][0] : seconds) / length) + " " + name).join(" ");
}

function age(ages) {
	return "allocated " + (ages.oldest_ms === ages.newest_ms ? "" : "between " + span(ages.oldest_ms) + " and ") +
		span(ages.newest_ms) + " ago";
}

function capital(text) {
	return text.charAt(0).toUpperCase() + text.slice(1);
}

function sum(items, value) {
	return items.reduce((all, item) => all + value(item), 0);
}

function baseName(path) {
	return path.slice(path.lastIndexOf("/") + 1);
}
