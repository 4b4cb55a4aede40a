"""Changes a container with h5py, as users do, and compares what casvit-pack then reads with what h5py
reads: values where it still is a plain file, a refusal that says why where it is not."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import h5py
import numpy as np

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
SOURCE = pathlib.Path("data/seedlings/val")


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def run(*arguments):
    return subprocess.run([PACK, *map(str, arguments)], capture_output=True, text=True, check=False)


def check_same(path, name):
    """What `info` says is what h5py says, and every picture is whole."""
    result = run("info", "--json", path)
    check(result.returncode == 0, f"{name}: info ended with {result.returncode}: {result.stderr}")
    info = json.loads(result.stdout)["files"][0]
    with h5py.File(path) as file:
        for key in ("split", "created", "tool_version", "command_line", "index_hash"):
            value = file.attrs[key]
            value = value.decode() if isinstance(value, bytes) else str(np.asarray(value).reshape(()))
            check(info[key] == value, f"{name}: {key} is {info[key]!r}, h5py reads {value!r}")
        for key in ("mean", "std"):
            expected = np.asarray(file.attrs[key], np.float32)
            check((np.float32(info[key]) == expected).all(), f"{name}: {key} {info[key]} {expected}")
        check(info["classes"] == [n.decode() for n in file["classes/name"][:]], f"{name}: classes")
        check(info["class_counts"] == file["classes/count"][:].tolist(), f"{name}: counts")
        check(info["samples"] == len(file["images/offset"]), f"{name}: samples")
    verified = run("verify", path)
    check(verified.returncode == 0, f"{name}: verify: {verified.stderr}")


def check_refused(path, name, words):
    result = run("info", path)
    check(result.returncode == 3, f"{name}: info ended with {result.returncode}: {result.stderr}")
    check(words in result.stderr and str(path) in result.stderr, f"{name}: {result.stderr!r}")


def set_attribute(key, value):
    def change(file):
        file.attrs[key] = value

    return change


def replace(key, value, **options):
    """Deletes the attribute first: another type then takes its place."""

    def change(file):
        del file.attrs[key]
        file.attrs.create(key, value, **options)

    return change


def many_attributes(file):
    for i in range(300):
        file.attrs[f"note {i}"] = "x" * 50


def many_members(file):
    for i in range(500):
        file.create_group(f"own/{i:04}")
        file.create_group(f"group {i:04}")


def own_arrays(file):
    file["own/chunked"] = np.arange(5)
    file.create_dataset("images/thumbnails", data=np.zeros((4, 5)), chunks=True, compression=4)
    file["classes/alias"] = h5py.SoftLink("/classes/name")


def rewrite_names(file):
    names = file["classes/name"][:]
    del file["classes/name"]
    file["classes/name"] = names.astype(f"S{names.dtype.itemsize + 40}")


ACCEPTED = {
    "mean as a list": set_attribute("mean", [0.25, 0.5, 0.125]),
    "mean modified in place": lambda file: file.attrs.modify("mean", [0.25, 0.5, 0.75]),
    "mean big-endian": replace("mean", np.array([0.1, 0.2, 0.3], ">f4")),
    "std of 64 bits, big-endian": replace("std", np.array([0.1, 0.2, 0.3], ">f8")),
    "split as text": set_attribute("split", "täst"),
    "split as bytes": set_attribute("split", np.bytes_(b"holdout")),
    "split empty": set_attribute("split", ""),
    "split of one element": replace("split", np.array(["x"], dtype=object), dtype=h5py.string_dtype()),
    "long command line": set_attribute("command_line", "casvit-pack " + "x" * 60000),
    "schema_minor of 64 bits": set_attribute("schema_minor", np.int64(7)),
    "schema_major of 8 bits": set_attribute("schema_major", np.uint8(1)),
    "complete big-endian": replace("complete", np.array(1, ">i4")),
    "attributes of the user's": many_attributes,
    "an attribute named in UTF-8": set_attribute("größe", 1),
    "arrays of the user's": own_arrays,
    "many groups of the user's": many_members,
    "wider class names": rewrite_names,
    "an attribute of an array": lambda file: file["images/bytes"].attrs.create("note", "hello"),
}

REFUSED = {
    "complete is true": (set_attribute("complete", True), "'complete' has the wrong type"),
    "complete is a text": (set_attribute("complete", "yes"), "'complete' has the wrong type"),
    "mean is one number": (set_attribute("mean", 0.5), "'mean' has the wrong type"),
    "mean of integers": (set_attribute("mean", [1, 2, 3]), "'mean' has the wrong type"),
    "mean of 16 bits": (set_attribute("mean", np.float16([1, 2, 3])), "'mean' has the wrong type"),
    "split empty of type": (replace("split", h5py.Empty("S4")), "'split' has the wrong type"),
    "std is gone": (lambda file: file.attrs.pop("std"), "the attribute 'std' is missing"),
    "complete is 0": (set_attribute("complete", 0), "not complete"),
    "a group is gone": (lambda file: file.pop("labels"), "the array /labels/class is missing"),
}


def copy_in_newest_form(source, target, compact_attributes):
    """The same content with superblock 3 and object headers of version 2."""
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    if compact_attributes:
        creation.set_attr_phase_change(100, 90)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    new = h5py.h5f.create(os.fsencode(target), h5py.h5f.ACC_TRUNC, creation, access)
    with h5py.File(source) as old, h5py.File(new) as file:
        for name in old:
            old.copy(name, file)
        for name, value in old.attrs.items():
            file.attrs[name] = value
    with open(target, "rb") as raw:
        check(raw.read(9)[8] >= 2, "h5py made no newer superblock")


def with_user_block(source, target):
    with h5py.File(source) as old, h5py.File(target, "w", userblock_size=512) as file:
        for name in old:
            old.copy(name, file)


def committed_type(source, target):
    shutil.copy(source, target)
    with h5py.File(target, "a") as file:
        labels = file["labels/class"][:]
        file["label"] = np.dtype("<i4")
        del file["labels/class"]
        file.create_dataset("labels/class", data=labels, dtype=file["label"])


def check_every_byte_of_new_headers(path, folder):
    """Newer structures have checksums: not one byte of the root's header can change unseen."""
    data = bytearray(path.read_bytes())
    root = struct.unpack_from("<Q", data, 36)[0]
    check(data[root:root + 4] == b"OHDR", "the root group has no new header")
    other = folder / "flipped.h5"
    for at in [*range(9, 48), *range(root, root + 60)]:
        data[at] ^= 0x11
        other.write_bytes(data)
        result = run("info", other)
        check(result.returncode == 3, f"byte {at} changed unseen: {result.stdout}")
        data[at] ^= 0x11


def main(folder):
    original = folder / "original.h5"
    subprocess.run([PACK, SOURCE, "-o", original], check=True, capture_output=True)
    path = folder / "changed.h5"
    check_same(original, "as packed")
    for name, change in ACCEPTED.items():
        shutil.copy(original, path)
        with h5py.File(path, "a") as file:
            change(file)
        check_same(path, name)
    for name, (change, words) in REFUSED.items():
        shutil.copy(original, path)
        with h5py.File(path, "a") as file:
            change(file)
        check_refused(path, name, words)

    copy_in_newest_form(original, path, compact_attributes=True)
    check_same(path, "newest form")
    check_every_byte_of_new_headers(path, folder)
    copy_in_newest_form(original, path, compact_attributes=False)
    check_refused(path, "dense attributes", "stored densely")
    with_user_block(original, path)
    check_refused(path, "user block", "begins with a user block")
    committed_type(original, path)
    check_refused(path, "committed type", "is stored with another object")
    return len(ACCEPTED) + 1, len(REFUSED) + 3


with tempfile.TemporaryDirectory() as temporary:
    accepted, refused = main(pathlib.Path(temporary))
print(f"{accepted} changed containers were read as h5py reads them, {refused} were refused")
