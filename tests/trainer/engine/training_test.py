"""casvit_dist under real mpirun on the sample photographs: same experiment on any number of ranks,
exact resume, prompt and named failures, exit codes. Reads checkpoints with its own few lines."""

import json
import math
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

BIN = os.environ["CASVIT_BIN"]
SEEDLINGS = os.path.join(os.getcwd(), "data", "seedlings")
RECIPE = """
data: {train: TRAIN, val: VAL}
device: cpu
model: {name: rcvit_xs, image_size: 32, drop_path: 0.1}
batch: {shards: 4, shard_size: 4}
precision: {amp: off}
train: {epochs: 2, seed: 7}
optimizer: {learning_rate: 1e-3}
schedule: {warmup_epochs: 0.5}
loss: {label_smoothing: 0.1}
ema: {decay: 0.99, warmup: true}
clip: {norm: 5}
mixup: {mixup_alpha: 0.8, cutmix_alpha: 1.0, prob: 0.5}
launch: {threads: 1}
"""


def tensors_of(path):
    """Name -> raw bytes of a safetensors file."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    header.pop("__metadata__", None)
    return {
        name: body[info["data_offsets"][0] : info["data_offsets"][1]]
        for name, info in header.items()
    }


def lines_of(run, kind):
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row for row in rows if row["kind"] == kind]


class TrainingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="casvit-training-")
        subprocess.run(
            [f"{BIN}/casvit-pack", SEEDLINGS, "-o", f"{cls.folder}/s.h5"],
            check=True,
            capture_output=True,
        )
        cls.recipe = f"{cls.folder}/recipe.yaml"
        with open(cls.recipe, "w", encoding="utf-8") as file:
            text = RECIPE.replace("TRAIN", f"{cls.folder}/s.train.h5")
            file.write(text.replace("VAL", f"{cls.folder}/s.val.h5"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def command(self, ranks, *arguments):
        prefix = []
        if ranks > 0:
            prefix = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks)]
        return [*prefix, f"{BIN}/casvit_dist", *arguments]

    def train_command(self, ranks, run, *settings, resume="none", config=None):
        sets = [word for setting in settings for word in ("--set", setting)]
        return self.command(
            ranks, "train", "--config", config or self.recipe, "--out", run, "--resume", resume, *sets
        )

    def run_it(self, command, code=0):
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def run_folder(self, name):
        return os.path.join(self.folder, name)

    def assert_same_tensors(self, one, other):
        first, second = tensors_of(one), tensors_of(other)
        self.assertEqual(first.keys(), second.keys())
        different = [name for name in first if first[name] != second[name]]
        self.assertEqual(different, [])

    def start_and_wait_for_step(self, command, run, step):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        deadline = time.monotonic() + 120
        path = os.path.join(run, "metrics.jsonl")
        while time.monotonic() < deadline and process.poll() is None:
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    if f'"step": {step},' in file.read():
                        return process
            time.sleep(0.05)
        process.kill()
        self.fail("training never came to step %d: %s" % (step, process.communicate()[0]))

    def wait_until_gone(self, pid):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] == "Z":  # ended, not yet reaped
                        return
            except FileNotFoundError:
                return
            time.sleep(0.05)
        self.fail(f"process {pid} is still there")

    def ranks_of(self, process):
        found = subprocess.run(
            ["pgrep", "--parent", str(process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        return [int(pid) for pid in found]

    def test_losses_do_not_depend_on_the_number_of_ranks(self):
        losses = {}
        for ranks in (1, 2, 4):
            run = self.run_folder(f"ranks{ranks}")
            self.run_it(self.train_command(ranks, run, "train.max_steps=30", "model.image_size=64"))
            losses[ranks] = [row["loss"] for row in lines_of(run, "step")]
            self.assertEqual(len(losses[ranks]), 30)
        for ranks in (2, 4):
            for one, many in zip(losses[1], losses[ranks]):
                self.assertLess(abs(one - many), 1e-3 * one)
        self.assertGreater(len(set(losses[1])), 25)

    def test_killed_rank_ends_the_job_and_resume_is_exact(self):
        settings = ("checkpoint.every_steps=5", "checkpoint.keep=0")
        whole = self.run_folder("whole")
        self.run_it(self.train_command(2, whole, *settings))
        broken = self.run_folder("broken")
        process = self.start_and_wait_for_step(self.train_command(2, broken, *settings), broken, 33)
        victim = self.ranks_of(process)[-1]
        started = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        output = process.communicate(timeout=60)[0]
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(process.returncode, 128 + signal.SIGKILL)
        self.assertRegex(output, r"rank 1 with PID \d+ on node \S+ exited on signal 9")
        self.run_it(self.train_command(2, broken, *settings, resume="auto"))
        last = "checkpoints/last.safetensors"
        self.assert_same_tensors(os.path.join(whole, last), os.path.join(broken, last))
        self.assertEqual(
            [row["loss"] for row in lines_of(whole, "step")],
            [row["loss"] for row in lines_of(broken, "step")],
        )
        self.assertEqual(
            [row["train_loss"] for row in lines_of(whole, "epoch")],
            [row["train_loss"] for row in lines_of(broken, "epoch")],
        )

    def test_reproducible_runs_have_the_same_bits_on_any_number_of_ranks(self):
        settings = ("parallel.reproducible=true", "train.max_steps=6", "batch.shards=8",
                    "batch.shard_size=2", "launch.threads=0", "checkpoint.keep=0")
        last = "checkpoints/last.safetensors"
        one = self.run_folder("tree1")
        self.run_it(self.train_command(1, one, *settings))
        for ranks, zero in ((2, "false"), (4, "false"), (8, "false"), (2, "true"), (4, "true")):
            many = self.run_folder(f"tree{ranks}{zero}")
            self.run_it(self.train_command(ranks, many, *settings, f"parallel.zero={zero}"))
            self.assert_same_tensors(os.path.join(one, last), os.path.join(many, last))
        # The same run moved from 4 ranks to 2, sharded, and on to 8.
        moved = self.run_folder("moved")
        for ranks, steps, zero in ((4, 2, "false"), (2, 4, "true"), (8, 6, "false")):
            self.run_it(
                self.train_command(
                    ranks, moved, *settings, f"train.max_steps={steps}", f"parallel.zero={zero}",
                    resume="auto",
                )
            )
        self.assert_same_tensors(os.path.join(one, last), os.path.join(moved, last))
        self.assertIn("1, 2, 4, 8", self.run_it(
            self.train_command(3, moved, *settings, "batch.shards=6"), code=2))

    def test_several_image_sizes_are_the_same_run_on_any_number_of_ranks_and_after_a_resume(self):
        settings = ("multi_scale.rule=pixels", "multi_scale.min_size=32", "multi_scale.max_size=96",
                    "model.image_size=64", "parallel.reproducible=true", "checkpoint.keep=0")
        last = "checkpoints/last.safetensors"
        one = self.run_folder("sizes1")
        output = self.run_it(self.train_command(1, one, *settings))
        rows = lines_of(one, "step")
        self.assertIn("3 image sizes, from batch 64 = 4 shards x 16 of 32 pixels to batch 8 = 4 shards"
                      f" x 2 of 96; {len(rows)} steps", output)
        # The length is true: the schedule ends with the last step, in epochs of their own lengths.
        lengths = [sum(row["epoch"] == epoch for row in rows) for epoch in (1, 2)]
        self.assertEqual(sum(lengths), len(rows))
        warmup, total = round(lengths[0] / 2), len(rows)
        for step in range(warmup, total):
            share = (step - warmup) / (total - warmup)
            rate = 1e-6 + (1e-3 - 1e-6) * (1 + math.cos(math.pi * share)) / 2
            self.assertAlmostEqual(rows[step]["lr"], rate, delta=1e-9)
        two = self.run_folder("sizes2")
        self.run_it(self.train_command(2, two, *settings, "train.max_steps=7"))
        self.run_it(self.train_command(1, two, *settings, f"train.max_steps={lengths[0] + 2}", resume="auto"))
        self.run_it(self.train_command(4, two, *settings, resume="auto"))
        self.assertEqual([row["loss"] for row in rows], [row["loss"] for row in lines_of(two, "step")])
        self.assertEqual(
            [row["train_loss"] for row in lines_of(one, "epoch")],
            [row["train_loss"] for row in lines_of(two, "epoch")],
        )
        self.assert_same_tensors(os.path.join(one, last), os.path.join(two, last))
        refused = self.train_command(1, two, *settings, "multi_scale.max_size=64", resume="auto")
        self.assertIn("multi_scale.max_size: 96 -> 64", self.run_it(refused, code=2))
        published = self.run_folder("published")
        output = self.run_it(self.train_command(
            2, published, *settings, "multi_scale.rule=published", "train.max_steps=4"))
        self.assertIn("to batch 16 = 4 shards x 4 of 96", output)

    def test_transport_and_bucket_size_change_nothing_but_rounding(self):
        settings = ("train.max_steps=6",)
        runs = {}
        for name, more in (("large", ()), ("small", ("parallel.bucket_mb=0.1",)),
                           ("sharded", ("parallel.zero=true",)),
                           ("bf16", ("parallel.transport=bfloat16",))):
            runs[name] = self.run_folder(f"buckets-{name}")
            self.run_it(self.train_command(2, runs[name], *settings, *more))
        last = "checkpoints/last.safetensors"
        for name in ("small", "sharded"):
            self.assert_same_tensors(os.path.join(runs["large"], last), os.path.join(runs[name], last))
        exact = [row["loss"] for row in lines_of(runs["large"], "step")]
        rounded = [row["loss"] for row in lines_of(runs["bf16"], "step")]
        self.assertNotEqual(exact, rounded)
        for one, other in zip(exact, rounded):
            self.assertLess(abs(one - other), 0.02 * one)

    def test_asked_to_stop_it_saves_and_leaves_with_75_and_goes_on_exactly(self):
        whole = self.run_folder("unasked")
        self.run_it(self.train_command(2, whole))
        asked = self.run_folder("asked")
        process = self.start_and_wait_for_step(self.train_command(2, asked), asked, 7)
        os.kill(process.pid, signal.SIGUSR1)  # mpirun hands it to every rank
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 75, output)
        self.assertIn("--resume auto", output)
        steps = len(lines_of(asked, "step"))
        self.assertLess(steps, len(lines_of(whole, "step")))
        self.run_it(self.train_command(2, asked, resume="auto"))
        last = "checkpoints/last.safetensors"
        self.assert_same_tensors(os.path.join(whole, last), os.path.join(asked, last))
        for kind, key in (("step", "loss"), ("epoch", "ema_acc1")):
            self.assertEqual(
                [row[key] for row in lines_of(whole, kind)], [row[key] for row in lines_of(asked, kind)]
            )

    def test_a_rank_that_stands_still_ends_the_job_with_5_and_is_named(self):
        run = self.run_folder("stopped")
        command = self.train_command(2, run, "train.epochs=50", "launch.timeout_seconds=3")
        process = self.start_and_wait_for_step(command, run, 5)
        ranks = self.ranks_of(process)
        started = time.monotonic()
        os.kill(ranks[1], signal.SIGSTOP)
        output = process.communicate(timeout=60)[0]
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual(process.returncode, 5, output)
        self.assertRegex(
            output,
            r"casvit: rank [01] of 2 on \S+: collective \d+, all_reduce \(sum\) of \d+ float32 for "
            r"(gradients from \S+ on \(bucket \d+\)|batch statistics and the loss), failed on rank [01]"
            r" of 2 on \S+: nothing moved for [34](\.\d+)? s; rank [01] on \S+ is (stuck inside MPI|behind)",
        )
        for rank in ranks:
            self.wait_until_gone(rank)

    def test_interrupt_leaves_no_process_and_a_whole_checkpoint(self):
        run = self.run_folder("interrupted")
        command = self.train_command(2, run, "train.epochs=50", "checkpoint.every_steps=2")
        process = self.start_and_wait_for_step(command, run, 5)
        ranks = self.ranks_of(process)
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=20)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(len(ranks), 2)
        for rank in ranks:
            self.wait_until_gone(rank)
        self.assertIn("model.head.weight", tensors_of(os.path.join(run, "checkpoints/last.safetensors")))

    def test_evaluation_counts_every_picture_once_on_any_number_of_ranks(self):
        run = self.run_folder("evaluated")
        self.run_it(self.train_command(2, run, "train.epochs=1"))
        checkpoint = os.path.join(run, "checkpoints/last.safetensors")
        figures = []
        for ranks in (1, 2, 3):
            output = self.run_it(
                self.command(
                    ranks, "eval", "--checkpoint", checkpoint, "--data", f"{self.folder}/s.val.h5",
                    "--json", "--set", "eval.batch_size=7", "--set", "launch.threads=1",
                )
            )
            figures.append(json.loads(output[output.index("{") :]))
        self.assertEqual(figures[0]["samples"], 96)
        self.assertEqual(figures[0], figures[1])
        self.assertEqual(figures[0], figures[2])
        epoch = lines_of(run, "epoch")[-1]
        self.assertAlmostEqual(epoch["ema_acc1"], figures[0]["acc1"], places=9)
        self.assertAlmostEqual(epoch["ema_loss"], figures[0]["loss"], places=5)
        with open(os.path.join(run, "report/report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(report["samples"], 96)
        self.assertEqual(sum(map(sum, report["confusion_matrix"])), 96)

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
        last = "checkpoints/last.safetensors"
        self.assert_same_tensors(os.path.join(run, last), os.path.join(branch, last))

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
