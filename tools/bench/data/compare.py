#!/usr/bin/env python3
"""Pictures a second of casvit's data path against torchvision's DataLoader, FFCV and DALI (CPU), interleaved.

  tools/bench/data/compare.py photos/train            a folder a class, or an .h5 file of casvit-pack
  tools/bench/data/compare.py --make-photos 1000      about 500x375 photographs (see make_photos.py)
  tools/bench/data/compare.py                         the repository's sample photographs, 150x150

Stages: decode; augment (decode, RandomResizedCrop, flip, picture by picture); loader (the full training pipeline:
RandomResizedCrop to --image-size, bicubic, horizontal flip, normalise, batches of float32). All see the same
JPEGs on the same cores with as many threads or workers. Besides: reads over plain pread of the same samples in
the same order (read_over_pread), and raw mode, pictures stored at --image-size, over memcpy of as many bytes
(raw_over_copy). Packing against tar: pack_vs_tar.py.

Figures are medians over rounds, and ratios of those, because machines are noisy; a round runs each contender
once, in turn. A peer is installed in an environment of its own under the user's cache folder (torchvision and
FFCV take 5 GB each, DALI 1 GB), or reported as missing with the reason.
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

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environments  # noqa: E402: found by the line above

PEERS = ("torchvision", "ffcv", "dali")
STAGES = ("decode", "augment", "loader", "raw")
YARDSTICKS = {"read": "read_over_pread", "raw": "raw_over_copy"}
SAMPLES = HERE.parents[2] / "tests" / "data" / "seedlings" / "train"


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


class Peer:
    """A peer's program, kept alive between rounds."""

    def __init__(self, name, python, folder, scratch, options):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [
                python, str(HERE / f"peer_{name}.py"), folder, "--scratch", scratch,
                "--threads", str(options.threads), "--image-size", str(options.image_size),
                "--batch-size", str(options.batch_size), "--seconds", str(options.seconds),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
        )
        self.versions = self.answer()["versions"]

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.errors.seek(0)
        raise environments.Missing(f"its program ended: {environments.last_words(self.errors.read())}")

    def measure(self, stage):
        try:
            self.process.stdin.write(stage + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() tells why
        return self.answer()

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run_json(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def bench_casvit(options, data, stages, raw=False):
    command = [
        os.path.join(options.bin, "casvit_dist"), "bench", "data", "--data", data, "--stages", ",".join(stages),
        "--threads", str(options.threads), "--image-size", str(options.image_size),
        "--batch-size", str(options.batch_size), "--seconds", str(options.seconds), "--json",
    ]
    if raw:  # as stored: the crop is the whole picture
        command += ["--set", "augment.crop_scale=[1, 1]", "--set", "augment.crop_ratio=[1, 1]"]
    return run_json(command)["stages"]


def pack(options, folder, output, *more):
    command = [os.path.join(options.bin, "casvit-pack"), "pack", folder, "-o", output, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return output


def prepare_folder(options, scratch):
    """The pictures as a folder of classes."""
    if options.make_photos:
        folder = os.path.join(scratch, "photos")
        python = environments.python_of("photos", say)
        say(f"making {options.make_photos} photographs")
        subprocess.run(
            [python, str(HERE / "make_photos.py"), folder, "--count", str(options.make_photos)], check=True
        )
        return folder
    data = options.data or str(SAMPLES)
    if data.endswith(".h5"):
        folder = os.path.join(scratch, "extracted")
        subprocess.run(
            [os.path.join(options.bin, "casvit-pack"), "extract", data, "-o", folder], check=True,
            stdout=subprocess.DEVNULL,
        )
        return folder
    return os.path.abspath(data)


def start_peers(options, folder, scratch):
    peers, missing = {}, {}
    given = dict(entry.split("=", 1) for entry in options.peer_python)
    for name in options.peers:
        try:
            python = given.get(name) or environments.python_of(name, say)
            peers[name] = Peer(name, python, folder, scratch, options)
        except environments.Missing as reason:
            missing[name] = str(reason)
            say(f"{name} is missing: {reason}")
    return peers, missing


class Rounds:
    """What was measured: contender, stage -> images a second of each round."""

    def __init__(self):
        self.rates = {}
        self.reasons = {}
        self.yardsticks = {name: [] for name in YARDSTICKS.values()}

    def add(self, who, stage, rate):
        self.rates.setdefault(who, {}).setdefault(stage, []).append(rate)

    def median(self, who, stage):
        rates = self.rates.get(who, {}).get(stage)
        return statistics.median(rates) if rates else None


def moved(stage):
    return stage["bytes_read_per_second"] + stage["bytes_written_per_second"]


def run_round(options, data, raw_data, peers, rounds, missing):
    for stage in ("decode", "augment", "loader"):
        if stage not in options.stages:
            continue
        rounds.add("casvit", stage, bench_casvit(options, data, [stage])[stage]["images_per_second"])
        ask_peers(stage, peers, rounds, missing)
    if "read" in options.stages:
        reads = bench_casvit(options, data, ["pread", "read"])
        rounds.yardsticks["read_over_pread"].append(
            reads["read"]["images_per_second"] / reads["pread"]["images_per_second"]
        )
    if raw_data:
        raw = bench_casvit(options, raw_data, ["loader", "copy"], raw=True)
        rounds.add("casvit", "raw", raw["loader"]["images_per_second"])
        rounds.yardsticks["raw_over_copy"].append(moved(raw["loader"]) / moved(raw["copy"]))
        ask_peers("raw", peers, rounds, missing)


def ask_peers(stage, peers, rounds, missing):
    for name in list(peers):
        if stage in rounds.reasons.get(name, {}):
            continue
        try:
            answer = peers[name].measure(stage)
        except environments.Missing as reason:
            missing[name] = str(reason)
            say(f"{name} is missing: {reason}")
            del peers[name]
            continue
        if "reason" in answer:
            rounds.reasons.setdefault(name, {})[stage] = answer["reason"]
        else:
            rounds.add(name, stage, answer["images_per_second"])


def figures_of(rounds, peers):
    medians = {
        who: {stage: rounds.median(who, stage) for stage in STAGES if rounds.median(who, stage)}
        for who in ("casvit", *peers)
    }
    ratios = {
        f"{stage}_over_{who}": medians["casvit"][stage] / medians[who][stage]
        for who in peers
        for stage in STAGES
        if stage in medians[who]
    }
    for name, values in rounds.yardsticks.items():
        if values:
            ratios[name] = statistics.median(values)
    return medians, ratios


def print_table(result):
    print(f"{result['pictures']} pictures, {result['threads']} threads, to {result['image_size']} pixels, "
          f"medians of {result['round_count']} rounds of {result['seconds']:g} s\n")
    print(f"{'images/s':14}" + "".join(f"{stage:>12}" for stage in STAGES))
    for who, medians in result["images_per_second"].items():
        cells = (f"{medians[stage]:12.0f}" if stage in medians else f"{'-':>12}" for stage in STAGES)
        print(f"{who:14}" + "".join(cells))
    print()
    for name, value in result["ratios"].items():
        print(f"{name:28}{value:8.2f}")
    for name, reason in result["missing"].items():
        print(f"{name} is missing: {reason}")
    for name, reasons in result["not_comparable"].items():
        for stage, reason in reasons.items():
            if stage != "raw":
                print(f"{name} {stage}: {reason}")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="?", help="folder with a folder a class, or .h5")
    parser.add_argument("--make-photos", type=int, default=0, metavar="N", help="make N photographs instead")
    parser.add_argument("--bin", default="build/release/bin", help="folder of casvit's programs")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument(
        "--peer-python", action="append", default=[], metavar="NAME=PYTHON",
        help="use this Python for a peer instead of installing one; may be repeated",
    )
    parser.add_argument(
        "--stages", nargs="*", default=[*STAGES, "read"], choices=[*STAGES, "read"], help="all unless named"
    )
    parser.add_argument("--threads", type=int, default=2, help="cores, and threads or workers of each")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5, help="a stage of a contender in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    options = parse()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])  # children inherit it
    scratch = tempfile.mkdtemp(prefix="casvit-bench-")
    peers = {}
    try:
        folder = prepare_folder(options, scratch)
        data = pack(options, folder, os.path.join(scratch, "data.h5"))
        raw_data = None
        if "raw" in options.stages:
            size = str(options.image_size)
            raw_data = pack(options, folder, os.path.join(scratch, "raw.h5"), "--raw", size)
        peers, missing = start_peers(options, folder, scratch)
        found = {name: peer.versions for name, peer in peers.items()}
        rounds = Rounds()
        begun = time.monotonic()
        for number in range(options.rounds):
            run_round(options, data, raw_data, peers, rounds, missing)
            per_round = (time.monotonic() - begun) / (number + 1)
            left = per_round * (options.rounds - number - 1)
            say(f"round {number + 1} of {options.rounds} done, {left:.0f} s left")
        medians, ratios = figures_of(rounds, found)
        result = {
            "pictures": sum(len(files) for _, _, files in os.walk(folder)),
            "threads": options.threads, "image_size": options.image_size, "batch_size": options.batch_size,
            "seconds": options.seconds, "round_count": options.rounds,
            "images_per_second": medians, "ratios": ratios, "missing": missing,
            "not_comparable": rounds.reasons, "versions": found,
            "rounds": {"images_per_second": rounds.rates, **rounds.yardsticks},
        }
        if options.json:
            print(json.dumps(result))
        else:
            print_table(result)
    finally:
        for peer in peers.values():
            peer.end()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
