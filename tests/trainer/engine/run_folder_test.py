"""What becomes of a run folder: continued, refused, left free or as it was; and mistakes that end a run."""

import os
import shutil
import unittest

from training_case import BIN, LAST, TrainingCase, lines_of


class RunFolderTest(TrainingCase):
    def test_more_epochs_continue_a_finished_run_and_say_so(self):
        run = self.run_folder("longer")
        self.run_it(self.train_command(0, run, "train.epochs=1"))
        self.assertIn("already holds a run", self.run_it(self.train_command(0, run), code=2))
        finished = self.run_it(self.train_command(0, run, "train.epochs=1", resume="auto"))
        self.assertIn("is finished", finished)
        longer = self.run_it(self.train_command(0, run, "train.epochs=2", resume="auto"))
        self.assertIn("train.epochs: 1 -> 2", longer)
        self.assertIn("schedule of 2 epochs", longer)
        self.assertEqual([row["epoch"] for row in lines_of(run, "epoch")], [1, 2])
        refused = self.run_it(
            self.train_command(0, run, "train.epochs=3", "batch.shard_size=2", resume="auto"), code=2
        )
        self.assertIn("batch.shard_size: 4 -> 2", refused)

        first = os.path.join(run, "checkpoints/epoch-0001.safetensors")
        forked = self.run_it(self.train_command(0, run, resume=first), code=2)
        self.assertIn("not its newest checkpoint", forked)
        branch = self.run_folder("branch")
        self.run_it(self.train_command(0, branch, "train.epochs=2", resume=first))
        self.assert_same_tensors(os.path.join(run, LAST), os.path.join(branch, LAST))

    def test_a_failed_start_leaves_the_folder_free_and_the_run_as_it_was(self):
        run = self.run_folder("start")
        self.run_it(self.train_command(2, run, "train.max_steps=2", "model.init=absent.safetensors"), code=3)
        self.run_it(self.train_command(2, run, "train.max_steps=2"))
        with open(os.path.join(run, "config.yaml"), encoding="utf-8") as file:
            written = file.read()
        self.run_it(self.train_command(2, run, "train.max_steps=2", "batch.shard_size=2", resume="auto"), code=2)
        with open(os.path.join(run, "config.yaml"), encoding="utf-8") as file:
            self.assertEqual(file.read(), written)

    def test_auto_does_not_start_over_where_no_checkpoint_can_be_read(self):
        run = self.run_folder("unreadable")
        self.run_it(self.train_command(2, run, "train.max_steps=2"))
        metrics = lines_of(run, "step")
        for folder, _, names in os.walk(os.path.join(run, "checkpoints")):
            for name in names:
                with open(os.path.join(folder, name), "r+b") as file:
                    file.write(bytes(8))
        output = self.run_it(self.train_command(2, run, "train.max_steps=2", resume="auto"), code=3)
        self.assertIn("none of the checkpoints", output)
        self.assertIn("step-00000002.safetensors", output)
        self.assertEqual(lines_of(run, "step"), metrics)

    def test_a_host_that_does_not_see_the_checkpoint_says_so(self):
        run = self.run_folder("on-one-host")
        self.run_it(self.train_command(2, run, "train.max_steps=1"))
        # Two hosts are two working folders, and only the first has the run.
        hosts = [self.run_folder(name) for name in ("host-a", "host-b")]
        for host in hosts:
            os.mkdir(host)
        os.rename(run, f"{hosts[0]}/run")
        rank = self.train_command(0, "run", "train.max_steps=2", resume="auto")
        launcher = self.command(2)[:4]
        output = self.run_it(
            [*launcher, "-np", "1", "--wdir", hosts[0], *rank, ":", "-np", "1", "--wdir", hosts[1], *rank], code=3
        )
        self.assertRegex(output, "rank 1 of 2 on .*: rank 0's host has run/checkpoints/step-00000001.safetensors, this one")
        self.assertIn("put the run folder where all hosts see it", output)

    def test_an_unwritable_checkpoint_ends_with_6(self):
        run = self.run_folder("unwritable")
        command = self.train_command(2, run, "train.max_steps=2")
        limited = ["bash", "-c", 'ulimit -f 8192; exec "$@"', "bash", *command]  # 8 MiB a file
        output = self.run_it(limited, code=6)
        self.assertIn("File too large", output)
        self.assertIn("checkpoints", output)
        self.assertEqual(os.listdir(os.path.join(run, "checkpoints")), [])

    def test_a_flipped_byte_stops_training_with_the_sample_named(self):
        damaged = f"{self.folder}/damaged.h5"
        shutil.copy(f"{self.folder}/s.train.h5", damaged)
        size = os.path.getsize(damaged)
        with open(damaged, "r+b") as file:
            file.seek(size - size // 3)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 0x10]))
        verified = self.run_it([f"{BIN}/casvit-pack", "verify", damaged], code=3)
        output = self.run_it(
            self.train_command(2, self.run_folder("damaged"), f"data.train={damaged}"), code=3
        )
        for text in (verified, output):
            self.assertRegex(text, r"sample \d+")
            self.assertRegex(text, r"\.(jpg|png)")
        self.assertRegex(output, r"rank \d of 2")

    def test_mistakes_end_with_2_or_3_and_say_what_would_do(self):
        run = self.run_folder("mistake")
        cases = [
            ((self.train_command(3, run)), 2, ["1, 2, 4 ranks"]),
            ((self.train_command(0, run, "optimizer.lerning_rate=1")), 2, ["optimizer.learning_rate"]),
            ((self.train_command(0, run, "train.epochs=many")), 2, ["train.epochs"]),
            ((self.train_command(0, run, "batch.shard_size=5000")), 2, ["396", "20000"]),
            ((self.train_command(0, run, "device=cuda")), 2, ["device: cuda"]),
            ((self.train_command(2, run, "launch.expect_ranks=4")), 2, ["expect_ranks"]),
            ((self.train_command(0, run, "data.train=absent.h5")), 3, ["absent.h5"]),
            ((self.train_command(0, run, config="absent.yaml")), 2, ["absent.yaml"]),
            ((self.command(0, "--frobnicate")), 2, ["--help"]),
            ((self.train_command(0, run, resume=self.recipe)), 3, ["recipe.yaml"]),
        ]
        for command, code, words in cases:
            with self.subTest(command=command):
                output = self.run_it(command, code)
                for word in words:
                    self.assertIn(word, output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
