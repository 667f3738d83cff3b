# SPDX-License-Identifier: Apache-2.0
#
# The programs and commands of doc/languages.md, as they stand there: what the page says of each is what is said.
page=languages.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS
manual_begin languages
# The system's own Python, which the headers are of.
before=$PATH
PATH=$work/bin:/usr/bin:$PATH
try 'Python extensions' python3-config gcc
PATH=$before
try Rust rustc
export GOCACHE="$work/cache"
try 'Go and cgo' go gcc
manual_end
