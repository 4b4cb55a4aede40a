"""casvit_dist bench comm, alone and under mpirun: what it prints adds up, and what it checks is right."""

import json
import os
import subprocess
import unittest

BIN = os.environ["CASVIT_BIN"]
# What each rank's link carries over the bytes of the buffer (nccl-tests, doc/PERFORMANCE.md).
BUS_FACTORS = {
    "all_reduce": lambda n: 2 * (n - 1) / n,
    "reduce_scatter": lambda n: (n - 1) / n,
    "all_gather": lambda n: (n - 1) / n,
    "broadcast": lambda n: 1,
}
WIDTHS = {"float32": 4, "float64": 8, "bfloat16": 2, "float16": 2, "int64": 8, "uint8": 1}


def bench(ranks, *arguments):
    prefix = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks)] if ranks else []
    return subprocess.run(
        [*prefix, f"{BIN}/casvit_dist", "bench", "comm", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )


class BenchCommTest(unittest.TestCase):
    def measure(self, ranks, *arguments):
        done = bench(ranks, *arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def check_sizes(self, found, ranks, op, width):
        for size in found["sizes"]:
            self.assertEqual(size["wrong"], 0)
            self.assertEqual(size["bytes"], size["count"] * width)
            self.assertGreater(size["seconds"], 0)
            self.assertLessEqual(size["seconds_least"], size["seconds"])
            bandwidth = size["bytes"] / size["seconds"]
            self.assertAlmostEqual(size["algorithm_bytes_per_second"] / bandwidth, 1, places=9)
            self.assertAlmostEqual(
                size["bus_bytes_per_second"] / bandwidth, BUS_FACTORS[op](max(ranks, 1)), places=9
            )

    def test_every_collective_on_two_ranks(self):
        for op, type_name in zip(BUS_FACTORS, ("float32", "bfloat16", "float64", "uint8")):
            found = self.measure(
                2, "--op", op, "--type", type_name, "--min-bytes", "64", "--max-bytes", "300000",
                "--factor", "64", "--warmup", "1", "--repeats", "3",
            )
            self.assertEqual((found["op"], found["type"]), (op, type_name))
            self.assertEqual((found["ranks"], found["nodes"], found["repeats"]), (2, 1, 3))
            self.assertEqual([size["bytes"] for size in found["sizes"]], [64, 4096, 262144])
            self.check_sizes(found, 2, op, WIDTHS[type_name])

    def test_sizes_are_whole_elements_of_every_rank(self):
        found = self.measure(
            3, "--op", "all_gather", "--type", "int64", "--bytes", "1,1000", "--warmup", "0", "--repeats", "2"
        )
        self.assertEqual([size["count"] for size in found["sizes"]], [3, 123])
        self.check_sizes(found, 3, "all_gather", 8)

    def test_alone_nothing_goes_over_the_bus(self):
        found = self.measure(0, "--bytes", "4096", "--repeats", "2")
        self.assertEqual(found["ranks"], 1)
        self.assertEqual(found["sizes"][0]["bus_bytes_per_second"], 0)
        self.check_sizes(found, 1, "all_reduce", 4)

    def test_the_table_has_a_line_for_each_size(self):
        done = bench(2, "--min-bytes", "1000", "--max-bytes", "16000", "--repeats", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("all_reduce of float32, 2 ranks on 1 node, cpu"), lines[0])
        self.assertEqual([line.split()[0] for line in lines[2:]], ["bytes", "1000", "4000", "16000"])

    def test_help_begins_with_an_example_and_mistakes_end_with_2(self):
        self.assertTrue(bench(0, "--help").stdout.startswith("Examples:\n  mpirun"))
        for arguments in (("--op", "fly"), ("--type", "int3"), ("--min-bytes", "9", "--max-bytes", "8")):
            done = bench(0, *arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(arguments[0].lstrip("-"), done.stderr)


if __name__ == "__main__":
    unittest.main()
