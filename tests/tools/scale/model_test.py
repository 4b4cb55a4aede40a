"""The fitted model: it finds factors that it is given, predicts points it has not seen, and adds up a step."""

import pathlib
import statistics
import sys
import unittest

SCALE = pathlib.Path(__file__).resolve().parents[3] / "tools" / "scale"
sys.path.insert(0, str(SCALE))

import clusters  # noqa: E402
from clusters import Cluster  # noqa: E402
from model import TERMS, CollectiveModel, Wires, predict_step  # noqa: E402
from points import Points  # noqa: E402


def known(grid):
    points = Points(SCALE / "results/collectives.jsonl", "", offline=True)
    found = []
    for algorithm, cluster, size in grid:
        result = points.get("collective", bytes=size, **cluster.options(algorithm))
        if result:
            found.append((algorithm, cluster, size, result["seconds"]))
    return found


class Model(unittest.TestCase):
    def test_finds_the_factors_of_points_made_with_them(self):
        made = []
        for ranks in (8, 16, 64, 256):
            for gbps in (25, 400):
                for size in clusters.SIZES:
                    cluster = Cluster(ranks, gbps)
                    terms = TERMS["ring"](Wires(cluster.options("ring")), size)
                    made.append(("ring", cluster, size, 2.0 * terms[0] + 1.0 * terms[1] + 0.5 * terms[2]))
        factors = CollectiveModel().fit(made).factors["ring"]
        for found, given in zip(factors, (2.0, 1.0, 0.5)):
            self.assertAlmostEqual(found, given, places=6)

    def test_predicts_simulated_collectives_that_it_has_not_seen(self):
        fitted, held_out = known(clusters.fitted_points()), known(clusters.held_out_points())
        seen = {point[:3] for point in fitted}
        model = CollectiveModel().fit(fitted)
        for algorithm in TERMS:
            points = [point for point in held_out if point[0] == algorithm]
            self.assertGreaterEqual(len(points), 3, algorithm)
            self.assertFalse(seen.intersection(point[:3] for point in points))
            errors = [abs(error) for error in model.errors(points)]
            self.assertLess(statistics.median(errors), 0.12, algorithm)
            self.assertLess(max(errors), 0.30, algorithm)

    def test_a_step_waits_for_readiness_and_for_the_collective_before(self):
        class Constant:
            def best(self, algorithms, cluster, size, kind="all_reduce"):
                return size

        schedule = {
            # 1 to 4; waits for 4, to 6; from 8 to 9; the tail from 10 to 10.5.
            "during_backward": [
                {"ready_seconds": 1, "bytes": 3},
                {"ready_seconds": 2, "bytes": 2},
                {"ready_seconds": 8, "bytes": 1},
                {"ready_seconds": 10, "bytes": 0.5},
            ],
            "after_update": [],
            "compute_seconds": 10,
            "optimizer_seconds": 2,
        }
        step = predict_step(Constant(), (), None, schedule)
        self.assertEqual(step, {"step_seconds": 12.5, "exposed_seconds": 0.5})
        late = {**schedule, "during_backward": [{"ready_seconds": 9, "bytes": 3}, {"ready_seconds": 10, "bytes": 1}]}
        self.assertEqual(predict_step(Constant(), (), None, late)["exposed_seconds"], 3)
        sharded = {**schedule, "norms_bytes": 0.25, "after_update": [{"bytes": 3}, {"bytes": 2}]}
        self.assertEqual(
            predict_step(Constant(), (), None, sharded), {"step_seconds": 17.75, "exposed_seconds": 5.75}
        )


if __name__ == "__main__":
    unittest.main()
