# SPDX-License-Identifier: Apache-2.0
#
# Bash completion of fencepost(1). What there is to complete is asked of the program itself, so that
# an option is written down once.
_fencepost_list() { # _fencepost_list commands|options: --key=VALUE, of the command
	local program=${COMP_WORDS[0]}
	case $1 in
	commands) "$program" --help 2>/dev/null | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' ;;
	options) "$program" "${COMP_WORDS[1]}" --help=all 2>/dev/null | sed -n 's/^  \(--[^ ]*\).*/\1/p' ;;
	esac
}

# Where the program of "run" stands, or nothing.
_fencepost_program() {
	local i
	[[ ${COMP_WORDS[1]} == run ]] || return
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) echo $((i + 1)) && return ;;
		-*) ;;
		=) ((++i)) ;; # bash has split --key=value into three words
		*) echo "$i" && return ;;
		esac
	done
}

_fencepost_values() { # _fencepost_values KEY WORD
	local value
	value=$(_fencepost_list options | sed -n "s/^--$1\[*=//p")
	case $value in
	*'|'*) mapfile -t COMPREPLY < <(compgen -W "${value//|/ }" -- "$2") ;;
	FILE* | DIRECTORY) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	esac
}

_fencepost() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program
	COMPREPLY=()
	program=$(_fencepost_program)
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(_fencepost_list commands) --help --version" -- "$word")
	elif [[ -n $program ]]; then
		if ((program == COMP_CWORD)); then
			mapfile -t COMPREPLY < <(compgen -c -- "$word")
		elif declare -F _command_offset >/dev/null; then
			_command_offset "$program"
		fi
	elif [[ $word == = ]]; then
		_fencepost_values "${before#--}" ''
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
		_fencepost_values "${before#--}" "$word"
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_fencepost_list options | sed 's/\[*=.*/=/')" -- "$word")
		[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
	elif [[ ${COMP_WORDS[1]} == @(leaks|snapshot|explain) ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(ps -u "$EUID" -o pid= 2>/dev/null)" -- "$word")
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
	elif [[ ${COMP_WORDS[1]} == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_fencepost_list commands)" -- "$word")
	elif [[ ${COMP_WORDS[1]} == run || ${COMP_WORDS[1]} == doctor ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	fi
}

complete -o default -F _fencepost fencepost
