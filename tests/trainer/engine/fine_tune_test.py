"""model.init in whole runs: imported weights, other classes, checkpoints of ours, and files that do not fit."""

import os
import sys
import unittest

import numpy
import safetensors.numpy

from training_case import LAST, TrainingCase

sys.path.insert(0, os.path.join(os.getcwd(), "trainer", "import"))
from import_command_test import state_dict, weights  # noqa: E402
from torch_save import save_legacy, save_zip  # noqa: E402

# One step at a learning rate of nothing: the checkpoint holds what training began with.
STILL = ("train.max_steps=1", "optimizer.learning_rate=1e-12", "schedule.minimum=0",
         "schedule.warmup_epochs=0", "ema.decay=0")


class FineTune(TrainingCase):
    def train(self, name, *settings, code=0):
        run = self.run_folder(name)
        return self.run_it(self.train_command(0, run, *STILL, *settings), code), run

    def parameters(self, run):
        """Of the model, without batch norm's statistics, which move in every step."""
        return {name.removeprefix("model."): array
                for name, array in safetensors.numpy.load_file(os.path.join(run, LAST)).items()
                if name.startswith("model.") and ".running_" not in name and "num_batches" not in name}

    def test_imported_weights_train_on_other_classes(self):
        arrays = weights(5)
        arrays["head.weight"], arrays["head.bias"] = (numpy.ones((20, 220), numpy.float32),
                                                      numpy.ones(20, numpy.float32))
        official, imported = self.run_folder("official.pth"), self.run_folder("imported.safetensors")
        save_zip(official, {"model": state_dict(arrays), "epoch": 1})
        self.run_it(self.command(0, "import", official, "-o", imported))
        output, run = self.train("imported", f"model.init={imported}")
        self.assertRegex(output, rf"weights: 520 of 522 tensors from {imported}")
        self.assertIn("head: the file's has 20 classes, the model 12; it starts from random", output)
        with open(os.path.join(run, "log.txt"), encoding="utf-8") as file:
            self.assertIn("it starts from random values", file.read())
        trained = self.parameters(run)
        for name, array in trained.items():
            if not name.startswith("head."):
                numpy.testing.assert_allclose(array, arrays[name], atol=1e-6, err_msg=name)
        self.assertNotEqual(trained["head.bias"].shape, arrays["head.bias"].shape)

    def test_our_checkpoint_starts_a_second_head(self):
        _, first = self.train("first", "ema.decay=0.99")
        checkpoint = os.path.join(first, LAST)
        output, second = self.train("second", f"model.init={checkpoint}", "model.distillation=true",
                                    "train.seed=8")
        self.assertIn(f"tensors from {checkpoint} (EMA)", output)
        self.assertIn("dist_head: not in the file; it starts from random values", output)
        before, after = self.parameters(first), self.parameters(second)
        for name, array in before.items():
            numpy.testing.assert_allclose(after[name], array, atol=1e-6, err_msg=name)
        self.assertIn("dist_head.weight", after)

    def test_what_does_not_fit_ends_with_3_and_says_what_to_do(self):
        for save in (save_zip, save_legacy):
            official = self.run_folder("unconverted.pth")
            save(official, state_dict(weights(5)))
            output, run = self.train("unconverted", f"model.init={official}", code=3)
            self.assertIn(f"casvit_dist import {official} -o", output)
        imported = self.run_folder("other.safetensors")
        self.run_it(self.command(0, "import", official, "-o", imported))
        output, run = self.train("other", f"model.init={imported}", "model.name=rcvit_s", code=3)
        self.assertIn("does not fit the model", output)
        self.assertIn("of another shape", output)
        self.assertFalse(os.path.exists(os.path.join(run, "config.yaml")))


if __name__ == "__main__":
    unittest.main()
