"""Simulated collectives against closed forms, and a simulated step against what must hold of any."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = os.path.join(os.environ["CASVIT_BIN"], "casvit_scale")


def simulate(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def collective(algorithm, ranks, size, **more):
    options = {"--local-latency-us": 2, "--local-gbytes": 100, **more}
    flat = [word for pair in options.items() for word in pair]
    return simulate("collective", "--algorithm", algorithm, "--ranks", ranks, "--bytes", size, *flat)["seconds"]


def profile(folder, parameters=40, elements=250_000):
    path = pathlib.Path(folder, "model.json")
    path.write_text(
        json.dumps(
            {
                "model": "test",
                "image_size": 224,
                "statistics_elements": 1000,
                "macs": 1e9,
                "forward_share": 0.3,
                "parameters": [
                    {"name": f"p{i}", "elements": elements, "arrival": 1 - i / parameters} for i in range(parameters)
                ],
            }
        ),
        encoding="utf-8",
    )
    return path


class ClosedForms(unittest.TestCase):
    def near(self, measured, expected):
        self.assertLess(abs(measured / expected - 1), 0.01, f"{measured} instead of {expected}")

    def test_a_ring_takes_its_steps(self):
        for ranks in (2, 5, 8):
            for size in (80_000, 8_000_000):
                steps = 2 * (ranks - 1)
                self.near(collective("ring", ranks, size), steps * (2e-6 + size / ranks / 100e9))

    def test_a_ring_over_nodes_is_as_fast_as_their_links(self):
        size = 400_000_000
        measured = collective("ring", 16, size, **{"--ranks-per-node": 1, "--node-gbps": 100})
        self.near(measured, 2 * 15 / 16 * size / 12.5e9)

    def test_launchs_own_exchange_sends_all_segments_at_once(self):
        # So slow a link that the pauses between two looks (0.2 ms) do not matter.
        size = 4 << 20  # one piece
        for ranks in (2, 4, 8):
            once = 2e-6 + (ranks - 1) / ranks * size / 0.03e9
            self.near(collective("host", ranks, size, **{"--local-gbytes": 0.03}), 2 * once)

    def test_launchs_own_exchange_sends_each_segment_to_each_rank_of_other_nodes(self):
        # Two nodes of two: a node sends two ranks' segments to two others, twice. A quarter each.
        size = 4_000_000
        options = {"--ranks-per-node": 2, "--node-gbps": 0.8, "--local-gbytes": 1000}
        self.near(collective("host", 4, size, **options), 2 * 4 * size / 4 / 0.1e9)

    def test_sums_on_the_host_take_their_time(self):
        options = {"--local-gbytes": 0.03}
        free = collective("host", 4, 4 << 20, **options)
        paid = collective("host", 4, 4 << 20, **{**options, "--sum-gbytes": 0.03})
        self.near(paid - free, (4 << 20) / 0.03e9)

    def test_a_chain_keeps_its_links_busy(self):
        # Two trees over four ranks in a chain, each with half of the bytes, one headed by rank 0 and
        # one by rank 2, up and down at once: rank 0 sends three halves, and no rank sends more.
        size = 400_000_000
        measured = collective("tree", 4, size)
        self.assertGreater(measured, 1.5 * size / 100e9)
        self.assertLess(measured, 1.06 * 1.5 * size / 100e9)

    def test_a_tree_over_many_nodes_is_faster_than_a_ring_for_little(self):
        self.assertLess(collective("tree", 64, 64_000), collective("ring", 64, 64_000) / 3)

    def test_hierarchical_is_a_scatter_an_exchange_and_a_gather(self):
        size = 80_000_000
        local = 2 * 7 * (2e-6 + size / 8 / 100e9)
        # Both nodes exchange eighths, eight at once over their links of 50 GB/s.
        across = 2 * (10e-6 + size / 2 / 50e9)
        self.near(collective("hierarchical-ring", 16, size, **{"--network-latency-us": 10}), local + across)


class Steps(unittest.TestCase):
    def step(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            return simulate("step", "--profile", profile(folder), *arguments)

    def test_one_rank_computes_and_updates(self):
        step = self.step("--ranks", 1, "--tflops", 10, "--samples", 10)
        self.assertAlmostEqual(step["compute_seconds"], 6e9 * 10 / 10e12)
        self.assertAlmostEqual(step["step_seconds"], step["compute_seconds"] + step["optimizer_seconds"])
        self.assertEqual(step["exposed_seconds"], 0)

    def test_a_fast_network_hides_all_but_the_last_bucket_and_the_tail(self):
        for algorithm in ("ring", "tree", "hierarchical-ring", "host"):
            step = self.step("--ranks", 4, "--algorithm", algorithm, "--tflops", 1)
            self.assertGreater(step["exposed_seconds"], 0)
            self.assertLess(step["exposed_seconds"], 0.01 * step["step_seconds"], algorithm)

    def test_a_slow_network_is_the_step(self):
        step = self.step("--ranks", 4, "--algorithm", "ring", "--local-gbytes", 0.01)
        network = 2 * 3 / 4 * 40e6 / 0.01e9
        self.assertLess(abs(step["step_seconds"] / network - 1), 0.05)

    def test_half_the_bytes_take_half_the_time_there(self):
        slow = ("--ranks", 4, "--algorithm", "ring", "--local-gbytes", 0.01)
        wide, narrow = self.step(*slow), self.step(*slow, "--bfloat16")
        self.assertLess(abs(narrow["exposed_seconds"] / wide["exposed_seconds"] - 0.5), 0.03)

    def test_ranks_wait_for_the_slowest(self):
        even = self.step("--ranks", 8, "--algorithm", "ring")
        uneven = self.step("--ranks", 8, "--algorithm", "ring", "--jitter", 0.1)
        self.assertGreater(uneven["step_seconds"], 1.02 * even["step_seconds"])

    def test_sharding_scatters_and_gathers(self):
        sharded = self.step("--ranks", 4, "--zero")
        whole = self.step("--ranks", 4)
        self.assertLess(sharded["optimizer_seconds"], 0.5 * whole["optimizer_seconds"])
        self.assertGreater(sharded["exposed_seconds"], whole["exposed_seconds"])

    def test_refuses_what_it_does_not_know(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments, says in (
                (["--algorithm", "star"], "there is no algorithm"),
                (["--ranks", "12"], "must fill nodes"),
            ):
                done = subprocess.run(
                    [PROGRAM, "step", "--profile", profile(folder), *arguments],
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
                self.assertEqual(done.returncode, 2)
                self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
