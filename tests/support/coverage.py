# SPDX-License-Identifier: Apache-2.0
"""coverage.py SOURCES BUILD: which part of the lines of each module ran, by the .gcda files in BUILD.

A line counts once, however many objects it is compiled into, and as run when it ran in one of them.
The exit is 1 below what is asked for, of all or of a module.
"""
import json
import os
import subprocess
import sys

ALL, EACH = 90.0, 85.0
# Not counted, and why.
EXCLUDED = {
    "src/base/panic.c": "ends the process at once, without gcov's end",
}


def find_data(build):
    for where, _, names in os.walk(build):
        if os.path.relpath(where, build).startswith("src"):
            yield from (os.path.join(where, name) for name in sorted(names) if name.endswith(".gcno"))


def main(sources, build):
    sources, build = os.path.realpath(sources), os.path.realpath(build)
    lines = {}
    for notes in find_data(build):
        done = subprocess.run(["gcov", "--json-format", "--stdout", notes], cwd=build, capture_output=True, check=False)
        for document in done.stdout.splitlines():
            for file in json.loads(document)["files"]:
                path = os.path.realpath(os.path.join(build, file["file"]))
                name = os.path.relpath(path, sources)
                if not name.startswith("src/") or name in EXCLUDED:
                    continue
                for line in file["lines"]:
                    key = name, line["line_number"]
                    lines[key] = max(lines.get(key, 0), line["count"])
    modules, files = {}, {}
    for (name, _), count in lines.items():
        for table, key in ((modules, name.split("/")[1]), (files, name)):
            ran, known = table.get(key, (0, 0))
            table[key] = ran + (count > 0), known + 1
    bad = not lines
    for table in (files, modules):
        for key in sorted(table, key=lambda key, of=table: of[key][0] / of[key][1]):
            ran, known = table[key]
            print("%5.1f %%  %6d of %6d  %s" % (100 * ran / known, ran, known, key))
        print()
    for key, (ran, known) in sorted(modules.items()):
        if 100 * ran / known < EACH:
            print("under %.0f %%: %s" % (EACH, key))
            bad = True
    ran, known = (sum(some[i] for some in modules.values()) for i in (0, 1))
    print("all: %.1f %% of %d lines (asked: %.0f); not counted: %s" % (
        100 * ran / max(known, 1), known, ALL, ", ".join("%s (%s)" % some for some in EXCLUDED.items())))
    return 1 if bad or 100 * ran / max(known, 1) < ALL else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
