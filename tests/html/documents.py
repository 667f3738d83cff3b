# SPDX-License-Identifier: Apache-2.0
#
# JSON reports made up for the page to draw: each is put into the place of the one that a page has.
import copy
import json

START = '<script type="application/json" id="data">\n'
END = "</script>"

EMPTY = {
    "schema": "fencepost-report-1", "tool": {"name": "fencepost", "version": "0"},
    "process": {"pid": 7, "ppid": 1, "executable": "/bin/made-up", "argv": ["made-up"], "exit": {"code": 0},
                "page_bytes": 4096},
    "settings": {"guard_pages": 1},
    "protection": {"allocations": 0, "guarded": 0, "padded": 0, "plain": 0, "reasons": {}},
    "heap": {"allocations": 0, "frees": 0, "live_blocks": 0, "live_bytes": 0, "peak_blocks": 0, "peak_bytes": 0},
    "findings": [], "leak_check": {"made": True, "repeated": False, "asked": False, "listed": True}, "leaks": [],
    "failed_allocations": [], "snapshots": [], "growth": None, "notes": [],
    "summary": {"errors": 0, "leaked_blocks": 0, "leaked_bytes": 0, "new_leaked_blocks": None, "new_leaked_bytes": None,
                "possible_blocks": 0, "possible_bytes": 0, "unknown": False, "suppressed": 0}}


def document(**fields):
    made = copy.deepcopy(EMPTY)
    for name, value in fields.items():
        if isinstance(made[name], dict):
            made[name].update(value)
        else:
            made[name] = value
    return made


def frame(function, line=1, **fields):
    return dict({"function": function, "file": "/src/made.c", "line": line, "column": None, "module": "/bin/made-up",
                 "offset": "0x10", "build_id": None, "inlined": False}, **fields)


def stack(*functions):
    frames = [frame(function, i + 1) for i, function in enumerate(functions)]
    frames[0]["place"] = True
    return frames


def block(size, offset, **fields):
    return dict({"address": "0x%x" % (0x7000 + 4096 - size), "size": size, "offset": offset, "tier": "guarded", "heap": 1,
                 "family": "malloc", "serial": 3, "critical_level": None, "site": None, "alloc_thread": 1,
                 "alloc_stack": stack("make", "main"), "free_thread": None, "free_stack": None}, **fields)


def finding(kind, of, **fields):
    return dict({"kind": kind, "cwe": 122, "severity": "error", "count": 1, "fingerprint": "0123456789abcdef",
                 "description": "it is described", "access": "write", "address": "0x7000", "hresult": None,
                 "thread": {"id": 1, "name": "made"}, "exact": True, "through": None, "stack": stack("meet", "main"),
                 "other": None, "evidence": None, "block": of, "region": None}, **fields)


def holder(kind, **fields):
    return dict({"kind": kind, "address": "0x1", "offset": 0, "name": None, "name_offset": 0, "module": None, "stack": None}, **fields)


HELD = {"holders": [holder("block", offset=8, block=block(48, 16))],
        "path": [holder("global", name="<i>cache</i>", name_offset=8, module="/made/up")] + [
            holder("block", block=block(24, at)) for at in (0, 8, 16, 24)], "path_left_out": 7}


def leak(size, *functions, **fields):
    return dict({"kind": "definite", "blocks": 1, "bytes": size, "fingerprint": "%016x" % size,
                 "alloc_stack": stack(*functions), "site": None, "heap": 1, "critical_level": None, "indirect_blocks": 0,
                 "indirect_bytes": 0, "hangs_from": None, "age": None, "new": None}, **fields)


def snapshot(milliseconds, live, *groups):
    return {"milliseconds": milliseconds, "live_blocks": 1, "live_bytes": live, "stacks": [
        {"blocks": 1, "bytes": size, "alloc_stack": stack(name, "main")} for size, name in groups]}


def many_leaks():
    """Of two processes, 15,000 each, which take turns by size."""
    return [document(process={"pid": pid},
                     leaks=[leak(100000 - 2 * i - pid, "leak_%d" % (2 * i + pid), "main") for i in range(15000)],
                     summary={"leaked_blocks": 15000, "leaked_bytes": 1}) for pid in (0, 1)]


HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "<!--", "a\u2028b\u202ec\u0007",
           "\"'`${alert(3)}&lt;", "javascript:alert(4)", "__proto__", "constructor"]


def hostile():
    name = " ".join(HOSTILE)
    made = document(
        process={"executable": "/x/" + HOSTILE[1], "argv": HOSTILE, "exit": {"signal": name}},
        settings={one: one for one in HOSTILE}, notes=HOSTILE,
        protection={"allocations": 1, "reasons": {one: 1 for one in HOSTILE}},
        findings=[finding(name, block(8, 9, family=name, site={"file": name, "line": 1}), description=name, severity=name,
                          hresult=name, thread={"id": 1, "name": name}, through=name, fingerprint=name,
                          stack=[frame(name, 1, file=name, module=name, place=True,
                                       source={"first": 1, "lines": [name + "\tx"]}),
                                 frame(name, hidden=name)])],
        leaks=[leak(9, name, "main", kind=kind, fingerprint=name) for kind in ("definite", "possible", name)],
        snapshots=[snapshot(1, 10), snapshot(2, 90, (50, name))], heap={"peak_bytes": 100},
        growth={"judged": True, "pictures": 2, "left_out": 0, "stacks": [
            {"grown_bytes": 5, "bytes_per_minute": 1, "last_rise_milliseconds": 2, "blocks": 1, "bytes": 9,
             "fingerprint": name, "alloc_stack": stack(name), "pictures": [
                 {"milliseconds": 1, "blocks": 1, "bytes": 4}, {"milliseconds": 2, "blocks": 1, "bytes": 9}]}]})
    made["suppressions"] = [{"name": name, "file": name, "line": 1, "state": "expired", "matched": 1, "used": 0, "until": name}]
    return made


def merged():
    share = [{"source": i, "count": 2, "bytes": 8} for i in range(3)]
    made = document(process={"pid": None, "ppid": None, "executable": None, "argv": []},
                    findings=[finding("double-free", None, access="free", sources=share)],
                    leaks=[leak(24, "leak", "main", sources=share)], snapshots=[snapshot(0, 1), snapshot(9, 5)])
    made["sources"] = [{"name": "log.%d" % i, "layout": None, "pid": i, "executable": "/bin/x", "exit": None} for i in range(5)]
    made["more_sources"] = 1000
    made["snapshots_source"] = 4
    return made


def templates():
    library = {"file": "/usr/include/c++/12/vector", "hidden": "the C++ library"}
    frames = [frame("operator new"), frame("std::_Vector_base<std::pair<int, int> >::_M_allocate", **library),
              frame("std::vector<std::pair<int, int> >::_M_realloc_insert", **library),
              frame("std::vector<std::pair<int, int> >::push_back"), frame("fill(std::ostream& operator<<<int>)", place=True),
              frame("main", 31, file="/src/main.cc", caller=True), frame("__libc_start_main", hidden="below main")]
    return document(leaks=[leak(64, "x", alloc_stack=frames)], summary={"leaked_blocks": 1, "leaked_bytes": 64})


MADE = {
    "empty": EMPTY,
    "overflow": document(findings=[finding("heap-buffer-overflow", block(45, 46))]),
    "far": document(findings=[finding("heap-buffer-overflow", block(45, 20000))]),
    "freed": document(findings=[finding("heap-use-after-free", block(
        600, 24, free_thread=2, free_stack=stack("let_go", "main")), access="read")]),
    "changed": document(findings=[finding("heap-buffer-overflow", block(45, 45, tier="padded", free_stack=stack("let_go"), free_thread=1),
                                          stack=stack("let_go"), exact=False, access="write",
                                          evidence={"offset": 45, "bytes": "7878", "last": False})]),
    "crash": document(findings=[finding(
        "crash", None, access="read", address="0x7100", signal="SIGSEGV", cause="wild-address", message="<b>it failed</b>",
        nearest=[block(16, 240), block(16, -8), block(16, 3)], registers={"rax": {"value": "0x7100", "points_to": "<i>wild</i>"},
                                             "__proto__": {"value": "0x1", "points_to": None}})]),
    "held": document(
        findings=[finding("double-free", block(45, 0, free_thread=2, free_stack=stack("let_go")), holders=[
            holder("global", name="a_name_that_is_much_longer_than_a_box_is_wide_and_cut", module="/made/up"),
            holder("thread-local", thread=7, name="mine"), holder("memory")],
            holders_search={"result": "partial", "found": 1003, "bytes": 1, "microseconds": 1, "obstacle": "time was up"})],
        leaks=[leak(100, "lost", indirect_blocks=12, indirect_bytes=120, members=[
            {"depth": 1, "blocks": 2, "bytes": 20, "alloc_stack": stack("first")},
            {"depth": 8, "blocks": 9, "bytes": 90, "alloc_stack": stack("deep")}]),
            leak(50, "kept", kind="reachable", **HELD)]),
    "leaks": many_leaks(),
    "possible": document(leaks=[leak(100, "inside", kind="possible"), leak(200, "inside_too", kind="possible", blocks=2)]),
    "hostile": hostile(),
    "merged": merged(),
    "templates": templates(),
    # A picture is logged when moments after it are there already, and the last one need not be the peak.
    "heap": document(heap={"peak_bytes": 1000}, snapshots=[
        snapshot(1, 100), snapshot(3, 300), snapshot(3, 900), snapshot(3, 500), snapshot(3, 200), snapshot(3, 800, (700, "at_the_peak")),
        snapshot(5, 100), snapshot(5, 150, (150, "at_the_end"))]),
}


def write(page, path, made):
    """The page at PAGE with the report MADE in it, to PATH."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    start = text.index(START) + len(START)
    data = json.dumps(made).replace("<", "\\u003c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:start] + data + "\n" + text[text.index(END, start):])
