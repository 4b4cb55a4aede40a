# shellcheck shell=bash
# Debian and Ubuntu packages: which are missing, and installing those. Sourced, not run.

# package, or package:command where any such command on the PATH will do instead.
# shellcheck disable=SC2034 # not everyone who sources this builds
build_packages=(
  build-essential:g++ cmake:cmake ninja-build:ninja ccache:ccache mold:mold git:git
  ca-certificates python3:python3 python3-pip python3-venv
  libopenmpi-dev openmpi-bin:mpirun libhdf5-dev libjpeg-dev libpng-dev libwebp-dev libxxhash-dev
  librsvg2-2 libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libonnx-dev libprotobuf-dev libgtest-dev libgmock-dev
)
# Only .ci/run needs these; the last two are for tests that run several hosts (tests/k8s).
# shellcheck disable=SC2034
check_packages=(clang:clang clang-14:clang-14 libclang-rt-14-dev clang-format:clang-format clang-tidy:clang-tidy shellcheck:shellcheck)
# What the tests of launch/run take for a cluster: 41 MB on a bare Debian 12, half a minute.
# shellcheck disable=SC2034
cluster_packages=(openssh-server iproute2:ip slurm-wlm munge)

has_dpkg() { command -v dpkg-query >/dev/null; }

# missing_packages ENTRY...: names of the packages to install, one a line.
missing_packages() {
  local entry package command installed
  # It fails when it does not know one of them, and still tells of the others.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${@%%:*}" 2>/dev/null || true)
  for entry in "$@"; do
    package=${entry%%:*}
    command=${entry#"$package"}
    command=${command#:}
    if [[ $'\n'$installed$'\n' == *$'\n'"installed $package"$'\n'* ]] ||
      { [[ -n $command ]] && command -v "$command" >/dev/null; }; then
      continue
    fi
    # A pip or venv that came with another Python serves as well as the package.
    case $package in
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
      python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
    esac
    printf '%s\n' "$package"
  done
}

# True when apt knows a version of every package named.
have_candidates() {
  local known
  known=$(LC_ALL=C apt-cache policy "$@" 2>/dev/null | grep -c '^  Candidate: [^(]')
  ((known == $#))
}

# as_root COMMAND...: through sudo when we are not root.
as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# install_packages PACKAGE...: installs them, or prints the command that would and exits 2.
install_packages() {
  local command="apt-get update && apt-get install -y --no-install-recommends $*"
  if ((EUID != 0)); then
    # Without a terminal sudo cannot ask for a password.
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      warn "packages are missing, and installing them needs root. As root, run"
      printf '\n    %s\n\n' "$command" >&2
      fail 2 "then run this again"
    fi
    command="sudo apt-get update && sudo ${command#*&& }"
  fi
  # The lists of a fresh machine are empty, those of an old one name packages that have gone.
  if { have_candidates "$@" && apt_install "$@"; } ||
    { as_root apt-get update -q && apt_install "$@"; }; then
    return
  fi
  warn "apt could not install the missing packages. See its message above, then run"
  printf '\n    %s\n\n' "$command" >&2
  fail 2 "and run this again"
}

# Versions that the packages of older systems do not reach.
check_versions() {
  local version compiler=${CXX:-g++}
  version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
  if ! printf '%s\n' 3.25 "$version" | sort --check=quiet --version-sort; then
    fail 2 "cmake $version is too old, 3.25 is the least. Debian 12 and Ubuntu 24.04 bring one that" \
      "will do; elsewhere: python3 -m pip install --user 'cmake>=3.25,<4' and put ~/.local/bin" \
      "on the PATH"
  fi
  command -v "$compiler" >/dev/null || fail 2 "there is no compiler $compiler on the PATH (CXX)"
  if [[ ${compiler##*/} == *g++* && ${compiler##*/} != *clang* ]]; then
    version=$("$compiler" -dumpversion)
    if ((${version%%.*} < 12)); then
      fail 2 "g++ $version is too old, 12 is the least. Ubuntu 22.04 has it beside its own:" \
        "install g++-12, and call this with CXX=g++-12"
    fi
  fi
}
