"""What the recipe can ask for, in whole training runs: optimizers, frozen parameters, distillation, early ends,
steps that are not finite; and the commands that look before a run."""

import csv
import json
import os
import unittest
import xml.etree.ElementTree

from training_case import LAST, TrainingCase, lines_of, tensors_of

REPRODUCIBLE = ("parallel.reproducible=true", "batch.shards=2", "batch.shard_size=8")


def json_of(output):
    """The line of JSON among those of progress."""
    return json.loads(next(line for line in output.splitlines() if line.startswith("{")))


class RecipeTest(TrainingCase):
    train_pictures = 16

    def checkpoint(self, name):
        return os.path.join(self.run_folder(name), LAST)

    def test_every_optimizer_gives_the_same_bits_however_it_is_sharded_and_continued(self):
        for optimizer in ("sgd", "lion"):
            recipe = (*REPRODUCIBLE, f"optimizer.name={optimizer}", "optimizer.layer_decay=0.8",
                      "optimizer.weight_decay_end=0.2", "clip.norm=0", "clip.agc=0.02", "schedule.name=linear",
                      "loss.name=focal", "loss.class_weights=effective", "model.drop_path_schedule=early_linear",
                      "model.drop_path_epochs=1")
            one, two = self.run_folder(optimizer + "1"), self.run_folder(optimizer + "2")
            self.run_it(self.train_command(0, one, *recipe, "train.max_steps=4"))
            self.run_it(self.train_command(2, two, *recipe, "parallel.zero=true", "train.max_steps=2"))
            self.run_it(self.train_command(2, two, *recipe, "parallel.zero=true", "train.max_steps=4", resume="auto"))
            self.assert_same_tensors(os.path.join(one, LAST), os.path.join(two, LAST))
        names = tensors_of(self.checkpoint("sgd1"))
        self.assertIn("optimizer.momentum_buffer.head.weight", names)
        self.assertNotIn("optimizer.exp_avg_sq.head.weight", names)
        other = self.run_it(
            self.train_command(0, self.run_folder("sgd1"), *REPRODUCIBLE, "optimizer.name=adamw", resume="auto"), code=2
        )
        self.assertIn("optimizer.name: sgd -> adamw", other)

    def test_a_linear_probe_changes_the_head_alone(self):
        probe = (*REPRODUCIBLE, 'train.freeze=["*", "!head.*"]')
        for name, ranks, steps in (("probe0", 0, 1), ("probe1", 0, 3), ("probe2", 2, 3)):
            zero = "parallel.zero=" + ("true" if ranks else "false")
            self.run_it(self.train_command(ranks, self.run_folder(name), *probe, zero, f"train.max_steps={steps}"))
        self.assert_same_tensors(self.checkpoint("probe1"), self.checkpoint("probe2"))
        before, after = tensors_of(self.checkpoint("probe0")), tensors_of(self.checkpoint("probe1"))
        moved = {name for name in before if before[name] != after[name] and name.startswith("model.")}
        moved -= {name for name in moved if name.endswith("num_batches_tracked")}
        self.assertEqual(moved, {"model.head.weight", "model.head.bias"})

    def test_part_of_a_model_can_be_frozen(self):
        frozen = (*REPRODUCIBLE, 'train.freeze=["patch_embed.*", "network.2.*"]')
        for name, steps in (("part0", 1), ("part1", 3)):
            self.run_it(self.train_command(2, self.run_folder(name), *frozen, f"train.max_steps={steps}"))
        before, after = tensors_of(self.checkpoint("part0")), tensors_of(self.checkpoint("part1"))
        for name in before:
            if name.startswith("model.") and not name.endswith("num_batches_tracked"):
                stays = name.startswith(("model.patch_embed.", "model.network.2."))
                self.assertEqual(before[name] == after[name], stays, name)
        none = self.run_it(self.train_command(2, self.run_folder("x"), "train.freeze=[backbone.*]"), code=2)
        self.assertIn('no parameter fits "backbone.*"', none)

    def test_a_student_learns_from_a_teacher(self):
        self.run_it(self.train_command(0, self.run_folder("teacher"), "train.max_steps=2", "model.name=rcvit_s"))
        teacher = "distillation.teacher=" + self.checkpoint("teacher")
        losses = {}
        for name, settings in {
            "alone": (),
            "none": (teacher, "distillation.alpha=0"),
            "soft": (teacher, "distillation.alpha=0.7", "distillation.tau=2"),
            "hard": (teacher, "distillation.loss=hard", "model.distillation=true"),
        }.items():
            run = self.run_folder(name)
            log = self.run_it(self.train_command(2, run, "train.max_steps=2", *settings))
            self.assertEqual("teacher: rcvit_s from" in log, teacher in settings)
            losses[name] = [row["loss"] for row in lines_of(run, "step")]
        for a, b in zip(losses["alone"], losses["none"]):
            self.assertAlmostEqual(a, b, delta=1e-6)
        self.assertLess(losses["soft"][0], losses["alone"][0] * 0.6)  # the divergence is over pictures and classes
        self.assertNotEqual(losses["hard"], losses["alone"])
        wrong = self.run_it(
            self.train_command(0, self.run_folder("y"), teacher, "model.num_classes=20", "train.max_steps=1"), code=2
        )
        self.assertIn("12 classes apart, and the model 20", wrong)

    def test_a_run_without_progress_ends_early(self):
        run = self.run_folder("patience")
        still = ("train.epochs=8", "optimizer.learning_rate=1e-30", "schedule.minimum=0", "train.patience=2",
                 "optimizer.weight_decay=0", "ema.decay=0")
        log = self.run_it(self.train_command(2, run, *still))
        self.assertIn("ending early: no better accuracy in 2 evaluations", log)
        epochs = len(lines_of(run, "epoch"))
        self.assertLess(epochs, 8)
        self.assertTrue(os.path.exists(os.path.join(run, "report", "index.html")))
        again = self.run_it(self.train_command(2, run, *still, resume="auto"))
        self.assertIn("ended early after epoch %d" % epochs, again)
        self.run_it(self.train_command(2, run, *still, "train.patience=3", resume="auto"))
        self.assertEqual(len(lines_of(run, "epoch")), epochs + 1)

    def test_steps_that_are_not_finite_are_skipped_only_so_often(self):
        explode = ("optimizer.learning_rate=1e30", "schedule.warmup_epochs=0", "clip.norm=0", "optimizer.name=sgd")
        log = self.run_it(self.train_command(2, self.run_folder("stop"), *explode), code=4)
        self.assertIn("not finite at step 2", log)
        run = self.run_folder("skip")
        log = self.run_it(
            self.train_command(2, run, *explode, "train.on_nonfinite=skip", "train.max_skipped=3"), code=4
        )
        self.assertIn("skipped, 3 in a row", log)
        self.assertIn("all that train.max_skipped bears", log)
        self.assertEqual([row["loss"] for row in lines_of(run, "step")][1:], [None] * 3)

    def test_bce_and_a_step_schedule_train(self):
        run = self.run_folder("bce")
        self.run_it(self.train_command(2, run, "loss.name=bce", "loss.bce_threshold=0.2", "schedule.name=step",
                                       "schedule.step_epochs=0.5", "schedule.step_factor=0.5", "train.epochs=1",
                                       "schedule.warmup_epochs=0", "clip.norm=0", "clip.value=0.1",
                                       "optimizer.base_batch_size=32"))
        rates = [row["lr"] for row in lines_of(run, "step")]
        self.assertEqual(rates[0], 0.5e-3)  # half the batch that the rate is for
        self.assertEqual(rates[-1], 0.25e-3)

    def test_lr_find_draws_a_curve_and_suggests(self):
        for ranks, name in ((0, "find1"), (2, "find2")):
            out = self.run_folder(name)
            answer = self.run_it(self.command(
                ranks, "lr-find", "--config", self.recipe, "--out", out, "--from", "1e-5", "--to", "10", "--steps", "40",
                "--json"))
            found = json_of(answer)
            self.assertTrue(1e-5 < found["suggested"] < 10, found)
            with open(found["csv"], encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(len(rows), found["steps"])
            ratios = {round(float(b["learning_rate"]) / float(a["learning_rate"]), 4) for a, b in zip(rows, rows[1:])}
            self.assertEqual(len(ratios), 1)
            xml.etree.ElementTree.parse(found["svg"])
            self.assertEqual(sorted(os.listdir(out)), ["lr_find.csv", "lr_find.svg"])

    def test_a_dry_run_tells_and_leaves_nothing(self):
        run = self.run_folder("dry/run")
        command = self.train_command(2, run, "train.epochs=3", "checkpoint.every_epochs=2")
        text = self.run_it([*command, "--dry-run"])
        self.assertIn("the whole run would take about", text)
        told = json_of(self.run_it([*command, "--dry-run", "--json"]))
        self.assertEqual(os.listdir(os.path.dirname(run)), [])
        self.run_it(command)
        self.assertEqual(told["steps"], len(lines_of(run, "step")))
        self.assertEqual(told["evaluations"], 3)
        self.assertEqual(told["checkpoints"], 2)
        self.assertEqual(len(told["peak_bytes"]), 2)
        size = os.path.getsize(os.path.join(run, LAST))
        self.assertAlmostEqual(told["checkpoint_bytes"] / size, 1, delta=0.05)
        self.assertIn("--json is for --dry-run", self.run_it([*command, "--json"], code=2))

    def test_config_tells_origins_and_draws_schedules(self):
        shown = json_of(self.run_it(self.command(
            0, "config", "--config", self.recipe, "--set", "clip.norm=2", "--json")))
        self.assertEqual(shown["clip.norm"], {"value": 2.0, "origin": "--set clip.norm=2"})
        self.assertEqual(shown["ema.decay"]["origin"], self.recipe + ":11")
        self.assertEqual(shown["optimizer.betas"], {"value": None, "origin": "default"})
        plot = self.run_folder("schedules.svg")
        said = self.run_it(self.command(0, "config", "--config", self.recipe, "--plot", plot, "--samples", "160"))
        self.assertIn("20 steps in 2 epochs on 160 pictures", said)
        titles = " ".join(xml.etree.ElementTree.parse(plot).getroot().itertext())
        for title in ("Learning rate", "Weight decay", "Drop path", "Decay of the EMA", "Probability of mixing"):
            self.assertIn(title, titles)


if __name__ == "__main__":
    unittest.main()
