# SPDX-License-Identifier: Apache-2.0
#
# The JSON Schema and the text of the event log's records are what schema/make.py makes of
# src/model/schema.def.
cd "$top_srcdir" || exit 99
python3 -c '' 2>/dev/null || { echo 'no python3 here'; exit 77; }
python3 schema/make.py check
