# SPDX-License-Identifier: Apache-2.0
"""What other tools' own tests expect, held against what Fencepost says of the same programs.

peers.py SUITE SOURCES WORK [NAME...]: builds and runs the programs of SUITE (valgrind, gcc, llvm,
glibc), whose sources are below SOURCES, in WORK, and prints a line for each. A program agrees when
its findings are of the same kinds and at the same lines, its leaks as many blocks and bytes, and
its output and end those of the program alone. One that does not and that by-design.txt has no
reason for is ours to mend: then the exit is 1. So it is for a reason that is needed no more.
"""
import json
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 240
# An overflow into padding has no line on its own: with blocks of any size against their guard it has,
# and with blocks behind their guard underflows have.
WAYS = (["--align=1"], ["--placement=left"])


def run(command, where):
    """The exit status, or a name for a stop, and what was written."""
    with subprocess.Popen(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "hangs", b"", b""
    # As a shell has it, and fencepost run.
    return process.returncode if process.returncode >= 0 else 128 - process.returncode, out, err


def line_of(frames, sources):
    """FILE:LINE of the innermost frame that is of the program's own sources."""
    for frame in frames:
        name = os.path.basename(frame.get("file") or "")
        if name in sources:
            return "%s:%d" % (name, frame["line"])
    return "?"


def kind_of(finding):
    kind = finding["kind"]
    return {"use-after-poison": "heap-use-after-free"}.get(kind, kind)


def read_reports(path, sources):
    """Findings as (kind, line), and leaks as {kind: (bytes, blocks)}."""
    findings, leaks = set(), {}
    if not os.path.exists(path):
        return findings, leaks
    with open(path, encoding="utf-8") as file:
        reports = json.load(file)
    for report in reports if isinstance(reports, list) else [reports]:
        for finding in report["findings"]:
            findings.add((kind_of(finding), line_of(finding["stack"], sources)))
        for leak in report["leaks"]:
            size, blocks = leaks.get(leak["kind"], (0, 0))
            leaks[leak["kind"]] = size + leak["bytes"], blocks + leak["blocks"]
    return findings, leaks


class Answer:
    """What Fencepost says of a program, in all ways together."""

    def __init__(self, program, sources, where, options=()):
        self.findings, self.leaks, self.ends = set(), {}, []
        for way in WAYS:
            report = os.path.join(where, "report.json")
            if os.path.exists(report):
                os.remove(report)
            command = ["fencepost", "run", "--quiet", "--continue=yes", "--json=" + report,
                       *way, *options, "--", *program]
            self.ends.append(run(command, where))
            findings, self.leaks = read_reports(report, sources)
            self.findings |= findings
        # Damage that was found later has no line, where the other way has one.
        told = {kind for kind, line in self.findings if line != "?"}
        self.findings = {(kind, line) for kind, line in self.findings if line != "?" or kind not in told}


def compile_program(compiler, sources, program, flags, where):
    command = [compiler, "-g", "-w", *flags[0], "-o", program, *sources, *flags[1]]
    status, _, err = run(command, where)
    return None if status == 0 else err.decode(errors="replace").strip().splitlines()[:1]


def read_by_design(suite):
    reasons = {}
    with open(os.path.join(HERE, "by-design.txt"), encoding="utf-8") as file:
        for text in file:
            if text.strip() and not text.startswith("#"):
                name, reason = text.split(":", 1)
                of, name = name.split()
                if of == suite:
                    reasons[name] = reason.strip()
    return reasons


# ---- Valgrind -----------------------------------------------------------------------------------

# What a test is about when one of these is among its options.
VALGRIND_OPTIONS = {"--xml": "Valgrind's XML", "--suppressions": "Valgrind's suppressions", "--gen-suppressions": "Valgrind's suppressions",
                    "--ignore-range": "Valgrind's options", "--keep-stacktraces": "Valgrind's options",
                    "--malloc-fill": "Valgrind's options", "--exit-on-first-error": "Valgrind's options",
                    "--ignore-ranges": "Valgrind's options"}
COUNTS = re.compile(r"^(?:leaked|dubious|reachable|suppressed): +\d+ bytes in +\d+ blocks", re.M)
UNDEFINED = re.compile(r"Conditional jump|Use of uninitialised|uninitialised byte")


def read_valgrind(text, sources):
    """What a .stderr.exp expects: findings, leaks, and whether anything is about undefined bytes
    or about memory that is no heap block."""
    findings, leaks, others = set(), {}, set()
    for kind, size, blocks in re.findall(r"^ *(definitely|indirectly|possibly) lost: ([\d,]+) bytes in ([\d,]+) blocks", text, re.M):
        leaks[KINDS[kind]] = int(size.replace(",", "")), int(blocks.replace(",", ""))
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.strip().splitlines()
        start = next((i for i, line in enumerate(lines)
                      if i + 1 < len(lines) and lines[i + 1].startswith("   at ")), None)
        if start is None:
            continue
        head, stack = lines[start], []
        for line in lines[start + 1:]:
            if not re.match(r"   (at|by) ", line):
                break
            match = re.search(r"\(([^():]+):(\d+)\)$", line)
            stack.append({"file": match and match.group(1), "line": int(match.group(2)) if match else 0})
        where = line_of(stack, sources)
        address = " ".join(lines[start + 1 + len(stack):][:1])
        if " lost in loss record " in head:
            continue
        if UNDEFINED.search(head):
            others.add("undefined bytes")
        elif re.match(r"Invalid (read|write)|Syscall param|Process terminating|Jump to", head):
            match = re.search(r"bytes (inside|before|after) a(?: recently re-allocated)? block of size [\d,]+ (alloc'd|free'd)", address)
            if not match:
                others.add("memory that is no block")
            elif match.group(2) == "free'd":
                findings.add(("heap-use-after-free", where))
            else:
                findings.add(({"before": "heap-buffer-underflow"}.get(match.group(1), "heap-buffer-overflow"), where))
        elif head.startswith("Invalid free"):
            is_double = re.search(r" 0 bytes inside .* free'd", address)
            findings.add(("double-free" if is_double else "invalid-free", where))
        elif head.startswith("Mismatched"):
            findings.add(("alloc-dealloc-mismatch", where))
        elif "fishy" in head:
            findings.add(("allocation-too-large", where))
        else:
            others.add(head.split(":")[0][:50])
    return findings, leaks, others


KINDS = {"definitely": "definite", "indirectly": "indirect", "possibly": "possible"}


def each_valgrind(top):
    tests = os.path.join(top, "valgrind/memcheck/tests")
    for name in sorted(os.listdir(tests)):
        if name.endswith(".vgtest"):
            yield name[:-7], tests


def settings_of(path):
    """The fields of a .vgtest."""
    fields = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for text in file:
            key, _, value = text.partition(":")
            fields.setdefault(key.strip(), value.strip())
    return fields


def try_valgrind(name, tests, work):
    fields = settings_of(os.path.join(tests, name + ".vgtest"))
    program = os.path.basename(fields.get("prog", ""))
    source = next((program + end for end in (".c", ".cpp") if os.path.exists(os.path.join(tests, program + end))), None)
    expected = os.path.join(tests, name + ".stderr.exp")
    if source is None or not os.path.exists(expected):
        return "left out", "no source of one file"
    compiler = "g++" if source.endswith("cpp") else "gcc"
    binary = os.path.join(work, program)
    failed = compile_program(compiler, [os.path.join(tests, source)], binary,
                             (["-O0", "-fno-builtin", "-fno-inline", "-I" + tests, "-I" + os.path.join(tests, "../../include"),
                               "-I" + os.path.join(tests, "..")], ["-lpthread", "-ldl", "-lm"]), work)
    if failed is not None:
        return "left out", "does not compile: %s" % " ".join(failed)
    with open(expected, encoding="utf-8", errors="replace") as file:
        text = file.read()
    findings, leaks, others = read_valgrind(text, {source})
    for option, about in VALGRIND_OPTIONS.items():
        if option in fields.get("vgopts", ""):
            return "left out", "is about " + about
    if others and not findings and not leaks:
        return "left out", "is about " + ", ".join(sorted(others))
    arguments = fields.get("args", "").split()
    alone = run([binary, *arguments], work)[0]
    is_about_leaks = bool(leaks) or COUNTS.search(text) is not None
    answer = Answer([binary, *arguments], {source}, work, [] if is_about_leaks else ["--leak-check=no"])
    problems = differences(findings, answer, alone, text)
    for kind in KINDS.values():
        if leaks and leaks.get(kind, (0, 0)) != answer.leaks.get(kind, (0, 0)):
            problems.append("leaks: %s %s, expected %s" % (kind, answer.leaks.get(kind), leaks.get(kind)))
    what = "%d findings" % len(findings) + (", leaks" if is_about_leaks else "")
    return ("differs", "; ".join(problems)) if problems else ("agrees", what)


def differences(findings, answer, alone, text):
    problems = []
    for what, some in (("not found", findings - answer.findings), ("not expected", answer.findings - findings)):
        for kind, line in sorted(some):
            # It dies of that by itself.
            if what == "not found" or kind != "crash" or alone == "hangs" or alone < 128:
                problems.append("%s: %s at %s" % (what, kind, line))
    for status, _, err in answer.ends:
        if status == "hangs" and alone != "hangs":
            problems.append("hangs")
        counts = COUNTS.findall(err.decode(errors="replace"))
        if counts != COUNTS.findall(text):
            problems.append("counts %s, expected %s" % (counts, COUNTS.findall(text)))
    return problems


# ---- glibc --------------------------------------------------------------------------------------

GLIBC_HEADERS = ("check.h", "support.h", "xthread.h", "xunistd.h", "xsignal.h", "test-driver.h", "temp_file.h",
                 "capture_subprocess.h")


def each_glibc(top):
    tests = os.path.join(top, "glibc/malloc")
    for name in sorted(os.listdir(tests)):
        if re.match(r"tst-.*\.c$|mallocbug\.c$", name) and "interpose" not in name:
            yield name[:-2], tests


def write_stand_ins(work):
    where = os.path.join(work, "stand_ins", "support")
    os.makedirs(where, exist_ok=True)
    for name in GLIBC_HEADERS:
        with open(os.path.join(where, name), "w", encoding="utf-8") as file:
            file.write('#include "glibc_support.h"\n')
    with open(os.path.join(where, "test-driver.c"), "w", encoding="utf-8") as file:
        file.write('#include "glibc_driver.c"\n')
    # In the older one it is a call.
    with open(os.path.join(where, "..", "test-skeleton.c"), "w", encoding="utf-8") as file:
        file.write('#include "glibc_support.h"\nint main(void) { return TEST_FUNCTION; }\n')
    for name in ("libc-diag.h", "array_length.h"):
        with open(os.path.join(where, "..", name), "w", encoding="utf-8") as file:
            file.write('#include "glibc_support.h"\n')
    return os.path.dirname(where)


def try_glibc(name, tests, work):
    """As with glibc: the same output, and the same end."""
    binary = os.path.join(work, name)
    failed = compile_program("gcc", [os.path.join(tests, name + ".c")], binary,
                             (["-O0", "-fno-builtin", "-D_GNU_SOURCE", "-I" + write_stand_ins(work), "-I" + os.path.join(work, "stand_ins/support"), "-include", "glibc_support.h", "-I" + HERE, "-I" + tests],
                              ["-lpthread", "-ldl"]), work)
    if failed is not None:
        return "left out", "is about glibc's inside: %s" % " ".join(failed)[-90:]
    alone = run([binary], work)
    under = run(["fencepost", "run", "--quiet", "--leak-check=no", "--log=log", "--", binary], work)
    with open(os.path.join(tests, name + ".c"), encoding="utf-8") as file:
        if alone[0] == 134 and "EXPECTED_SIGNAL" in file.read():
            found = Answer([binary], {name + ".c"}, work, ["--leak-check=no"]).findings
            return "agrees" if found else "differs", "glibc aborts; found %s" % sorted(found)
    if alone[0] != 0:
        return "left out", "ends by %s alone: it needs glibc's own build" % alone[0]
    if alone[0] == under[0] and alone[1] == under[1]:
        return "agrees", "exit %s" % alone[0]
    return "differs", "exit %s, alone %s: %s" % (
        under[0], alone[0], (under[1] + under[2]).decode(errors="replace").strip()[:160].replace("\n", " | "))


# ---- The sanitizers' ----------------------------------------------------------------------------

SANITIZER_KINDS = (
    (r"heap-use-after-free", {"heap-use-after-free"}),
    (r"attempting double-free", {"double-free"}),
    (r"attempting free on|bad-free", {"invalid-free"}),
    (r"alloc-dealloc-mismatch|new-delete-type-mismatch", {"alloc-dealloc-mismatch"}),
    (r"calloc-overflow|reallocarray-overflow|allocation-size-too-big|out-of-memory|exceeds maximum supported size",
     {"allocation-too-large", "out-of-memory"}),
    (r"use-after-poison", {"heap-use-after-free"}),
    (r"heap-buffer-overflow|-byte region", {"heap-buffer-overflow", "heap-buffer-underflow"}),
)
NOT_OURS = re.compile(r"stack-|global-|Stack|global variable|use-after-return|use-after-scope|dynamic-|SEGV|param-overlap|"
                      r"overlap|init-order|odr-violation|container-overflow|intra-object|invalid-pointer-pair|ILL|"
                      r"signal|BUS|FPE|null pointer|strict_|attempting to call")


def expectation(lines, names):
    """The kinds and the line of what a sanitizer is expected to say, of LINES; or None."""
    text = "\n".join(lines)
    # "freed by" tells a use from an overflow where only the place is told.
    for pattern, kinds in SANITIZER_KINDS:
        if re.search(pattern, text):
            break
    else:
        return None
    if "-byte region" in text and "freed by" in text and not re.search(r"double-free|attempting free", text):
        kinds = {"heap-use-after-free"}
    for line in lines:
        # The stacks of the free and the allocation follow.
        if re.search(r"located|freed by|allocated by", line) or (
                kinds & {"heap-use-after-free", "heap-buffer-overflow"} and
                re.search(r"free(?!d)|malloc", line) and "use-after-free" not in line):
            break
        match = re.search(r"([\w-]+\.(?:c|C|cc|cpp)):(\d+)", line)
        if match and match.group(1) in names:
            return kinds, "%s:%s" % match.groups()
    return kinds, None


def judge(binary, arguments, source, expected, work):
    """Of a program of one file: what is expected, or what it does alone."""
    name = os.path.basename(source)
    alone = run([binary, *arguments], work)
    answer = Answer([binary, *arguments], {name}, work, ["--leak-check=no"])
    if expected is None:
        found = {kind for kind, _ in answer.findings}
        if alone[0] == "hangs" or alone[0] > 128:
            return "left out", "ends by %s alone" % alone[0]
        if found or any(status != alone[0] for status, _, _ in answer.ends):
            return "differs", "not expected: %s, exit %s, alone %s" % (
                sorted(answer.findings), [status for status, _, _ in answer.ends], alone[0])
        return "agrees", "nothing, exit %s" % alone[0]
    kinds, line = expected
    fitting = {at for kind, at in answer.findings if kind in kinds}
    if not fitting or (line is not None and line not in fitting):
        return "differs", "not found: %s at %s; found %s" % ("/".join(sorted(kinds)), line, sorted(answer.findings))
    return "agrees", "%s at %s" % ("/".join(sorted(kinds)), line or "some line")


def build_one(source, work, flags):
    binary = os.path.join(work, os.path.basename(source).replace(".", "_"))
    compiler = "gcc" if source.endswith(".c") else "g++"
    # The sanitizers' run time has the linker export what it asks the program for.
    failed = compile_program(compiler, [source], binary,
                             (["-O0", "-fno-builtin", "-D_GNU_SOURCE", "-rdynamic", *flags], ["-lpthread", "-ldl", "-lm"]), work)
    return binary, failed


def each_gcc(top):
    for part in ("c-c++-common", "gcc.dg", "g++.dg"):
        where = os.path.join(top, "gcc-12/gcc/testsuite", part, "asan")
        for name in sorted(os.listdir(where)):
            if name.endswith((".c", ".C")):
                yield name, os.path.join(where, name)


def try_gcc(_, source, work):
    with open(source, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if not re.search(r"dg-do *run", text):
        return "left out", "is not run"
    output = [line.replace("\\\\", "") for line in re.findall(r'dg-output +"(.*)" *}', text)]
    expected = expectation(output, {os.path.basename(source)})
    if "dg-shouldfail" in text and expected is None or NOT_OURS.search("\n".join(output)):
        return "left out", "is about memory that is no block"
    if "fsanitize-coverage" in text or "-fsanitize=kernel" in text:
        return "left out", "is about the compiler"
    binary, failed = build_one(source, work, [])
    if failed is not None:
        return "left out", "asks ASan's own interface: %s" % " ".join(failed)[-60:]
    return judge(binary, [], source, expected if "dg-shouldfail" in text else None, work)


def each_llvm(top):
    for part in ("asan/TestCases", "asan/TestCases/Linux", "asan/TestCases/Posix", "lsan/TestCases", "lsan/TestCases/Linux"):
        where = os.path.join(top, "llvm-toolchain-14/compiler-rt/test", part)
        for name in sorted(os.listdir(where)):
            if name.endswith((".c", ".cpp", ".cc")):
                yield part.split("/", maxsplit=1)[0] + "/" + name, os.path.join(where, name)


def read_llvm(source):
    """The commands of a test, and what it checks, with the numbers of lines filled in."""
    with open(source, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    runs = [match.group(1) for match in (re.search(r"// *RUN:(.*)", line) for line in lines) if match]
    checks = []
    for number, line in enumerate(lines, 1):
        match = re.search(r"// *[A-Z][\w-]*(?:-NEXT|-SAME)?: *(.*)", line)
        if match and "RUN:" not in line and "-NOT:" not in line and "REQUIRES" not in line:
            checks.append(re.sub(r"\[\[@LINE([-+]\d+)?\]\]", lambda found, at=number: str(at + int(found.group(1) or 0)),
                                 match.group(1)))
    return runs, checks, "\n".join(lines)


def try_llvm(name, source, work):
    runs, checks, text = read_llvm(source)
    starts = [run_line for run_line in runs if "%run" in run_line]
    if not starts or len([line for line in runs if "-shared" in line]) > 0:
        return "left out", "is no program of one file"
    if re.search(r"use_tls|report_objects", text) and name.startswith("lsan"):
        starts = [line for line in starts if re.search(r'lsan_opts=("")? ', line)] or starts
    match = re.search(r"(not +)?%run %t((?: +[\w=-]+)*)", starts[0])
    if match is None:
        return "left out", "is run in another way"
    binary, failed = build_one(source, work, ["-std=gnu++14"] if not source.endswith(".c") else [])
    if failed is not None:
        return "left out", "asks ASan's own interface: %s" % " ".join(failed)[-60:]
    arguments = [word for word in match.group(2).split() if word != "2"]
    if name.startswith("lsan"):
        return judge_leaks(binary, arguments, source, bool(match.group(1)), work)
    expected = expectation(checks, {os.path.basename(source)})
    if match.group(1) and (expected is None or NOT_OURS.search(" ".join(checks[:3]))):
        return "left out", "is about memory that is no block"
    goes_on = "halt_on_error=f" in starts[0] and "AddressSanitizer: " in " ".join(checks)
    return judge(binary, arguments, source, expected if match.group(1) or goes_on else None, work)


def judge_leaks(binary, arguments, source, are_expected, work):
    answer = Answer([binary, *arguments], {os.path.basename(source)}, work)
    lost = {kind: some for kind, some in answer.leaks.items() if kind in ("definite", "indirect")}
    if are_expected != bool(lost) or "hangs" in [status for status, _, _ in answer.ends]:
        return "differs", "leaks %s, %sexpected" % (answer.leaks, "" if are_expected else "none ")
    return "agrees", "leaks" if are_expected else "no leaks"


SUITES = {"valgrind": (each_valgrind, try_valgrind), "glibc": (each_glibc, try_glibc), "gcc": (each_gcc, try_gcc),
          "llvm": (each_llvm, try_llvm)}


def main(suite, top, work, *names):
    each, attempt = SUITES[suite]
    top, work = os.path.abspath(top), os.path.abspath(work)
    reasons = read_by_design(suite)
    counts, bad = {}, 0
    os.makedirs(work, exist_ok=True)
    for name, *more in each(top):
        if names and name not in names:
            continue
        verdict, detail = attempt(name, *more, work)
        if verdict == "differs" and name in reasons:
            verdict, detail = "by design", reasons[name]
        elif verdict == "agrees" and name in reasons:
            verdict, detail = "differs", "by-design.txt has a reason that is needed no more"
        bad += verdict == "differs"
        counts[verdict] = counts.get(verdict, 0) + 1
        print("%-10s %-28s %s" % (verdict, name, detail), flush=True)
    print("%s: %s" % (suite, ", ".join("%d %s" % (counts[key], key) for key in sorted(counts))))
    return 1 if bad or not counts.get("agrees") else 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    sys.exit(main(*sys.argv[1:]))
