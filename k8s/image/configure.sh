#!/usr/bin/env bash
# A step of the image, run as root after the packages are there: user, sshd, ssh. It needs no network and
# looks at nothing else, so that tests can run it on top of any Debian.
#
#   k8s/image/configure.sh
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

# sshd lets in who has a shell and an entry in the password file; there is no password.
getent group casvit >/dev/null || groupadd --gid 1000 casvit
getent passwd casvit >/dev/null ||
  useradd --uid 1000 --gid 1000 --create-home --home-dir /home/casvit --shell /bin/bash casvit
install -d -o casvit -g casvit -m 755 /home/casvit /home/casvit/.ssh # the operator mounts its keys there
install -d -o casvit -g casvit -m 755 /data /runs

# Each job brings its own keys; those that the package made would be the same in every container.
rm -f -- /etc/ssh/ssh_host_*
rm -rf -- /etc/ssh/sshd_config.d /etc/ssh/ssh_config.d
install -m 644 "$here/sshd_config" /etc/ssh/sshd_config
install -m 644 "$here/ssh_config" /etc/ssh/ssh_config

# On the path of ssh's sessions too, which know nothing of the image's variables.
for program in casvit_dist casvit-pack; do
  ln -sf "/opt/casvit/bin/$program" "/usr/local/bin/$program"
done
