# SPDX-License-Identifier: Apache-2.0
#
# Writes what src/model/schema.def says into schema/fencepost-report-1.schema.json, where "exit", "stack",
# "fingerprint" and the first keys of a report are written by hand, and into
# man/fencepost-events.5. Run it in the top directory; with "check" it only says whether they are what it
# would write.
import json, re, sys

JSON, MAN = "schema/fencepost-report-1.schema.json", "man/fencepost-events.5"
# Keys that are written by hand, and keys that reports of older versions do not have.
BY_HAND = {"report": ["schema", "tool"]}
RECORDS = {"HELD_BLOCK": "block"}  # those whose types have other names
LATER = {"report": ["leak_check"], "leak_check": ["listed"], "leak": ["age", "new"], "summary": [
    "new_leaked_blocks", "new_leaked_bytes", "possible_blocks", "possible_bytes", "unknown"]}
FORMS = {"ARRAY": "OF MEMBERS COUNT KEY TEXT", "TRACE": "MEMBER KEY TEXT", "MAYBE": "MEMBER KEY HAS TEXT",
         "BYTES": "MEMBER KEY HAS TEXT", "WHERE": "TYPE MEMBER KEY HAS TEXT", "WHEN": "TYPE MEMBER KEY HAS TEXT",
         "LIST": "OF MEMBERS COUNT KEY TEXT", "NAMED": "OF MEMBERS COUNT KEY TEXT", "HELD": "OF MEMBERS COUNT KEY TEXT",
         "MAP": "OF MEMBERS COUNT KEY TEXT", "STRINGS": "MEMBERS COUNT KEY TEXT", "EXIT": "MEMBER VALUE KEY TEXT",
         "SAME": "TYPE KEY TEXT", "TOLD": "TYPE MEMBER KEY TEXT"}
ARRAYS, OPTIONAL = {"ARRAY", "LIST", "NAMED", "HELD"}, {"WHEN", "LIST", "NAMED"}
# Records that have no object of their own.
ONLY_PARTS = {"rise", "reason", "setting"}
# Forms that are in no log, and so have no place in its records.
ONLY_JSON = {"TOLD", "HELD", "STRINGS", "EXIT", "SAME"}

def read(name):
    with open(name) as file:
        return file.read()

def words(function, name="src/model/names.c"):
    body = re.search(r"char \*" + function + r"\(.*?^}", read(name), re.M | re.S).group()
    return list(dict.fromkeys(re.findall(r'"([^"]+)"', body)))

number = {"type": "integer", "minimum": 0}
ENUMS = {"ACCESS": "fp_access_name", "TIER": "fp_tier_name", "FAMILY": "fp_family_name", "LEVEL": "fp_level_name",
         "LEVEL_2": "fp_level_name", "LEVEL_3": "fp_level_name", "ROLE": "fp_party_role_name",
         "PAGE_STATE": "fp_page_state_name", "HOLDER": "fp_holder_kind_name", "CENSUS_RESULT": "fp_census_result_name", "CLASS": "fp_leak_class_name"}
CAUSES = {"enum": re.findall(r'^FP_CRASH\(\w+, "([^"]+)"', read("src/model/crash.def"), re.M)}
TYPES = {
    "I32": {"type": "integer"}, "SIGNAL": {"type": "string"}, "U32": number, "U64": number, "PEAK": number, "ID": {"type": ["integer", "null"], "minimum": 0}, "CWE": number,
    "I64": {"type": "integer"}, "ADDRESS": {"type": "string", "pattern": "^0x[0-9a-f]+$"},
    "FLAG": {"type": "boolean"}, "FLAG_4": {"type": "boolean"}, "HRESULT": {"type": "string"},
    "NAME": {"type": "string"}, "SENTENCE": {"type": "string"}, "PATH": {"type": "string"},
    "CHARS": {"type": ["string", "null"]}, "DATE": {"type": "string"}, "SETTING": {"type": ["string", "integer"]},
    "STRINGS": {"type": "array", "items": {"type": "string"}}, "DOOR": {"enum": words("door_name", "src/report/names.c")},
    "SUPPRESSION_STATE": {"enum": words("state_name", "src/report/suppress/suppress.c")},
    "SUPPRESSIONS": {"type": "array", "items": {"$ref": "#/$defs/suppression"}},
    "WORD": {"type": ["string", "null"]}, "THROUGH": {"type": ["string", "null"]},
    "PAGE_FLAGS": {"type": ["string", "null"]}, "SEVERITY": {"enum": ["error", "warning"]},
    "BYTES": {"type": "string", "pattern": "^([0-9a-f]{2})*$"}, "FINGERPRINT": {"$ref": "#/$defs/fingerprint"},
    "TRACE": {"$ref": "#/$defs/stack"}, "STATE": {}, "CREATED": {"$ref": "#/$defs/stack"},
    "SHARES": {"type": "array", "items": {"$ref": "#/$defs/share"}},
    "CAUSE": CAUSES, "KIND": {"enum": re.findall(r'^FP_FINDING\(\w+, "([^"]+)"', read("src/model/finding.def"), re.M)}}
TYPES |= {name: {"enum": words(function) + [None] * name.startswith("LEVEL")} for name, function in ENUMS.items()}
WIRE = {"U32": "u32", "ID": "u32", "U64": "u64", "PEAK": "u64", "I64": "i64", "ADDRESS": "u64", "FLAG": "u8",
        "HRESULT": "i32", "PAGE_FLAGS": "u32", "I32": "i32", "SIGNAL": "u32", "WORD": "str", "NAME": "str", "SENTENCE": "str", "PATH": "str", "BYTES": "bytes"}
PADDING = {"LEVEL_2": ", u8 zero", "LEVEL_3": ", u16 zero", "FLAG_4": ", three zero bytes"}

def read_records():
    records = {}
    text = read("src/model/schema.def")
    for name, body in re.findall(r"^#define FP_(\w+)_FIELDS\(M, X\) \\\n((?:\tM##.*\n)+)", text, re.M):
        records[name.lower()] = rows = []
        for form, arguments in re.findall(r"^\tM##(\w+)\(X, (.*)\)(?: \\)?$", body, re.M):
            values = [value.strip() for value in re.findall(r'(?:^|, ?)("(?:[^"\\]|\\.)*"|[^,]*)', arguments)]
            names = FORMS.get(form, "TYPE MEMBER KEY TEXT").split()
            row = dict(zip(names if form in ONLY_JSON else ["SINCE"] + names, values), FORM=form)
            row["KEY"] = None if row["KEY"] == "NULL" else json.loads(row["KEY"])
            row["TEXT"] = json.loads(row["TEXT"])
            row.setdefault("TYPE", {"MAYBE": "TRACE"}.get(form, form))
            rows.append(row)
    return records

def orthodox(row, records):
    """What JSON Schema calls the value of ROW."""
    if row["FORM"] == "NAMED":
        value = {"type": "object", "additionalProperties": {"$ref": "#/$defs/" + row["OF"]}}
    elif row["FORM"] == "MAP":
        value = {"type": "object", "additionalProperties": TYPES[records[row["OF"]][1]["TYPE"]]}
    elif row["FORM"] in ARRAYS:
        value = {"type": "array", "items": {"$ref": "#/$defs/" + row["OF"]}}
    else:
        value = dict(TYPES.get(row["TYPE"]) or {"$ref": "#/$defs/" + RECORDS.get(row["TYPE"], row["TYPE"].lower())})
    if row["FORM"] == "WHEN" and row["HAS"] == row["MEMBER"]:
        # It is named only while it is not zero.
        value = {"const": True} if row["TYPE"] == "FLAG" else value
        value |= {"CHARS": {"type": "string"}, "U32": {"minimum": 1}, "U64": {"minimum": 1}}.get(row["TYPE"], {})
    if "HAS" in row and row["FORM"] not in OPTIONAL and "." not in row["KEY"]:
        if isinstance(value.get("type"), str):
            value["type"] = [value["type"], "null"]
        else:
            value = {"oneOf": [{"type": "null"}, value]}
    if row["TEXT"]:
        value["description"] = row["TEXT"]
    return value

def object_of(rows, records, later=()):
    """The object that ROWS are, and in it those of "object.key"."""
    value = {"type": "object", "properties": {}, "required": []}
    for row in rows:
        if row["TYPE"] == "RISE":
            value = object_of(records["rise"], records)
            continue
        if row["KEY"] is None:
            continue
        name, _, rest = row["KEY"].partition(".")
        if rest and name not in value["properties"]:
            inner = [dict(inner, KEY=inner["KEY"].split(".")[1]) for inner in rows
                     if inner["KEY"] and inner["KEY"].startswith(name + ".")]
            is_maybe = any([row.pop("HAS", None) for row in inner])
            value["properties"][name] = object_of(inner, records)
            if is_maybe:
                value["properties"][name] = {"oneOf": [{"type": "null"}, value["properties"][name]]}
        elif not rest:
            value["properties"][name] = orthodox(row, records)
        if row["TYPE"] == "SHARES":
            value["properties"]["more_sources"] = {"$ref": "#/$defs/more_shares"}
        elif row["FORM"] not in OPTIONAL and row["TYPE"] != "CREATED" and name not in [*later, *value["required"]]:
            value["required"].append(name)
    return value

def make_json(records):
    document = json.loads(read(JSON))
    for name, rows in records.items():
        if name in ONLY_PARTS:
            continue
        old = document["$defs"].get(name, {})
        new = object_of(rows, records, LATER.get(name, ()))
        by_hand = BY_HAND.get(name, [])
        new["properties"] = {key: old["properties"][key] for key in by_hand} | new["properties"]
        new["required"] = by_hand + new["required"]
        if "description" in old:
            new["description"] = old["description"]
        document["$defs"][name] = new
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

def wire(name, records):
    """The fields of record NAME of the event log, in their order."""
    texts = []
    for row in sorted((row for row in records[name] if int(row.get("SINCE", 0)) > 0 and row["TYPE"] != "THERE"),
                      key=lambda row: int(row["SINCE"])):
        said = row.get("MEMBER", "").replace("_", " ").strip()
        if row["FORM"] in ARRAYS or row["FORM"] == "MAP":
            texts.append(f"u32 n, n times ({wire(row['OF'], records)})")
        elif row["TYPE"] == "BLOCK":
            texts.append(f"if it has one ({wire('block', records)})")
        elif row["TYPE"] not in TYPES:
            texts.append(f"{said} ({wire(RECORDS.get(row['TYPE'], row['TYPE'].lower()), records)})")
        elif row["TYPE"] == "TRACE":
            texts.append(f"u32 {said} trace".replace("  ", " "))
        else:
            texts.append(f"{WIRE.get(row['TYPE'], 'u8')} {said}" + PADDING.get(row["TYPE"], ""))
    return ", ".join(texts)

def make_man(records):
    """Between the name of a record and the line that starts its story."""
    return re.sub(r'(\.\\" of schema\.def: (\w+)\n).*\n', lambda found: found[1] + wire(found[2], records) + ".\n", read(MAN))

records = read_records()
bad = 0
for name, text in (JSON, make_json(records)), (MAN, make_man(records)):
    if sys.argv[1:] == ["check"]:
        if read(name) != text:
            print(name + " is not what schema/make.py makes of src/model/schema.def")
            bad = 1
    else:
        with open(name, "w") as file:
            file.write(text)
sys.exit(bad)
