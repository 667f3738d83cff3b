# SPDX-License-Identifier: Apache-2.0
#
# What of doc/container.md needs no engine.
page=container.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
unshare --pid --fork --mount-proc true 2>/dev/null || { echo 'no namespaces here'; exit 77; }
manual_begin container
try 'Without an engine' unshare gcc
manual_end
