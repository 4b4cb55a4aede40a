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
    grid = [*clusters.fitted_points(), *clusters.held_out_points()]
    began = time.monotonic()
    for done, (algorithm, cluster, size) in enumerate(grid):
        points.get("collective", bytes=size, **cluster.options(algorithm))
        spent = time.monotonic() - began
        print(f"{done + 1} of {len(grid)} points, {spent:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
