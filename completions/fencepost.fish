# SPDX-License-Identifier: Apache-2.0
#
# Fish completion of fencepost(1). What there is to complete is asked of the program itself, so that
# an option is written down once.
function __fencepost_words
    commandline -opc
end

function __fencepost_commands
    set -l words (__fencepost_words)
    $words[1] --help 2>/dev/null | sed -n '/^Commands/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1\t\2/p'
end

# Whether the program of "run" does not stand before the word to complete.
function __fencepost_is_before_program
    set -l words (__fencepost_words)
    test (count $words) -gt 1; or return 1
    test "$words[2]" = run; or return 0
    for word in $words[3..]
        string match -q -- '--*' $word; or return 1
    end
    return 0
end

function __fencepost_takes_options
    __fencepost_is_before_program; and not contains -- -- (__fencepost_words)
end

# "--key=", or with one that names a few words, "--key=WORD" for each.
function __fencepost_options
    set -l words (__fencepost_words)
    for option in ($words[1] $words[2] --help=all 2>/dev/null | sed -n 's/^  \(--[^ ]*\).*/\1/p' | string replace '[' '' | string replace ']' '')
        set -l parts (string split -m 1 = -- $option)
        if string match -q '*|*' -- "$parts[2]"
            for value in (string split '|' -- $parts[2])
                echo $parts[1]=$value
            end
        else if set -q parts[2]
            echo $parts[1]=
        else
            echo $parts[1]
        end
    end
end

function __fencepost_is_command
    set -l words (__fencepost_words)
    contains -- "$words[2]" $argv; and __fencepost_is_before_program
end

complete -c fencepost -n 'test (count (__fencepost_words)) -eq 1' -f -a '(__fencepost_commands)'
complete -c fencepost -n __fencepost_takes_options -a '(__fencepost_options)'
complete -c fencepost -n '__fencepost_is_command leaks snapshot' -a '(__fish_complete_pids)'
complete -c fencepost -n '__fencepost_is_command run doctor' -a '(__fish_complete_command)'
complete -c fencepost -n '__fencepost_is_command help' -f -a '(__fencepost_commands)'
