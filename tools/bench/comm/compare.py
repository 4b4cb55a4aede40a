#!/usr/bin/env python3
"""all_reduce by size: casvit_dist bench comm over MPI against torch.distributed over gloo, interleaved.

  tools/bench/comm/compare.py
  tools/bench/comm/compare.py --sizes 1 64 --ranks 4 --rounds 9 --json

Both reduce float32 in memory, with as many ranks, unbound, on the same machine; gloo over the loopback interface.
Time is that of the slowest rank, from a common barrier on, the median over repeats. A round measures each size with
one and then the other; figures are medians over rounds, and ratios of those, because machines are noisy: above 1,
casvit is faster. Processor time (user and system, all threads of all ranks) counts as well: a rank computes while it
exchanges. Its ratio is casvit's over gloo's: below 1, casvit takes less.

The peer is installed in an environment of its own under the user's cache folder (torch, 5 GB), or reported as
missing with the reason.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environments  # noqa: E402: found by the line above


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


class Gloo:
    """The ranks of torch.distributed, kept alive between rounds; asleep while nobody asks."""

    def __init__(self, python, options, scratch):
        rendezvous = os.path.join(scratch, "gloo")
        environment = {"GLOO_SOCKET_IFNAME": "lo", **os.environ, "OMP_NUM_THREADS": "1"}
        self.errors = tempfile.TemporaryFile("w+")
        self.ranks = [
            subprocess.Popen(
                [python, str(HERE / "peer_gloo.py"), str(rank), str(options.ranks), rendezvous],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment,
            )
            for rank in range(options.ranks)
        ]
        self.version = self.answers()[0]["version"]

    def answers(self):
        return [self.answer(rank) for rank in self.ranks]

    def answer(self, rank):
        for line in rank.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.errors.seek(0)
        raise environments.Missing(f"its program ended: {environments.last_words(self.errors.read())}")

    def measure(self, size, options):
        for rank in self.ranks:
            rank.stdin.write(f"{size} {options.warmup} {options.repeats}\n")
            rank.stdin.flush()
        answers = self.answers()
        if any(answer["wrong"] for answer in answers):
            sys.exit(f"compare: gloo's result of {size} bytes is wrong: {answers}")
        slowest = [max(times) for times in zip(*(answer["seconds"] for answer in answers))]
        cpu = sum(answer["cpu_seconds"] for answer in answers)
        return {
            "seconds": statistics.median(slowest),
            "cpu_seconds_per_gb": cpu / options.repeats / size * 1e9,
        }

    def end(self):
        for rank in self.ranks:
            rank.stdin.close()
        for rank in self.ranks:
            try:
                rank.wait(30)
            except subprocess.TimeoutExpired:
                rank.kill()
                rank.wait()


def bench_casvit(size, options):
    command = [
        "mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(options.ranks),
        os.path.join(options.bin, "casvit_dist"), "bench", "comm", "--device", "cpu", "--bytes", str(size),
        "--warmup", str(options.warmup), "--repeats", str(options.repeats), "--json",
    ]
    if os.geteuid() == 0:
        command.insert(1, "--allow-run-as-root")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"compare: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])["sizes"][0]


def median(rounds, who, size, what):
    return statistics.median(found[what] for found in rounds[who][size])


def figures_of(rounds, options):
    figures = []
    for size in options.sizes:
        ours = {what: median(rounds, "casvit", size, what) for what in ("seconds", "cpu_seconds_per_gb")}
        figure = {"bytes": size, "casvit": ours}
        if rounds["gloo"][size]:
            gloo = {what: median(rounds, "gloo", size, what) for what in ("seconds", "cpu_seconds_per_gb")}
            figure["gloo"] = gloo
            figure["speed_over_gloo"] = gloo["seconds"] / ours["seconds"]
            figure["cpu_over_gloo"] = ours["cpu_seconds_per_gb"] / gloo["cpu_seconds_per_gb"]
            figure["speed_over_gloo_by_round"] = [
                theirs["seconds"] / mine["seconds"]
                for mine, theirs in zip(rounds["casvit"][size], rounds["gloo"][size])
            ]
        figures.append(figure)
    return figures


def print_table(result):
    print(f"all_reduce of float32, {result['ranks']} ranks, medians of {result['round_count']} rounds of "
          f"{result['repeats']} repeats\n")
    print(f"{'MB':>6}{'casvit ms':>12}{'gloo ms':>12}{'speed':>8}{'rounds':>14}"
          f"{'casvit cpu s/GB':>18}{'gloo':>8}{'ratio':>8}")
    for figure in result["figures"]:
        ours = figure["casvit"]
        line = f"{figure['bytes'] / 1e6:6g}{ours['seconds'] * 1e3:12.2f}"
        if "gloo" in figure:
            gloo, by_round = figure["gloo"], figure["speed_over_gloo_by_round"]
            line += (f"{gloo['seconds'] * 1e3:12.2f}{figure['speed_over_gloo']:8.2f}"
                     f"{min(by_round):8.2f} -{max(by_round):5.2f}{ours['cpu_seconds_per_gb']:17.2f}"
                     f"{gloo['cpu_seconds_per_gb']:9.2f}{figure['cpu_over_gloo']:8.2f}")
        else:
            line += f"{'-':>12}{'-':>8}{'-':>14}{ours['cpu_seconds_per_gb']:17.2f}"
        print(line)
    for name, reason in result["missing"].items():
        print(f"{name} is missing: {reason}")


def run_rounds(options, gloo):
    rounds = {"casvit": {size: [] for size in options.sizes}, "gloo": {size: [] for size in options.sizes}}
    begun = time.monotonic()
    for number in range(options.rounds):
        for size in options.sizes:
            rounds["casvit"][size].append(bench_casvit(size, options))
            if gloo:
                rounds["gloo"][size].append(gloo.measure(size, options))
        per_round = (time.monotonic() - begun) / (number + 1)
        say(f"round {number + 1} of {options.rounds} done, {per_round * (options.rounds - number - 1):.0f} s left")
    return rounds


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", default="build/release/bin", help="folder of casvit's programs")
    parser.add_argument("--peer-python", help="use this Python, which has torch, instead of installing one")
    parser.add_argument("--sizes", nargs="+", type=float, default=[1, 4, 16, 64, 100], metavar="MB")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=5, help="repeats before those that are timed")
    parser.add_argument("--repeats", type=int, default=20, help="of a size in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.sizes = [int(size * 1e6) // 4 * 4 for size in options.sizes]
    return options


def main():
    options = parse()
    gloo, missing = None, {}
    with tempfile.TemporaryDirectory(prefix="casvit-bench-") as scratch:
        try:
            python = options.peer_python or environments.python_of("gloo", say)
            gloo = Gloo(python, options, scratch)
        except environments.Missing as reason:
            missing["gloo"] = str(reason)
            say(f"gloo is missing: {reason}")
        try:
            rounds = run_rounds(options, gloo)
        finally:
            if gloo:
                gloo.end()
    result = {
        "ranks": options.ranks, "repeats": options.repeats, "round_count": options.rounds,
        "figures": figures_of(rounds, options), "missing": missing,
        "versions": {"torch": gloo.version} if gloo else {}, "rounds": rounds,
    }
    if options.json:
        print(json.dumps(result))
    else:
        print_table(result)


if __name__ == "__main__":
    main()
