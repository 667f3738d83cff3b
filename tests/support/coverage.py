# SPDX-License-Identifier: Apache-2.0
"""coverage.py SOURCES BUILD: which part of the lines of each module ran, by what processes counted in BUILD.

A line counts once, however many objects it is compiled into, and as run when it ran in one of them.
The exit is 1 below what is asked for, of all or of a module.
"""
import glob
import os
import subprocess
import sys

ALL, EACH = 90.0, 85.0
# Not counted, and why.
EXCLUDED = {
    "src/base/messages.h": "words",
    "src/base/tool_messages.h": "words",
}
OBJECTS = "src/cli/fencepost src/core/.libs/*.so src/hosting/.libs/*.so src/preload/.libs/libfencepost-preload.so".split()


def run(tool, *arguments):
    path = subprocess.run(["clang", "-print-prog-name=" + tool], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return subprocess.run([path, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def find_lines(sources, build):
    """Yields file, line, how often it ran."""
    data = os.path.join(build, "coverage", "all.profdata")
    run("llvm-profdata", "merge", "-sparse", "-o", data, *glob.glob(os.path.join(build, "coverage", "*.profraw")))
    objects = [path for pattern in OBJECTS for path in sorted(glob.glob(os.path.join(build, pattern))) if not os.path.islink(path)]
    name = ""
    for line in run("llvm-cov", "export", "-format=lcov", "-instr-profile=" + data, objects[0],
                    *["-object=" + path for path in objects[1:]]).splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF":
            name = os.path.relpath(os.path.realpath(rest), sources)
        elif kind == "DA" and name.startswith("src/") and name not in EXCLUDED:
            number, count = rest.split(",")[:2]
            yield name, int(number), int(count)


def main(sources, build):
    sources, build = os.path.realpath(sources), os.path.realpath(build)
    modules, files, missed = {}, {}, {}
    for name, number, count in find_lines(sources, build):
        for table, key in ((modules, name.split("/")[1]), (files, name)):
            ran, known = table.get(key, (0, 0))
            table[key] = ran + (count > 0), known + 1
        if not count:
            missed.setdefault(name, []).append(number)
    with open(os.path.join(build, "coverage", "missed"), "w", encoding="ascii") as out:
        for name, numbers in sorted(missed.items()):
            out.writelines("%s:%d\n" % (name, number) for number in numbers)
    for table in (files, modules):
        for key in sorted(table, key=lambda key, of=table: of[key][0] / of[key][1]):
            ran, known = table[key]
            print("%5.1f %%  %6d of %6d  %s" % (100 * ran / known, ran, known, key))
        print()
    bad = False
    for key, (ran, known) in sorted(modules.items()):
        if 100 * ran / known < EACH:
            print("under %.0f %%: %s" % (EACH, key))
            bad = True
    ran, known = (sum(some[i] for some in modules.values()) for i in (0, 1))
    print("all: %.1f %% of %d lines (asked: %.0f); not counted: %s" % (
        100 * ran / known, known, ALL, ", ".join("%s (%s)" % some for some in EXCLUDED.items()) or "none"))
    return 1 if bad or 100 * ran / known < ALL else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
