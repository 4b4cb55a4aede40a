# shellcheck shell=bash
# The clang tools, in the version that this code is checked with. Sourced, not run.

# clang_tool NAME: its version 14 where there is one (others format and complain differently).
clang_tool() {
  local name
  for name in "$1-14" "$1"; do
    if command -v "$name" >/dev/null; then
      printf '%s\n' "$name"
      return
    fi
  done
  fail 2 "there is no $1 on the PATH; tools/setup --checks installs it"
}

# sources PATTERN...: the repository's files, those not yet committed too, each ended by a zero byte.
sources() {
  git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@" |
    while IFS= read -r -d '' file; do
      if [[ -f $file ]]; then
        printf '%s\0' "$file"
      fi
    done
}
