# SPDX-License-Identifier: Apache-2.0
#
# /proc/self is the main thread's, and empty once that has ended: what a process asks about itself it
# asks below FP_PROC_SELF of base/proc.h. (src/cli/output.c knows a name that users write.)
cd "$top_srcdir/src" || exit 99
! grep -rnE '"[^"]*/proc/self' --include='*.[ch]' --include='*.def' . |
	grep -vE '^\./(base/proc\.h|cli/output\.c):'
