#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes cases of heap mistakes in the shapes of the Juliet suite, CWE-122, 124, 126 and 127.

    shapes.py DIRECTORY

Each shape is there in several flows of its data from where it is made to where it is used: within a
function, through a parameter, a global, a structure, a function of another file, and so on. Of each
case it is known by construction where the first bad byte is and which line does it:

    cases.cc     the cases; a program of all, as distance_victim.cc: "list" or a number
    sinks.cc     where the data is used in another file than it is made in
    io.cc        what prints, for all, and is never at fault itself
    cases.hh     the declarations
"""
import os
import sys
from collections import namedtuple

# MADE and USED are lines of C++; USED has the mistake. MOVED: where the pointer is, in elements.
Shape = namedtuple("Shape", "name type made moved used where seen")

# What has a loop over as much as it is told, in io.cc: that stays the place, and who called it is named too.
LOOPS = ("printBytesLine",)

TEXTS = {
    "char": dict(set="memset", len="strlen", cpy="strcpy", ncpy="strncpy", cat="strcat", ncat="strncat",
                 printf="snprintf", format='"%s"', print="printLine", L=""),
    "wchar_t": dict(set="wmemset", len="wcslen", cpy="wcscpy", ncpy="wcsncpy", cat="wcscat", ncat="wcsncat",
                    printf="swprintf", format='L"%ls"', print="printWLine", L="L"),
}
PRINTS = {"char": "printHexCharLine", "wchar_t": "printWcharLine", "int": "printIntLine", "int64_t": "printLongLongLine",
          "twoIntsStruct": "printStructLine"}
SIZES = {"char": 1, "wchar_t": 4, "int": 4, "int64_t": 8, "twoIntsStruct": 8}


def make(type, count, allocator):
    if allocator == "new":
        return f"data = new {type}[{count}];"
    return f"data = ({type} *)malloc({count} * sizeof({type}));"


def copies(type, count, bytes=None):
    """Copies of COUNT elements from SOURCE to DATA."""
    bytes = bytes or f"{count} * sizeof({type})"
    return {
        "loop": f"for (size_t i = 0; i < {count}; i++) data[i] = source[i];",
        "memcpy": f"memcpy(data, source, {bytes});",
        "memmove": f"memmove(data, source, {bytes});",
    }


def text(type, count, letter="C", name="source"):
    """A text that COUNT elements hold, in an array."""
    words = TEXTS[type]
    return (f"{type} {name}[{count}]; {words['set']}({name}, {words['L']}'{letter}', {count} - 1); "
            f"{name}[{count} - 1] = 0;")


def text_copies(type, count):
    words = TEXTS[type]
    return copies(type, count) | {
        "cpy": f"{words['cpy']}(data, source);",
        "ncpy": f"{words['ncpy']}(data, source, {count});",
    }


def into_too_small():
    """CWE-805: 100 elements into 50."""
    for type in ("char", "wchar_t", "int", "int64_t", "twoIntsStruct"):
        ways = copies(type, 100)
        before = f"{type} source[100]; fill(source, 100);"
        if type in TEXTS:
            words = TEXTS[type]
            before = text(type, 100) + " data[0] = 0;"
            ways |= {
                "ncpy": f"{words['ncpy']}(data, source, 99);",
                "ncat": f"{words['ncat']}(data, source, 100);",
                "snprintf": f"{words['printf']}(data, 100, {words['format']}, source);",
            }
        for way, used in ways.items():
            for allocator in ("malloc", "new"):
                yield Shape(f"CWE122 805 {type} {way} {allocator}", type, make(type, 50, allocator), 0,
                            (before, used), "after 0", "all")


def without_room_for_the_end():
    """CWE-193: ten characters and their end into ten."""
    for type in TEXTS:
        words = TEXTS[type]
        for way, used in (text_copies(type, f"({words['len']}(source) + 1)")).items():
            for allocator in ("malloc", "new"):
                yield Shape(f"CWE122 193 {type} {way} {allocator}", type, make(type, 10, allocator), 0,
                            (text(type, 11, "A"), used), "after 0", "all")


def texts_of_any_size():
    for type in TEXTS:
        words = TEXTS[type]
        for way in ("cpy", "cat"):
            for allocator in ("malloc", "new"):
                yield Shape(f"CWE122 dest {type} {way} {allocator}", type, make(type, 50, allocator), 0,
                            (text(type, 100) + " data[0] = 0;", f"{words[way]}(data, source);"), "after 0", "all")


def wrong_units():
    """CWE-131: ten bytes for ten ints."""
    for way, used in copies("int", 10).items():
        for made in ("data = (int *)malloc(10);", "data = (int *)operator new(10);"):
            allocator = "malloc" if "malloc" in made else "new"
            yield Shape(f"CWE122 131 int {way} {allocator}", "int", made, 0,
                        ("int source[10] = {0};", used), "after 0", "all")


def indices():
    """CWE-129 and CWE-839: written to an index that nobody looked at."""
    for index, where in ((10, "after 0"), (40, "after 120"), (-1, "before 4"), (-5, "before 20")):
        for allocator in ("malloc", "new"):
            cwe = "CWE122 129" if index > 0 else "CWE124 839"
            yield Shape(f"{cwe} int {index} {allocator}", "int", make("int", 10, allocator), 0,
                        (f"volatile int index = {index};", "data[index] = 1;"), where, "all")


def before_the_block(cwe):
    """CWE-124 and CWE-127: from eight elements before a block of 100 on; a default run has no guard there."""
    for type in TEXTS:
        for way, used in text_copies(type, 100 if cwe == "CWE124" else 99).items():
            before = text(type, 100)
            if cwe == "CWE127":
                before = text(type, 200, name="to")
                used = used.replace("source", "here").replace("data", "to").replace("here", "data")
            for allocator in ("malloc", "new"):
                made = f"{make(type, 100, allocator)} {TEXTS[type]['set']}(data, 'A', 99); data[99] = 0;"
                yield Shape(f"{cwe} {type} {way} {allocator}", type, made, -8,
                            (before, used), f"before {8 * SIZES[type]}", "all" if cwe == "CWE124" else "sweep")


def behind_the_block():
    """CWE-126: as much as another array holds, out of 50 elements."""
    for type in ("char", "wchar_t", "int", "int64_t", "twoIntsStruct"):
        length = f"{TEXTS[type]['len']}(to)" if type in TEXTS else "100"
        before = text(type, 100, name="to") if type in TEXTS else f"{type} to[100]; fill(to, 100);"
        for way, used in copies(type, length).items():
            used = used.replace("source", "here").replace("data", "to").replace("here", "data")
            for allocator in ("malloc", "new"):
                made = f"{make(type, 50, allocator)} fill(data, 50);"
                yield Shape(f"CWE126 {type} {way} {allocator}", type, made, 0, (before, used), "after 0", "all")


def without_end():
    """CWE-170, and what else is handed to a function that prints it."""
    for type in TEXTS:
        for allocator in ("malloc", "new"):
            made = f"{make(type, 50, allocator)} {TEXTS[type]['set']}(data, {TEXTS[type]['L']}'A', 50);"
            yield Shape(f"CWE126 170 {type} print {allocator}", type, made, 0,
                        ("", f"{TEXTS[type]['print']}(data);"), "after 0", "all")
    for used, name in (("printBytesLine((unsigned char *)data, 100 * sizeof(*data));", "bytes"),
                       ("printStructLine(&data[50]);", "struct"),
                       ("swapStruct(&data[50]);", "swap")):
        for allocator in ("malloc", "new"):
            made = f"{make('twoIntsStruct', 50, allocator)} fill(data, 50);"
            yield Shape(f"CWE126 {name} {allocator}", "twoIntsStruct", made, 0, ("", used), "after 0", "all")


SHAPES = [*into_too_small(), *without_room_for_the_end(), *texts_of_any_size(), *wrong_units(), *indices(),
          *before_the_block("CWE124"), *behind_the_block(), *without_end(), *before_the_block("CWE127")]

# How the data comes from where it is made to where it is used: {T}, {N}, {MADE} and {USE}, a call or what is
# in it. "FAR" is what stands in sinks.cc; "NEAR" before the case.
FLOWS = {
    "01 plain": ("", "", "{T} *data; {MADE}\n{MOVE}\n{USE}"),
    "12 branch": ("", "", "{T} *data = 0; if (yes) {{ {MADE} }}\n{MOVE}\nif (yes) {{\n{USE}\n}}"),
    "17 loop": ("", "", "{T} *data = 0; for (int j = 0; j < yes; j++) {{ {MADE} }}\n{MOVE}\nfor (int j = 0; j < yes; j++) {{\n{USE}\n}}"),
    "31 copy": ("", "", "{T} *from; {{ {T} *data; {MADE}\nfrom = data; }} {T} *data = from;\n{MOVE}\n{USE}"),
    "41 argument": ("static void sink_{N}({T} *data)\n{{\n{USE}\n}}\n", "", "{T} *data; {MADE}\n{MOVE}\nsink_{N}(data);"),
    "42 returned": ("static {T} *make_{N}()\n{{\n{T} *data; {MADE}\nreturn data;\n}}\n", "", "{T} *data = make_{N}();\n{MOVE}\n{USE}"),
    "44 pointer to function": ("static void sink_{N}({T} *data)\n{{\n{USE}\n}}\n", "",
                               "void (*volatile sink)({T} *) = sink_{N}; {T} *data; {MADE}\n{MOVE}\nsink(data);"),
    "45 global": ("static {T} *global_{N};\nstatic void sink_{N}()\n{{\n{T} *data = global_{N};\n{USE}\n}}\n", "",
                  "{T} *data; {MADE}\n{MOVE}\nglobal_{N} = data; sink_{N}();"),
    "51 other file": ("void sink_{N}({T} *data);\n", "void sink_{N}({T} *data)\n{{\n{USE}\n}}\n", "{T} *data; {MADE}\n{MOVE}\nsink_{N}(data);"),
    "63 pointer to pointer": ("static void sink_{N}({T} **pointer)\n{{\n{T} *data = *pointer;\n{USE}\n}}\n", "",
                              "{T} *data; {MADE}\n{MOVE}\nsink_{N}(&data);"),
    "66 array": ("static void sink_{N}({T} *array[])\n{{\n{T} *data = array[2];\n{USE}\n}}\n", "",
                 "{T} *array[5]; {T} *data; {MADE}\n{MOVE}\narray[2] = data; sink_{N}(array);"),
    "67 structure": ("struct of_{N} {{ {T} *first; }};\nstatic void sink_{N}(of_{N} holder)\n{{\n{T} *data = holder.first;\n{USE}\n}}\n", "",
                     "of_{N} holder; {T} *data; {MADE}\n{MOVE}\nholder.first = data; sink_{N}(holder);"),
}
FLOWS_OF_EACH = 3

HEADER = """#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <new>

struct twoIntsStruct {
	int intOne, intTwo;
};

void printLine(const char *line);
void printWLine(const wchar_t *line);
void printHexCharLine(char value);
void printWcharLine(wchar_t value);
void printIntLine(int value);
void printLongLongLine(int64_t value);
void printStructLine(const volatile twoIntsStruct *value);
void printBytesLine(const unsigned char *bytes, size_t count);
void swapStruct(twoIntsStruct *value);

/* Nothing that compilers know. */
extern volatile int yes;

template <class T> static void fill(T *data, size_t count)
{
	memset((void *)data, 'B', count * sizeof(T));
	__asm__ volatile("" : : "r"(data) : "memory");
}
"""

IO = """#include "cases.hh"

volatile int yes = 1;

void printLine(const char *line)
{
	if (line != NULL)
		printf("%s\\n", line);
}

void printWLine(const wchar_t *line)
{
	if (line != NULL)
		printf("%ls\\n", line);
}

void printHexCharLine(char value)
{
	printf("%02x\\n", value);
}

void printWcharLine(wchar_t value)
{
	const wchar_t line[] = {value, 0};

	printf("%ls\\n", line);
}

void printIntLine(int value)
{
	printf("%d\\n", value);
}

void printLongLongLine(int64_t value)
{
	printf("%lld\\n", (long long)value);
}

/* Volatile, or compilers choose which is read first. */
void printStructLine(const volatile twoIntsStruct *value)
{
	int one = value->intOne;

	printf("%d -- %d\\n", one, value->intTwo);
}

void printBytesLine(const unsigned char *bytes, size_t count)
{
	for (size_t i = 0; i < count; ++i)
		printf("%02x", bytes[i]);
	puts("");
}

void swapStruct(twoIntsStruct *value)
{
	int one = value->intOne;

	value->intOne = value->intTwo;
	value->intTwo = one;
}
"""

MAIN = """
struct shape {
	const char *name;
	void (*run)();
	const char *where, *seen, *used, *made;
};

static const shape shapes[] = {
%s};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

int main(int argc, char **argv)
{
	int number = argc > 1 ? atoi(argv[1]) : -1;

	if (argc > 1 && strcmp(argv[1], "list") == 0)
		for (int i = 0; i < SHAPES; i++)
			printf("%%d\\t%%s\\t%%s\\t%%s\\t%%s\\t%%s\\n", i, shapes[i].name, shapes[i].where, shapes[i].seen,
			       shapes[i].used, shapes[i].made);
	else if (number >= 0 && number < SHAPES)
		shapes[number].run();
	return 0;
}
"""


class File:
    """A source file that knows which line has what."""

    def __init__(self, name):
        self.name = name
        self.lines = ['#include "cases.hh"']

    def write(self, text):
        """Adds TEXT, without the marks @MADE and @USED of lines; where these are."""
        marks = {}
        for line in text.splitlines():
            for mark in ("@MADE", "@USED"):
                if mark in line:
                    line = line.replace(mark, "")
                    marks[mark] = f"{self.name}:{len(self.lines) + 1}"
            self.lines.append(line)
        return marks


def write_case(number, shape, flow, cases, sinks):
    near, far, body = FLOWS[flow]
    before, used = shape.used
    # What CWE-122 has at its end; a pointer that was moved is not freed.
    end = ""
    if shape.moved == 0:
        end = "\nfree(data);" if "malloc" in shape.made else "\noperator delete[](data);"
    words = {"T": shape.type, "N": number, "MADE": shape.made + "@MADE", "MOVE": f"data += {shape.moved};",
             "USE": f"{before}\n{used}@USED\nkeep(data);{' keep(to);' if ' to[' in before else ''}{end}"}
    marks = sinks.write(far.format(**words))
    marks |= cases.write(near.format(**words) + f"static void case_{number}()\n{{\n{body.format(**words)}\n}}\n")
    if used.startswith(LOOPS):
        marks["@USED"] = "called from " + marks["@USED"]
    return f'\t{{"{shape.name}, {flow}", case_{number}, "{shape.where}", "{shape.seen}", "{marks["@USED"]}", "{marks["@MADE"]}"}},\n'


def main(directory):
    cases, sinks = File("cases.cc"), File("sinks.cc")
    flows = list(FLOWS)
    table = ""
    number = 0
    for i, shape in enumerate(SHAPES):
        for j in range(FLOWS_OF_EACH):
            # 5 is prime to how many there are: each shape comes in another choice of them.
            flow = flows[(i + 5 * j) % len(flows)]
            table += write_case(number, shape, flow, cases, sinks)
            number += 1
    cases.write(MAIN % table)
    keep = "\nstatic void keep(const void *data) { __asm__ volatile(\"\" : : \"r\"(data) : \"memory\"); }\n"
    for name, content in (("cases.hh", HEADER + keep), ("io.cc", IO),
                          *((file.name, "\n".join(file.lines) + "\n") for file in (cases, sinks))):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as out:
            out.write(content)


main(sys.argv[1])
