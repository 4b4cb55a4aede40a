#!/usr/bin/env python3
"""Simulates the collectives of tools/scale/clusters.py, those that no earlier run has.

  tools/scale/sweep.py --program build/scale/bin/casvit_scale
"""

import argparse
import sys
import time

import clusters
from points import Points, default_program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=default_program())
    parser.add_argument("--results", default="tools/scale/results/collectives.jsonl")
    options = parser.parse_args()
    points = Points(options.results, options.program)
    grid = [
        {"bytes": size, **cluster.options(algorithm)}
        for algorithm, cluster, size in (*clusters.fitted_points(), *clusters.held_out_points())
    ]
    missing = [point for point in grid if not points.holds("collective", **point)]
    print(f"{len(grid) - len(missing)} of {len(grid)} collectives are known", file=sys.stderr)
    began = time.monotonic()
    for done, point in enumerate(missing):
        if done:
            left = (time.monotonic() - began) / done * (len(missing) - done)
            print(f"{done} of {len(missing)}, about {left:.0f} s left", file=sys.stderr)
        points.get("collective", **point)


if __name__ == "__main__":
    main()
