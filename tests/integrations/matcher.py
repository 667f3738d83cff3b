#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# What VS Code or GitHub make of text with a problem matcher of ours: "FILE:LINE: MESSAGE" for each problem whose file
# is there, as they look for it. matcher.py TASKS.JSON runs the task in the current directory; problems() is for others.
import json
import os
import re
import subprocess
import sys


def problems(matcher, text):
    pattern = matcher["pattern"]
    pattern = pattern[0] if isinstance(pattern, list) else pattern
    for line in text.splitlines():
        found = re.search(pattern["regexp"], line)
        if found:
            file, line, message = (found[pattern[key]] for key in ("file", "line", "message"))
            yield "%s:%s: %s" % (file if os.path.isfile(file) else "no file " + file, line, message)


def main():
    task = json.load(open(sys.argv[1], encoding="utf-8"))["tasks"][0]
    assert task["problemMatcher"]["fileLocation"] == ["relative", "${workspaceFolder}"]
    command = [word.replace("${workspaceFolder}", os.getcwd()) for word in [task["command"], *task["args"]]]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    print(done.stdout, file=sys.stderr)
    for problem in problems(task["problemMatcher"], done.stdout):
        print(problem)


if __name__ == "__main__":
    main()
