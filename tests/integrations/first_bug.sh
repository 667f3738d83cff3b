# SPDX-License-Identifier: Apache-2.0
#
# doc/first-bug.md as its reader does it: each section is a program with a bug, how it is found, and that it is gone.
page=first-bug.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
manual_begin first_bug
export PYTHONDONTWRITEBYTECODE=1
before=$PATH
try 'A C parser' gcc
try 'A C++ container' g++
try 'A threaded server' gcc
# The system's own Python, which the headers are of.
PATH=$work/bin:/usr/bin:$PATH
try 'A Python extension' gcc python3-config
PATH=$before
try 'A Rust unsafe' rustc
try 'A leak in a daemon' gcc pidof
manual_end
