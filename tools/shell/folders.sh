# shellcheck shell=bash
# Where things are kept. Sourced, not run.

# The root of the clone.
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

# True when the folder can be made (or is there) and can be written to.
is_writable_folder() { mkdir -p -- "$1" 2>/dev/null && [[ -w $1 ]]; }

# What all clones of one user share: LibTorch and the tests' Python. It is the user's cache folder,
# or .cache in the clone where there is none that can be written to (HOME unset, a service account).
find_cache_folder() {
  if [[ -n ${XDG_CACHE_HOME:-} ]] && is_writable_folder "$XDG_CACHE_HOME/casvit"; then
    printf '%s\n' "$XDG_CACHE_HOME/casvit"
  elif [[ -n ${HOME:-} ]] && is_writable_folder "$HOME/.cache/casvit"; then
    printf '%s\n' "$HOME/.cache/casvit"
  elif is_writable_folder "$repository/.cache/casvit"; then
    printf '%s\n' "$repository/.cache/casvit"
  else
    return 1
  fi
}

# Sets cache_folder, and a place for ccache where its own default cannot be written to.
use_cache_folder() {
  cache_folder=$(find_cache_folder) ||
    fail 6 "no folder for downloads can be written to; set XDG_CACHE_HOME to one"
  if [[ -z ${CCACHE_DIR:-} && $cache_folder == "$repository/.cache/casvit" ]]; then
    export CCACHE_DIR="$repository/.cache/ccache"
  fi
}

# locked NAME COMMAND...: runs COMMAND while holding a lock that all clones share, so that two
# set-ups at the same time do one thing once. The command runs in this shell's child.
locked() (
  name=$1
  shift
  exec 9>"$cache_folder/$name.lock"
  if ! flock --nonblock 9; then
    say "waiting for another set-up to finish with $name"
    flock 9
  fi
  "$@"
)
