"""The root of pods (pod.py): an image's tree, or else this machine's own with a layer on top, which the image's last
step, configure.sh, and the programs under test make once."""

import atexit
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LAUNCH = pathlib.Path(os.environ.get("CASVIT_LAUNCH", REPOSITORY))  # whose launch/run is tried
BIN = pathlib.Path(os.environ.get("CASVIT_BIN", REPOSITORY / "build/release/bin"))
IMAGE = os.environ.get("CASVIT_IMAGE_ROOT")

# In a mount namespace that lives until its standard input ends.
MAKE_LAYER = r"""
set -euo pipefail
folder=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
mkdir "$folder"/{layer,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/layer,workdir=$folder/work" "$folder/root"
root=$folder/root
eval "$2" >&2
umount "$root"
echo ready
exec cat
"""

# Here somebody may be 1000 already; and libraries may lie below folders that only their owner may enter.
FILES = r"""
mkdir -p "$root/opt/casvit/bin" "$root/opt/casvit/launch" "$root/opt/casvit/tools"
cp -L BIN/casvit_dist BIN/casvit-pack "$root/opt/casvit/bin/"
cp -r REPOSITORY/k8s/image "$root/opt/casvit/image"
for script in worker healthy known-hosts pack-part; do
  cp "$root/opt/casvit/image/$script" "$root/opt/casvit/bin/casvit-$script"
done
cp -r LAUNCH/tools/shell "$root/opt/casvit/tools/"
cp -r LAUNCH/launch/run LAUNCH/launch/shell "$root/opt/casvit/launch/"
sed -i /^casvit:/d "$root"/etc/{passwd,group,shadow,gshadow} || true
sed -i -E "/^[^:]*:[^:]*:1000:/d" "$root/etc/passwd" "$root/etc/group"
chroot "$root" /opt/casvit/image/configure.sh
ldd "$root/opt/casvit/bin/casvit_dist" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | while read -r library; do
  folder=$(dirname "$(realpath "$library")")
  while [[ $folder != / ]]; do
    if [[ -e $root$folder && -z $(find "$root$folder" -maxdepth 0 -perm -001) ]]; then chmod a+x "$root$folder"; fi
    folder=$(dirname "$folder")
  done
done
"""


def quoted(text):
    return "'" + str(text).replace("'", "'\\''") + "'"


class Root:
    """`lower`: the folders of which an overlay makes a pod's root; `enter`: options of nsenter to where they are."""

    def __init__(self, lower, enter):
        self.lower, self.enter = lower, enter


@functools.cache
def root():
    if IMAGE:
        return Root(IMAGE, [])
    folder = tempfile.mkdtemp(prefix="casvit-layer-", dir="/var/tmp")
    atexit.register(shutil.rmtree, folder)
    files = FILES
    for name, path in (("BIN", BIN), ("REPOSITORY", REPOSITORY), ("LAUNCH", LAUNCH)):
        files = files.replace(f" {name}/", f" {quoted(path)}/")
    holder = subprocess.Popen(
        ["unshare", "--mount", "bash", "-c", MAKE_LAYER, "bash", folder, files],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    if holder.stdout.readline() != b"ready\n":
        raise AssertionError(f"the layer of the pods could not be made: {holder.communicate()[1].decode()}")
    holder.stdout.close()
    atexit.register(holder.communicate)  # ends it
    return Root(f"{folder}/layer:/", [f"--mount=/proc/{holder.pid}/ns/mnt"])
