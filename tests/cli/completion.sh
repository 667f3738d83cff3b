# SPDX-License-Identifier: Apache-2.0
#
# What bash would offer at the end of a line.
command -v bash >/dev/null || { echo "no bash here"; exit 77; }
fencepost=$FP_BUILDDIR/src/cli/fencepost
test -x "$fencepost" || exit 99
bad=0

offers() { # offers EXPECTED WORD...: the last word is the one to complete
	want=$1
	shift
	got=$(bash -c '. "$1/completions/fencepost.bash"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
		_fencepost 2>/dev/null; echo ${COMPREPLY[*]}' bash "$top_srcdir" "$fencepost" "$@")
	case " $got " in
	*" $want "*) ;;
	*) echo "$*: offers '$got', not '$want'"; bad=1 ;;
	esac
}

offers run ''
offers report re
offers --align= run --al
offers left run --placement = le
offers 'no summary full' run --leak-check =
offers bash run --quiet bas
offers doctor do
offers --json doctor --
offers bash doctor --json bas
offers bash run -- bas
offers --sweep run --sw
offers --force run --f
offers --merge= report --m
offers --timeout= leaks --ti
offers $$ leaks "$$"
# Every option of the table.
for key in $(sed -n 's/^FP_OPTION(_*\([a-z_]*\),.*/\1/p' "$top_srcdir/src/options/options.def" | tr _ -); do
	offers "--$key=" run "--$key"
done
exit $bad
