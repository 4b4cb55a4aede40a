"""Kills `casvit-pack stats --write` with SIGKILL, at random moments and while it changes the file: then the
file either is whole, with the old statistics or with the new, or it is refused with what to do, which
repairs it."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import h5py

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
SOURCE = pathlib.Path("data/seedlings/val").resolve()
RANDOM_KILLS = 10
KILLS_WHILE_CHANGING = 10
KINDS = ("pixels", "pictures")
BEING_CHANGED = 2  # the value of `complete` meanwhile


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def run(*arguments):
    return subprocess.run([PACK, *map(str, arguments)], capture_output=True, text=True, check=False)


def statistics_of(path):
    """What is stored, or None where the file is refused, which must say what to do."""
    result = run("info", "--json", path)
    if result.returncode == 0:
        info = json.loads(result.stdout)["files"][0]
        return info["mean"], info["std"]
    check(result.returncode == 3 and "run casvit-pack stats --write again" in result.stderr,
          f"info ended with {result.returncode}: {result.stderr}")
    return None


def store(path, kind):
    result = run("stats", path, "--write", "--kind", kind)
    check(result.returncode == 0, result.stderr)
    return statistics_of(path)


def place_of_complete(path):
    """Where the value of `complete` lies, found by changing it."""
    before = path.read_bytes()
    with h5py.File(path, "a") as file:
        file.attrs.modify("complete", BEING_CHANGED)
    after = path.read_bytes()
    path.write_bytes(before)
    (place,) = [i for i, (a, b) in enumerate(zip(before, after)) if a != b]
    return place


def kill_at_random(process, path, place, seconds):
    time.sleep(random.uniform(0, seconds))


def kill_while_changing(process, path, place, seconds):
    with open(path, "rb", buffering=0) as file:
        while process.poll() is None and os.pread(file.fileno(), 1, place) != bytes([BEING_CHANGED]):
            pass
    time.sleep(random.uniform(0, 0.003))


def main(folder):
    path = folder / "v.h5"
    check(run(SOURCE, "-o", path).returncode == 0, "pack")
    begun = time.monotonic()
    known = {kind: store(path, kind) for kind in KINDS}
    seconds = (time.monotonic() - begun) / len(KINDS)
    check(known["pixels"] != known["pictures"], "both kinds are the same")
    place = place_of_complete(path)
    outcomes = {"old": 0, "new": 0, "refused": 0}
    random.seed(7)
    for number in range(RANDOM_KILLS + KILLS_WHILE_CHANGING):
        new, old = KINDS[number % 2], KINDS[1 - number % 2]
        store(path, old)
        process = subprocess.Popen([PACK, "stats", path, "--write", "--kind", new], stdout=subprocess.DEVNULL)
        wait = kill_at_random if number < RANDOM_KILLS else kill_while_changing
        wait(process, path, place, seconds)
        process.kill()
        process.wait()
        found = statistics_of(path)
        check(found in (None, known["pixels"], known["pictures"]), f"mixed statistics: {found}")
        outcomes["refused" if found is None else "new" if found == known[new] else "old"] += 1
        check(store(path, new) == known[new], "not repaired")
        check(run("verify", path).returncode == 0, "verify")
    check(outcomes["refused"] > 0, f"no kill came while the file was changed: {outcomes}")
    return outcomes


with tempfile.TemporaryDirectory() as temporary:
    print(f"after kills: {main(pathlib.Path(temporary))}")
