# SPDX-License-Identifier: Apache-2.0
#
# What holds for every HTML report, looked at without a browser: usage: structure.py FILE...
# Elements are closed, nothing is loaded, the policy allows just the style sheet and the script
# that are there, the data is JSON, and no name from a log has become markup.
import base64
import hashlib
import html.parser
import json
import sys

VOID = {"meta", "input", "path", "rect"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "script", "noscript", "body", "header", "main", "nav", "section",
    "a", "p", "h1", "h2", "code", "pre", "dl", "dt", "dd", "div", "ul", "ol", "li", "span", "mark", "details",
    "table", "thead", "tbody", "tr", "th", "td", "summary", "svg", "path", "rect", "text", "input", "button", "output"}
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "href", "id", "aria-labelledby", "aria-label",
    "aria-hidden", "role", "type", "placeholder", "autocomplete", "spellcheck", "for", "open", "scope", "start", "viewbox",
    "d", "x", "y", "width", "height", "text-anchor", "value"}


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.path = path
        self.bad = []
        self.open = []
        self.ids = set()
        self.targets = set()
        self.policy = ""
        self.styles = []
        self.scripts = []
        with open(path, encoding="utf-8", errors="strict") as file:
            text = file.read()
        self.feed(text)
        self.close()
        self.check(text)

    def complain(self, text):
        self.bad.append("%s:%d: %s" % (self.path, self.getpos()[0], text))

    def handle_starttag(self, tag, attrs):
        if tag not in ALLOWED:
            self.complain("an element <%s>" % tag)
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.complain("an attribute %s of <%s>" % (name, tag))
            if name == "id":
                if value in self.ids:
                    self.complain("a second id " + value)
                self.ids.add(value)
            if name == "href":
                if not value.startswith("#"):
                    self.complain("a link to " + value)
                self.targets.add(value[1:])
        values = dict(attrs)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag == "style":
            self.styles.append("")
        if tag == "script":
            self.scripts.append([values.get("type", ""), ""])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.complain("</%s> closes <%s>" % (tag, self.open[-1] if self.open else ""))
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.styles[-1] += data
        if self.open and self.open[-1] == "script":
            self.scripts[-1][1] += data

    def check(self, text):
        if self.open:
            self.complain("never closed: " + " ".join(self.open))
        for character in text:
            code = ord(character)
            if (code < 32 and character not in "\n\t") or 127 <= code < 160 or code in (
                    0x2028, 0x2029, 0xfeff) or 0x202a <= code <= 0x202e or 0x2066 <= code <= 0x2069:
                self.complain("a raw U+%04X" % code)
        for target in self.targets - self.ids:
            self.complain("no element has the id " + target)
        if [kind for kind, _ in self.scripts] != ["application/json", ""] or len(self.styles) != 1:
            self.complain("other scripts or styles than there should be")
            return
        for kind, content in (("style-src", self.styles[0]), ("script-src", self.scripts[1][1])):
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            if "%s 'sha256-%s'" % (kind, digest) not in self.policy:
                self.complain("the policy does not have the digest of " + kind)
        if not self.policy.startswith("default-src 'none'; ") or "unsafe" in self.policy:
            self.complain("the policy allows more: " + self.policy)
        if "<" in self.scripts[0][1]:
            self.complain("a < in the data")
        for process in json.loads(self.scripts[0][1]):
            self.check_data(process)

    def check_data(self, process):
        for kind in ("leaked", "reachable", "grown", "peak"):
            for blocks, size, frames in process.get(kind, []):
                if blocks < 0 or size <= 0 or not all(0 <= frame < len(process["frames"]) for frame in frames or []):
                    self.complain("a stack that makes no sense")
        for number, _, points in process.get("growing", []):
            if "growth-%d" % number not in self.ids or len(points) < 2:
                self.complain("a line of growth that leads nowhere")
        times = [moment[0] for moment in process["timeline"]]
        if times != sorted(times):
            self.complain("moments out of order")


def main(paths):
    bad = [line for path in paths for line in Page(path).bad]
    print("\n".join(bad[:40]) if bad else "%d files" % len(paths))
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
