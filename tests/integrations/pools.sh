# SPDX-License-Identifier: Apache-2.0
#
# The program and the commands of doc/pools.md, as they stand there: what the page says of it is what is said.
page=pools.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
test "$(uname -m)" = x86_64 || { echo "requests are answered on x86-64 only"; exit 77; }
manual_begin pools
try 'A pool' /usr/include/valgrind/memcheck.h
manual_end
