"""Kills casvit-pack with SIGKILL at random moments, again and again, and lets it continue.

Whenever something is under the final name it is whole; in the end it holds the bytes of a packing that
nobody disturbed. Packings of originals, of re-encoded pictures, and into two files are each killed.
"""

import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
SOURCE = pathlib.Path("data/seedlings")
KILLS = {"originals": 8, "resized": 6, "split": 6}
ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}

KINDS = {
    "originals": [],
    "resized": ["--resize", "100", "--quality", "80"],
    "split": ["--split", "train=0.7,val=0.3", "--seed", "5"],
}


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def command(source, folder, kind):
    return [PACK, source, "-o", folder / "out.h5", "--workers", "2", *KINDS[kind]]


def packed(folder):
    return {path.name: path.read_bytes() for path in folder.glob("out*.h5")}


def many_pictures(folder, count):
    """A folder of `count` links a class to the shipped pictures."""
    pictures = sorted((SOURCE / "train").glob("*/*.jpg"))
    for name in ("a", "b", "c"):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            (folder / name / f"{i:05}.jpg").symlink_to(pictures[i % len(pictures)].resolve())
    (folder / "b" / "00007x.jpg").write_bytes(b"no picture")
    return folder


def long_enough(root, folder, kind):
    """A packing that takes a while on this machine. @returns its source and its seconds"""
    count, seconds = 400, 0
    while seconds < 0.4:
        source = root / f"in-{kind}"
        shutil.rmtree(source, ignore_errors=True)
        many_pictures(source, count)
        begun = time.monotonic()
        subprocess.run(command(source, folder, kind), env=ENVIRONMENT, check=True, capture_output=True)
        seconds = time.monotonic() - begun
        count *= 3
    return source, seconds


def whole(path):
    return subprocess.run([PACK, "verify", path], capture_output=True, check=False).returncode == 0


def kill_and_continue(source, folder, kind, expected, seconds):
    """@returns how many kills hit a packing that was under way, and how many continued something."""
    hits = continued = 0
    random.seed(kind)
    # On a busy machine all of them can come before there is anything to continue: then later ones.
    while hits < KILLS[kind] or (continued == 0 and hits < 5 * KILLS[kind]):
        process = subprocess.Popen(command(source, folder, kind), env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(random.uniform(0.1, 1) * seconds * max(1, hits / KILLS[kind]))
        process.kill()
        continued += b"continuing an interrupted packing" in process.communicate()[1]
        hits += process.returncode == -9
        for path in folder.glob("out*.h5"):
            check(whole(path), f"{kind}: {path.name} is there and not whole after a kill")
            check(path.read_bytes() == expected[path.name], f"{kind}: {path.name} has other bytes")
        if len(packed(folder)) == len(expected) and not list(folder.glob(".out*")):
            for path in folder.glob("out*.h5"):  # it was quicker than the kill: from the beginning
                path.unlink()
    return hits, continued


with tempfile.TemporaryDirectory() as temporary:
    root = pathlib.Path(temporary)
    for kind in KINDS:
        folder = root / "work"  # the same for all: the command line is part of the files
        folder.mkdir()
        source, seconds = long_enough(root, folder, kind)
        expected = packed(folder)
        for path in folder.iterdir():
            path.unlink()
        hits, continued = kill_and_continue(source, folder, kind, expected, seconds)
        subprocess.run(command(source, folder, kind), env=ENVIRONMENT, check=True,
                       capture_output=True)
        check(packed(folder) == expected, f"{kind}: the bytes differ in the end")
        hidden = sorted(path.name for path in folder.glob(".out*"))
        check(not hidden, f"{kind}: hidden files are left: {hidden}")
        check(continued > 0, f"{kind}: nothing was ever continued")
        print(f"{kind}: killed {hits} times within {seconds:.2f} s, continued {continued} times, "
              f"the same {sum(map(len, expected.values()))} bytes")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
