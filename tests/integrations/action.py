#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Does the steps of our action.yml as GitHub's runner does: inputs and their defaults, expressions, bash's options, and
# the problem matchers that a step adds, which make annotations of what it prints. Steps that use another action are
# named with what they are given. action.py REPOSITORY [INPUT=VALUE]...
import json
import os
import re
import subprocess
import sys

import yaml

import matcher

repository, *pairs = sys.argv[1:]
action = yaml.safe_load(open(os.path.join(repository, "action.yml"), encoding="utf-8"))
inputs = {name: str(entry.get("default", "")) for name, entry in action["inputs"].items()}
for pair in pairs:
    name, value = pair.split("=", 1)
    assert name in inputs, name
    inputs[name] = value
for name, entry in action["inputs"].items():
    assert entry["description"] and (inputs[name] or not entry.get("required")), name
assert action["runs"]["using"] == "composite"
has_failed = False


def value_of(expression):
    expression = expression.strip()
    if expression == "github.action_path":
        return repository
    return inputs[expression.removeprefix("inputs.")]


def expand(text):
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: value_of(found[1]), str(text))


def is_wanted(step):
    condition = step.get("if")
    if condition is None:
        return not has_failed
    parts = [part.strip() for part in re.fullmatch(r"\$\{\{(.*)\}\}", condition)[1].split("&&")]
    assert parts[0] == "!cancelled()", condition
    for part in parts[1:]:
        left, right = part.split("==")
        if value_of(left) != right.strip().strip("'"):
            return False
    return True


def run(step):
    assert step["shell"] == "bash" and "${{" not in step["run"]
    environment = dict(os.environ, GITHUB_WORKSPACE=os.getcwd())
    environment.update({key: expand(value) for key, value in step.get("env", {}).items()})
    done = subprocess.run(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
    print(done.stdout)
    matchers = []
    for line in done.stdout.splitlines():
        if line.startswith("::add-matcher::"):
            matchers += json.load(open(line[15:], encoding="utf-8"))["problemMatcher"]
        elif line.startswith("::remove-matcher owner="):
            matchers = [one for one in matchers if one["owner"] != line.split("=")[1].strip(":")]
        for one in matchers:
            for problem in matcher.problems(one, line):
                print("annotation", problem)
    return done.returncode


status = 0
for step in action["runs"]["steps"]:
    if not is_wanted(step):
        continue
    if "uses" in step:
        print("uses", step["uses"], *("%s=%s" % (key, expand(value)) for key, value in step["with"].items()))
        continue
    status = run(step) or status
    has_failed = status != 0
print("status", status)
