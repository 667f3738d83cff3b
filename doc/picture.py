#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Draws a report as a terminal shows it: from text with ANSI colours on standard input to an SVG picture, for
# light and dark pages. "picture.py --text" prints the text of a picture on standard input.
#
# usage: fencepost run --color=always ./app 2>&1 | doc/picture.py "$ fencepost run ./app" >report.svg
import re
import sys
from html import escape, unescape

COLUMNS, CHARACTER, LINE, MARGIN = 104, 8.43, 20, 16
STYLES = {"": "", "0": "", "2": "dim", "1;31": "bad"}

STYLE = """
    text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }
    .page { fill: #f6f8fa; stroke: #d1d9e0; }
    .dim { fill: #59636e; }
    .bad { fill: #cf222e; font-weight: bold; }
    .typed { font-weight: bold; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .page { fill: #151b23; stroke: #3d444d; }
      .dim { fill: #9198a1; }
      .bad { fill: #ff7b72; }
    }"""


def runs_of(line):
    """The line as (style, text), from the colour that is in force at its beginning on."""
    style = ""
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b"):
            style = STYLES[part[2:-1]]
        elif part:
            yield style, part


def wrap(runs):
    """Rows of COLUMNS characters, as a terminal breaks a line."""
    row, left = [], COLUMNS
    for style, text in runs:
        while len(text) > left:
            row.append((style, text[:left]))
            yield row
            text, row, left = text[left:], [], COLUMNS
        row.append((style, text))
        left -= len(text)
    yield row


def draw(command, lines):
    rows = [[("typed", command)]]
    for line in lines:
        rows.extend(wrap(runs_of(line)))
    width, height = round(COLUMNS * CHARACTER + 2 * MARGIN), len(rows) * LINE + 2 * MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    yield f"  <style>{STYLE}\n  </style>"
    yield f'  <rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>'
    for number, row in enumerate(rows, 1):
        spans = "".join(
            f'<tspan class="{style}">{escape(text, quote=False)}</tspan>' if style else escape(text, quote=False)
            for style, text in row
        )
        yield f'  <text x="{MARGIN}" y="{MARGIN + number * LINE - 6}" xml:space="preserve">{spans}</text>'
    yield "</svg>"


def text_of(picture):
    for row in re.findall(r"<text [^>]*>(.*)</text>", picture):
        yield unescape(re.sub(r"<[^>]*>", "", row))


if sys.argv[1:] == ["--text"]:
    print("\n".join(text_of(sys.stdin.read())))
elif len(sys.argv) == 2:
    print("\n".join(draw(sys.argv[1], sys.stdin.read().rstrip("\n").split("\n"))))
else:
    sys.exit(__doc__ or 'usage: picture.py "$ COMMAND" <report >picture.svg')
