#!/usr/bin/env python3
"""Packing originals against `tar cf` of the same warm tree, on the same disk, interleaved.

  tools/bench/data/pack_vs_tar.py photos/train            a folder a class
  tools/bench/data/pack_vs_tar.py --make 4000x10          4,000 files of about 10 kB, of the sample photographs
  tools/bench/data/pack_vs_tar.py --make 1500x500         larger ones

Both leave the last of their writing to the system. They are timed a second time with all of it on disk:
`casvit-pack --fsync`, and tar with an fsync of its archive. Before every run the disk is idle (sync) and the output of the run before
is gone. A round runs each once, in turn; figures are medians over rounds, ratios are of speeds (above 1:
casvit-pack is faster).
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "data" / "seedlings" / "train"
CONTENDERS = ("casvit-pack", "tar", "casvit-pack --fsync", "tar + fsync")
PEERS = {"casvit-pack": "tar", "casvit-pack --fsync": "tar + fsync"}


def say(text):
    print(f"pack_vs_tar: {text}", file=sys.stderr, flush=True)


def padded(picture, size):
    """A JPEG of about `size` bytes: comment segments make it longer, and its structure stays whole."""
    parts = [picture[:2]]
    missing = size - len(picture)
    while missing > 4:
        length = min(missing - 2, 65535)
        parts.append(b"\xff\xfe" + length.to_bytes(2, "big") + os.urandom(length - 2))
        missing -= length + 2
    return b"".join([*parts, picture[2:]])


def make_tree(folder, text):
    count, kilobytes = (int(word) for word in text.split("x"))
    pictures = [path.read_bytes() for path in sorted(SAMPLES.glob("*/*.jpg"))]
    for i in range(count):
        target = folder / f"class{i % 10:02}" / f"{i:06}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(padded(pictures[i % len(pictures)], kilobytes * 1000))


def command_of(contender, source, output, arguments):
    if contender in PEERS:
        command = [str(arguments.program), str(source), "-o", str(output), "--workers", str(arguments.workers)]
        return [*command, "--fsync"] if "--fsync" in contender else command
    return ["tar", "cf", str(output), "-C", str(source), "."]


def run(contender, source, output, arguments):
    """@returns seconds."""
    os.sync()
    begun = time.perf_counter()
    done = subprocess.run(command_of(contender, source, output, arguments), capture_output=True, text=True,
                          check=False)
    if contender == "tar + fsync":
        descriptor = os.open(output, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        sys.exit(f"{contender} failed: {done.stderr}")
    output.unlink()
    return seconds


def measure(source, arguments):
    files = [path for path in source.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in files)
    for path in files:  # warm
        path.read_bytes()
    seconds = {contender: [] for contender in CONTENDERS}
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        for number in range(arguments.rounds + 1):
            order = CONTENDERS if number % 2 == 0 else CONTENDERS[::-1]
            for contender in order:
                took = run(contender, source, pathlib.Path(scratch, f"out-{contender}.h5"), arguments)
                if number > 0:  # the first round warms up
                    seconds[contender].append(took)
            say(f"round {number} of {arguments.rounds}")
    medians = {contender: statistics.median(times) for contender, times in seconds.items()}
    ratio = {
        ours: statistics.median(theirs / own for theirs, own in zip(seconds[peer], seconds[ours]))
        for ours, peer in PEERS.items()
    }
    return {
        "files": len(files), "bytes": total, "rounds": arguments.rounds, "workers": arguments.workers,
        "median_seconds": medians, "seconds": seconds,
        "speed_over_tar": ratio["casvit-pack"], "fsync_speed_over_tar_with_fsync": ratio["casvit-pack --fsync"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", type=pathlib.Path, default=SAMPLES, help="a folder of class folders")
    parser.add_argument("--make", metavar="COUNTxKB", help="pack a tree made for this, in the scratch folder")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--scratch", type=pathlib.Path, default=None, help="folder on the disk to write to")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "release" / "bin" / "casvit-pack")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not arguments.program.exists():
        sys.exit(f"{arguments.program} is missing: build it with tools/build release casvit-pack")
    if shutil.which("tar") is None:
        sys.exit("tar is missing")
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as made:
        source = arguments.source
        if arguments.make:
            source = pathlib.Path(made)
            make_tree(source, arguments.make)
        result = measure(source, arguments)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['files']} files, {result['bytes'] / 1e6:.1f} MB, {result['rounds']} rounds, "
          f"{result['workers']} workers")
    for contender, median in result["median_seconds"].items():
        print(f"  {contender:20} {median:7.3f} s  {result['bytes'] / median / 1e6:8.1f} MB/s")
    print(f"  speed over tar {result['speed_over_tar']:.2f}, with fsync on both sides "
          f"{result['fsync_speed_over_tar_with_fsync']:.2f}")


if __name__ == "__main__":
    main()
