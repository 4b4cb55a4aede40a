"""Where the time of steps goes: every rank's, in metrics.jsonl, and as a Chrome trace."""

import json
import os
import unittest

from training_case import TrainingCase, lines_of


class TraceTest(TrainingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_of_two = os.path.join(cls.folder, "traced")
        cls.trace = os.path.join(cls.folder, "trace.json")

    def test_times_of_every_rank_and_a_trace_that_agrees_with_them(self):
        command = self.train_command(2, self.run_of_two, "train.epochs=1", "parallel.bucket_mb=1")
        output = self.run_it([*command, "--trace", self.trace, "--trace-steps", "4"])
        self.assertIn(f"trace: {self.trace}", output)
        steps = lines_of(self.run_of_two, "step")
        (ranks,) = lines_of(self.run_of_two, "ranks")
        self.assertEqual(ranks["steps"], len(steps))
        parts = ("data", "compute", "comm_exposed", "optimizer")
        for part in (*parts, "idle"):
            self.assertEqual(len(ranks[f"{part}_seconds"]), 2)
        # Rank 0's own lines add up to its share, idling included.
        for part in parts:
            of_steps = sum(row[f"{part}_seconds"] for row in steps)
            of_rank = ranks[f"{part}_seconds"][0] + (ranks["idle_seconds"][0] if part == "comm_exposed" else 0)
            self.assertAlmostEqual(of_steps, of_rank, delta=1e-6 + 1e-6 * of_steps)
        # Whoever came last in a step did not idle in it: not both idled all the time.
        self.assertGreaterEqual(min(ranks["idle_seconds"]), 0)
        waited = [ranks["comm_exposed_seconds"][rank] for rank in (0, 1)]
        self.assertAlmostEqual(waited[0], waited[1], delta=1e-9 + 1e-9 * waited[0])

        with open(self.trace, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
        self.assertRegex(names[0], r"^rank 0 on \S+$")
        self.assertEqual(sorted(names), [0, 1])
        spans = [event for event in events if event["ph"] == "X"]
        self.assertEqual({span["args"]["step"] for span in spans}, {3, 4, 5, 6})
        for rank in (0, 1):
            for step in (3, 4, 5, 6):
                mine = [span for span in spans if span["pid"] == rank and span["args"]["step"] == step]
                phases = sorted((s for s in mine if s["tid"] == 0), key=lambda s: s["ts"])
                # Two shards a rank.
                self.assertEqual(
                    [phase["name"] for phase in phases],
                    ["data wait", "forward", "backward"] * 2 + ["exposed communication", "optimizer"],
                )
                for one, following in zip(phases, phases[1:]):
                    self.assertAlmostEqual(one["ts"] + one["dur"], following["ts"], delta=1)
                exchanges = sorted((s for s in mine if s["tid"] == 1), key=lambda s: s["ts"])
                self.assertGreater(len(exchanges), 3)
                self.assertTrue(all(s["dur"] >= 0 and s["args"]["bytes"] > 0 for s in exchanges))
                self.assertEqual(exchanges[-1]["name"], "batch statistics and the loss")
                # The first exchange begins while backward of the last shard is still under way.
                backward = [phase for phase in phases if phase["name"] == "backward"][-1]
                self.assertGreater(exchanges[0]["ts"], backward["ts"])
                self.assertLess(exchanges[0]["ts"], backward["ts"] + backward["dur"])
                if rank == 0:
                    seconds = sum(phase["dur"] for phase in phases if phase["name"] in ("forward", "backward"))
                    self.assertAlmostEqual(steps[step - 1]["compute_seconds"], seconds / 1e6, delta=1e-5)

    def test_a_trace_of_one_rank_and_one_while_sizes_of_buckets_are_tried(self):
        for ranks, spans_of_exchanges in ((0, False), (2, True)):
            trace = os.path.join(self.folder, f"trace{ranks}.json")
            run = os.path.join(self.folder, f"run{ranks}")
            self.run_it([*self.train_command(ranks, run, "train.max_steps=16"), "--trace", trace, "--trace-steps", "99"])
            with open(trace, encoding="utf-8") as file:
                spans = [event for event in json.load(file)["traceEvents"] if event["ph"] == "X"]
            self.assertEqual({span["args"]["step"] for span in spans}, set(range(3, 17)))
            self.assertEqual(any(span["tid"] == 1 for span in spans), spans_of_exchanges)


if __name__ == "__main__":
    unittest.main(verbosity=2)
