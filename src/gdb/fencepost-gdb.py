# SPDX-License-Identifier: Apache-2.0
#
# Fencepost's commands in gdb, which loads this file with libfencepost-core.so. Of a process everything
# is read out of its memory by the library's debug information, nothing is called in it but for
# `fencepost leaks`. Of a core file the fencepost program answers, which needs none of the files that the
# process had.
import bisect
import json
import os
import re
import shutil
import struct
import subprocess

import gdb

LIBRARY = "libfencepost-core"
HERE = os.path.dirname(os.path.realpath(__file__))  # known while this is loaded
LISTED = 20  # lines of what may be thousands
FIRST_BIT = 1 << 63  # of the word behind a trace that is no return address
CHUNK = 4 << 20
PAGE = 4096
BATCH_BYTES = 1024  # of records, as in registry.c


def core_file():
    """Its path, or None: there is a process, or nothing yet."""
    found = re.search(r"Local core dump file:\n\s*`(.*)', file type", gdb.execute("info target", to_string=True))
    return found[1] if found else None


def ask(command, *arguments):
    """What the fencepost program says: it stands beside this file, or where programs are."""
    beside = [os.path.join(HERE, way) for way in ("../../cli/fencepost", "../../bin/fencepost")]
    program = next((one for one in beside if os.access(one, os.X_OK)), None) or shutil.which("fencepost")
    if not program:
        raise gdb.GdbError("core files are read by the fencepost program, which is not in PATH")
    answer = subprocess.run([program, command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if answer.returncode == 125:
        raise gdb.GdbError(answer.stderr.strip())
    return answer.stdout


def static(name, file):
    """A variable of the library's source file."""
    if not any(LIBRARY in (one.filename or "") for one in gdb.objfiles()):
        raise gdb.GdbError("the program does not run under Fencepost yet: start it with fencepost run --gdb, and run it")
    try:
        return gdb.parse_and_eval("'%s'::%s" % (file, name))
    except gdb.error:
        raise gdb.GdbError("the library has no debug information: install that of the package, or build it with -g (%s)" % name)


def array(value):
    low, high = value.type.range()
    return (value[i] for i in range(low, high + 1))


class Block:
    def __init__(self, block):
        for name in ("address", "size", "serial", "heap", "alloc_trace", "free_trace", "alloc_thread", "free_thread", "family", "tier"):
            setattr(self, name, int(block[name]))
        self.is_freed = int(block["state"]) == 1

    def words(self):
        return "a %sblock of %d byte%s at 0x%x, serial %d" % ("freed " if self.is_freed else "", self.size, "" if self.size == 1 else "s", self.address, self.serial)


def live_blocks():
    shards = array(static("shards", "registry.c"))
    record = gdb.lookup_type("struct record")
    for shard in shards:
        batch = shard["batches"]
        while int(batch) != 0:
            # As record_of() has them.
            end = int(batch) + BATCH_BYTES
            first = -(-(int(batch) + batch.type.target().sizeof) // record.sizeof) * record.sizeof
            for at in range(first, end - record.sizeof + 1, record.sizeof):
                block = gdb.Value(at).cast(record.pointer())["block"]
                if int(block["address"]) != 0:
                    yield Block(block)
            batch = batch["next"]


def freed_blocks():
    places = int(static("ring_places", "registry.c"))
    for shard in array(static("shards", "registry.c")):
        for i in range(min(int(shard["freed_count"]), places)):
            yield Block((shard["ring"] + i).dereference()["block"])


def find_block(address):
    """The live block at ADDRESS, or else the one that was freed there last."""
    for block in live_blocks():
        if block.address <= address < block.address + max(block.size, 1):
            return block
    freed = [block for block in freed_blocks() if block.address <= address < block.address + max(block.size, 1)]
    return max(freed, key=lambda block: block.serial) if freed else None


def frames(trace):
    """The return addresses of a trace."""
    if trace == 0:
        return []
    page = static("traces", "stack.c")["pages"][trace // 4096]
    if int(page) == 0:
        return []
    link = page[trace % 4096]
    entry = gdb.Value(int(link)).cast(gdb.lookup_type("struct fp_depot_entry").pointer())
    words = int(entry["size"]) // 8
    content = gdb.selected_inferior().read_memory(int(entry["content"].address), 8 * words)
    addresses = struct.unpack("=%dQ" % words, bytes(content))
    return [address for address in addresses if address < FIRST_BIT and address > 2]


def place(address):
    block = gdb.block_for_pc(address)
    while block and not block.function:
        block = block.superblock
    line = gdb.find_pc_line(address)
    name = block.function.name if block else None
    if not name:
        found = re.match(r"(.*?) in section", gdb.execute("info symbol 0x%x" % address, to_string=True))
        name = found[1] if found else "0x%x" % address
    return name + (" at %s:%d" % (line.symtab.filename, line.line) if line.symtab else "")


def print_trace(trace):
    for i, address in enumerate(frames(trace)):
        print("    #%-2d 0x%x in %s" % (i, address, place(address - 1)))


def site(trace):
    """The innermost frame of the program."""
    addresses = frames(trace)
    return place(addresses[0] - 1) if addresses else "an unknown place"


def address_of(argument):
    if not argument:
        raise gdb.GdbError("which address? Give a number, a pointer or a register, for example $rdi")
    return int(gdb.parse_and_eval(argument).cast(gdb.lookup_type("unsigned long")))


class Fencepost(gdb.Command):
    """What Fencepost knows of the program: blocks, findings, leaks, who points where."""

    def __init__(self):
        super().__init__("fencepost", gdb.COMMAND_DATA, prefix=True)


class Info(gdb.Command):
    """fencepost info ADDRESS: the block there, or that was there, with its stacks."""

    def __init__(self):
        super().__init__("fencepost info", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        address = address_of(argument)
        if core_file():
            print(ask("explain", hex(address), core_file()), end="")
            return
        block = find_block(address)
        if not block:
            print("0x%x is no block that Fencepost knows" % address)
            return
        print("0x%x is %d bytes inside %s, heap %d" % (address, address - block.address, block.words(), block.heap))
        print("  allocated by thread %d:" % block.alloc_thread)
        print_trace(block.alloc_trace)
        if block.is_freed:
            print("  freed by thread %d:" % block.free_thread)
            print_trace(block.free_trace)


def groups():
    """(stack, its place, blocks, bytes) of each stack that has live blocks."""
    if core_file():
        report = json.loads(ask("snapshot", "--json=/dev/stdout", "--log=/dev/null", core_file()))
        for number, group in enumerate(report["snapshots"][-1]["stacks"]):
            frame = next(iter(group["alloc_stack"]), {})
            line = " at %s:%d" % (frame["file"], frame["line"]) if frame.get("file") else ""
            yield number, (frame.get("function") or frame.get("module") or "an unknown place") + line, group["blocks"], group["bytes"]
        return
    sums = {}
    for block in live_blocks():
        sum = sums.setdefault(block.alloc_trace, [0, 0])
        sum[0] += 1
        sum[1] += block.size
    for trace, (blocks, size) in sums.items():
        yield trace, site(trace), blocks, size


class Blocks(gdb.Command):
    """fencepost blocks [by site]: the live blocks by the stack that allocated them, or by where that
    begins, those with most bytes first."""

    def __init__(self):
        super().__init__("fencepost blocks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if argument not in ("", "by site"):
            raise gdb.GdbError("write fencepost blocks, or fencepost blocks by site")
        sums = {}
        for stack, place, blocks, size in groups():
            sum = sums.setdefault(place if argument else stack, [place, 0, 0])
            sum[1] += blocks
            sum[2] += size
        totals = [sum_of(sums, which) for which in (1, 2)]
        print("%d live blocks with %d bytes of %d %s" % (*totals, len(sums), "places" if argument else "stacks"))
        for place, blocks, size in sorted(sums.values(), key=lambda one: -one[2])[:LISTED]:
            print("%10d bytes in %7d blocks allocated by %s" % (size, blocks, place))


def sum_of(sums, which):
    return sum(one[which] for one in sums.values())


# Who points to a block.

def ranges():
    """What may hold pointers: all that can be written, as (start, end)."""
    inferior = gdb.selected_inferior()
    with open("/proc/%d/maps" % inferior.pid) as maps:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \S+ *(.*)", line)
            if found[3].startswith("rw") and not found[4].startswith(("/dev/", "/memfd:", "[v")):
                yield int(found[1], 16), int(found[2], 16)


def own_ranges():
    """Where Fencepost keeps what it knows: not the program's pointers."""
    found = [(int(low, 16), int(high, 16)) for low, high, file in
             re.findall(r"0x([0-9a-f]+) - 0x([0-9a-f]+) is \S+ in (\S*)", gdb.execute("info files", to_string=True))
             if "libfencepost" in file]
    for region in array(static("regions", "meta.c")):
        if int(region["start"]) != 0:
            found.append((int(region["start"]), int(region["end"])))
    layout = gdb.lookup_type("struct fp_room")
    following = {field.name: field.bitpos // 8 for field in layout.fields()}["next"]
    room = int(static("rooms", "room.c"))
    while room != 0:
        found.append((room, room + layout.sizeof))
        room = word_at(room + following)
    return sorted(found)


def is_metadata(end):
    """Whether what ends there bears the mark of base/meta.c."""
    try:
        return word_at(end - 16) == end ^ 0x66656e6365706f73 and word_at(end - 8) == end ^ (1 << 64) - 1
    except gdb.MemoryError:
        return False


def word_at(address):
    return struct.unpack("=Q", bytes(gdb.selected_inferior().read_memory(address, 8)))[0]


def scan(low, high, start, end):
    """(address, value) of each aligned word of memory that points there. What cannot be read has none."""
    for at in range(low, high, CHUNK):
        try:
            piece = bytes(gdb.selected_inferior().read_memory(at, min(CHUNK, high - at)))
        except gdb.MemoryError:
            continue
        words = memoryview(piece[:len(piece) // 8 * 8]).cast("Q")
        for i, word in enumerate(words):
            if start <= word < end:
                yield at + 8 * i, word


def pointers(start, size, live):
    """The same of the program's memory, block by block where it is Fencepost's heap."""
    end = start + max(size, 1)
    own = own_ranges()
    spans = [(block.address, block.address + block.size) for block in live]
    for low, high in ranges():
        if is_metadata(high):
            continue
        for at, word in scan(low, high, start, end):
            if not any(one[0] <= at < one[1] for one in own) and not is_inside(at, spans):
                yield at, word
    for low, high in spans:
        if low != start and high - low >= 8:
            yield from scan(low + -low % 8, high, start, end)


def is_inside(at, spans):
    i = bisect.bisect_right(spans, (at, 1 << 64)) - 1
    return i >= 0 and at < spans[i][1]


def stacks():
    """(stack pointer, thread) of each thread, in order, and what registers it has."""
    selected = gdb.selected_thread()
    found = []
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        found.append((int(frame.read_register("sp").cast(gdb.lookup_type("unsigned long"))), thread, frame))
    if selected:
        selected.switch()
    return sorted(found, key=lambda one: one[0])


def frame_of(thread, address):
    """Which frame of THREAD has ADDRESS."""
    selected = gdb.selected_thread()
    thread.switch()
    frame = gdb.newest_frame()
    while frame and frame.older() and int(frame.older().read_register("sp")) <= address:
        frame = frame.older()
    name = frame.name() if frame else None
    if selected:
        selected.switch()
    return name


class Holders(gdb.Command):
    """fencepost holders ADDRESS: who points to the block there, to its start or inside."""

    def __init__(self):
        super().__init__("fencepost holders", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        address = address_of(argument)
        if core_file():
            print(ask("explain", hex(address), core_file()), end="")
            return
        block = find_block(address)
        start, size = (block.address, block.size) if block else (address, 1)
        print("%s is held by:" % (block.words() if block else "0x%x, which is no block," % address))
        live = sorted(live_blocks(), key=lambda one: one.address)
        starts = [one.address for one in live]
        threads = stacks()
        count = self.print_registers(threads, start, size)
        for at, value in pointers(start, size, live):
            count += 1
            if count <= LISTED:
                print("  " + self.words(at, live, starts, threads) + (", %d bytes inside" % (value - start) if value != start else ""))
        if count > LISTED:
            print("  and %d other pointers" % (count - LISTED))
        if count == 0:
            print("  nothing")

    def print_registers(self, threads, start, size):
        count = 0
        for _, thread, frame in threads:
            for register in frame.architecture().registers("general"):
                try:
                    value = int(frame.read_register(register).cast(gdb.lookup_type("unsigned long")))
                except (gdb.error, ValueError):
                    continue
                if start <= value < start + max(size, 1):
                    count += 1
                    print("  register %s of thread %d" % (register.name, thread.ptid[1]))
        return count

    def words(self, at, live, starts, threads):
        i = bisect.bisect_right(starts, at) - 1
        if i >= 0 and at < live[i].address + live[i].size:
            return "offset %d in %s, allocated by %s" % (at - live[i].address, live[i].words(), site(live[i].alloc_trace))
        symbol = gdb.execute("info symbol 0x%x" % at, to_string=True)
        if " in section" in symbol:
            return symbol.split(" in section")[0].replace(" + ", "+")
        below = [one for one in threads if one[0] - 128 <= at < one[0] + (8 << 20)]
        if below:
            name = frame_of(below[-1][1], at)
            return "0x%x on the stack of thread %d%s" % (at, below[-1][1].ptid[1], " in %s" % name if name else "")
        return "memory at 0x%x" % at


# The event log in memory.

FINDING, LEAK, LEAK_CHECK = 5, 7, 15


def records():
    """(type, payload) of what the process has logged so far."""
    inferior = gdb.selected_inferior()
    # The pieces are larger than what gdb takes for a value.
    at = {field.name: field.bitpos // 8 for field in gdb.lookup_type("struct fp_log_piece").fields()}
    piece = int(gdb.parse_and_eval("fp_session.log.first"))
    data = b""
    while piece != 0:
        used, following = (struct.unpack("=Q", bytes(inferior.read_memory(piece + at[name], 8)))[0] for name in ("used", "next"))
        data += bytes(inferior.read_memory(piece + at["bytes"], used))
        piece = following
    at = 16 if data[:8] == b"FENCEPEV" else 0
    while at + 8 <= len(data):
        kind, _, size = struct.unpack("<HHI", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + size]
        at += 8 + size


class Reader:
    def __init__(self, payload):
        self.payload, self.at = payload, 0

    def take(self, format):
        value = struct.unpack_from("<" + format, self.payload, self.at)
        self.at += struct.calcsize("<" + format)
        return value if len(value) > 1 else value[0]

    def text(self):
        size = self.take("I")
        self.at += size
        return self.payload[self.at - size:self.at].decode(errors="replace")


class Findings(gdb.Command):
    """fencepost findings: what was found so far, with the stacks."""

    def __init__(self):
        super().__init__("fencepost findings", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if core_file():
            print(ask("report", "--log=/dev/stdout", core_file()), end="")
            return
        count = 0
        for kind, payload in records():
            if kind != FINDING:
                continue
            reader = Reader(payload)
            index, what, access, has_hresult, is_exact, hresult, address, thread = reader.take("IBBBBiQI")
            reader.text()
            trace = reader.take("I")
            name = static("infos", "names.c")[what]["name"].string()
            print("finding %d: %s at 0x%x by thread %d: %s" % (index, name, address, thread, reader.text()))
            print_trace(trace)
            count += 1
        print("%d finding%s so far" % (count, "" if count == 1 else "s"))


class Leaks(gdb.Command):
    """fencepost leaks: have the process look for leaks now, as fp_check_leaks() does; or look in the core file."""

    def __init__(self):
        super().__init__("fencepost leaks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if core_file():
            print(ask("leaks", core_file()), end="")
            return
        gdb.parse_and_eval("(unsigned long)__fencepost_session_check_leaks()")
        leaks = []
        for kind, payload in records():
            if kind == LEAK_CHECK:
                leaks = []
            if kind == LEAK:
                reader = Reader(payload)
                leak_class, family, level, blocks, size, trace = reader.take("BBHQQI")
                leaks.append((("definite", "indirect", "possible", "reachable")[leak_class], blocks, size, trace))
        for leak_class, blocks, size, trace in sorted(leaks, key=lambda leak: -leak[2]):
            if leak_class in ("definite", "indirect"):
                print("%s leak of %d bytes in %d blocks:" % (leak_class, size, blocks))
                print_trace(trace)
        print("%d blocks are lost" % sum(leak[1] for leak in leaks if leak[0] in ("definite", "indirect")))


class SerialBreakpoint(gdb.Breakpoint):
    def __init__(self, serial):
        super().__init__("fp_heap_stop_here")
        self.serial = serial

    def stop(self):
        print("Fencepost: allocation %d is about to be made" % self.serial)
        return True


class Break(gdb.Command):
    """fencepost break [SERIAL]: stop where the block of that serial is allocated; without one, at every finding."""

    def __init__(self):
        super().__init__("fencepost break", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        if not argument:
            gdb.Breakpoint("fencepost_on_finding")
            return
        serial = int(gdb.parse_and_eval(argument))
        static("shards", "registry.c")
        gdb.execute("set variable fp_heap_stop_at = %d" % serial)
        SerialBreakpoint(serial)


class Gcore(gdb.Command):
    """fencepost gcore [FILE]: a core file that has all blocks; gdb's own leaves out what stands behind a guard."""

    def __init__(self):
        super().__init__("fencepost gcore", gdb.COMMAND_DATA, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, from_tty):
        path = argument or "core.%d" % gdb.selected_inferior().pid
        blocks = list(live_blocks())
        gdb.execute("generate-core-file " + path)
        with open(path, "r+b") as core:
            segments = sorted(load_segments(core))
            for block in blocks:
                for page in range(block.address & -PAGE, block.address + block.size, PAGE):
                    self.fill(core, segments, page)

    def fill(self, core, segments, page):
        i = bisect.bisect_right(segments, (page, 1 << 64)) - 1
        if i < 0 or page >= segments[i][0] + segments[i][1]:
            return
        try:
            content = gdb.selected_inferior().read_memory(page, PAGE)
        except gdb.MemoryError:
            return
        core.seek(segments[i][2] + page - segments[i][0])
        core.write(content)


def load_segments(core):
    """(address, bytes in the file, their place there) of a core file."""
    core.seek(32)
    table = struct.unpack("<Q", core.read(8))[0]
    core.seek(56)
    count = struct.unpack("<H", core.read(2))[0]
    core.seek(table)
    for _ in range(count):
        kind, _, offset, address, _, size, _, _ = struct.unpack("<IIQQQQQQ", core.read(56))
        if kind == 1 and size > 0:
            yield address, size, offset


for command in (Fencepost, Info, Blocks, Holders, Findings, Leaks, Break, Gcore):
    command()
