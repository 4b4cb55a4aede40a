"""Opens what casvit-pack wrote with h5py, and compares it with the pictures it was made from."""

import os
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
SOURCE = pathlib.Path("data/seedlings")


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def check_part(path, part):
    with h5py.File(path) as file:
        check(file.attrs["format"] == "casvit-hdf5", "format")
        check(file.attrs["complete"] == 1, "complete")
        check(file.attrs["split"] == part, "split")
        check(file.attrs["schema_major"] == 1, "schema_major")
        check((file["images/orientation"][:] == 1).all(), "seedlings are upright")
        np.testing.assert_array_equal(file.attrs["mean"], np.float32([0.3281, 0.2894, 0.207]))
        blob = file["images/bytes"]
        check(blob.chunks is None and blob.compression is None, "the blob is not contiguous")
        offset, length = file["images/offset"][:], file["images/length"][:]
        check((offset % 64 == 0).all(), "samples are not aligned")

        names = [name.decode() for name in file["classes/name"][:]]
        folders = sorted(entry.name for entry in (SOURCE / part).iterdir() if entry.is_dir())
        check(names == folders, f"class names {names} are not the sorted folders {folders}")

        starts, paths = file["source/offset"][:], file["source/path"][:]
        labels = file["labels/class"][:]
        seen = set()
        for i, label in enumerate(labels):
            source = os.fsdecode(paths[starts[i]:starts[i + 1]].tobytes())
            stored = blob[offset[i]:offset[i] + length[i]].tobytes()
            check(stored == (SOURCE / source).read_bytes(), f"bytes of sample {i} ({source})")
            check(pathlib.Path(source).parent.name == folders[label], f"label of {source}")
            codec = file["images/codec"][i]
            check(codec == {".jpg": 1, ".png": 2}[pathlib.Path(source).suffix], f"codec of {source}")
            seen.add(source)
        expected = {str(p.relative_to(SOURCE)) for p in (SOURCE / part).glob("*/*.*")}
        check(seen == expected, f"{len(seen)} pictures were packed, {len(expected)} are there")
        counts = np.bincount(labels, minlength=len(names))
        check((counts == file["classes/count"][:]).all(), "counts")
        return len(labels)


with tempfile.TemporaryDirectory() as folder:
    output = pathlib.Path(folder) / "seedlings.h5"
    subprocess.run([PACK, SOURCE, "-o", output, "--mean", "0.3281,0.2894,0.207"], check=True)
    samples = {part: check_part(output.with_suffix(f".{part}.h5"), part) for part in ("train", "val")}
check(samples == {"train": 396, "val": 96}, f"unexpected counts {samples}")
print(f"h5py read {samples} samples, all as they were packed")
