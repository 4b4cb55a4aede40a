#!/usr/bin/env python3
"""The simulation against this machine: launch's all_reduce, and what a real training run had to wait.

  tools/scale/validate.py --bin build/release/bin --program build/scale/bin/casvit_scale --ranks 2
  tools/scale/validate.py ... --ranks 2 --run runs/two --bucket-bytes 1000000

The platform is one node, first with the bandwidth and latency that plain MPI messages have, then with the
bandwidth at which launch's all_reduce of the largest size comes out right; the other sizes test that. Errors are
those of the quickest of many rounds, which other work on the machine disturbs least. --run
compares a run of `casvit_dist train` with those ranks, by the second platform.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys


def measure(options, what):
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(options.ranks)]
    program = os.path.join(options.bin, "casvit_scale_machine")
    done = subprocess.run([*command, program, what], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def simulate(options, kind, gbytes, link, *more):
    command = [
        options.program, kind, "--algorithm", "host", "--ranks", str(options.ranks),
        "--ranks-per-node", str(options.ranks), "--local-gbytes", str(gbytes),
        "--local-latency-us", str(1e6 * link["latency_seconds"]["best"]),
        "--sum-gbytes", str(2 * 2**20 / 1e9 / link["sum_2MiB_seconds"]["best"]), *map(str, more),
    ]  # fmt: skip
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def calibrated(options, link, size, seconds):
    """GB/s of a rank at which the simulated all_reduce takes `seconds`, by bisection."""
    low, high = 0.001, 1000.0
    for _ in range(20):
        middle = (low * high) ** 0.5
        slower = simulate(options, "collective", middle, link, "--bytes", size)["seconds"] > seconds
        low, high = (middle, high) if slower else (low, middle)
    return middle


def read_run(folder, skip=4):
    with open(pathlib.Path(folder, "metrics.jsonl"), encoding="utf-8") as file:
        steps = [row for row in map(json.loads, file) if row["kind"] == "step"][skip:]
    return [row["comm_exposed_seconds"] for row in steps], [1 / row["images_per_second"] for row in steps]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--program", default="build/scale/bin/casvit_scale")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--run", help="folder of a run")
    parser.add_argument("--batch", type=int, default=64, help="pictures of that run's global batch")
    parser.add_argument("--profile", default="tools/scale/models/rcvit_xs.json")
    parser.add_argument("--bucket-bytes", type=int, default=4_000_000)
    options = parser.parse_args()

    link, launch = measure(options, "link"), measure(options, "launch")
    plain = 2**20 / 1e9 / link["exchange_1MiB_seconds"]["best"]
    last = launch["all_reduce"][-1]
    fitted = calibrated(options, link, last["bytes"], last["seconds"]["best"])
    print(f"{options.ranks} ranks: messages {plain:.2f} GB/s, {1e6 * link['latency_seconds']['best']:.1f} us; "
          f"all_reduce as at {fitted:.2f} GB/s\n")  # fmt: skip
    print("| bytes | measured, best (ms) | median (ms) | simulated, messages' GB/s (ms) | error | "
          "all_reduce's GB/s (ms) | error |\n|---|---|---|---|---|---|---|")  # fmt: skip
    for row in launch["all_reduce"]:
        best, median = row["seconds"]["best"], row["seconds"]["median"]
        cells = [f"{row['bytes']:,}", f"{1e3 * best:.2f}", f"{1e3 * median:.2f}"]
        for gbytes in (plain, fitted):
            seconds = simulate(options, "collective", gbytes, link, "--bytes", row["bytes"])["seconds"]
            cells += [f"{1e3 * seconds:.2f}", f"{100 * (seconds / best - 1):+.0f}%"]
        print("| " + " | ".join(cells) + " |")
    if options.run:
        exposed, per_picture = read_run(options.run)
        step = statistics.median(per_picture) * options.batch
        result = simulate(
            options, "step", fitted, link, "--profile", options.profile, "--step-ms", 1e3 * step,
            "--bucket-bytes", options.bucket_bytes,
        )  # fmt: skip
        print(f"\n{options.run}: step {step:.3f} s; exposed: simulated {1e3 * result['exposed_seconds']:.2f} ms, "
              f"measured median {1e3 * statistics.median(exposed):.2f} ms, least {1e3 * min(exposed):.2f} ms, "
              f"{100 * statistics.median(exposed) / step:.2f}% of the step")  # fmt: skip


if __name__ == "__main__":
    main()
