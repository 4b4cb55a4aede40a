"""What `casvit-pack info | stats | leaks | extract` say of packed pictures, against numpy, Pillow and h5py."""

import filecmp
import io
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np
from PIL import Image, ImageEnhance

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
SOURCE = pathlib.Path("data/seedlings")


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def run(*arguments, code=0):
    result = subprocess.run([PACK, *map(str, arguments)], capture_output=True, text=True, check=False)
    check(result.returncode == code,
          f"casvit-pack {arguments} ended with {result.returncode}, not {code}: {result.stderr}")
    return result


def run_json(*arguments, code=0):
    return json.loads(run(*arguments, "--json", code=code).stdout)


def pictures_of(path):
    with h5py.File(path) as file:
        offsets, lengths, blob = file["images/offset"][:], file["images/length"][:], file["images/bytes"]
        for offset, length in zip(offsets, lengths):
            picture = Image.open(io.BytesIO(blob[offset:offset + length].tobytes()))
            yield np.asarray(picture.convert("RGB"), np.float64) / 255


def check_statistics(path):
    pictures = list(pictures_of(path))
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures])
    means = np.array([picture.mean((0, 1)) for picture in pictures])
    stds = np.array([picture.std((0, 1)) for picture in pictures])
    result = run_json("stats", path, "--workers", 2)
    check(result == run_json("stats", path, "--workers", 1), "statistics depend on the workers")
    check(result["pictures"] == len(pictures) and result["pixels"] == len(pixels), "counts")
    for key, kind, expected in (
        ("mean", "over_pixels", pixels.mean(0)),
        ("std", "over_pixels", pixels.std(0)),
        ("mean", "per_picture", means.mean(0)),
        ("std", "per_picture", stds.mean(0)),
    ):
        np.testing.assert_allclose(result[kind][key], expected, atol=2e-9, err_msg=f"{kind} {key}")
    check(abs(result["over_pixels"]["std"][0] - result["per_picture"]["std"][0]) > 0.001, "one number twice")

    sizes = result["files"][0]["sizes"]
    widths = np.array([picture.shape[1] for picture in pictures])
    heights = np.array([picture.shape[0] for picture in pictures])
    for name, values in (("width", widths), ("height", heights), ("aspect_ratio", widths / heights),
                         ("shorter_side", np.minimum(widths, heights))):
        for quantile, share in (("min", 0), ("p10", 0.1), ("median", 0.5), ("p90", 0.9), ("max", 1)):
            expected = np.quantile(values, share, method="lower")
            check(math.isclose(sizes[name][quantile], expected), f"{name} {quantile}")
    check(sum(b["count"] for b in sizes["shorter_side_bins"]) == len(pictures), "bins of sides")
    check(sum(b["count"] for b in sizes["aspect_ratio_bins"]) == len(pictures), "bins of aspects")

    with h5py.File(path) as file:
        counts = np.bincount(file["labels/class"][:], minlength=len(file["classes/name"]))
    share = counts / counts.sum()
    balance = result["files"][0]["balance"]
    check((balance["least"], balance["greatest"]) == (counts.min(), counts.max()), "balance")
    evenness = -(share * np.log(share)).sum() / np.log(len(share))
    check(math.isclose(balance["evenness"], evenness, rel_tol=1e-12), "evenness")
    return result


def check_stored_statistics(path, result):
    before = path.read_bytes()
    index_hash = run_json("info", path)["files"][0]["index_hash"]
    run("stats", path, "--write")
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file.attrs["mean"], np.float32(result["over_pixels"]["mean"]))
        np.testing.assert_array_equal(file.attrs["std"], np.float32(result["over_pixels"]["std"]))
        check(file.attrs["complete"] == 1, "the file is not marked complete")
    after = path.read_bytes()
    check(len(before) == len(after), "the file's size changed")
    changed = sum(a != b for a, b in zip(before, after))
    check(0 < changed <= 24, f"{changed} bytes changed")
    check(run_json("info", path)["files"][0]["index_hash"] == index_hash, "the index hash changed")
    run("verify", path)

    with h5py.File(path, "a") as file:  # an interruption, and another type
        file.attrs["complete"] = np.uint32(2)
        file.attrs["mean"] = [float("nan"), 0, 0]
        file.attrs["std"] = np.array([0, 0, 0], ">f8")
    for command in ("info", "verify", "stats"):
        refusal = run(command, path, code=3)
        check("storing its mean and std was interrupted" in refusal.stderr, refusal.stderr)
    run("stats", path, "--write", "--kind", "pictures")
    with h5py.File(path) as file:
        np.testing.assert_allclose(file.attrs["mean"], result["per_picture"]["mean"], atol=1e-7)
        np.testing.assert_allclose(file.attrs["std"], result["per_picture"]["std"], atol=1e-7)
    run("verify", path)


def check_undecodable(folder, path):
    """One picture that cannot be decoded, one whose bytes are not those packed: the others are measured."""
    damaged = folder / "damaged.h5"
    shutil.copy(path, damaged)
    with h5py.File(damaged, "a") as file:
        at = int(file["images/offset"][5])
        file["images/bytes"][at + 40] ^= 0xff
    result = run_json("stats", damaged, code=3)
    check(result["pictures"] == 395, f"{result['pictures']} pictures were measured")
    (sample,) = result["undecodable"]
    check(sample["file"] == str(damaged) and sample["sample"] == 5 and "is damaged" in sample["message"], f"{sample}")
    check("sample 5 (" in run("stats", damaged, code=3).stderr, "stats does not name the sample")

    leaks = run_json("leaks", path, damaged, code=3)
    check([s["sample"] for s in leaks["undecodable"]] == [5], f"{leaks['undecodable']}")
    check(leaks["counts"]["bytes"]["across_files"] == 395, f"{leaks['counts']}")
    alone = run("leaks", damaged, code=3)
    check("1 samples could not be compared" in alone.stderr, alone.stderr)
    run("leaks", damaged, "--fail-on", "none")


def check_storing(folder, path):
    """Nothing is changed where not all can be; what was measured is out before."""
    first, second = folder / "first.h5", folder / "second.h5"
    for file in (first, second):
        shutil.copy(path, file)
    with h5py.File(second, "a") as file:  # a type that --write does not change
        del file.attrs["complete"]
        file.attrs["complete"] = np.float32(1)
    run("stats", first, "--kind", "pictures", code=2)
    before = first.read_bytes()
    run("stats", first, second, "--write", code=3)
    check(first.read_bytes() == before, "the first file was changed")
    shutil.copy(path, second)
    os.chmod(second, 0o444)
    if not os.access(second, os.W_OK):  # root may write all
        result = run("stats", first, second, "--write", code=6)
        check("over all pixels" in result.stdout and first.read_bytes() == before, result.stdout)
    with open("/dev/full", "wb") as full:
        status = subprocess.run([PACK, "stats", first, "--write"], stdout=full, stderr=subprocess.DEVNULL, check=False)
    check(status.returncode == 6 and first.read_bytes() == before, "stored what nobody could read")


def check_globs(folder, path):
    for name in ("g1.h5", "g2.h5"):
        shutil.copy(path, folder / name)
    pattern = folder / "g?.h5"
    for command in ("info", "verify", "stats"):
        files = run_json(command, pattern)["files"]
        check([pathlib.Path(file["path"]).name for file in files] == ["g1.h5", "g2.h5"], f"{command} {files}")
    os.link(folder / "g1.h5", folder / "other.h5")
    for command in ("info", "verify", "stats", "leaks", ("extract", "-o", folder / "twice")):
        words = command if isinstance(command, tuple) else (command,)
        check("is listed twice" in run(*words, pattern, folder / "g2.h5", code=2).stderr, f"{words}")
        check("is listed twice" in run(*words, pattern, folder / "other.h5", code=2).stderr, f"{words}")


def check_info(path):
    page = run("info", path).stdout
    for words in ("split         train", "pictures      396 (", "all upright", "12 classes", "####",
                  "shorter side, pixels", "128 to 159", "evenness", "command line", "index hash"):
        check(words in page, f"info does not say {words!r}:\n{page}")
    info = run_json("info", path)["files"][0]
    check(sum(info["codecs"].values()) == 396 and info["orientations"][0] == 396, "info counts")


def check_extract(folder, train, val):
    out = folder / "back"
    result = run_json("extract", train, val, "-o", out)
    check(result["pictures"] == 492 and result["renamed"] == 0 and result["raw"] == 0, str(result))
    expected = {p.relative_to(SOURCE) for p in SOURCE.glob("*/*/*.*")}
    found = {p.relative_to(out) for p in out.rglob("*") if p.is_file()}
    check(found == expected, f"{len(found)} files came back, {len(expected)} were packed")
    same, different, errors = filecmp.cmpfiles(SOURCE, out, map(str, expected), shallow=False)
    check(len(same) == len(expected) and not different and not errors, "bytes differ")
    again = run("extract", train, "-o", out, code=2)
    check("is there already" in again.stderr, again.stderr)
    check(run("extract", train, "-o", folder / "none/back", code=6).stderr != "", "no folder")
    (folder / "empty").mkdir()
    run("extract", val, "-o", f"{folder}/empty/")
    check(len(list((folder / "empty").rglob("*.*"))) == 96, "an empty folder is filled")
    check(not [p for p in folder.iterdir() if ".part-" in p.name], "something was left behind")


def make_leaking_folder(folder):
    """In train and val: one picture of the same bytes, one of the same pixels, one that looks alike."""
    train = sorted((SOURCE / "train/Maize").glob("*.jpg"))
    for part, pictures in (("train", train[:6]), ("val", train[6:9])):
        (folder / part / "Maize").mkdir(parents=True)
        (folder / part / "Wheat").mkdir()
        for picture in pictures:
            shutil.copy(picture, folder / part / "Maize" / picture.name)
        shutil.copy(train[20 + len(pictures)], folder / part / "Wheat/own.jpg")
    shutil.copy(train[0], folder / "val/Maize/same_bytes.jpg")
    shutil.copy(train[1], folder / "train/Wheat/inside.jpg")
    with Image.open(train[2]) as picture:
        picture.convert("RGB").save(folder / "val/Maize/same_pixels.png")
    with Image.open(train[3]) as picture:
        smaller = picture.convert("RGB").resize((120, 120), Image.Resampling.BICUBIC)
        ImageEnhance.Brightness(smaller).enhance(1.05).save(folder / "val/Wheat/alike.jpg", quality=70)
    return [picture.name for picture in train]


def check_leaks(folder):
    source = folder / "leaking"
    names = make_leaking_folder(source)
    run(source, "-o", folder / "l.h5")
    files = folder / "l.train.h5", folder / "l.val.h5"

    def groups_of(result):
        return {(group["same"], group["across_files"], group["labels_differ"],
                 tuple(pathlib.Path(sample["source"]).name for sample in group["samples"]))
                for group in result["groups"]}

    certain = {("bytes", True, False, (names[0], "same_bytes.jpg")),
               ("bytes", False, True, (names[1], "inside.jpg")),
               ("pixels", True, False, (names[2], "same_pixels.png"))}
    check(groups_of(run_json("leaks", *files, code=3)) == certain, "certain duplicates")
    near = groups_of(run_json("leaks", *files, "--near", code=3))
    check(near == certain | {("near", True, True, (names[3], "alike.jpg"))}, f"near: {near}")
    only = {group for group in certain if group[0] == "bytes"}
    bytes_only = run_json("leaks", *files, "--bytes-only", code=3)
    check(groups_of(bytes_only) == only, "bytes only")
    check(bytes_only["counts"] == {"bytes": {"across_files": 1, "inside_a_file": 1}, "pixels": None,
                                   "near": None, "labels_differ": 1}, f"{bytes_only['counts']}")
    check(groups_of(run_json("leaks", files[0])) == {("bytes", False, True, (names[1], "inside.jpg"))},
          "inside one file")
    run("leaks", *files, "--fail-on", "none")
    run("leaks", files[0], "--fail-on", "any", code=3)
    run("leaks", files[1], "--fail-on", "any")
    run("leaks", files[0], files[0], code=2)
    run("leaks", *files, "--near", "--bytes-only", code=2)
    page = run("leaks", *files, "--near", code=3).stdout
    check("ACROSS FILES" in page and "same_pixels.png" in page, page)
    check("groups of equal bytes:    1 across files, 1 inside one" in page, page)


with tempfile.TemporaryDirectory() as temporary:
    home = pathlib.Path(temporary)
    run(SOURCE, "-o", home / "s.h5")
    packed = home / "s.train.h5", home / "s.val.h5"
    check_info(packed[0])
    check_extract(home, *packed)
    statistics = check_statistics(packed[0])
    check_stored_statistics(packed[0], statistics)
    check_leaks(home)
    check_undecodable(home, packed[0])
    check_storing(home, packed[1])
    check_globs(home, packed[1])
print("info, stats, leaks and extract agree with numpy, Pillow and h5py")
