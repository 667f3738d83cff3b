#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# The answers of contrib/fleet/queries, worked out from the lines themselves without a database, to compare with.
#
# answers.py LINES.ndjson RELEASE DIRECTORY: compares them with what DIRECTORY/NAME.tsv has of each query.
import calendar
import collections
import json
import sys
import time


class Line:
    def __init__(self, text):
        whole = json.loads(text)
        line = whole["line"]
        self.kind, self.fingerprint = line.get("kind", ""), line.get("fingerprint", "")
        self.function, self.bytes = line.get("function", ""), line["bytes"]
        self.is_last = line["type"] == "summary"
        self.time = calendar.timegm(time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S"))
        self.uptime = line.get("uptime", 0)
        self.host, self.build = line["host"], line["build_id"]
        self.version = line["labels"].get("release", "")
        self.program = whole["process"]["executable"].rsplit("/", 1)[1]
        self.left_out = line.get("left_out", 0)
        self.protection = whole["protection"] if self.is_last else None
        self.suppressions = whole.get("suppressions", [])
        self.suppressed = whole["summary"]["suppressed"]
        self.is_killed = "signal" in (whole["process"]["exit"] or {})


def group(items, key):
    groups = collections.defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def hosts(lines):
    return len({line.host for line in lines})


def moment(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


class Answers:
    def __init__(self, lines, release):
        self.found = [line for line in lines if not line.is_last]
        self.ended = [line for line in lines if line.is_last]
        self.release = release
        self.releases = {version: min(one.time - one.uptime for one in of) for version, of in
                         group(lines, lambda line: line.version).items()}
        self.builds = {build: min(one.time - one.uptime for one in of) for build, of in
                       group(lines, lambda line: (line.program, line.build, line.version)).items()}
        self.by_fingerprint = group(self.found, lambda line: line.fingerprint)

    def new_since(self):
        rows = []
        for fingerprint, lines in self.by_fingerprint.items():
            if min(self.releases[line.version] for line in lines) >= self.releases[self.release]:
                rows.append((fingerprint, lines[0].kind, lines[0].function, len(lines), hosts(lines),
                             moment(min(line.time for line in lines))))
        return sorted(rows, key=lambda row: (-row[4], row[0]))

    def machines(self):
        ran = {program: hosts(lines) for program, lines in group(self.ended, lambda line: line.program).items()}
        rows = []
        for (fingerprint, program), lines in group(self.found, lambda line: (line.fingerprint, line.program)).items():
            count = hosts(lines)
            rows.append((fingerprint, program, lines[0].kind, lines[0].function, count, 100 * count / ran[program], len(lines)))
        return sorted(rows, key=lambda row: (-row[4], row[0], row[1]))[:100]

    def introduced(self):
        ran = {build: len(lines) for build, lines in
               group(self.ended, lambda line: (line.program, line.build, line.version)).items()}
        rows = []
        for (fingerprint, program), lines in group(self.found, lambda line: (line.fingerprint, line.program)).items():
            began, build, version = min((self.builds[program, one.build, one.version], one.build, one.version) for one in lines)
            clean = sum(ran.get(other, 0) for other, start in self.builds.items() if other[0] == program and start < began)
            rows.append((fingerprint, program, lines[0].kind, lines[0].function, build, version, began, clean))
        rows.sort(key=lambda row: (-row[6], row[0], row[1]))
        return [row[:6] + (moment(row[6]),) + row[7:] for row in rows]

    def rate(self):
        ran = {key: sum(line.protection["allocations"] for line in lines) for key, lines in
               group(self.ended, lambda line: (line.program, line.version)).items()}
        groups = group(self.found, lambda line: (line.fingerprint, line.version, line.program))
        return [(fingerprint, version, lines[0].kind, lines[0].function, len(lines), 10**9 * len(lines) / ran[program, version])
                for (fingerprint, version, program), lines in sorted(groups.items())]

    def growing_leaks(self):
        rows = []
        for fingerprint, lines in self.by_fingerprint.items():
            pairs = [(line.bytes, line.uptime) for line in lines if line.kind.startswith("leak") and line.uptime > 0]
            if len(pairs) < 20:
                continue
            mean = [sum(values) / len(pairs) for values in zip(*pairs)]
            together = sum((size - mean[0]) * (age - mean[1]) for size, age in pairs)
            sizes, ages = (sum((pair[at] - mean[at]) ** 2 for pair in pairs) for at in (0, 1))
            if sizes > 0 and ages > 0 and together / (sizes * ages) ** 0.5 > 0.7:
                rows.append((fingerprint, lines[0].function, len(pairs), together / (sizes * ages) ** 0.5,
                             3600 * together / ages))
        return sorted(rows, key=lambda row: (-round(row[4]), row[0]))

    def suppressed(self):
        of = group(((one["name"], one["file"], one["used"], line.host) for line in self.ended for one in line.suppressions),
                   lambda row: row[:2])
        rows = [name + (sum(row[2] for row in rows), len({row[3] for row in rows if row[2] > 0})) for name, rows in of.items()]
        return sorted(rows, key=lambda row: (-row[2], row[0], row[1]))

    def protection(self):
        rows = []
        for key, lines in sorted(group(self.ended, lambda line: (line.program, line.version)).items()):
            total = {word: sum(line.protection[word] for line in lines) for word in ("allocations", "guarded", "padded", "plain")}
            rows.append(key + (hosts(lines), len(lines), total["allocations"]) +
                        tuple(100 * total[word] / total["allocations"] for word in ("guarded", "padded", "plain")) +
                        (sum(line.is_killed for line in lines), sum(line.suppressed for line in lines),
                         sum(line.left_out for line in lines)))
        return rows

    def days(self):
        groups = group(self.found, lambda line: (moment(line.time)[:10], line.version))
        return [key + (len({line.fingerprint for line in lines}), len(lines), hosts(lines))
                for key, lines in sorted(groups.items())]


def compare(name, rows, printed):
    """What of PRINTED, a query's lines, is not in ROWS. Numbers that are rounded may differ in their last digit."""
    if len(rows) != len(printed):
        return "%s: %d rows and not %d" % (name, len(printed), len(rows))
    for row, line in zip(rows, printed):
        fields = line.rstrip("\n").split("\t")
        for wanted, got in zip(row, fields, strict=True):
            is_same = abs(wanted - float(got)) <= max(0.051, abs(wanted) / 1000) if isinstance(wanted, float) else str(wanted) == got
            if not is_same:
                return "%s: %s and not %s" % (name, line.rstrip("\n"), "\t".join(map(str, row)))
    return None


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        answers = Answers([Line(text) for text in file], sys.argv[2])
    bad = 0
    for name in ("new-since", "machines", "introduced", "rate", "growing-leaks", "suppressed", "protection", "days"):
        rows = getattr(answers, name.replace("-", "_"))()
        with open("%s/%s.tsv" % (sys.argv[3], name), encoding="utf-8") as file:
            wrong = compare(name, rows, file.readlines())
        wrong = wrong or (not rows and name + ": no rows")
        if wrong:
            print(wrong)
            bad = 1
    sys.exit(bad)


main()
