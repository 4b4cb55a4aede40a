# shellcheck shell=bash
# How the scripts talk. Sourced, not run.

# One line of progress, led by the script's name.
say() { printf '%s: %s\n' "${0##*/}" "$*"; }

# A line to standard error.
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail CODE MESSAGE...: the last word of a script. Exit codes: docs/exit-codes.md.
fail() {
  local code=$1
  shift
  warn "$@"
  exit "$code"
}

# print_help FILE: a script's help is the comment block at its head.
print_help() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"; }

# duration SECONDS: "4 min 09 s"
duration() {
  if (($1 >= 60)); then
    printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
  else
    printf '%d s' "$1"
  fi
}
