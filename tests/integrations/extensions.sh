# SPDX-License-Identifier: Apache-2.0
#
# The programs and commands of doc/extensions.md and doc/rust-and-go.md, as they stand there: what a page says of each
# is what is said.
page=extensions.md
. "$top_srcdir/tests/integrations/manual.sh"
unset FENCEPOST_OPTIONS MAKEFLAGS MFLAGS MAKELEVEL
manual_begin extensions
before=$PATH
# The system's own, which the headers are of.
PATH=$work/bin:/usr/bin:$PATH
try 'Python extensions' python3-config gcc
try 'R packages' R make
if ruby -e 'exit File.exist?(RbConfig::CONFIG["rubyhdrdir"] + "/ruby.h")' 2>/dev/null; then
	try 'Ruby extensions' ruby make
else
	echo 'not tested: Ruby extensions (Debian: apt-get install ruby-dev)'
fi
PATH=$before
manual=$top_srcdir/doc/rust-and-go.md
try Rust rustc
export GOCACHE="$work/cache"
try 'Go and cgo' go gcc
manual_end
