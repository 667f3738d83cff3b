# SPDX-License-Identifier: Apache-2.0
#
# What bash, zsh and fish offer at the end of a line: what the command takes, and nothing else.
test -x "$FP_BUILDDIR/src/cli/fencepost" || exit 99
work=$FP_BUILDDIR/tests/cli/completion.work
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 99
export PATH="$FP_BUILDDIR/src/cli:$PATH" HOME="$work" XDG_CONFIG_HOME="$work" XDG_DATA_HOME="$work"
bad=0

# It splits words at "=", too.
in_bash() {
	bash --norc -c '. "$1/completions/fencepost.bash"
		COMP_WORDS=(${2//=/ = })
		[[ $2 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_fencepost 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' bash "$top_srcdir" "$1"
}

# With stand-ins for those functions of its own that only work while a line is edited.
in_zsh() {
	zsh -fc '
		compadd() {
			local prefix=
			while [[ $1 == -* ]]; do
				case $1 in
				-P) prefix=$2; shift ;;
				-S) shift ;;
				--) shift; break ;;
				esac
				shift
			done
			print -rl -- ${prefix}${^@}
		}
		compset() { true }
		_files() { print -rl -- *(N) }
		_command_names() { print -rl -- ${(k)commands} }
		_normal() { _command_names; _files }
		complete_it() {
			local -a words=(${(z)2})
			[[ $2 != *" " ]] || words+=("")
			local CURRENT=${#words} start=${words[-1]} candidate
			source $1/completions/_fencepost | while read -r candidate; do
				[[ $candidate == $start* ]] && print -r -- $candidate
			done
		}
		complete_it "$@"' zsh "$top_srcdir" "$1"
}

in_fish() {
	fish --no-config -c 'source $argv[1]/completions/fencepost.fish; complete -C $argv[2]' "$top_srcdir" "$1" | cut -f 1
}

shells=
for shell in bash zsh fish; do
	if command -v $shell >/dev/null; then shells="$shells $shell"; else echo "not tested: no $shell here"; fi
done
test -n "$shells" || exit 77

# Of an option with words for values fish offers each whole.
of_all() { # of_all LINE: by shell, what it offers, values without their keys
	for shell in $shells; do
		in_$shell "$1" | sed 's/^--[a-z-]*=\(.\)/\1/' >$shell.out
		in_$shell "$1" | sed 's/^\(--[a-z-]*=\).*/\1/' >>$shell.out
	done
}

offers() { # offers LINE EXPECTED...
	line=$1
	shift
	of_all "$line"
	for shell in $shells; do
		for want; do
			grep -qxF -e "$want" $shell.out ||
				{ echo "$shell: '$line': no '$want' in: $(head -20 $shell.out | tr '\n' ' ')"; bad=1; }
		done
	done
}

offers_not() { # offers_not LINE UNEXPECTED...
	line=$1
	shift
	of_all "$line"
	for shell in $shells; do
		for one; do
			if grep -qxF -e "$one" $shell.out; then echo "$shell: '$line': offers '$one'"; bad=1; fi
		done
	done
}

offers 'fencepost ' run report diff leaks snapshot explain doctor help
offers 'fencepost re' report
offers 'fencepost do' doctor
offers 'fencepost help do' doctor
offers 'fencepost run --al' --align= --align-profile=
offers 'fencepost run --placement=le' left
offers 'fencepost run --leak-check=' no summary full
offers 'fencepost run --quiet bas' bash
offers 'fencepost run -- bas' bash
offers 'fencepost doctor --' --json
offers 'fencepost doctor bas' bash
offers 'fencepost run --s' --sweep
offers 'fencepost run --f' --force --folded=
offers 'fencepost report --m' --merge=
offers 'fencepost report --merge=' yes no
offers 'fencepost leaks --ti' --timeout=
offers "fencepost leaks $$" $$
offers 'fencepost diff --s' --strict --suppressions=
# What is another command's is not offered.
offers_not 'fencepost doctor --' --sweep --align= --merge=
offers_not 'fencepost report --' --sweep --align= --sample= --timeout=
offers_not 'fencepost explain --' --json=
offers_not 'fencepost run -- bash --' --sweep --align=
# Every option of the table.
keys=$(sed -n 's/^FP_OPTION(_*\([a-z_]*\),.*/--\1=/p' "$top_srcdir/src/options/options.def" | tr _ -)
offers 'fencepost run --' $keys
exit $bad
