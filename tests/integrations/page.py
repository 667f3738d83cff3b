#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Does what a section of a page says, as a reader would: writes its files, runs its commands in one shell, and
# compares what they print with what the page shows.
#
# * A block of code belongs into the file that the line before it names: "... `app.c`:".
# * Indented lines, and those of a "console" block that begin with "$ ", are commands. A command must succeed,
#   unless the page shows what it prints.
# * Lines behind a command in a "console" block, and the lines of a "text" block, are what is printed: all of it,
#   or in a "text" block its beginning. "..." stands for any lines. What differs from run to run is not compared.
#
# page.py PAGE SECTION [FROM=TO]...: replaces FROM, a path that the page has, by the one of here.
import os
import re
import subprocess
import sys

STEADY = [
    (r"thread \d+", "thread N"),
    (r"(by process|PID|pid|process) \d+", r"\1 N"),
    (r"==\d+==", "==N=="),
    (r"0x[0-9a-fA-F]+", "ADDRESS"),
    (r"serials? \d+", "serial N"),
    (r"\d+(\.\d+)? (ms|s|min)\b", "N s"),
    (r"leak of [\d,]+ bytes in [\d,]+ blocks?", "leak of N bytes in N blocks"),
    (r"\d+ frames? of", "N frames of"),
    (r"^    #\d+ ", "    #N "),
]


def section_of(page, name):
    text = open(page, encoding="utf-8").read()
    found = re.search(r"(?ms)^##+ %s\n(.*?)(?=^## |\Z)" % re.escape(name), text)
    if not found:
        sys.exit("%s has no section %s" % (page, name))
    return found[1].split("\n")


def split(lines):
    """The section as (kind, name, lines): kinds are "commands", "console", "text" and "file"."""
    at, before = 0, ""
    while at < len(lines):
        line = lines[at]
        fence = re.match(r"```(\S*)$", line)
        block = []
        at += 1
        if fence:
            while at < len(lines) and lines[at] != "```":
                block.append(lines[at])
                at += 1
            at += 1
            if fence[1] in ("console", "text"):
                yield fence[1], None, block
            elif name := re.search(r"`([^`]+)`:$", before):
                yield "file", name[1], block
        elif line.startswith("    "):
            block.append(line[4:])
            while at < len(lines) and lines[at].startswith("    "):
                block.append(lines[at][4:])
                at += 1
            yield "commands", None, block
        elif line:
            before = line


class Command:
    def __init__(self, text):
        self.text, self.shown, self.is_beginning = text, None, False


def add(commands, line):
    if commands and commands[-1].text.endswith("\\"):
        commands[-1].text += "\n" + line
    else:
        commands.append(Command(line))


def steps_of(lines):
    """Its files and commands, in order: (name, text) and Command."""
    steps = []
    for kind, name, block in split(lines):
        if kind == "file":
            steps.append((name, "\n".join(block) + "\n"))
        elif kind == "commands":
            for line in block:
                add(steps, line) if not steps or isinstance(steps[-1], Command) else steps.append(Command(line))
        elif kind == "text":
            last = [step for step in steps if isinstance(step, Command)][-1]
            last.shown, last.is_beginning = block, True
        else:
            for line in block:
                if line.startswith("$ "):
                    steps.append(Command(line[2:]))
                elif steps[-1].text.endswith("\\"):
                    steps[-1].text += "\n" + line
                else:
                    steps[-1].shown = (steps[-1].shown or []) + [line]
    return steps


def run(steps, here):
    script = ["s=0 w=$PWD"]
    for at, step in enumerate(steps):
        if isinstance(step, Command):
            # Not a subshell: directories, variables and jobs are there for the next command.
            script.append("{ (exit $s); %s\n} >\"$w/page.%d.out\" 2>&1 </dev/null; s=$?; echo $s >\"$w/page.%d.status\"" % (here(step.text), at, at))
        else:
            name = here(step[0])
            os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
            with open(name, "w", encoding="utf-8") as file:
                file.write(here(step[1]))
    with open("page.sh", "w", encoding="utf-8") as file:
        file.write("\n".join(script) + "\nkill $(jobs -p) 2>/dev/null; wait\n")
    subprocess.run(["bash", "page.sh"], check=False)


def steady(line):
    for pattern, word in STEADY:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def matches(shown, printed, is_beginning):
    """Where they differ: the first line shown that is not printed in its place, or None."""
    # Something else may come first, also on the same line, which others had begun.
    at, is_free = 0, is_beginning
    for line in map(steady, shown):
        if line == "...":
            is_free = True
            continue
        place = at
        while is_free and place < len(printed) and not (printed[place] == line or line and printed[place].endswith(line)):
            place += 1
        if place >= len(printed) or printed[place] != line and not is_free:
            return line
        at, is_free = place + 1, False
    return None if is_free or is_beginning or at == len(printed) else "(nothing more)"


def main():
    page, name, *pairs = sys.argv[1:]
    work = os.getcwd() + "/"

    def here(text):
        for pair in pairs:
            text = text.replace(*pair.split("=", 1))
        return text

    steps = steps_of(section_of(page, name))
    run(steps, here)
    bad = 0
    for at, step in enumerate(steps):
        if not isinstance(step, Command):
            continue
        try:
            output = open("page.%d.out" % at, encoding="utf-8", errors="replace").read()
            status = open("page.%d.status" % at, encoding="utf-8").read().strip()
        except FileNotFoundError:
            output, status = "", "none"
        printed = [steady(line) for line in output.replace(work, "").splitlines()]
        if step.shown is None:
            wrong = "status %s" % status if status != "0" else None
        else:
            wrong = matches(step.shown, printed, step.is_beginning)
            wrong = wrong and "not printed in its place: %s" % wrong
        if wrong:
            print("%s, %s: $ %s\n%s\nIt printed:\n%s" % (os.path.basename(page), name, step.text, wrong, output[-4000:]))
            bad = 1
    if not any(isinstance(step, Command) for step in steps):
        sys.exit("%s, %s: no commands" % (page, name))
    return bad


sys.exit(main())
