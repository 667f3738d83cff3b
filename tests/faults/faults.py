#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Has each system call of Fencepost's refused, one a run, and looks what is left: README.md has the table.

A first run of each way counts which calls are made, by whom and how often, so that there is no list of calls
that could be forgotten. Each is then refused with each error, from the first on and from the middle on.
"""
import argparse
import collections
import concurrent.futures
import errno
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys

ERRORS = ("EPERM", "ENOSYS", "ENOMEM", "EINTR")
WAYS = ("auto", "guard", "mprotect", "alone")  # back ends of `fencepost run`, and only the library under malloc
SECONDS = 60  # ends what hangs
SHORT = 23  # of so many cells the short table has one
EXITCODE = 9
NOT_STARTED = (125, 126, 127)
# What says that something is not known, and why.
REASON = re.compile(
    r"not guarded|not checked|not followed to|cannot |could not be|left no report|still run|does not work here|refused"
    r"|was killed|is kept|cut off|not watched")


def read_names(compiler):
    text = subprocess.run([compiler, "-E", "-dM", "-"], input="#include <sys/syscall.h>\n", capture_output=True, text=True,
                          check=True).stdout
    return {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)\b", text)}


def read_plants(source):
    with open(source) as file:
        return {match.group(1): line for line, text in enumerate(file, 1) if (match := re.search(r"plant: ([\w-]+) \*/", text))}


Cell = collections.namedtuple("Cell", "way who number error first")
Run = collections.namedtuple("Run", "status out err reports")


class Bench:
    def __init__(self, options):
        self.options = options
        self.names = read_names(os.environ.get("CC", "cc"))
        self.plants = read_plants(options.source)
        self.natives = {}
        self.native = self.run("native", "native", [])
        self.native_calls = self.count("native")

    def command(self, way, place, exitcode):
        if way == "native":
            return [self.options.victim]
        if way == "alone":
            settings = f"json={place}/json.%p" + (f":error_exitcode={EXITCODE}" if exitcode else "")
            return ["env", f"FENCEPOST_OPTIONS={settings}", f"LD_PRELOAD={self.options.preload}", self.options.victim]
        command = [self.options.fencepost, "run", f"--backend={way}", f"--json={place}/json.run"]
        return command + ([f"--error-exitcode={EXITCODE}"] if exitcode else []) + ["--", self.options.victim]

    def run(self, name, way, refuse, exitcode=False):
        """What came of the victim below `refuse`; a status of None: it hung."""
        place = f"{self.options.work}/{name}"
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        environment = {key: value for key, value in os.environ.items() if key not in ("FENCEPOST_OPTIONS", "LD_PRELOAD")}
        with open(f"{place}/out", "wb") as out, open(f"{place}/err", "wb") as err:
            process = subprocess.Popen(refuse + self.command(way, place, exitcode), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       cwd=place, env={**environment, "TMPDIR": place}, start_new_session=True)
            try:
                status = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                status = None
        reports = []
        for path in glob.glob(f"{place}/json.*"):
            try:
                with open(path) as file:
                    report = json.load(file)
                reports += report if isinstance(report, list) else [report]
            except (OSError, ValueError):
                pass
        with open(f"{place}/out", "rb") as out, open(f"{place}/err", errors="replace") as err:
            return Run(status, out.read(), err.read(), reports)

    def count(self, way):
        path = f"{self.options.work}/counts.{way}"
        self.run(f"count.{way}", way, [self.options.refuse, "count", path])
        with open(path) as file:
            return {(who, int(number)): int(count) for who, number, count in map(str.split, file)}

    def cells(self):
        """The loader's calls are not ours, nor are libc's that the program makes natively, too; but of libc's functions the
        library calls __sigaction (tests/lint/context.sh)."""
        for way in WAYS:
            for (who, number), count in self.count(way).items():
                if who == "loader" or who == "process" and (who, number) in self.native_calls and self.names[number] != "rt_sigaction":
                    continue
                if way in ("guard", "mprotect"):  # most are as with auto
                    if who != "tool":
                        yield Cell(way, who, number, "EPERM", 1)
                        yield Cell(way, who, number, "ENOMEM", count // 2 + 1)
                    continue
                for error in ERRORS:
                    for first in sorted({1, count // 2 + 1}):
                        yield Cell(way, who, number, error, first)

    def name(self, cell):
        return f"{cell.way}-{cell.who}-{self.names[cell.number]}-{cell.error}-{cell.first}"

    def refuse(self, cell, who):
        return [self.options.refuse, str(cell.number), who, str(getattr(errno, cell.error)), str(cell.first)]

    def run_natively(self, cell):
        """What the same refusal makes of the program without Fencepost."""
        if ("process", cell.number) not in self.native_calls:
            return self.native
        first = min(cell.first, self.native_calls["process", cell.number])
        cell = cell._replace(way="native", who="process", first=first)
        if cell not in self.natives:
            self.natives[cell] = self.run(self.name(cell), "native", self.refuse(cell, "process"))
        return self.natives[cell]

    def find(self, run):
        """The plants that are not told with their lines: in JSON, in text."""
        told = set()
        for report in run.reports:
            for stack in [item["stack"] for item in report["findings"]] + [item["alloc_stack"] for item in report["leaks"]]:
                told |= {frame.get("line") for frame in stack or []}
        texts = {int(line) for line in re.findall(r"^fencepost: .*mistaken\.c:(\d+)\b", run.err, re.M)}
        texts |= {int(line) for line in re.findall(r"and the free at mistaken\.c:(\d+)\b", run.err)}
        wanted = {name for name in self.plants if name != "executed" or b"\nexecuted\n" in run.out}
        return ({name for name in wanted if self.plants[name] not in told}, {name for name in wanted if self.plants[name] not in texts})

    def judge(self, cell):
        """One of "whole", "said", "not started", "libc", or what is wrong."""
        run = self.run(self.name(cell), cell.way, self.refuse(cell, cell.who))
        is_same = (run.out, run.status) == (self.native.out, self.native.status)
        if not is_same:
            native = self.run_natively(cell)
            if native.status != self.native.status and cell.who != "library" and (run.status is None or run.status > 128):
                return "libc", run  # which stops or ends any program that has threads
            is_same = (run.out, run.status) == (native.out, native.status)
        if run.status is None:
            return "hangs", run
        said = [line for line in run.err.splitlines() if line.startswith("fencepost: ") and REASON.search(line)]
        is_mute = cell.who == "tool" and self.names[cell.number] == "write"
        if not is_same:
            # Where the program cannot be started, or the report not be written, the status says so.
            if cell.way != "alone" and run.status in NOT_STARTED and (said or is_mute) and run.out in (b"", self.native.out):
                return "not started" if run.out == b"" else "said", run
            return f"status {run.status}, other output or status", run
        lost, lost_text = self.find(run)
        if not lost and not lost_text:
            return "whole", run
        if cell.way == "alone" and cell.who == "tool" and self.run_natively(cell).status != self.native.status:
            return "libc", run
        if not said and not is_mute:
            return "no reason said", run
        if re.search(r"^fencepost: no errors, no leaks[^;]*; exited \d+$", run.err, re.M):
            return "unknown is clean", run
        if cell.way == "alone":
            return "said", run
        again = self.run(self.name(cell), cell.way, self.refuse(cell, cell.who), True)
        if again.status != EXITCODE and again.status not in NOT_STARTED:
            return f"unknown is clean: status {again.status} with --error-exitcode", again
        return "said", run


def main():
    parser = argparse.ArgumentParser()
    for name in ("refuse", "fencepost", "preload", "victim", "source", "work"):
        parser.add_argument(name)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    bench = Bench(options)
    cells = [cell for cell in bench.cells() if re.search(options.only, bench.name(cell))]
    if options.short:
        cells = cells[::SHORT]
    counts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for cell, (verdict, run) in zip(cells, pool.map(bench.judge, cells)):
            is_good = verdict in ("whole", "said", "not started", "libc")
            counts[cell.way, cell.who, verdict if is_good else "left over"] += 1
            if verdict in ("whole", "libc"):
                shutil.rmtree(f"{options.work}/{bench.name(cell)}", ignore_errors=True)
            if is_good and not options.only:
                continue
            lost = bench.find(run)
            print(f"{bench.name(cell)}: {verdict}; without {' '.join(sorted(lost[0])) or 'nothing'}"
                  f" (text: {' '.join(sorted(lost[1])) or 'nothing'})")
            if not is_good:
                print("".join(f"      {line[:200]}\n" for line in run.err.splitlines() if line.startswith("fencepost: "))[-1500:], end="")
            sys.stdout.flush()
    verdicts = ("whole", "said", "not started", "libc", "left over")
    print("| " + " | ".join(("run", "whose calls", "cells", *verdicts)) + " |")
    print("|---|---|" + "---:|" * (1 + len(verdicts)))
    rows = sorted({key[:2] for key in counts}) + [("all", "all")]
    for row in rows:
        numbers = [sum(count for key, count in counts.items() if row[0] in ("all", key[0]) and row[1] in ("all", key[1]) and key[2] == name)
                   for name in verdicts]
        print("| " + " | ".join(map(str, (*row, sum(numbers), *numbers))) + " |")
    left = sum(count for key, count in counts.items() if key[2] == "left over")
    print(f"{sum(counts.values())} cells, {left} left over")
    sys.exit(left > 0 or not counts)


main()
