# shellcheck shell=bash
# Configuring and building a preset. Sourced, not run.

# Read without Python, which a machine that is not set up may lack.
list_presets() {
  sed -n 's/.*{"name": "\([a-z]*\)", "configurePreset".*/\1/p' "$repository/CMakePresets.json" |
    paste -sd ' '
}

is_preset() { [[ " $(list_presets) " == *" $1 "* ]]; }

# The sanitizer presets and the fuzzers leave the trainer out, and with it LibTorch.
needs_libtorch() { [[ $1 != asan && $1 != tsan && $1 != fuzz ]]; }

# cached VARIABLE CACHE_FILE: what a configured build folder holds for it.
cached() { sed -n "s/^$1:[A-Z]*=//p" "$2"; }

# configure PRESET LIBTORCH PYTHON: only when something that configuring depends on has changed; the
# build itself notices changed CMakeLists.txt files.
configure() {
  local folder="$repository/build/$1" libtorch=$2 python=$3 cache
  cache="$folder/CMakeCache.txt"
  if [[ -f $folder/build.ninja && $cache -nt $repository/CMakePresets.json ]] &&
    [[ $(cached CASVIT_PYTHON "$cache") == "$python" ]] &&
    { ! needs_libtorch "$1" || [[ $(cached CASVIT_LIBTORCH "$cache") == "$libtorch" ]]; }; then
    return
  fi
  local arguments=(--preset "$1" "-DCASVIT_PYTHON:FILEPATH=$python")
  if needs_libtorch "$1"; then
    arguments+=("-DCASVIT_LIBTORCH:PATH=$libtorch")
  fi
  say "configuring build/$1"
  mkdir -p -- "$folder"
  if ! (cd -- "$repository" && cmake "${arguments[@]}") >"$folder/configure.log" 2>&1; then
    cat -- "$folder/configure.log" >&2
    fail 1 "configuring build/$1 failed; the messages are above and in build/$1/configure.log"
  fi
  # CMake leaves a cache that did not change with its old time.
  touch -- "$cache"
}

# How many compilers at a time: one that reads LibTorch's headers takes up to 2 GB.
parallel_jobs() {
  local cores memory_gib
  cores=$(nproc)
  memory_gib=$(awk '$1 == "MemAvailable:" {print int($2 / 1048576)}' /proc/meminfo)
  local by_memory=$((memory_gib / 2))
  ((by_memory >= 1)) || by_memory=1
  printf '%s\n' "${CMAKE_BUILD_PARALLEL_LEVEL:-$((cores < by_memory ? cores : by_memory))}"
}

# Ninja's lines, thinned to one of every tenth of the way; anything else (warnings, errors) whole.
thin_progress() {
  awk '/^\[[0-9]+\/[0-9]+/ {
         split(substr($1, 2), of, "[/ \\]]"); tenth = int(10 * of[1] / of[2])
         if (tenth != last || of[1] == of[2]) { last = tenth; print; fflush() }
         next
       }
       { print; fflush() }'
}

# build PRESET VERBOSE [TARGET...]
build() {
  local folder="$repository/build/$1" verbose=$2 status=0
  shift 2
  local arguments=(-C "$folder" -j "$(parallel_jobs)")
  export NINJA_STATUS='[%f/%t %es] '
  if [[ $verbose == yes ]]; then
    ninja "${arguments[@]}" -v "$@" || status=$?
  elif [[ -t 1 ]]; then
    ninja "${arguments[@]}" "$@" || status=$?
  else
    ninja "${arguments[@]}" "$@" | thin_progress || status=$?
  fi
  ((status == 0)) || fail 1 "the build of build/${folder##*/} failed; the messages are above"
}
