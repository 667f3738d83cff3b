# SPDX-License-Identifier: Apache-2.0
#
# Every system call stands in system_calls.def, checked or not and why, and what its script makes of
# the kernel's own declarations is what is there, where these are installed.
cd "$top_srcdir" || exit 99
table=src/preload/system_calls.def
numbers=$(echo '#include <sys/syscall.h>' | ${CC:-cc} -E -dM - | sed -n 's/^#define __NR_\([a-z_0-9]*\) \([0-9]*\)$/\2 \1/p')
test "$(echo "$numbers" | wc -l)" -gt 200 || { echo "the compiler knows no system calls"; exit 77; }
# Those that are newer than the last one of the table are not known to it.
bad=$(
	echo "$numbers" | while read -r number name; do
		test "$number" -gt 450 || grep -qw "$name" $table || echo "$name: not in $table"
	done
	grep '^FP_UNCHECKED(' $table | grep -vE '^FP_UNCHECKED\("[^"]+", "[^"]+"\)$'
)
test -z "$bad" || { printf '%s\n' "$bad"; exit 1; }

version=$(sed -n 's/^ \* Made by system_calls.py of the declarations of Linux \([0-9.]*\):.*/\1/p' $table)
for headers in ${FP_KERNEL_HEADERS:-/usr/src/linux-headers-"$version".*-common}; do
	unistd=$(echo '#include <asm/unistd_64.h>' | ${CC:-cc} -E - 2>/dev/null | sed -n 's/^# 1 "\(.*unistd_64.h\)".*/\1/p')
	test -f "$headers/include/linux/syscalls.h" && test -f "$unistd" || continue
	python3 src/preload/system_calls.py "$headers/include/linux/syscalls.h" "$unistd" \
		"$headers/include/uapi/asm-generic/unistd.h" "$version" | diff $table - ||
		{ echo "$table is not what system_calls.py makes of $headers"; exit 1; }
done
