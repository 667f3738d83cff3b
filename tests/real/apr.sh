# SPDX-License-Identifier: Apache-2.0
#
# APR, whose pools tell Valgrind of their blocks when they are built to: Debian's source, built so. Its own tests
# say under us what they say without, with no finding; and mistakes with its pools are found with their stacks.
# In $FP_REAL_APR, or in the build directory, what was built is kept.
fencepost=$FP_BUILDDIR/src/cli/fencepost
work=${FP_REAL_APR:-$FP_BUILDDIR/tests/real/apr.work}
source=$top_srcdir/tests/real/programs/apr_victim.c
unset FENCEPOST_OPTIONS
ulimit -c 0
bad=0

skip() {
	echo "not tested: $*"
	exit 77
}

complain() {
	echo "$*" | head -n 60
	bad=1
}

test -x "$fencepost" || exit 99
test "$(uname -m)" = x86_64 || skip "requests are answered on x86-64 only"
echo '#include <valgrind/memcheck.h>' | ${CC:-cc} -E - >/dev/null 2>&1 || skip "valgrind's headers are not installed"
command -v apt-get >/dev/null || skip "no apt-get"
mkdir -p "$work/lists/partial" && cd "$work" || exit 99

# apt ARGUMENT...: with the sources of this Debian, and nothing of the machine's changed.
apt() {
	apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" \
		-o APT::Sandbox::User= "$@" >>apt.log 2>&1
}

if test ! -x apr/test/testall; then
	. /etc/os-release
	echo "deb-src http://deb.debian.org/debian ${VERSION_CODENAME:-bookworm} main" >sources.list
	apt update && apt source --download-only apr && mkdir -p apr && tar xf "$(ls apr_*.orig.tar.* | grep -v asc)" -C apr --strip-components=1 ||
		skip "no source of apr: $(tail -n 1 apt.log)"
	(cd apr && ./configure --with-valgrind CC="${CC:-cc}" CFLAGS='-g -O1' && make && make -C test testall) >build.log 2>&1 ||
		skip "apr cannot be built: $(tail -n 1 build.log)"
fi

# ---- Its own tests
cd apr/test || exit 99
LD_LIBRARY_PATH=$work/apr/.libs
export LD_LIBRARY_PATH
for test in testpools testhash teststr testtable testfile testpath testtemp testthread testpoll testud testskiplist testescape; do
	./testall $test >"$work/alone" 2>&1
	"$fencepost" run --log="$work/report" ./testall $test >"$work/out" 2>&1
	cmp -s "$work/alone" "$work/out" || complain "$test: $(cat "$work/out"), without us: $(cat "$work/alone")"
	grep -q '^fencepost: no errors, no leaks; exited 0$' "$work/report" || complain "$test: $(cat "$work/report")"
done

# ---- Mistakes
cd "$work" || exit 99
${CC:-cc} -g -O1 -w -D_GNU_SOURCE -D_REENTRANT -Iapr/include -Iapr/include/arch/unix -o apr_victim "$source" -Lapr/.libs \
	-lapr-1 || exit 99

# finds HOW KIND TEXT...: that is what is found, and each TEXT is a line's part of the report.
finds() {
	how=$1 kind=$2
	shift 2
	"$fencepost" run --quiet ./apr_victim $how >out 2>err
	test "$(grep -c '^fencepost: [a-z-]* of ' err)" -eq 1 || complain "$how: not one finding: $(cat err)"
	grep -q "^fencepost: $kind of " err || complain "$how: no $kind: $(cat err)"
	for text; do
		grep -qF -- "$text" err || complain "$how: no '$text': $(cat err)"
	done
}

"$fencepost" run --quiet ./apr_victim good >out 2>err && test ! -s err || complain "good: $(cat err)"
finds cleared heap-use-after-free 'a 17-byte block at apr_victim.c' 'freed by' 'apr_pool_clear' 'allocated by' \
	'apr_pstrcat' 'make_name'
finds page heap-use-after-free 'read of 1 byte, 50000 bytes inside a block of 100000 bytes that was freed' apr_pool_clear
finds beyond heap-buffer-overflow '0 bytes past the end of a block of 24 bytes' apr_palloc
exit $bad
