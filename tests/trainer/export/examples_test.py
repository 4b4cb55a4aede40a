"""The examples of the documents are what is compiled and run here, and say what `eval` says."""

import csv
import os
import re
import shutil
import subprocess
import sys
import unittest

import safetensors.numpy

sys.path.insert(0, os.path.join(os.getcwd(), "trainer", "engine"))
from training_case import BIN, LAST, SEEDLINGS, TrainingCase, tensors_of

ROOT = os.path.dirname(os.getcwd())
EXAMPLE = os.path.join(ROOT, "trainer", "examples", "classify_pictures.cpp")


def contents(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def blocks(markdown, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


def guesses_of(output):
    """Lines "  0.1234  name" as (probability, name) pairs."""
    return [(float(line.split(maxsplit=1)[0]), line.split(maxsplit=1)[1]) for line in output.splitlines()]


class ExamplesTest(TrainingCase):
    def test_the_readme_shows_the_program_that_is_compiled(self):
        program = contents("trainer", "examples", "classify_pictures.cpp")
        self.assertIn(program, blocks(contents("README.md"), "cpp"))
        self.assertLess(len(program.splitlines()), 60)

    def test_programs_in_cpp_and_python_say_what_eval_says(self):
        run = self.run_folder("run")
        self.run_it(self.train_command(1, run, "train.epochs=1", "model.image_size=64"))
        checkpoint = os.path.join(run, LAST)
        for name in ("photos.onnx", "photos.safetensors"):
            suffix = name.rsplit(".", 1)[1]
            arguments = ["export", "--checkpoint", checkpoint, "--format", suffix, "-o", self.run_folder(name)]
            self.run_it(self.command(0, *arguments))
        accuracies = []
        for model in (checkpoint, self.run_folder("photos.safetensors")):
            data = f"{self.folder}/s.val.h5"
            arguments = ["eval", "--checkpoint", model, "--data", data, "--out", self.run_folder("eval")]
            arguments += ["--set", "launch.threads=1"]
            accuracies.append(self.run_it(self.command(0, *arguments)))
        self.assertEqual(*accuracies)
        self.check_plain_weights(accuracies[0])

        with open(self.run_folder("eval/report/predictions.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        script = blocks(contents("docs", "export.md"), "python")[0]
        for row in rows[::24]:
            expected = [(float(row[f"top{k}_probability"]), row[f"top{k}"]) for k in range(1, 6)]
            picture = os.path.join(SEEDLINGS, row["path"])
            for model in (checkpoint, self.run_folder("photos.safetensors")):
                output = self.run_it([f"{BIN}/classify_pictures", model, picture])
                self.assertEqual(output.splitlines()[0], picture)
                self.assert_same_guesses(guesses_of(output.split("\n", 1)[1]), expected, 6e-5)
            shutil.copy(picture, self.run_folder("oak.jpg"))
            output = subprocess.run(
                [sys.executable, "-c", script], cwd=self.folder, check=True, capture_output=True, text=True
            ).stdout
            self.assert_same_guesses(guesses_of(output), expected, 6e-5)

        failed = self.run_it([f"{BIN}/classify_pictures", checkpoint, EXAMPLE], code=3)
        self.assertIn(EXAMPLE, failed)
        self.assertIn("usage", self.run_it([f"{BIN}/classify_pictures"], code=2))

    def check_plain_weights(self, accuracy):
        """Without metadata, `eval` asks for what the data do not say; training starts from them as they are."""
        plain = self.run_folder("plain.safetensors")
        safetensors.numpy.save_file(safetensors.numpy.load_file(self.run_folder("photos.safetensors")), plain)
        arguments = ["eval", "--checkpoint", plain, "--data", f"{self.folder}/s.val.h5"]
        refused = self.run_it(self.command(0, *arguments), 2)
        self.assertIn("model.image_size, augment.eval_crop_ratio is missing", refused)
        sets = [word for key in ("model.image_size=64", "augment.eval_crop_ratio=0.875") for word in ("--set", key)]
        sets += ["--set", "launch.threads=1"]
        outputs = (accuracy, self.run_it(self.command(0, *arguments, *sets)))
        figures = [output.split(" weights: ")[1].split("\n")[0] for output in outputs]
        self.assertEqual(*figures)
        for number, weights in enumerate((plain, self.run_folder("photos.safetensors"))):
            start = ["train.max_steps=1", f"model.init={weights}"]  # the first step of a warm-up has rate 0
            self.run_it(self.train_command(1, self.run_folder(f"init{number}"), *start))
            trained = tensors_of(os.path.join(self.run_folder(f"init{number}"), LAST))
            for name, tensor in tensors_of(weights).items():
                if name.endswith(("weight", "bias")):
                    self.assertEqual(trained[f"model.{name}"], tensor, name)
        resumed = self.train_command(1, self.run_folder("no"), resume=self.run_folder("photos.safetensors"))
        self.assertIn("--set model.init=", self.run_it(resumed, 3))

    def assert_same_guesses(self, actual, expected, tolerance):
        """Names in the same order, where probabilities tell them apart."""
        self.assertEqual(len(actual), len(expected))
        for (probability, _), (wanted, _) in zip(actual, expected):
            self.assertAlmostEqual(probability, wanted, delta=tolerance)
        if expected[0][0] - expected[1][0] > 2 * tolerance:
            self.assertEqual(actual[0][1], expected[0][1])


if __name__ == "__main__":
    unittest.main()
