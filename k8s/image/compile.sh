#!/usr/bin/env bash
# A step of the image, run in the clone on a bare Debian 12: builds the programs with tools/build and lays
# out everything that the image has of ours.
#
#   k8s/image/compile.sh PRESET FOLDER     e.g. release /opt/casvit
#
# FOLDER gets bin/ (programs and the image's own scripts), launch/, share/ (recipes, licences), torch/lib
# and nvidia/ (LibTorch, where casvit_dist looks for it), and debian-packages.txt: what runtime.sh installs.
set -euo pipefail
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
cd -- "$repository"
# shellcheck source=tools/shell/say.sh
source tools/shell/say.sh
# shellcheck source=tools/shell/folders.sh
source tools/shell/folders.sh
# shellcheck source=tools/shell/libtorch.sh
source tools/shell/libtorch.sh
(($# == 2)) || fail 2 "needs a preset and a folder"
preset=$1 folder=$2

tools/build "$preset" casvit_dist casvit-pack
if [[ $preset == cuda ]]; then
  tools/setup --gpu-libraries
fi
use_cache_folder
locate_libtorch

mkdir -p -- "$folder"/{bin,launch,share/licenses,torch/lib}
cmake --install "build/$preset" --prefix "$folder" --strip
for script in worker healthy known-hosts pack-part; do
  install -m 755 "k8s/image/$script" "$folder/bin/casvit-$script"
done
# The launcher's scripts and what they source, with their places kept.
find launch tools/shell -type f \( -perm -u+x -o -name '*.sh' \) -print0 |
  while IFS= read -r -d '' script; do
    install -D -m "$(stat -c %a "$script")" "$script" "$folder/$script"
  done
cp -- LICENSE "$folder/share/licenses/casvit.txt"

# LibTorch: what the program loads, at the places that its own search path knows.
if [[ $preset == cuda ]]; then
  (cd -- "$libtorch_home" && find torch/lib torch.libs nvidia -name 'lib*.so*' 2>/dev/null) || true
else
  ldd "build/$preset/bin/casvit_dist" | awk -v home="$(realpath -- "$libtorch_home")/" \
    'index($3, home) == 1 {print substr($3, length(home) + 1)}'
fi | while read -r library; do
  # ldd writes torch/lib/../../nvidia/...: the real place, below the same folder.
  place=$(realpath --no-symlinks --relative-to="$libtorch_home" -- "$libtorch_home/$library")
  install -D -m 644 "$libtorch_home/$library" "$folder/$place"
done
find "$libtorch_home" -path '*.dist-info/*' -type f -print0 |
  while IFS= read -r -d '' licence; do
    install -D -m 644 "$licence" "$folder/share/licenses/${licence#"$libtorch_home"/}"
  done

# The Debian packages that the programs load, so that no list of them can go stale.
{
  {
    for program in "$folder/bin/casvit_dist" "$folder/bin/casvit-pack"; do
      ldd "$program" | awk '$3 ~ "^/(usr/)?lib" {print $3}'
    done
    # Loaded by name, when a report is drawn (trainer/report/png.cpp).
    ldconfig -p | awk '$1 == "librsvg-2.so.2" {print $NF}' | grep . || fail 70 "there is no librsvg-2.so.2"
  } | sort -u | while read -r library; do
    # dpkg knows a file by the name it was installed under: /lib is a link to /usr/lib.
    dpkg-query -S "$library" 2>/dev/null || dpkg-query -S "/usr$library" 2>/dev/null ||
      dpkg-query -S "$(realpath -- "$library")"
  done | sed 's/:.*//' | sort -u
} >"$folder/debian-packages.txt"
[[ -s $folder/debian-packages.txt ]] || fail 70 "found no Debian package that the programs load"

# The cache folder stays behind; the driver's library comes from the node.
missing=$(ldd "$folder/bin/casvit_dist" | grep -e 'not found' -e "$(realpath -- "$libtorch_home")/" |
  grep -v libcuda.so || true)
[[ -z $missing ]] || fail 70 "casvit_dist in $folder would not find its libraries: $missing"
say "$folder: $(du -sh -- "$folder" | cut -f 1)"
