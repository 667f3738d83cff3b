# SPDX-License-Identifier: Apache-2.0
#
# All recorded logs in SARIF against the official JSON schema. It is not ours to distribute: get it
# with "sh tests/report/sarif.sh install" ($FP_BUILDDIR and npm are needed; the package
# @microsoft/jest-sarif has it), or name one in FP_SARIF_SCHEMA.
place=$FP_BUILDDIR/tests/report/sarif-schema.work
schema=${FP_SARIF_SCHEMA:-$place/package/lib/schemas/sarif-2.1.0-rtm.5.json}
if test "$1" = install; then
	mkdir -p "$place" && cd "$place" && npm pack --silent @microsoft/jest-sarif && tar xzf ./*.tgz
	exit
fi
test -f "$schema" || { echo "no schema $schema: sh tests/report/sarif.sh install gets it"; exit 77; }
for python in python3 /usr/bin/python3 ''; do
	"$python" -c 'import jsonschema' 2>/dev/null && break
done
test -n "$python" || { echo 'no jsonschema for python3 here (Debian: apt-get install python3-jsonschema)'; exit 77; }

work=$FP_BUILDDIR/tests/report/sarif.work
rm -rf "$work" && mkdir -p "$work" || exit 99
"$FP_BUILDDIR/tests/report/render_golden" "$work" whole || exit 99

"$python" - "$schema" "$work"/*.sarif <<'PYTHON'
import json, sys, jsonschema

with open(sys.argv[1]) as file:
    validator = jsonschema.Draft4Validator(json.load(file))
if len(sys.argv) < 8:
    sys.exit("too few files")
bad = 0
for name in sys.argv[2:]:
    with open(name) as file:
        for error in validator.iter_errors(json.load(file)):
            print(name, "/".join(map(str, error.path)), error.message)
            bad = 1
if not list(validator.iter_errors({"version": "2.1.0", "runs": [{}]})):
    print("the schema accepts a run without a tool")
    bad = 1
sys.exit(bad)
PYTHON
