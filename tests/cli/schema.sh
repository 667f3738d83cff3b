# SPDX-License-Identifier: Apache-2.0
#
# Every JSON there is against the schemas that are installed, with no field allowed that a schema
# does not name: the recorded logs, what real runs write, merged reports and diffs.
fencepost=$FP_BUILDDIR/src/cli/fencepost
make_log=$FP_BUILDDIR/tests/cli/make_log
victim=$FP_BUILDDIR/tests/cli/sweep_victim
work=$FP_BUILDDIR/tests/cli/schema.work
test -x "$fencepost" && test -x "$make_log" || exit 99
for python in python3 /usr/bin/python3 ''; do
	"$python" -c 'from jsonschema import Draft202012Validator' 2>/dev/null && break
done
test -n "$python" || { echo 'no jsonschema for python3 here (Debian: apt-get install python3-jsonschema)'; exit 77; }
rm -rf "$work" && mkdir -p "$work/recorded" && cd "$work" || exit 99
"$FP_BUILDDIR/tests/report/render_golden" recorded whole || exit 99

"$make_log" >sample.log && "$fencepost" report --log=/dev/null --json=sample.json sample.log || exit 99
"$fencepost" report --log=/dev/null --json=merged.json sample.log sample.json || exit 99
printf 'leak:engine\ndouble-free:* until=2001-01-01\n' >supp
"$fencepost" report --log=/dev/null --suppressions=supp --json=suppressed.json sample.log || exit 99
if test -x "$victim"; then
	printf 'dlc' | "$fencepost" run --leak-check=full --log=/dev/null --json=set.json "$victim" >/dev/null 2>&1
	printf 'bp' | "$fencepost" run --sweep --log=/dev/null --json=sweep.json "$victim" >/dev/null 2>&1
	"$fencepost" diff --json=diff.json sample.json set.json >/dev/null
	"$fencepost" diff --json=less.json set.json sample.json >/dev/null
fi
"$fencepost" diff --json=grown.json sample.json merged.json >/dev/null

"$python" - "$top_srcdir" ./*.json recorded/*.json <<'PYTHON'
import json, re, sys, warnings
warnings.simplefilter("ignore")
from jsonschema import Draft202012Validator, RefResolver

top = sys.argv[1]
schemas = {}
for name in "report", "diff":
    with open(f"{top}/schema/fencepost-{name}-1.schema.json") as file:
        schemas[name] = json.load(file)
    Draft202012Validator.check_schema(schemas[name])

def close(schema):
    if isinstance(schema, dict):
        if "properties" in schema:
            schema["additionalProperties"] = False
        for value in schema.values():
            close(value)
    elif isinstance(schema, list):
        for value in schema:
            close(value)

bad = 0
with open(f"{top}/src/model/finding.def") as file:
    kinds = re.findall(r'^FP_FINDING\(\w+, "([^"]+)"', file.read(), re.M)
known = schemas["report"]["$defs"]["finding"]["properties"]["kind"]["enum"]
if sorted(kinds) != sorted(known):
    print("kinds in finding.def and in the schema differ:", sorted(set(kinds) ^ set(known)))
    bad = 1

for schema in schemas.values():
    close(schema)
store = {schema["$id"]: schema for schema in schemas.values()}
validators = {name: Draft202012Validator(schema, resolver=RefResolver(schema["$id"], schema, store=store))
              for name, schema in schemas.items()}

def deepest(error):
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error

names = sys.argv[2:]
if len(names) < 8:
    sys.exit("too few files: " + " ".join(names))
for name in names:
    with open(name) as file:
        value = json.load(file)
    first = value[0] if isinstance(value, list) else value
    for error in validators["diff" if first["schema"] == "fencepost-diff-1" else "report"].iter_errors(value):
        error = deepest(error)
        print(name, "/".join(map(str, error.absolute_path)), error.message[:300])
        bad = 1

# The schemas say no, too.
with open("sample.json") as file:
    value = json.load(file)
def refuses(change):
    spoilt = json.loads(json.dumps(value))
    change(spoilt)
    return not validators["report"].is_valid(spoilt)
changes = [lambda v: v.pop("heap"), lambda v: v["findings"][0].pop("block"),
           lambda v: v["findings"][0].update(kind="oops"), lambda v: v.update(schema="fencepost-report-2"),
           lambda v: v["leaks"][0].update(bytes=-1), lambda v: v["findings"][0]["stack"][0].update(offset="10"),
           lambda v: v["findings"][0].update(fingerprint="1")]
if not all(map(refuses, changes)):
    print("the schema accepts what is wrong")
    bad = 1
sys.exit(bad)
PYTHON
