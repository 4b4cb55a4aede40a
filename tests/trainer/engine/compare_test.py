"""eval --tta, --size and --against, and compare: what they say is what can be computed without them."""

import csv
import json
import os
import shutil
import subprocess
import unittest

import numpy
from PIL import Image

from training_case import BIN, LAST, SEEDLINGS, TrainingCase

SIZE = 32
SHORT_SIDE = 36  # floor(32 / 0.875)


def resized(picture):
    """torchvision's Resize of the short side."""
    width, height = picture.size
    short = min(width, height)
    return picture.resize(
        (int(SHORT_SIDE * width / short), int(SHORT_SIDE * height / short)), Image.Resampling.BICUBIC
    )


def five_crop(picture):
    """torchvision's five_crop, the centre first."""
    right, bottom = picture.width - SIZE, picture.height - SIZE
    centre = (round(right / 2), round(bottom / 2))
    return [
        picture.crop((x, y, x + SIZE, y + SIZE))
        for x, y in (centre, (0, 0), (right, 0), (0, bottom), (right, bottom))
    ]


def mirrored(picture):
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


class CompareTest(TrainingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.photos = os.path.join(cls.folder, "val")
        cls.classes = sorted(os.listdir(os.path.join(SEEDLINGS, "val")))
        cls.pictures = []  # lossless copies, so that Pillow's pixels are ours
        for name in cls.classes:
            os.makedirs(os.path.join(cls.photos, name))
            for picture in sorted(os.listdir(os.path.join(SEEDLINGS, "val", name)))[:2]:
                path = os.path.join(name, picture.rsplit(".", 1)[0] + ".png")
                with Image.open(os.path.join(SEEDLINGS, "val", name, picture)) as opened:
                    opened.convert("RGB").save(os.path.join(cls.photos, path))
                cls.pictures.append(path)
        subprocess.run(
            [f"{BIN}/casvit-pack", cls.photos, "-o", f"{cls.folder}/some.h5"], check=True, capture_output=True
        )
        cls.data = f"{cls.folder}/some.h5"
        cls.model = os.path.join(cls.folder, "run", LAST)
        cls.other = os.path.join(cls.folder, "wider", LAST)

    def setUp(self):
        if not os.path.exists(self.model):
            self.run_it(self.train_command(2, self.run_folder("run"), "train.max_steps=8",
                                           "optimizer.learning_rate=3e-3"))
            self.run_it(self.train_command(2, self.run_folder("wider"), "train.max_steps=4", "model.name=rcvit_s",
                                           "model.image_size=48", "ema.decay=0"))

    def evaluate(self, ranks, *arguments, code=0, data=None):
        done = subprocess.run(
            self.command(ranks, "eval", "--checkpoint", self.model, "--data", data or self.data, *arguments),
            capture_output=True, text=True, timeout=240, check=False,
        )
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def probabilities(self, make):
        """[pictures, classes] of copies that make(picture) gives, a list of pictures, by predict: their mean."""
        means = {}
        folder = self.run_folder("copies")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for number, path in enumerate(self.pictures):
            with Image.open(os.path.join(self.photos, path)) as opened:
                for copy, picture in enumerate(make(opened)):
                    picture.save(os.path.join(folder, f"{number:03}-{copy:02}.png"))
        out = os.path.join(self.folder, "copies.json")
        self.run_it(self.command(0, "predict", "--checkpoint", self.model, "--input", folder, "--topk", "100",
                                 "--set", "augment.eval_crop_ratio=1", "--out", out))
        with open(out, encoding="utf-8") as file:
            for picture in json.load(file):
                by_class = {entry["class"]: entry["probability"] for entry in picture["top"]}
                number = int(picture["path"].split("-")[0])
                means.setdefault(number, []).append([by_class[name] for name in self.classes])
        return numpy.array([numpy.mean(means[number], axis=0) for number in range(len(self.pictures))])

    def told(self, folder):
        """[pictures, 5] likeliest classes and their probabilities, in the order of self.pictures."""
        with open(os.path.join(folder, "report", "predictions.csv"), encoding="utf-8") as file:
            rows = {row["path"]: row for row in csv.DictReader(file)}
        rows = [rows[path] for path in self.pictures]
        top = [[self.classes.index(row[f"top{k}"]) for k in range(1, 6)] for row in rows]
        return numpy.array(top), numpy.array([[float(row[f"top{k}_probability"]) for k in range(1, 6)] for row in rows])

    def test_views_are_averaged_as_if_each_were_a_picture(self):
        views = {
            "hflip": lambda p: [five_crop(resized(p))[0], five_crop(mirrored(resized(p)))[0]],
            "hflip,five-crop": lambda p: five_crop(resized(p)) + five_crop(mirrored(resized(p))),
        }
        labels = numpy.array([self.classes.index(path.split("/")[0]) for path in self.pictures])
        for name, make in views.items():
            with self.subTest(name):
                expected = self.probabilities(make)
                out = self.run_folder("tta")
                answer = json.loads(self.evaluate(0, "--tta", name, "--out", out, "--json"))
                top, probability = self.told(out)
                numpy.testing.assert_allclose(
                    probability, numpy.take_along_axis(expected, top, axis=1), rtol=0, atol=2e-6)
                numpy.testing.assert_allclose(probability[:, 0], expected.max(axis=1), rtol=0, atol=2e-6)
                loss = -numpy.log(expected[numpy.arange(len(labels)), labels]).mean()
                self.assertAlmostEqual(answer["loss"], loss, delta=2e-5)
                self.assertEqual(answer["tta"], name)
                self.assertEqual(answer["views"], {"hflip": 2, "hflip,five-crop": 10}[name])
                with open(os.path.join(out, "report", "index.html"), encoding="utf-8") as file:
                    page = file.read()
                self.assertIn(f"{name}: {answer['views']} views of each picture", page)
                self.assertIn("Views of each picture", page)
        plain = json.loads(self.evaluate(0, "--json"))
        self.assertNotIn("tta", plain)
        self.assertNotEqual(plain["loss"], answer["loss"])

    def test_views_are_the_same_on_any_number_of_ranks(self):
        whole = f"{self.folder}/s.val.h5"
        answers = []
        for ranks in (0, 2):
            out = self.run_folder(f"tta{ranks}")
            answers.append(self.evaluate(ranks, "--tta", "hflip,five-crop", "--set", "eval.batch_size=20", "--set",
                                         "launch.threads=1", "--json", "--out", out, data=whole))
            with open(os.path.join(out, "report", "predictions.csv"), "rb") as file:
                answers.append(file.read())
        self.assertEqual(answers[:2], answers[2:])

    def test_any_resolution(self):
        at_48 = self.evaluate(0, "--size", "48", "--json")
        self.assertEqual(at_48, self.evaluate(0, "--set", "model.image_size=48", "--json"))
        self.assertNotEqual(at_48, self.evaluate(0, "--json"))
        against = self.evaluate(0, "--against", self.model, "--against-set", "model.image_size=48", "--json")
        self.assertEqual(json.loads(against)["against"]["other"]["loss"], json.loads(at_48)["loss"])
        for size in ("33", "400"):
            self.assertIn('"samples": 24', self.evaluate(0, "--size", size, "--json"))

    def test_mistakes_are_told(self):
        self.assertIn("'ten-crop' is none of hflip, vflip", self.evaluate(0, "--tta", "ten-crop", code=2))
        self.assertIn("no corners to cut at image_size 400",
                      self.evaluate(0, "--tta", "five-crop", "--size", "400", code=2))
        self.assertIn("say the same thing",
                      self.evaluate(0, "--size", "48", "--set", "model.image_size=48", code=2))
        self.assertIn("--against-use requires --against", self.evaluate(0, "--against-use", "ema", code=2))
        self.assertIn("nowhere.safetensors",
                      self.evaluate(0, "--against", "nowhere.safetensors", code=3))

    def test_models_of_other_classes_are_refused(self):
        few = self.run_folder("few")
        for part in ("train", "val"):
            for name in self.classes[:3]:
                shutil.copytree(os.path.join(SEEDLINGS, part, name), os.path.join(few, part, name))
        subprocess.run([f"{BIN}/casvit-pack", few, "-o", f"{few}/f.h5"], check=True, capture_output=True)
        self.run_it(self.train_command(0, self.run_folder("of-few"), f"data.train={few}/f.train.h5",
                                       f"data.val={few}/f.val.h5", "train.max_steps=1"))
        model = os.path.join(self.run_folder("of-few"), LAST)
        told = self.evaluate(0, "--against", model, code=2)
        self.assertIn(f"has other classes than {model} was trained on", told)

    def test_two_checkpoints_of_different_size_are_compared(self):
        out = self.run_folder("against")
        answers = [self.evaluate(ranks, "--against", self.other, "--json", "--set", "launch.threads=1", *more)
                   for ranks, more in ((0, ("--out", out)), (2, ()))]
        self.assertEqual(answers[0], answers[1])
        answer = json.loads(answers[0])["against"]
        self.assertIn("rcvit_s at 48 px, model weights", answer["name"])
        self.assertIn("rcvit_xs at 32 px, EMA weights", answer["own_name"])
        alone = []
        for model in (self.model, self.other):
            folder = self.run_folder("alone")
            self.run_it(self.command(0, "eval", "--checkpoint", model, "--data", self.data, "--out", folder))
            with open(os.path.join(folder, "report", "report.json"), encoding="utf-8") as file:
                alone.append((json.load(file)["model"], *self.told(folder)))
        self.assertEqual(answer["own"], alone[0][0])
        self.assertEqual(answer["other"], alone[1][0])
        labels = numpy.array([self.classes.index(path.split("/")[0]) for path in self.pictures])
        right = [told[:, 0] == labels for _, told, _ in alone]
        gained = {self.pictures[i] for i in numpy.flatnonzero(right[0] & ~right[1])}
        lost = {self.pictures[i] for i in numpy.flatnonzero(right[1] & ~right[0])}
        self.assertEqual((answer["only_own_right"], answer["only_other_right"]), (len(gained), len(lost)))
        with open(os.path.join(out, "report", "changed_pictures.csv"), encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({row["path"] for row in rows if row["change"] == "gained"}, gained)
        self.assertEqual({row["path"] for row in rows if row["change"] == "lost"}, lost)
        # The documented resamples, by numpy.
        n = len(labels)
        x = numpy.random.RandomState(0).randint(0, 2**32, size=(1000, n), dtype=numpy.uint32).astype(numpy.uint64)
        drawn = (x * numpy.uint64(n)) >> numpy.uint64(32)
        difference = [100 * (right[0][one].mean() - right[1][one].mean()) for one in drawn]
        numpy.testing.assert_allclose(answer["difference"]["acc1_interval"],
                                      numpy.percentile(difference, [2.5, 97.5]), atol=1e-9)
        with open(os.path.join(out, "report", "index.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn("Against another model", page)
        if gained:
            self.assertIn(f"Right by this alone ({len(gained)})", page)
        self.assertIn("paired bootstrap", self.evaluate(0, "--against", self.other))

    def test_two_weights_of_one_checkpoint_share_their_pictures(self):
        answer = json.loads(self.evaluate(0, "--against", self.model, "--against-use", "model", "--json"))["against"]
        alone = json.loads(self.evaluate(0, "--use", "model", "--json"))
        self.assertEqual(answer["other"]["loss"], alone["loss"])
        self.assertNotEqual(answer["own"]["loss"], alone["loss"])

    def test_runs_stand_side_by_side(self):
        finished, other = self.run_folder("run"), self.run_folder("wider")
        self.run_it(self.train_command(2, self.run_folder("done"), "train.epochs=1", "batch.shard_size=32"))
        out = self.run_folder("compared")
        told = self.run_it(self.command(0, "compare", finished, other, self.run_folder("done"), "--out", out))
        for text in ("run ", "wider", "model.name", "rcvit_s", "goodput", os.path.join(out, "index.html")):
            self.assertIn(text, told)
        self.assertNotIn("train.seed", told)
        ranks2 = self.run_it(self.command(2, "compare", finished, other, self.run_folder("done"), "--json"))
        with open(os.path.join(out, "compare.json"), encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(ranks2, text)
        runs = json.loads(text)["runs"]
        self.assertEqual([run["steps"] for run in runs[:2]], [8, 4])
        with open(os.path.join(self.run_folder("done"), "report", "report.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(runs[2]["ema_acc1"]["last"], report["ema"]["acc1"])
        self.assertEqual(runs[2]["ema_acc1"]["last_interval"], report["ema"]["acc1_interval"])
        self.assertEqual(runs[2]["goodput"], report["time"]["goodput"])
        with open(os.path.join(out, "index.html"), encoding="utf-8") as file:
            self.assertIn("What differs in their configurations", file.read())
        empty = self.run_folder("empty")
        os.makedirs(empty)
        self.assertIn(f"casvit: {empty} is no run", self.run_it(self.command(0, "compare", finished, empty), code=3))
        self.run_it(self.command(0, "compare"), code=2)
        self.assertIn("cannot", self.run_it(self.command(0, "compare", finished, "--out", "/proc/x"), code=6))


if __name__ == "__main__":
    unittest.main()
