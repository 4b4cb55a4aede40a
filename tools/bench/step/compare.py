#!/usr/bin/env python3
"""Training steps of casvit_dist against PyTorch DDP (gloo) with the published model, interleaved.

  tools/bench/step/compare.py --model CAS-ViT/classification/model/rcvit.py --data seedlings.train.h5

Ours trains from the file with the whole recipe (loader, augmentation, clipping, EMA); the peer's batches are in
memory already. Both take the same number of ranks, threads and pictures a step. Figures are ratios of medians
over rounds, because machines are noisy; --json prints all. The peer gets a Python of its own with torch, timm and
einops in the user's cache folder; the model's file is the published one, and the user's to fetch.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import environments  # noqa: E402
RECIPE = """
data: {{train: "{data}"}}
device: cpu
model: {{name: {arch}, image_size: {pixels}, drop_path: 0.05}}
batch: {{shards: {ranks}, shard_size: {batch}}}
precision: {{amp: {amp}}}
train: {{epochs: 1000, max_steps: {steps}}}
ema: {{decay: 0.998}}
clip: {{norm: 5}}
augment: {{crop_scale: [0.4, 1], horizontal_flip: 0.5, vertical_flip: 0.5, brightness: 0.2, contrast: 0.2, saturation: 0.2}}
launch: {{threads: {threads}}}
parallel: {{bucket_mb: 4}}
"""


def run_ours(options, ranks, threads):
    with tempfile.TemporaryDirectory() as folder:
        recipe = pathlib.Path(folder, "recipe.yaml")
        settings = dict(vars(options), ranks=ranks, threads=threads)
        settings["data"] = os.path.abspath(options.data)
        settings["batch"] = options.batch * options.ranks // ranks
        settings["steps"] = options.steps + options.warmup
        recipe.write_text(RECIPE.format(**settings), encoding="utf-8")
        run = os.path.join(folder, "run")
        command = [options.casvit, "train", "--config", str(recipe), "--out", run]
        if ranks > 1:
            command = ["mpirun", "--bind-to", "none", "-np", str(ranks), *command]
        timed = subprocess.run(
            [sys.executable, str(HERE / "peak_memory.py"), *command],
            capture_output=True,
            text=True,
            check=False,
        )
        if timed.returncode != 0:
            sys.exit(timed.stdout + timed.stderr)
        with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
            steps = [row for row in map(json.loads, file) if row["kind"] == "step"]
    steps = steps[options.warmup :]
    rate = statistics.median(row["images_per_second"] for row in steps)
    exposed = sum(row["comm_exposed_seconds"] for row in steps)
    total = sum(options.batch * options.ranks / row["images_per_second"] for row in steps)
    return {
        "images_per_second": rate,
        "comm_exposed_share": exposed / total,
        "peak_bytes": int(timed.stderr.strip().splitlines()[-1]),
    }


def run_peer(options):
    command = [
        options.peer_python, str(HERE / "ddp_step.py"), options.model, "--arch", options.arch,
        "--ranks", str(options.ranks), "--threads", str(options.threads), "--batch", str(options.batch),
        "--pixels", str(options.pixels), "--amp", options.amp, "--steps", str(options.steps),
        "--warmup", str(options.warmup),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--casvit", default="build/release/bin/casvit_dist")
    parser.add_argument("--model", required=True, help="the published rcvit.py")
    parser.add_argument("--peer-python", help="with torch, timm and einops; one is made where left out")
    parser.add_argument("--data", required=True, help="training pictures packed by casvit-pack")
    parser.add_argument("--arch", default="rcvit_xs")
    parser.add_argument("--pixels", type=int, default=128)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32, help="pictures a rank")
    parser.add_argument("--amp", choices=["off", "bf16"], default="off")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.peer_python is None:
        try:
            options.peer_python = environments.python_of("ddp", lambda text: print(text, file=sys.stderr))
        except environments.Missing as reason:
            sys.exit(f"PyTorch DDP is missing here: {reason}")

    rounds = {"ours": [], "ours_one_rank": [], "peer": []}
    for _ in range(options.rounds):
        rounds["ours"].append(run_ours(options, options.ranks, options.threads))
        rounds["peer"].append(run_peer(options))
        rounds["ours_one_rank"].append(run_ours(options, 1, options.ranks * options.threads))

    def median(who, what):
        return statistics.median(row[what] for row in rounds[who])

    figures = {
        "speed_over_ddp": median("ours", "images_per_second") / median("peer", "images_per_second"),
        "memory_over_ddp": median("ours", "peak_bytes") / median("peer", "peak_bytes"),
        "ranks_over_threads": median("ours", "images_per_second")
        / median("ours_one_rank", "images_per_second"),
        "comm_exposed_share": median("ours", "comm_exposed_share"),
        "ours_images_per_second": median("ours", "images_per_second"),
        "ddp_images_per_second": median("peer", "images_per_second"),
    }
    if options.json:
        print(json.dumps({**figures, "rounds": rounds}))
    else:
        for name, value in figures.items():
            print(f"{name:24} {value:.3f}")


if __name__ == "__main__":
    main()
