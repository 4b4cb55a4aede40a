"""casvit_dist predict: names pictures of folders, files and packed files; what cannot be read keeps no other."""

import csv
import io
import json
import os
import shutil
import unittest

from training_case import LAST, SEEDLINGS, TrainingCase


class PredictTest(TrainingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = os.path.join(cls.folder, "run", LAST)
        cls.photos = os.path.join(SEEDLINGS, "val")
        cls.classes = sorted(os.listdir(cls.photos))

    def setUp(self):
        if not os.path.exists(self.model):
            self.run_it(self.train_command(2, os.path.dirname(os.path.dirname(self.model)), "train.max_steps=3",
                                           "eval.batch_size=16"))

    def predict(self, ranks, *arguments, code=0):
        return self.run_it(self.command(ranks, "predict", "--checkpoint", self.model, *arguments), code=code)

    def read(self, path):
        with open(path, "rb") as file:
            return file.read()

    def test_pictures_that_cannot_be_read_are_named_and_all_others_predicted(self):
        photos = os.path.join(self.folder, "some")
        shutil.copytree(self.photos, photos)
        for number, content in enumerate((b"", b"\xff\xd8\xff no picture", b"GIF89a" + bytes(40))):
            with open(os.path.join(photos, self.classes[number], f"broken{number}.jpg"), "wb") as file:
                file.write(content)
        with open(os.path.join(photos, "notes.txt"), "w", encoding="utf-8") as file:
            file.write("no picture")
        tables, pages = [], []
        for ranks in (0, 2):
            out = os.path.join(self.folder, f"names{ranks}.csv")
            html = os.path.join(self.folder, f"names{ranks}.html")
            told = self.predict(ranks, "--input", photos, "--out", out, "--topk", "3", "--html", html, code=3)
            self.assertIn("3 of", told)
            for number in range(3):
                self.assertIn(f"broken{number}.jpg: ", told)
            self.assertIn("1 files that are no pictures by name", told)
            tables.append(self.read(out))
            pages.append(self.read(html))
        self.assertEqual(tables[0], tables[1])
        self.assertEqual(pages[0], pages[1])
        rows = list(csv.DictReader(io.StringIO(tables[0].decode())))
        count = sum(len(files) for _, _, files in os.walk(self.photos))
        self.assertEqual(len(rows), count)
        self.assertEqual(list(rows[0])[:5], ["path", "label", "top1", "top1_probability", "top2"])
        for row in rows:
            self.assertEqual(row["label"], row["path"].split("/")[0])
            self.assertIn(row["top1"], self.classes)
            self.assertGreaterEqual(float(row["top1_probability"]), float(row["top2_probability"]))
        page = pages[0].decode()
        self.assertLess(len(pages[0]), 5_000_000)
        self.assertEqual(page.count("src='data:image/jpeg;base64,"), count)
        wrong = [row for row in rows if row["label"] != row["top1"]]
        self.assertEqual(page.count("wrong: it is "), len(wrong))
        self.assertIn("Could not be read (3)", page)
        self.assertIn("broken1.jpg: ", page)

    def test_packed_files_give_what_eval_gives(self):
        data = os.path.join(self.folder, "s.val.h5")
        out = os.path.join(self.folder, "packed.csv")
        self.predict(2, "--input", data, "--out", out)
        report = os.path.join(self.folder, "evaluated")
        self.run_it(self.command(0, "eval", "--checkpoint", self.model, "--data", data, "--out", report))
        self.assertEqual(self.read(out), self.read(os.path.join(report, "report", "predictions.csv")))

    def test_flat_folders_and_files_have_no_labels(self):
        flat = os.path.join(self.folder, "flat")
        os.makedirs(flat)
        for name in self.classes:
            first = sorted(os.listdir(os.path.join(self.photos, name)))[0]
            shutil.copy(os.path.join(self.photos, name, first), os.path.join(flat, name.replace(" ", "_") + ".jpg"))
        out = os.path.join(self.folder, "flat.json")
        self.predict(0, "--input", flat, "--out", out, "--topk", "100")
        with open(out, encoding="utf-8") as file:
            pictures = json.load(file)
        self.assertEqual(len(pictures), len(self.classes))
        for picture in pictures:
            self.assertIsNone(picture["label"])
            self.assertEqual(sorted(entry["class"] for entry in picture["top"]), self.classes)
            self.assertAlmostEqual(sum(entry["probability"] for entry in picture["top"]), 1, delta=1e-5)
        html = os.path.join(self.folder, "flat.html")
        told = self.predict(0, "--input", flat, "--html", html)
        self.assertNotIn("path,label", told)
        self.assertNotIn(b"wrong: it is", self.read(html))
        one = os.path.join(flat, os.listdir(flat)[0])
        answer = self.predict(0, "--input", one, "--topk", "1")
        self.assertIn(one + ",,", answer)

    def test_mistakes_are_told(self):
        self.assertIn("there is no", self.predict(0, "--input", "/nowhere", code=3))
        empty = os.path.join(self.folder, "empty")
        os.makedirs(empty)
        self.assertIn("there are no pictures in", self.predict(0, "--input", empty, code=3))
        self.assertIn("cannot write", self.predict(0, "--input", self.photos, "--out", "/proc/x.csv", code=6))
        self.assertIn("cannot write", self.predict(0, "--input", self.photos, "--html", "/proc/x.html", code=6))


if __name__ == "__main__":
    unittest.main()
