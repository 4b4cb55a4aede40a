"""casvit_dist bench data, alone and under mpirun: what it prints adds up."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

BIN = os.environ["CASVIT_BIN"]
STAGES = ["pread", "read", "decode", "augment", "loader", "copy"]


class BenchDataTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="casvit-bench-")
        seedlings = os.path.join(os.getcwd(), "data", "seedlings")
        subprocess.run(
            [f"{BIN}/casvit-pack", seedlings, "-o", f"{cls.folder}/s.h5"], check=True, capture_output=True
        )
        cls.data = f"{cls.folder}/s.train.h5"

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def bench(self, ranks, *arguments, code=0):
        prefix = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks)] if ranks else []
        done = subprocess.run(
            [*prefix, f"{BIN}/casvit_dist", "bench", "data", *arguments],
            capture_output=True, text=True, timeout=120, check=False,
        )
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stdout + done.stderr

    def test_every_stage_is_measured_on_any_number_of_ranks(self):
        for ranks in (0, 2):
            found = json.loads(
                self.bench(
                    ranks, "--data", self.data, "--threads", "2", "--image-size", "64", "--batch-size", "8",
                    "--seconds", "0.1", "--json",
                )
            )
            self.assertEqual(list(found["stages"]), STAGES)
            self.assertEqual(found["images_per_second"], found["stages"]["loader"]["images_per_second"])
            for name in ("ranks", "threads_per_rank", "image_size", "batch_size", "samples"):
                expected = {"ranks": max(ranks, 1), "threads_per_rank": 2, "image_size": 64,
                            "batch_size": 8, "samples": 396}[name]
                self.assertEqual(found[name], expected, name)
            loader = found["stages"]["loader"]
            self.assertEqual(loader["images"] % 8, 0)
            self.assertAlmostEqual(
                loader["bytes_written_per_second"] / loader["images_per_second"], 64 * 64 * 3 * 4, places=3
            )
            for stage in found["stages"].values():
                self.assertGreater(stage["images"], 0)
            # Nothing can come out of a later stage faster than bytes are copied.
            self.assertGreater(
                found["stages"]["copy"]["images_per_second"], loader["images_per_second"]
            )

    def test_stages_and_recipe_can_be_chosen(self):
        recipe = f"{self.folder}/recipe.yaml"
        with open(recipe, "w", encoding="utf-8") as file:
            file.write(f"data: {{train: {self.data}}}\nmodel: {{image_size: 48}}\nbatch: {{shard_size: 6}}\n")
        found = json.loads(
            self.bench(0, "--config", recipe, "--stages", "decode,read", "--seconds", "0.05", "--json")
        )
        self.assertEqual(list(found["stages"]), ["read", "decode"])
        self.assertIsNone(found["images_per_second"])
        self.assertEqual((found["image_size"], found["batch_size"]), (48, 6))
        table = self.bench(0, "--config", recipe, "--stages", "loader", "--seconds", "0.05")
        self.assertIn("loader", table)
        self.assertIn("396 pictures to 48 pixels", table)

    def test_mistakes_end_with_2_or_3_and_say_what_would_do(self):
        self.assertIn("--data", self.bench(0, code=2))
        self.assertIn("there.h5", self.bench(0, "--data", "there.h5", code=3))
        self.assertIn("stages", self.bench(0, "--data", self.data, "--stages", "fly", code=2))
        self.assertIn(
            "rand_augment",
            self.bench(0, "--data", self.data, "--set", "augment.rand_augment=nonsense", code=2),
        )


if __name__ == "__main__":
    unittest.main()
