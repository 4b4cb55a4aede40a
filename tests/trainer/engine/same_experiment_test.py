"""The same experiment on any number of ranks: losses, and in reproducible mode every bit."""

import base64
import io
import json
import math
import os
import re
import signal
import unittest

import PIL.Image
from training_case import LAST, TrainingCase, lines_of


class SameExperimentTest(TrainingCase):
    train_pictures = 16

    def test_losses_do_not_depend_on_the_number_of_ranks(self):
        losses = {}
        for ranks in (1, 2, 4):
            run = self.run_folder(f"ranks{ranks}")
            self.run_it(self.train_command(ranks, run, "train.max_steps=12", "model.image_size=64"))
            losses[ranks] = [row["loss"] for row in lines_of(run, "step")]
            self.assertEqual(len(losses[ranks]), 12)
        for ranks in (2, 4):
            for one, many in zip(losses[1], losses[ranks]):
                self.assertLess(abs(one - many), 1e-3 * one)
        self.assertGreater(len(set(losses[1])), 10)

    def test_reproducible_runs_have_the_same_bits_on_any_number_of_ranks(self):
        """CASVIT_SAME_BITS_STEPS=50 CASVIT_SAME_BITS_AMP=bf16 make it the long run."""
        steps = int(os.environ.get("CASVIT_SAME_BITS_STEPS", "6"))
        amp = os.environ.get("CASVIT_SAME_BITS_AMP", "off")
        epochs = steps // 12 + 2  # of 12 steps
        settings = ("parallel.reproducible=true", f"train.max_steps={steps}", f"train.epochs={epochs}", "batch.shards=8",
                    "batch.shard_size=2", "launch.threads=0", "checkpoint.keep=0", f"precision.amp={amp}")
        one = self.run_folder("tree1")
        self.run_it(self.train_command(1, one, *settings))
        for ranks, zero in ((2, "false"), (4, "false"), (8, "false"), (2, "true"), (4, "true"), (8, "true")):
            many = self.run_folder(f"tree{ranks}{zero}")
            self.run_it(self.train_command(ranks, many, *settings, f"parallel.zero={zero}"))
            self.assert_same_tensors(os.path.join(one, LAST), os.path.join(many, LAST))
        # The same run moved from 8 ranks to 2, sharded, and on to 4.
        moved = self.run_folder("moved")
        for ranks, until, zero in ((8, steps // 3, "false"), (2, 2 * steps // 3, "true"), (4, steps, "false")):
            self.train_until(ranks, moved, until, steps, *settings, f"parallel.zero={zero}")
        self.assert_same_tensors(os.path.join(one, LAST), os.path.join(moved, LAST))
        self.assertIn("1, 2, 4, 8", self.run_it(
            self.train_command(3, moved, *settings, "batch.shards=6"), code=2))

    def test_synchronized_batch_norm_makes_shards_one_batch(self):
        """Two shards with statistics in common train as one shard of twice the size does."""
        settings = ("train.max_steps=6", "train.seed=3", "model.drop_path=0", "mixup.prob=0", "model.image_size=64")
        losses = {}
        for name, ranks, more in (
            ("whole", 1, ("batch.shards=1", "batch.shard_size=16")),
            ("synchronized", 2, ("batch.shards=2", "batch.shard_size=8", "parallel.batch_norm=synchronized")),
            ("apart", 2, ("batch.shards=2", "batch.shard_size=8")),
        ):
            run = self.run_folder(f"norm-{name}")
            self.run_it(self.train_command(ranks, run, *settings, *more))
            losses[name] = [row["loss"] for row in lines_of(run, "step")]
        for whole, synchronized, apart in zip(*losses.values()):
            self.assertLess(abs(synchronized - whole), 2e-3 * whole)
        self.assertGreater(abs(losses["apart"][-1] - losses["whole"][-1]), 5e-3)
        refused = self.train_command(
            2, self.run_folder("norm-refused"), "parallel.batch_norm=synchronized")  # 4 shards
        self.assertIn("one shard a rank", self.run_it(refused, code=2))

    def train_until(self, ranks, run, until, steps, *settings):
        """To a step; in a run long enough that it cannot end before, by an interruption about there."""
        if until == steps or steps < 20:
            self.run_it(self.train_command(ranks, run, *settings, f"train.max_steps={until}", resume="auto"))
            return
        process = self.start_and_wait_for_step(
            self.train_command(ranks, run, *settings, resume="auto"), run, until)
        os.kill(process.pid, signal.SIGUSR1)
        output = process.communicate()[0]
        self.assertEqual(process.returncode, 75, output)

    def test_several_image_sizes_are_the_same_run_on_any_number_of_ranks_and_after_a_resume(self):
        settings = ("multi_scale.rule=pixels", "multi_scale.min_size=32", "multi_scale.max_size=96",
                    "model.image_size=64", "parallel.reproducible=true", "checkpoint.keep=0")
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
        self.assert_same_tensors(os.path.join(one, LAST), os.path.join(two, LAST))
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
        for name in ("small", "sharded"):
            self.assert_same_tensors(os.path.join(runs["large"], LAST), os.path.join(runs[name], LAST))
        exact = [row["loss"] for row in lines_of(runs["large"], "step")]
        rounded = [row["loss"] for row in lines_of(runs["bf16"], "step")]
        self.assertNotEqual(exact, rounded)
        for one, other in zip(exact, rounded):
            self.assertLess(abs(one - other), 0.02 * one)

    def test_evaluation_counts_every_picture_once_on_any_number_of_ranks(self):
        run = self.run_folder("evaluated")
        self.run_it(self.train_command(2, run, "train.epochs=1"))
        checkpoint = os.path.join(run, LAST)
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
        evaluated = self.run_folder("evaluated-again")
        self.run_it(self.command(2, "eval", "--checkpoint", checkpoint, "--data", f"{self.folder}/s.val.h5",
                                 "--out", evaluated, "--set", "launch.threads=1"))
        self.check_heatmaps(run, evaluated)

    def check_heatmaps(self, run, evaluated):
        """Six pictures of nine panels; the run shows its EMA, which is what eval takes from the checkpoint."""
        panel = re.compile(
            r"<figure><img alt='(?P<alt>[^']*)' src='data:image/jpeg;base64,(?P<bytes>[^']*)'>"
            r"<figcaption>(?P<caption>[^<]*)</figcaption></figure>")
        pages = []
        for folder in (run, evaluated):
            with open(os.path.join(folder, "report/index.html"), encoding="utf-8") as file:
                page = file.read()
            section = page[page.index("<h2>What the network looks at</h2>"):]
            pages.append(list(panel.finditer(section[:section.index("</section>")])))
        self.assertEqual(len(pages[0]), 6 * 9)
        captions = [one["caption"] for one in pages[0][:9]]
        self.assertEqual(captions[1:3], ["evidence for its answer", "evidence for the true class"])
        self.assertIn("stage 4: spatial gate", captions[5])
        for ours, again in zip(*pages):
            self.assertTrue(ours["alt"].endswith(ours["caption"]) and ".jpg: " in ours["alt"], ours["alt"])
            self.assertEqual(ours["alt"].split(":")[0], again["alt"].split(":")[0])
            with PIL.Image.open(io.BytesIO(base64.b64decode(ours["bytes"]))) as picture:
                self.assertEqual((picture.format, picture.size), ("JPEG", (144, 144)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
