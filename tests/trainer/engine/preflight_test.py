"""casvit_dist preflight under real mpirun, and the part of it that every run begins with: another
program, configuration, data or world on one rank is found before step 0, and named."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

BIN = os.environ["CASVIT_BIN"]
SEEDLINGS = os.path.join(os.getcwd(), "data", "seedlings")
RECIPE = """
data: {train: train.h5, val: val.h5}
device: cpu
model: {name: rcvit_xs, image_size: 32}
batch: {shards: 2, shard_size: 4}
precision: {amp: off}
train: {epochs: 2, max_steps: 2, seed: 7}
checkpoint: {keep: 2}
launch: {threads: 1}
"""


class PreflightTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="casvit-preflight-")
        subprocess.run([f"{BIN}/casvit-pack", SEEDLINGS, "-o", f"{cls.folder}/s.h5"], check=True, capture_output=True)
        # Three working folders: one as it should be, one with other data, one without.
        for name, train in (("good", "s.train.h5"), ("other", "s.val.h5"), ("none", None)):
            place = os.path.join(cls.folder, name)
            os.mkdir(place)
            with open(os.path.join(place, "recipe.yaml"), "w", encoding="utf-8") as file:
                file.write(RECIPE)
            if train:
                os.symlink(f"{cls.folder}/{train}", os.path.join(place, "train.h5"))
                os.symlink(f"{cls.folder}/s.val.h5", os.path.join(place, "val.h5"))
        cls.other_build = os.path.join(cls.folder, "casvit_dist")
        shutil.copy(f"{BIN}/casvit_dist", cls.other_build)
        with open(cls.other_build, "ab") as file:
            file.write(b"\0")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def rank(self, *arguments, command="preflight", place="good", program=None):
        """One rank's part of an mpirun command."""
        return [
            "-np", "1", "-wdir", os.path.join(self.folder, place), program or f"{BIN}/casvit_dist",
            command, "--config", "recipe.yaml", *arguments,
        ]  # fmt: skip

    def run_ranks(self, *ranks, code=0):
        words = ["mpirun", "--oversubscribe", "--bind-to", "none"]
        for number, rank in enumerate(ranks):
            words += ([":"] if number > 0 else []) + rank
        return self.run_it(words, code)

    def run_it(self, words, code=0, **environment):
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=120, check=False,
            cwd=os.path.join(self.folder, "good"), env={**os.environ, **environment},
        )  # fmt: skip
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if "--json" in words else done.stdout + done.stderr

    def report(self, *ranks, code=0):
        output = self.run_ranks(*ranks, code=code)
        return json.loads(next(line for line in output.splitlines() if line.startswith("{")))

    def check(self, report, name):
        return next(check for check in report["checks"] if check["name"] == name)

    def test_two_ranks_alike_pass_and_all_is_told(self):
        report = self.report(self.rank("--json"), self.rank("--json"))
        self.assertIn(report["preflight"], ("ok", "warning"))  # a machine may be short of cores
        self.assertEqual((report["exit_code"], report["ranks"], report["hosts"]), (0, 2, 1))
        self.assertEqual(
            [check["name"] for check in report["checks"]],
            ["world", "binary", "configuration", "data", "batches", "device", "cores", "memory", "disk", "clock"],
        )
        self.assertNotIn("FAILED", [check["verdict"] for check in report["checks"]])
        self.assertEqual([rank["rank"] for rank in report["by_rank"]], [0, 1])
        first, second = report["by_rank"]
        for key in ("host", "binary", "train", "val", "device"):
            self.assertEqual(first[key], second[key], key)
        self.assertEqual(first["train"]["samples"], 396)
        self.assertEqual(len(first["train"]["hash"]), 16)
        self.assertGreater(first["memory_bytes"], first["memory_free_bytes"])
        self.assertIsNone(first["gpu"])
        self.assertLess(abs(second["clock_skew_seconds"]), second["clock_uncertainty_seconds"] + 1e-5)
        speed = report["all_reduce"]["host_memory"]
        self.assertGreater(speed["latency_seconds"], 0)
        self.assertGreater(speed["bytes_per_second"], 1e6)
        # Weights, running statistics, two moments.
        self.assertGreater(report["checkpoint_bytes"], 12 * report["parameters"])
        self.assertLess(report["checkpoint_bytes"], 13 * report["parameters"])

    def test_alone_it_prints_a_page_and_makes_nothing(self):
        before = sorted(os.listdir(os.path.join(self.folder, "good")))
        page = self.run_it([f"{BIN}/casvit_dist", "preflight", "--config", "recipe.yaml"])
        self.assertLess(len(page.splitlines()), 40)
        self.assertRegex(page, r"(?m)^data +ok +train: 396 pictures of 12 classes")
        self.assertRegex(page, r"(?m)^disk +ok .* for up to 1 checkpoints? of ")
        self.assertEqual(before, sorted(os.listdir(os.path.join(self.folder, "good"))))

    def test_another_configuration_program_or_data_is_named_by_rank(self):
        cases = [
            ("configuration", 2, self.rank("--json", "--set", "train.seed=8"), "train.seed: 7 -> 8"),
            ("binary", 2, self.rank("--json", program=self.other_build), "another casvit_dist"),
            ("data", 3, self.rank("--json", place="other"), "other data"),
            ("data", 3, self.rank("--json", place="none"), "train.h5"),
        ]
        for name, code, rank, words in cases:
            with self.subTest(rank=rank):
                report = self.report(self.rank("--json"), rank, code=code)
                check = self.check(report, name)
                self.assertEqual((check["verdict"], check["ranks"]), ("FAILED", [1]))
                self.assertEqual((check["exit_code"], report["exit_code"]), (code, code))
                self.assertIn("rank 1 on ", check["finding"])
                self.assertIn(words, check["finding"])
                self.assertNotEqual(check["advice"], "")

    def test_another_world_fails_and_says_what_to_do(self):
        for setting, words in (
            ("launch.expect_hosts=2", "2 ranks on 1 host"),
            ("launch.expect_ranks=1", "launch.expect_ranks is 1"),
        ):
            rank = self.rank("--json", "--set", setting)
            check = self.check(self.report(rank, rank, code=2), "world")
            self.assertEqual(check["verdict"], "FAILED")
            self.assertIn(words, check["finding"])

    def test_a_disk_with_no_room_for_a_checkpoint_is_6(self):
        faulty = f"{BIN}/trainer_faulty_dist"
        full = {"CASVIT_TEST_FAULT": "disk-is-full", "CASVIT_TEST_FAULT_RANK": "0"}
        for command in ("preflight", "train"):
            words = ["mpirun", "-np", "1", faulty, command, "--config", "recipe.yaml", "--out", "full"]
            output = self.run_it(words, 6, **full)
            self.assertRegex(output, r"a checkpoint takes \S+ MB, and the disk of full/checkpoints has 409.6 kB left")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "good", "full")))

    def test_training_begins_with_the_same_questions_and_says_nothing_where_all_is_well(self):
        def part(*arguments, **options):
            return self.rank("--out", "run", *arguments, command="train", **options)

        cases = [
            (2, part("--set", "train.seed=8"), "rank 1: train.seed: 7 -> 8"),
            (2, part(program=self.other_build), "rank 1 on .* has another casvit_dist than the other ranks"),
            (3, part(place="other"), "rank 1 on .* has other data than the other ranks"),
            (3, part(place="none"), "rank 1 of 2 on .*train.h5"),
        ]
        for code, rank, words in cases:
            with self.subTest(rank=rank):
                self.assertRegex(self.run_ranks(part(), rank, code=code), words)
                self.assertFalse(os.path.exists(os.path.join(self.folder, "good", "run")))
        wrong = part("--set", "launch.expect_hosts=2")
        output = self.run_ranks(wrong, wrong, code=2)
        self.assertRegex(output, r"this job has 2 ranks on 1 host \(\S+\), but launch.expect_hosts is 2")
        self.assertEqual(output.count("launch.expect_hosts is 2"), 1)
        output = self.run_ranks(part(), part())
        self.assertNotRegex(output, "preflight|expect|warning: ")

    def test_every_command_with_ranks_keeps_to_the_world_it_is_meant_for(self):
        alone = [f"{BIN}/casvit_dist"]
        self.run_it([*alone, "train", "--config", "recipe.yaml", "--out", "for-eval"])
        expect = ("--set", "launch.expect_ranks=2")
        commands = [
            ["train", "--config", "recipe.yaml", "--out", "never"],
            ["eval", "--checkpoint", "for-eval/checkpoints/last.safetensors", "--data", "val.h5"],
            ["bench", "data", "--config", "recipe.yaml", "--seconds", "0.1", "--stages", "read"],
        ]
        for command in commands:
            with self.subTest(command=command):
                output = self.run_it([*alone, *command, *expect], 2)
                self.assertIn("this job has 1 rank on 1 host", output)
                self.assertIn("mpirun -np 2", output)
        # What the checkpoint was trained in says nothing about who evaluates it.
        twice = self.rank("--out", "two", *expect, command="train")
        self.run_ranks(twice, twice)
        self.run_it([*alone, "eval", "--checkpoint", "two/checkpoints/last.safetensors", "--data", "val.h5"])

    def test_a_launcher_of_another_mpi_does_not_train_n_times(self):
        output = self.run_it(
            [f"{BIN}/casvit_dist", "train", "--config", "recipe.yaml", "--out", "lonely"], 2, PMI_RANK="0", PMI_SIZE="4"
        )
        self.assertIn("the launcher started 4 processes, but this one finds no other", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
