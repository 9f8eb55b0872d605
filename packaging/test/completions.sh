#!/bin/bash
# completions.sh TREE - what bash, zsh and fish offer after some words, with the files of an unpacked package.
#
# Each shell is asked in its own way: bash by calling its function, zsh at a terminal
# made for it, fish by its own query.
set -euo pipefail
case ${1-} in '' | -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0"; exit 0 ;; esac
share=$(realpath "$1")/usr/share
"$(dirname "$0")/../../build/need.sh" zsh:zsh fish:fish
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
touch first.cfg

fail() { echo "completions.sh: $*" >&2; exit 1; }
# offers SHELL TEXT OFFER...: the shell's answer to the text contains each offer.
offers() {
    local shell=$1 text=$2 offer
    "ask_$shell" "$text" >said 2>&1 || true
    for offer in "${@:3}"; do
        grep -qF -- "$offer" said || { cat -v said >&2; fail "$shell: no '$offer' after '$text'"; }
    done
}
refuses() {
    "ask_$1" "$2" >said 2>&1 || true
    if grep -qF -- "$3" said; then fail "$1: '$3' after '$2'"; fi
}

# shellcheck disable=SC2016
ask_bash() {
    read -ra words <<<"$1."
    words[-1]=${words[-1]%.}
    bash --norc -c '. "$0"; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluice; printf "%s\n" "${COMPREPLY[@]}"' \
        "$share/bash-completion/completions/sluice" "${words[@]}"
}

ask_fish() { fish --no-config -c "source '$share/fish/vendor_completions.d/sluice.fish'; complete -C '$1'"; }

# After the key that completes comes one that prints what has become of the line.
cat >ask.zsh <<'ZSH'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= RPS1=; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D
    become() { zle -I; print -r -- \"line: \$BUFFER;\" }; zle -N become; bindkey '^X' become; print ready-\$((1+1))"
zpty -r shell out '*ready-2*'
zpty -w -n shell "$2"$'\t\C-x'
zpty -r shell out '*line: *;*'
print -r -- "$out"
zpty -d shell
ZSH
ask_zsh() { timeout 10 zsh -f ask.zsh "$(echo "$share"/zsh/*)" "$@"; }

for shell in bash fish; do
    offers "$shell" 'sluice ch' check
    offers "$shell" 'sluice -d' -db -dW
    offers "$shell" 'sluice -' -f
    offers "$shell" 'sluice --' --leave-others
    offers "$shell" 'sluice -f fi' first.cfg
    refuses "$shell" 'sluice -L fi' first.cfg
    offers "$shell" 'sluice check fi' first.cfg
    offers "$shell" 'sluice check --' --fix --print --format --help
    refuses "$shell" 'sluice check --' --leave-others
    offers "$shell" 'sluice check --format ' text json
    offers "$shell" 'sluice fmt --write fi' first.cfg
    offers "$shell" 'sluice migrate --drop-ins fi' first.cfg
    offers "$shell" 'sluice explain -f fi' first.cfg
    offers "$shell" 'sluice explain --' --file --header --src
    refuses "$shell" 'sluice explain --src fi' first.cfg
    refuses "$shell" 'sluice -f first.cfg --' --fix
done
offers zsh 'sluice ch' 'line: sluice check ;'
offers zsh 'sluice -f fi' 'line: sluice -f first.cfg ;'
offers zsh 'sluice check fi' 'line: sluice check first.cfg ;'
offers zsh 'sluice check --fi' 'line: sluice check --fix ;'
offers zsh 'sluice check --format j' 'line: sluice check --format json ;'
offers zsh 'sluice explain -f fi' 'line: sluice explain -f first.cfg ;'
offers zsh 'sluice fmt --' 'Rewrites the files instead of printing them.'
offers zsh 'sluice -d' 'Does not splice.'
offers zsh 'sluice ' "the way servers' names"
echo 'completions.sh: all well'
