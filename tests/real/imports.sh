# SPDX-License-Identifier: Apache-2.0
#
# Which functions of the C library that make a system call with pointers the real programs import, with
# all files of their packages and the libraries that these need: each is in the map of the preload
# library, or below with the reason. Prints how many there are. By hand: it looks at all that is installed.
table=$top_srcdir/src/preload/system_calls.def
work=$(mktemp -d) && export LC_ALL=C && trap 'rm -rf "$work"' EXIT || exit 99
input=$work source=$top_srcdir
row() { echo "$3"; }
is_wanted() { false; }
. "$top_srcdir/tests/real/table.sh" 2>/dev/null | tr ' ' '\n' | sort -u | while read -r command; do
	file=$(command -v "$command") && readlink -f "$file"
done >"$work/commands"
xargs -r dpkg -S <"$work/commands" 2>/dev/null | cut -d: -f1 | sort -u | xargs -r dpkg -L 2>/dev/null |
	xargs -r grep -l -s -m 1 "$(printf '^\177ELF')" | xargs -r readlink -f | sort -u >"$work/files"
xargs -r ldd <"$work/files" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u | xargs -r readlink -f |
	grep -vE '/(libc|libm|ld-linux[^/]*)\.so' | sort -u - "$work/files" >"$work/all"
xargs -r nm -D --undefined-only <"$work/all" 2>/dev/null | sed -n 's/^ *[Uw] \(.*\)@GLIBC_.*/\1/p' | sort -u >"$work/imported"
sed -n 's/^FP_[OLD_]*SYSTEM_CALL(\([a-z_0-9]*\),.*/\1/p' "$table" | sort -u >"$work/calls"
sed -n 's/^	\([A-Za-z_0-9]*\);$/\1/p' "$top_srcdir/src/preload/libfencepost-preload.map" | sort -u >"$work/wrapped"

# By the name of a system call, or by another that calls.def has.
sed -n 's/^FP_CALL(.*, \([A-Za-z_0-9]*\), (.*), (.*), .*/\1/p' "$top_srcdir"/src/preload/*calls.def >"$work/others"
awk -v calls="$work/calls" -v others="$work/others" '
	BEGIN {
		while ((getline name <calls) > 0) is_call[name] = 1
		while ((getline name <others) > 0) is_other[name] = 1
	}
	{
		plain = $0
		sub(/^__/, "", plain); sub(/_chk$/, "", plain); sub(/_2$/, "", plain); sub(/64(v2)?$/, "", plain)
		if (is_other[$0] || is_call[$0] || is_call[plain] || is_call[plain "64"] || is_call[plain "2"]) print
	}' "$work/imported" >"$work/with_memory"

# What libc's own instructions access meets the guard at the instruction.
comm -23 "$work/with_memory" "$work/wrapped" | {
	bad=0
	while read -r name; do
		case $name in
		gettimeofday | time | getcpu) echo "$name: libc's own code writes" ;;
		mq_open) echo "$name: libc's own code reads the name" ;;
		syslog | __syslog_chk) echo "$name: not the system call of that name" ;;
		clone | ptrace | shmat | shmdt) echo "$name: as in system_calls.def" ;;
		*) echo "$name: MISSING" && bad=1 ;;
		esac
	done
	exit $bad
}
bad=$?
echo "$(wc -l <"$work/all") files import $(wc -l <"$work/imported") functions of the C library," \
	"$(wc -l <"$work/with_memory") of them with memory for the kernel;" \
	"$(comm -12 "$work/with_memory" "$work/wrapped" | wc -l) are wrapped"
exit $bad
