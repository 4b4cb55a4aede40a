#!/usr/bin/env python3
"""Fits the model to the simulated collectives, predicts steps with it, and writes tables and plots.

  tools/scale/report.py --program build/scale/bin/casvit_scale --out docs/images

Steps that the simulation can do within minutes are simulated too, and compared. --offline takes what
tools/scale/results holds and simulates nothing (schedules are still computed by the program).
"""

import argparse
import math
import pathlib
import sys

import numpy

import clusters
from clusters import Cluster
from model import TERMS, CollectiveModel, predict_step
from points import Points, default_program

HERE = pathlib.Path(__file__).resolve().parent
MODELS = ("rcvit_xs", "rcvit_s", "rcvit_m", "rcvit_t")
RANKS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
SAMPLES = 64
TFLOPS = 30.0
FLAT = ("ring", "tree")
HIERARCHICAL = ("hierarchical-ring", "hierarchical-tree")
DEFAULTS = {"bucket_bytes": 4_000_000, "first_bucket_bytes": 512 << 10}


class Study:
    def __init__(self, options):
        self.collectives = Points(HERE / "results/collectives.jsonl", options.program, offline=True)
        self.schedules = Points(HERE / "results/schedules.jsonl", options.program)
        self.steps = Points(HERE / "results/steps.jsonl", options.program, options.offline)
        self.fitted = self._load(clusters.fitted_points())
        self.held_out = self._load(clusters.held_out_points())
        if not self.fitted:
            sys.exit("tools/scale/results/collectives.jsonl has no points; run tools/scale/sweep.py first")
        self.model = CollectiveModel().fit(self.fitted)

    def _load(self, grid):
        points = []
        for algorithm, cluster, size in grid:
            result = self.collectives.get("collective", bytes=size, **cluster.options(algorithm))
            if result:
                points.append((algorithm, cluster, size, result["seconds"]))
        return points

    def schedule(self, name, ranks, samples=SAMPLES, tflops=TFLOPS, **settings):
        settings = {**DEFAULTS, **settings}
        # Without sharding the schedule is the same on any number of ranks.
        return self.schedules.get(
            "schedule",
            profile=f"tools/scale/models/{name}.json",
            ranks=ranks if settings.get("zero") else 2,
            samples=samples,
            tflops=float(tflops),
            **settings,
        )

    def predict(self, name, cluster, algorithms=FLAT, **settings):
        schedule = self.schedule(name, cluster.ranks, **settings)
        step = predict_step(self.model, algorithms, cluster, schedule)
        alone = schedule["compute_seconds"] + self.schedule(name, 2, **{**settings, "zero": False})["optimizer_seconds"]
        return {**step, "efficiency": alone / step["step_seconds"], "alone_seconds": alone}

    def simulate(self, name, cluster, algorithm, **settings):
        return self.steps.get(
            "step",
            profile=f"tools/scale/models/{name}.json",
            samples=SAMPLES,
            tflops=TFLOPS,
            **{**DEFAULTS, **settings},
            **cluster.options(algorithm),
        )


def percent(share):
    return f"{100 * share:.1f}%"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def fit_table(study):
    rows = []
    for algorithm in TERMS:
        fitted = [point for point in study.fitted if point[0] == algorithm]
        held = [point for point in study.held_out if point[0] == algorithm]
        if not fitted:
            continue
        here = numpy.abs(study.model.errors(fitted))
        there = numpy.abs(study.model.errors(held)) if held else numpy.zeros(1)
        rows.append([
            algorithm,
            ", ".join(f"{factor:.2f}" for factor in study.model.factors[algorithm]),
            len(fitted), percent(numpy.median(here)), percent(here.max()),
            len(held), percent(numpy.median(there)), percent(there.max()),
            max(point[1].ranks for point in held) if held else "",
        ])  # fmt: skip
    return table(
        ["algorithm", "factors", "fitted points", "median error", "largest",
         "held out", "median error", "largest", "up to ranks"], rows)  # fmt: skip


SIMULATED_STEPS = (
    *(("rcvit_m", 8, 400, algorithm) for algorithm in ("ring", "tree")),
    *(("rcvit_m", 64, 400, algorithm) for algorithm in clusters.NCCL),
    *((name, 64, 100, "tree") for name in MODELS),
    ("rcvit_m", 64, 25, "ring"),
    ("rcvit_m", 512, 400, "tree"),
    ("rcvit_m", 512, 400, "hierarchical-ring"),
)


def step_table(study):
    rows = []
    for name, ranks, gbps, algorithm in SIMULATED_STEPS:
        cluster = Cluster(ranks, gbps)
        simulated = study.simulate(name, cluster, algorithm)
        if simulated is None:
            continue
        predicted = study.predict(name, cluster, (algorithm,))
        rows.append([
            name, ranks, gbps, algorithm,
            f"{1e3 * simulated['step_seconds']:.2f}", f"{1e3 * predicted['step_seconds']:.2f}",
            f"{1e3 * simulated['exposed_seconds']:.2f}", f"{1e3 * predicted['exposed_seconds']:.2f}",
            percent(predicted["step_seconds"] / simulated["step_seconds"] - 1),
        ])  # fmt: skip
    return table(
        ["model", "ranks", "Gb/s a node", "algorithm", "step, simulated (ms)", "model (ms)",
         "exposed, simulated (ms)", "model (ms)", "error of the step"], rows)  # fmt: skip


def efficiency_table(study, gbps):
    rows = []
    for ranks in (8, 64, 512, 4096):
        row = [ranks]
        for name in MODELS:
            step = study.predict(name, Cluster(ranks, gbps))
            row.append(f"{1e3 * step['step_seconds']:.2f} ms, {percent(step['efficiency'])}")
        rows.append(row)
    return table(["ranks", *MODELS], rows)


def candidates():
    for hierarchical in (False, True):
        for bucket in (1, 2, 4, 8, 16, 64):
            for bfloat16 in (False, True):
                for zero in (False, True) if not hierarchical else (False,):
                    yield {
                        "algorithms": HIERARCHICAL if hierarchical else FLAT,
                        "bucket_bytes": bucket * 1_000_000,
                        "first_bucket_bytes": min(512 << 10, bucket * 1_000_000),
                        "bfloat16": bfloat16,
                        "zero": zero,
                    }


def describe(settings):
    return (
        f"{settings['bucket_bytes'] // 1_000_000} MB",
        "bfloat16" if settings["bfloat16"] else "float32",
        "yes" if settings["algorithms"] is HIERARCHICAL else "no",
        "yes" if settings["zero"] else "no",
    )


def settings_table(study, name, gbps, tflops=TFLOPS):
    rows = []
    for ranks in (8, 64, 512, 4096):
        cluster = Cluster(ranks, gbps)
        results = []
        for settings in candidates():
            if settings["zero"] and ranks > 512:
                continue  # more padding than gradients: see the page
            step = study.predict(name, cluster, tflops=tflops, **settings)
            results.append((step["efficiency"], settings))
        best = max(results, key=lambda result: result[0])
        # Among those within half a percent of the best that shards nothing the simplest: float32 before
        # bfloat16, flat before hierarchical, the size nearest to the default.
        unsharded = [result for result in results if not result[1]["zero"]]
        least = max(result[0] for result in unsharded) - 0.005
        simple = min(
            (result for result in unsharded if result[0] >= least),
            key=lambda result: (
                result[1]["bfloat16"],
                result[1]["algorithms"] is HIERARCHICAL,
                abs(math.log2(result[1]["bucket_bytes"] / DEFAULTS["bucket_bytes"])),
            ),
        )
        default = study.predict(name, cluster, tflops=tflops)
        rows.append([ranks, *describe(simple[1]), percent(simple[0]), percent(default["efficiency"]),
                     percent(best[0])])  # fmt: skip
    return table(
        ["ranks", "bucket", "transport", "hierarchical", "zero", "efficiency", "with the defaults", "best of all"],
        rows,
    )


def sensitivity_table(study, name, ranks):
    rows = []
    for tflops in (10.0, 30.0, 100.0, 300.0):
        row = [f"{tflops:.0f}"]
        for gbps in (25, 100, 200, 400, 3200):
            row.append(percent(study.predict(name, Cluster(ranks, gbps), tflops=tflops)["efficiency"]))
        rows.append(row)
    return table(["TFLOP/s a GPU", "25 Gb/s", "100 Gb/s", "200 Gb/s", "400 Gb/s", "8 x 400 Gb/s"], rows)


def batch_table(study, name, gbps):
    rows = []
    for samples in (8, 16, 32, 64, 128, 256):
        row = [samples]
        for ranks in (8, 64, 512, 4096):
            row.append(percent(study.predict(name, Cluster(ranks, gbps), samples=samples)["efficiency"]))
        rows.append(row)
    return table(["samples a rank", "8 ranks", "64", "512", "4096"], rows)


def zero_table(study, name, gbps):
    rows = []
    for ranks in (8, 64, 512):
        cluster = Cluster(ranks, gbps)
        schedule = study.schedule(name, ranks, zero=True)
        step = study.predict(name, cluster, zero=True)
        rows.append([ranks, f"{schedule['layout_bytes'] / 1e6:.0f} MB",
                     f"{schedule['layout_bytes'] / schedule['parameter_bytes']:.2f}",
                     len(schedule["after_update"]), f"{1e3 * step['step_seconds']:.1f} ms",
                     percent(step["efficiency"])])  # fmt: skip
    return table(["ranks", "exchanged", "of the gradients", "buckets", "step", "efficiency"], rows)


def first_bucket_table(study, name, gbps):
    rows = []
    for ranks in (8, 64, 512, 4096):
        row = [ranks]
        for size in (64 << 10, 512 << 10, 2 << 20, 4_000_000):
            step = study.predict(name, Cluster(ranks, gbps), first_bucket_bytes=size)
            row.append(f"{1e3 * step['exposed_seconds']:.2f}")
        rows.append(row)
    return table(["ranks", "64 KiB", "512 KiB", "2 MiB", "4 MB"], rows)


def jitter_table(study, name):
    rows = []
    cluster = Cluster(64, 400)
    alone = study.predict(name, cluster)["alone_seconds"]
    for jitter in (0.0, 0.01, 0.03):
        more = {"jitter": jitter} if jitter else {}
        step = study.simulate(name, cluster, "tree", **more)
        if step:
            rows.append([percent(jitter), f"{1e3 * step['step_seconds']:.2f} ms", percent(alone / step["step_seconds"])])
    return table(["deviation of a rank's time", "step, simulated", "efficiency"], rows)


def host_table(study, name):
    rows = []
    for ranks in (8, 16, 32, 64, 128, 512):
        row = [ranks, f"{2 * (ranks - 1):,}"]
        for gbps in (25, 100, 400):
            cluster = Cluster(ranks, gbps)
            row.append(percent(study.predict(name, cluster, ("host",))["efficiency"]))
        rows.append(row)
    return table(["ranks", "messages a rank and piece", "25 Gb/s", "100 Gb/s", "400 Gb/s"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=default_program())
    parser.add_argument("--out", default="docs/images", help="folder of the plots")
    parser.add_argument("--tables", help="file for the tables; standard output where left out")
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args()
    study = Study(options)
    sections = {
        "Fit": fit_table(study),
        "Steps, simulated and predicted": step_table(study),
        "400 Gb/s a node": efficiency_table(study, 400),
        "400 Gb/s a GPU": efficiency_table(study, 3200),
        "Settings, rcvit_m, 400 Gb/s a node": settings_table(study, "rcvit_m", 400),
        "Settings, rcvit_m, 100 Gb/s a node": settings_table(study, "rcvit_m", 100),
        "Settings, rcvit_m, 400 Gb/s a node, 100 TFLOP/s": settings_table(study, "rcvit_m", 400, 100.0),
        "First bucket, rcvit_m, 400 Gb/s a node, exposed ms": first_bucket_table(study, "rcvit_m", 400),
        "Sensitivity, rcvit_m, 512 ranks": sensitivity_table(study, "rcvit_m", 512),
        "Samples a rank, rcvit_m, 400 Gb/s a node": batch_table(study, "rcvit_m", 400),
        "Sharded optimizer, rcvit_m, 400 Gb/s a node": zero_table(study, "rcvit_m", 400),
        "Ranks that are not equally fast, rcvit_m, 64 ranks": jitter_table(study, "rcvit_m"),
        "Over MPI on the host, rcvit_m": host_table(study, "rcvit_m"),
    }
    text = "\n".join(f"### {title}\n\n{body}" for title, body in sections.items())
    if options.tables:
        pathlib.Path(options.tables).write_text(text, encoding="utf-8")
    else:
        print(text)
    import plots  # needs matplotlib, which the tables do not

    plots.write_all(study, pathlib.Path(options.out))


if __name__ == "__main__":
    main()
