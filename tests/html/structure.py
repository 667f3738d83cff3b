# SPDX-License-Identifier: Apache-2.0
#
# What holds for every HTML report, looked at without a browser: usage: structure.py FILE...
# Elements are the page's own and closed, nothing is loaded, the policy allows just the style sheet and
# the script that are there, the data is that of the JSON report beside it, the text that of the text
# report, and no name from a log has become markup.
import base64
import hashlib
import html.parser
import json
import os
import sys

VOID = {"meta", "path"}
PAGE = ["html", "head", "meta", "meta", "meta", "meta", "title", "style", "body", "a", "header", "p", "svg", "path",
        "main", "noscript", "p", "pre", "script", "script"]


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.path = path
        self.bad = []
        self.open = []
        self.tags = []
        self.policy = ""
        self.content = {}
        with open(path, encoding="utf-8", errors="strict") as file:
            text = file.read()
        self.feed(text)
        self.close()
        self.check(text)

    def complain(self, text):
        self.bad.append("%s:%d: %s" % (self.path, self.getpos()[0], text))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        for name in ("src", "href", "srcset", "action", "style"):
            if name in values and not values[name].startswith("#"):
                self.complain("%s=%s of <%s>" % (name, values[name], tag))
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag not in VOID:
            self.open.append(values.get("id", tag))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open:
            self.complain("</%s> closes nothing" % tag)
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.content[self.open[-1]] = self.content.get(self.open[-1], "") + data

    def check(self, text):
        if self.tags != PAGE or self.open:
            self.complain("other elements than the page's own: %s" % self.tags)
            return
        for character in text:
            code = ord(character)
            if (code < 32 and character not in "\n\t") or 127 < code < 160 or code in (
                    0x2028, 0x2029, 0xfeff) or 0x202a <= code <= 0x202e or 0x2066 <= code <= 0x2069:
                self.complain("a raw U+%04X" % code)
        for kind, content in (("style-src", self.content["style"]), ("script-src", self.content["script"])):
            digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
            if "%s 'sha256-%s'" % (kind, digest) not in self.policy:
                self.complain("the policy does not have the digest of " + kind)
        if not self.policy.startswith("default-src 'none'; ") or "unsafe" in self.policy:
            self.complain("the policy allows more: " + self.policy)
        if "<" in self.content["data"]:
            self.complain("a < in the data")
        self.compare(json.loads(self.content["data"]))

    # With what other formats made of the same reports, where they did.
    def compare(self, data):
        stem = self.path[:-len(".html")]
        if os.path.exists(stem + ".json"):
            with open(stem + ".json") as file:
                if json.load(file) != data:
                    self.complain("its data is not that of the JSON report")
        if os.path.exists(stem + ".text"):
            with open(stem + ".text") as file:
                missing = set(file.read().split("\n")) - set(self.content["text"].split("\n"))
            if missing:
                self.complain("its text lacks %s" % sorted(missing)[:3])


def main(paths):
    bad = [line for path in paths for line in Page(path).bad]
    print("\n".join(bad[:40]) if bad else "%d files" % len(paths))
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
