#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Lines of --ndjson from a made-up fleet, the same for the same seed: four releases in four weeks, one of them built
# twice, on machines that install them with a delay; three programs; mistakes that come with one build and go with
# another; leaks that stay as they are and leaks that grow. What a mistake is made of says its function's name:
# "since_1.2_2_grows_17" comes with the second build of release 1.2, and grows. A run has ten lines or so, and a last one.
#
# simulate.py --lines=100000 [--machines=10000] [--seed=1] [--shard=0/2]
import argparse
import datetime
import hashlib
import json
import random
import sys

PROGRAMS = ["frontd", "stored", "batchd"]
BUILDS = [("1.0", 1, 0), ("1.1", 1, 7), ("1.2", 1, 14), ("1.2", 2, 17), ("1.3", 1, 21)]  # release, which, day
KINDS = ["heap-buffer-overflow", "heap-use-after-free", "double-free", "leak-definite", "leak-indirect"]
MISTAKES = 300
DAYS = 28
LINES_OF_A_RUN = 10
START = datetime.datetime(2026, 11, 2)
LIBC = "93ac61ec5a8eb1396f9fbd350e3169a558528a40"
SETTINGS = {"backend": "memfd", "align": 16, "placement": "right", "sample": 100, "max_memory": 67108864,
            "leak_check": "full", "label": "", "suppressions": "fleet.supp", "color": "auto"}


def digest(*words):
    return hashlib.sha1(" ".join(map(str, words)).encode()).hexdigest()


def stack(program, build_id, *functions):
    frames = []
    for at, function in enumerate(functions):
        frames.append({"function": function, "file": "/build/%s/src/%s.c" % (program, program), "line": 100 + at,
                       "column": 9, "module": "/usr/sbin/" + program, "offset": "0x%x" % (4096 + 64 * at),
                       "build_id": build_id, "inlined": False, "function_line": 90, "place": at == 0})
    frames.append({"function": "__libc_start_main", "file": None, "line": None, "column": None,
                   "module": "/usr/lib/x86_64-linux-gnu/libc.so.6", "offset": "0x27305", "build_id": LIBC,
                   "inlined": False, "function_offset": "0x84", "hidden": "below main"})
    return frames


class Mistake:
    def __init__(self, number, rng):
        self.program = rng.choice(PROGRAMS)
        self.kind = rng.choice(KINDS)
        self.is_leak = self.kind.startswith("leak")
        self.first = min(rng.randrange(len(BUILDS) * 2), len(BUILDS) - 1) if number % 3 else 0
        self.end = rng.randrange(self.first + 1, len(BUILDS) + 3)
        self.weight = 1 / (1 + number)
        self.grows = self.is_leak and rng.random() < 0.3
        self.bytes = rng.randrange(16, 4096)
        release, which, _ = BUILDS[self.first]
        self.function = "since_%s_%d_%s_%d" % (release, which, "grows" if self.grows else "stays", number)
        self.fingerprint = digest(self.program, self.kind, self.function)[:16]

    def part(self, build_id):
        """What its line has beside "line" and "process"."""
        common = {"fingerprint": self.fingerprint}
        where = stack(self.program, build_id, self.function, "handle_request", "main")
        if self.is_leak:
            return {"findings": [], "leak_check": {"made": True, "repeated": False, "asked": False, "listed": True},
                    "leaks": [{"kind": self.kind[5:], "blocks": "COUNT", "bytes": "BYTES", **common, "alloc_stack": where,
                               "site": None, "heap": 1, "critical_level": None, "indirect_blocks": 0,
                               "indirect_bytes": 0, "hangs_from": None}]}
        block = {"address": "0x7f20000040c0", "size": 40, "offset": 40, "tier": "guarded", "heap": 1, "family": "malloc",
                 "serial": 12345, "critical_level": None, "site": None, "alloc_thread": 1,
                 "alloc_stack": stack(self.program, build_id, "make_request", "main")}
        return {"findings": [{"kind": self.kind, "cwe": 122, "severity": "error", "count": "COUNT", **common,
                              "description": "write of 1 byte, 0 bytes past the end", "access": "write",
                              "address": "0x7f20000040e8", "hresult": None, "thread": {"id": 1, "name": self.program},
                              "exact": True, "through": None, "stack": where, "other": None, "evidence": None,
                              "block": block, "region": None}],
                "leak_check": {"made": False, "repeated": False, "asked": False, "listed": True}, "leaks": []}


def template(kind, program, build, part, place):
    """A line with %(...)s in it for what differs from run to run."""
    build_id = digest(program, *BUILDS[build][:2])
    count = {"protection": {key: 0 for key in ("allocations", "guarded", "padded", "plain")},
             "heap": {key: 0 for key in ("allocations", "frees", "live_blocks", "live_bytes", "peak_blocks", "peak_bytes")}}
    count["protection"]["reasons"] = {}
    is_last = kind == "summary"
    if is_last:
        count["protection"] = {"allocations": "ALLOCATIONS", "guarded": "GUARDED", "padded": "PADDED",
                               "plain": "PLAIN", "reasons": {}}
        count["heap"].update(allocations="ALLOCATIONS", frees="ALLOCATIONS")
    line = {"schema": "fencepost-report-1", "tool": {"name": "fencepost", "version": "0.1.0"},
            "line": {"type": kind, "time": "TIME", "host": "HOST", "run": "RUN", "build_id": build_id,
                     "labels": {"release": BUILDS[build][0], "site": "SITE"}, **place, "uptime": "UPTIME"},
            "process": {"pid": "PID", "ppid": 1, "executable": "/usr/sbin/" + program, "argv": [program, "--serve"],
                        "exit": "EXIT" if is_last else None, "page_bytes": 4096, "door": "malloc"},
            "settings": SETTINGS if is_last else {}, **count, **part}
    if not is_last:
        line["process"]["uncounted"] = True
    line.update(failed_allocations=[], snapshots=[], growth=None, notes=[])
    if is_last:
        line["suppressions"] = [{"name": name, "file": "/etc/fencepost/fleet.supp", "line": at, "state": "active",
                                 "matched": "%s%d" % ("MATCHED", at), "used": "%s%d" % ("MATCHED", at)}
                                for at, name in ((1, "leak:intern_\"%s\"" % program), (5, "known {old} parser"))]
    errors = int(kind == "finding")
    line["summary"] = {"errors": errors, "leaked_blocks": "COUNT" if kind == "leak" else 0,
                       "leaked_bytes": "BYTES" if kind == "leak" else 0, "new_leaked_blocks": None,
                       "new_leaked_bytes": None, "possible_blocks": 0, "possible_bytes": 0, "unknown": False,
                       "suppressed": "SUPPRESSED" if is_last else 0}
    text = json.dumps(line, separators=(",", ":")).replace("%", "%%")
    for word in ("COUNT", "BYTES", "ALLOCATIONS", "GUARDED", "PADDED", "PLAIN", "UPTIME", "PID", "EXIT", "MATCHED1",
                 "MATCHED5", "SUPPRESSED"):
        text = text.replace('"%s"' % word, "%%(%s)s" % word)
    for word in ("TIME", "HOST", "RUN", "SITE"):
        text = text.replace('"%s"' % word, '"%%(%s)s"' % word)
    return text + "\n"


def finding_template(mistake, build):
    build_id = digest(mistake.program, *BUILDS[build][:2])
    place = {"kind": mistake.kind, "fingerprint": mistake.fingerprint, "count": "COUNT", "bytes": "BYTES",
             "function": mistake.function, "file": "/build/%s/src/%s.c" % (mistake.program, mistake.program), "line": 100,
             "module": mistake.program, "offset": "0x1000"}
    return template("leak" if mistake.is_leak else "finding", mistake.program, build, mistake.part(build_id), place)


def summary_template(program, build):
    part = {"findings": [], "leak_check": {"made": True, "repeated": False, "asked": False, "listed": True}, "leaks": []}
    return template("summary", program, build, part, {"count": 0, "bytes": 0})


class Fleet:
    def __init__(self, arguments):
        self.rng = random.Random(arguments.seed)
        self.machines = arguments.machines
        mistakes = [Mistake(number, self.rng) for number in range(MISTAKES)]
        self.known, self.last = {}, {}
        for program in PROGRAMS:
            for build in range(len(BUILDS)):
                here = [one for one in mistakes if one.program == program and one.first <= build < one.end]
                weights, total = [], 0
                for one in here:
                    total += one.weight
                    weights.append(total)
                self.known[program, build] = [(one, finding_template(one, build)) for one in here], weights
                self.last[program, build] = summary_template(program, build)

    def run(self):
        """The host of one more run, its lines, and how many of them are of findings and leaks."""
        rng = self.rng
        machine = rng.randrange(self.machines)
        second = rng.randrange(DAYS * 86400)
        day = max(second // 86400 - machine % 4, 0)
        build = max(at for at, (_, _, released) in enumerate(BUILDS) if released <= day)
        program = PROGRAMS[machine % len(PROGRAMS)]
        known, weights = self.known[program, build]
        hours = rng.randrange(1, 49)
        allocations = rng.randrange(10**5, 10**7)
        guarded = allocations // (100 - 10 * build)
        suppressed = rng.randrange(3)
        values = {"TIME": (START + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.250Z"),
                  "HOST": "web-%05d" % machine, "RUN": "%016x" % rng.getrandbits(64), "SITE": "north" if machine % 2 else "south",
                  "UPTIME": hours * 3600, "PID": 1000 + rng.randrange(30000), "ALLOCATIONS": allocations,
                  "GUARDED": guarded, "PADDED": guarded // 10, "PLAIN": allocations - guarded - guarded // 10,
                  "EXIT": '{"signal":"SIGKILL"}' if rng.randrange(50) == 0 else '{"code":0}', "MATCHED1": suppressed,
                  "MATCHED5": suppressed // 2, "SUPPRESSED": suppressed + suppressed // 2}
        lines = []
        for mistake, line in {id(one): one for one in rng.choices(known, cum_weights=weights, k=LINES_OF_A_RUN + 3)}.values():
            values["COUNT"] = 1 + (hours if mistake.grows else rng.randrange(3))
            values["BYTES"] = values["COUNT"] * mistake.bytes if mistake.is_leak else 0
            lines.append(line % values)
        count = len(lines)
        lines.append(self.last[program, build] % values)
        return machine, lines, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=100000)
    parser.add_argument("--machines", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shard", default="0/1")
    arguments = parser.parse_args()
    shard, shards = map(int, arguments.shard.split("/"))
    fleet, made = Fleet(arguments), 0
    while made < arguments.lines:
        machine, lines, count = fleet.run()
        made += count
        if machine % shards == shard:
            sys.stdout.write("".join(lines))


main()
