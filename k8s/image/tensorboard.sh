#!/usr/bin/env bash
# A step of the image tensorboard, run as root on a bare Debian 12: TensorBoard in an environment of its own,
# with versions and hashes pinned.
#
#   k8s/image/tensorboard.sh
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends ca-certificates python3 python3-venv
apt-get clean
rm -rf -- /var/lib/apt/lists/*
python3 -m venv /opt/tensorboard
/opt/tensorboard/bin/pip install --no-cache-dir --only-binary :all: --require-hashes \
  -r "$here/tensorboard-requirements.txt"
groupadd --gid 1000 casvit
useradd --uid 1000 --gid 1000 --create-home casvit
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
