"""k8s/image/pack-part: parts that together are the whole, each with all classes, made side by side and again."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import h5py
from manifests import REPOSITORY

BIN = os.environ["CASVIT_BIN"]
SCRIPT = REPOSITORY / "k8s/image/pack-part"
SEEDLINGS = REPOSITORY / "tests/data/seedlings"
RECIPE = """
data: {train: TRAIN, val: VAL}
device: cpu
model: {name: rcvit_xs, image_size: 32}
batch: {shards: 1, shard_size: 4}
train: {epochs: 1, max_steps: 2}
launch: {threads: 1}
"""


class PackPart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, part, parts, source, output, *options):
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "CASVIT_PART": part, "CASVIT_PARTS": parts}
        return subprocess.Popen(
            [str(SCRIPT), str(source), str(output), *options],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def pack(self, part, parts, source, output, *options):
        process = self.start(part, parts, source, output, *options)
        text, _ = process.communicate(timeout=120)
        return process.returncode, text

    def paths_of(self, file):
        with h5py.File(file) as opened:
            data, offset = opened["/source/path"][...].tobytes(), opened["/source/offset"][...]
            self.assertEqual(len(opened["/classes/name"]), 12)
            names = [data[offset[i] : offset[i + 1]].decode() for i in range(len(offset) - 1)]
            return list(zip(names, opened["/labels/class"][...].tolist()))

    def test_parts_made_side_by_side_are_the_whole_and_train(self):
        running = [self.start(str(part), "3", SEEDLINGS, self.folder / "s.h5") for part in range(3)]
        for process in running:
            text, _ = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, text)
        classes = sorted(path.name for path in (SEEDLINGS / "train").iterdir())
        for split in ("train", "val"):
            found = []
            for part in range(3):
                found += self.paths_of(self.folder / f"s.{split}.part-{part:02}-of-03.h5")
            wanted = {
                (str(path.relative_to(SEEDLINGS / split)), classes.index(path.parent.name))
                for path in (SEEDLINGS / split).glob("*/*")
            }
            self.assertEqual(len(found), len(wanted))
            self.assertEqual(set(found), wanted)
        self.assertEqual([path for path in self.folder.iterdir() if path.suffix != ".h5"], [])

        recipe = self.folder / "recipe.yaml"
        recipe.write_text(
            RECIPE.replace("TRAIN", f"{self.folder}/s.train.part-*.h5").replace("VAL", f"{self.folder}/s.val.part-*.h5")
        )
        done = subprocess.run(
            [f"{BIN}/casvit_dist", "train", "--config", recipe, "--out", self.folder / "run"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("396 pictures", done.stdout + done.stderr)

    def test_a_part_that_is_there_is_left_as_it_is(self):
        self.assertEqual(self.pack("1", "4", SEEDLINGS / "val", self.folder / "s.h5")[0], 0)
        (file,) = self.folder.iterdir()
        before = file.stat().st_mtime_ns
        code, text = self.pack("1", "4", SEEDLINGS / "val", self.folder / "s.h5")
        self.assertEqual(code, 0)
        self.assertIn("is there", text)
        self.assertEqual(file.stat().st_mtime_ns, before)

    def test_an_interrupted_part_goes_on(self):
        process = self.start("0", "1", SEEDLINGS / "train", self.folder / "s.h5", "--resize", "140", "--workers", "1")
        deadline = time.monotonic() + 60
        while not list(self.folder.glob(".*.journal")) and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=60)
        self.assertNotIn(process.returncode, (0, 2, 3, 4, 70), text)
        self.assertEqual(list(self.folder.glob("*.h5")), [])
        code, text = self.pack("0", "1", SEEDLINGS / "train", self.folder / "s.h5", "--resize", "140", "--workers", "1")
        self.assertEqual(code, 0, text)
        self.assertEqual(len(self.paths_of(self.folder / "s.part-00-of-01.h5")), 396)

    def test_odd_names_are_kept(self):
        for name in ("a, b", 'say "c"'):
            (self.folder / "in" / name).mkdir(parents=True)
            for index, path in enumerate(sorted((SEEDLINGS / "train/Maize").iterdir())[:3]):
                shutil.copy(path, self.folder / "in" / name / f'{index}, "x" ä{path.suffix}')
        code, text = self.pack("0", "2", self.folder / "in", self.folder / "s.h5", "--json")
        self.assertEqual(code, 0, text)
        with h5py.File(self.folder / "s.part-00-of-02.h5") as opened:
            self.assertEqual([name.decode() for name in opened["/classes/name"][...]], ["a, b", 'say "c"'])
            self.assertEqual(opened["/labels/class"][...].tolist(), [0, 0, 1, 1])

    def test_a_class_with_fewer_pictures_than_parts_is_refused(self):
        code, text = self.pack("0", "50", SEEDLINGS / "train", self.folder / "s.h5")
        self.assertEqual(code, 2, text)
        self.assertIn("class 'Black-grass' has 33 files", text)

    def test_wrong_calls(self):
        for part, parts in (("4", "4"), ("", "4"), ("a", "4"), ("0", "")):
            self.assertEqual(self.pack(part, parts, SEEDLINGS, self.folder / "s.h5")[0], 2)
        self.assertEqual(self.pack("0", "4", self.folder / "none", self.folder / "s.h5")[0], 3)


if __name__ == "__main__":
    unittest.main()
