#!/usr/bin/env bash
# A step of the image, run as root on a bare Debian 12: installs what the programs load, Open MPI and sshd,
# makes the user, and takes away what nobody needs.
#
#   k8s/image/runtime.sh PACKAGES.txt      the list that compile.sh made
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
mapfile -t packages <"$1"

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# fontconfig makes the list of fonts now: on a read-only root file system nobody can later.
apt-get install -q -y --no-install-recommends "${packages[@]}" fontconfig openmpi-bin openssh-client openssh-server
apt-get clean
rm -rf -- /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log

"$here/configure.sh"

# Nothing runs with more rights than its caller.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
