# shellcheck shell=bash
# The pinned LibTorch: fetched by hash, unpacked once for all clones. Sourced, not run.

libtorch_release="libtorch-2.11.0-cu130"

# Sets libtorch_folder (what CMake calls CASVIT_LIBTORCH) without fetching anything.
locate_libtorch() {
  libtorch_home="$cache_folder/$libtorch_release"
  # shellcheck disable=SC2034 # tools/build reads it
  libtorch_folder=$(realpath --canonicalize-missing -- "${CASVIT_LIBTORCH:-$libtorch_home/torch}")
}

# The list of wheels, with hashes, of this machine's architecture. $1: "" or "cuda-".
wheel_list() {
  local list
  list="$repository/tools/libtorch/$1$(uname -m).txt"
  [[ -f $list ]] || fail 2 "there is no LibTorch wheel for $(uname -m);" \
    "build LibTorch >= 2.6 for it and name its folder in CASVIT_LIBTORCH"
  printf '%s\n' "$list"
}

# is_unpacked LIST STAMP: whether exactly the wheels that LIST names are there.
is_unpacked() { [[ -f $2 ]] && cmp --quiet "$1" "$2"; }

is_libtorch_present() {
  if [[ -n ${CASVIT_LIBTORCH:-} ]]; then
    [[ -f $CASVIT_LIBTORCH/include/ATen/ATen.h && -f $CASVIT_LIBTORCH/lib/libtorch_cpu.so ]] ||
      fail 2 "CASVIT_LIBTORCH=$CASVIT_LIBTORCH holds no LibTorch: expected include/ATen/ATen.h and" \
        "lib/libtorch_cpu.so below it"
    return 0
  fi
  local list
  list=$(wheel_list "") || exit
  is_unpacked "$list" "$libtorch_home/wheels.txt"
}

# unpack_wheels LIST FOLDER: downloads the wheels of LIST, checks their hashes, unpacks into FOLDER.
# Runs under `locked`, hence in a shell of its own, whose end removes the wheels.
unpack_wheels() {
  local list=$1 folder=$2 platform options=()
  wheels="$cache_folder/wheels.downloading"
  rm -rf -- "$wheels"
  trap 'rm -rf -- "$wheels"' EXIT
  # The wheel of Python 3.11 whatever Python the machine has: only its C++ part is used. Pip takes
  # the platforms by their exact names.
  for platform in manylinux_2_{28,27,25,18,17,12} manylinux2014 manylinux2010; do
    options+=(--platform "${platform}_$(uname -m)")
  done
  [[ -t 1 ]] || options+=(--quiet)
  PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip download \
    --no-cache-dir --no-deps --only-binary=:all: --python-version 3.11 --implementation cp \
    --abi cp311 "${options[@]}" --require-hashes -r "$list" -d "$wheels" ||
    fail 1 "could not download the wheels named in ${list#"$repository/"}; pip says why above." \
      "Without a network: docs/building.md#without-a-network"
  python3 "$repository/tools/libtorch/unpack.py" "$wheels" "$folder" ||
    fail 6 "could not unpack LibTorch into $folder"
}

# need_space MIB: exits 6 when the cache folder's disk has less.
need_space() {
  local free
  free=$(df -Pk -- "$cache_folder" | awk 'NR == 2 {print int($4 / 1024)}')
  ((free >= $1)) || fail 6 "LibTorch needs $1 MiB while it is being unpacked, $cache_folder has" \
    "$free MiB. Free some, set XDG_CACHE_HOME to another disk, or CASVIT_LIBTORCH to a LibTorch"
}

fetch_libtorch() {
  local list aside
  list=$(wheel_list "") || exit
  is_unpacked "$list" "$libtorch_home/wheels.txt" && return # by the set-up that we waited for
  need_space 1700
  aside="$libtorch_home.unpacking"
  rm -rf -- "$aside"
  mkdir -p -- "$aside"
  unpack_wheels "$list" "$aside"
  cp -- "$list" "$aside/wheels.txt"
  # Nobody sees a folder that is not whole: it gets its name last.
  rm -rf -- "$libtorch_home"
  mv -- "$aside" "$libtorch_home"
}

# What a program of the cuda preset loads at run time, from wheels, where libtorch_cuda.so looks.
fetch_gpu_libraries() {
  local list aside
  list=$(wheel_list cuda-) || exit
  is_unpacked "$list" "$libtorch_home/gpu-wheels.txt" && return
  need_space 6000
  aside="$libtorch_home/gpu-libraries.unpacking"
  rm -rf -- "$aside"
  mkdir -p -- "$aside"
  unpack_wheels "$list" "$aside"
  cp -a --link -f -- "$aside/nvidia" "$libtorch_home/"
  rm -rf -- "$aside"
  cp -- "$list" "$libtorch_home/gpu-wheels.txt"
}
