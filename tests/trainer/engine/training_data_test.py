"""How casvit_dist treats its files: corrupt pictures, staging to a node's own disk, EXIF orientation."""

import fcntl
import glob
import json
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
model: {name: rcvit_xs, image_size: 32}
batch: {shards: 2, shard_size: 8}
precision: {amp: off}
train: {epochs: 2, seed: 7}
parallel: {reproducible: true}
"""


def turned_by_a_quarter(path):
    """A JPEG's bytes with EXIF that says orientation 6."""
    with open(path, "rb") as file:
        data = file.read()
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


class TrainingDataTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="casvit-data-")
        cls.pack(SEEDLINGS, f"{cls.folder}/s.h5")
        cls.recipe = f"{cls.folder}/recipe.yaml"
        with open(cls.recipe, "w", encoding="utf-8") as file:
            text = RECIPE.replace("TRAIN", f"{cls.folder}/s.train.h5")
            file.write(text.replace("VAL", f"{cls.folder}/s.val.h5"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @staticmethod
    def pack(folder, output):
        subprocess.run([f"{BIN}/casvit-pack", folder, "-o", output], check=True, capture_output=True)

    def command(self, ranks, *arguments):
        prefix = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(ranks)] if ranks else []
        return [*prefix, f"{BIN}/casvit_dist", *arguments]

    def train_command(self, ranks, name, *settings, resume="none"):
        sets = [word for setting in settings for word in ("--set", setting)]
        run = os.path.join(self.folder, name)
        return self.command(ranks, "train", "--config", self.recipe, "--out", run, "--resume", resume, *sets)

    def run_it(self, command, code=0):
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def rows(self, name, kind):
        with open(os.path.join(self.folder, name, "metrics.jsonl"), encoding="utf-8") as file:
            return [row for row in map(json.loads, file) if row["kind"] == kind]

    def losses(self, name):
        return [row["loss"] for row in self.rows(name, "step")]

    def damaged(self, split, places):
        """A copy of a file with a bit flipped at these shares of its length."""
        path = f"{self.folder}/damaged-{split}.h5"
        shutil.copy(f"{self.folder}/s.{split}.h5", path)
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            for place in places:
                file.seek(int(size * place))
                byte = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte[0] ^ 0x10]))
        return path

    def test_corrupt_pictures_are_replaced_the_same_on_any_number_of_ranks(self):
        data = f"data.train={self.damaged('train', (0.3, 0.5, 0.6, 0.7))}"
        failed = self.run_it(self.train_command(0, "fails", data), code=3)
        self.assertRegex(failed, r"sample \d+ \(.*jpg\)")

        replace = (data, "data.on_corrupt=replace")
        outputs = {}
        for ranks in (1, 2):
            outputs[ranks] = self.run_it(self.train_command(ranks, f"replaced{ranks}", *replace))
        self.assertEqual(self.losses("replaced1"), self.losses("replaced2"))
        counts = [row["replaced"] for row in self.rows("replaced2", "epoch")]
        self.assertEqual(counts, [row["replaced"] for row in self.rows("replaced1", "epoch")])
        self.assertGreater(min(counts), 0)
        self.assertLessEqual(max(counts), 4)
        for ranks in (1, 2):
            lines = [line for line in outputs[ranks].splitlines() if "took its place" in line]
            self.assertLessEqual(max(counts), len(lines))
            self.assertLessEqual(len(lines), 4)  # each is named once, in two epochs
            self.assertEqual(len({line.split("sample ")[1].split()[0] for line in lines}), len(lines))
        with open(f"{self.folder}/replaced2/report/report.json", encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual(report["data"]["corrupt training pictures replaced"], str(int(sum(counts))))
        with open(f"{self.folder}/replaced2/log.txt", encoding="utf-8") as file:
            self.assertIn("took its place", file.read())

        # Interrupted within an epoch, on one rank, and continued on two: nothing is counted twice or lost.
        self.run_it(self.train_command(0, "stopped", *replace, "train.max_steps=17"))
        self.run_it(self.train_command(2, "stopped", *replace, resume="auto"))
        self.assertEqual(self.losses("stopped"), self.losses("replaced1"))
        self.assertEqual([row["replaced"] for row in self.rows("stopped", "epoch")][-2:], counts)

    def test_evaluation_never_replaces(self):
        data = f"data.val={self.damaged('val', (0.5,))}"
        output = self.run_it(
            self.train_command(0, "val", data, "data.on_corrupt=replace", "train.epochs=1"), code=3
        )
        self.assertRegex(output, r"damaged-val.h5: sample \d+")

    def test_files_are_staged_once_a_node_and_reused(self):
        disk = f"{self.folder}/disk"
        stage = (f"data.stage_to={disk}", "train.max_steps=3")
        self.run_it(self.train_command(2, "unstaged", "train.max_steps=3"))
        first = self.run_it(self.train_command(2, "staged", *stage))
        self.assertEqual(first.count("staging: copied"), 2)
        self.assertIn("s.train.h5", first)
        self.assertEqual(self.losses("unstaged"), self.losses("staged"))
        copies = [os.path.join(where, name) for where, _, names in os.walk(disk) for name in names
                  if name.endswith(".h5")]
        self.assertEqual(sorted(os.path.basename(path) for path in copies), ["s.train.h5", "s.val.h5"])
        for path in copies:
            with open(path, "rb") as copy, open(f"{self.folder}/{os.path.basename(path)}", "rb") as source:
                self.assertEqual(copy.read(), source.read())
        second = self.run_it(self.train_command(2, "again", *stage))
        self.assertEqual(second.count("is there already"), 2)
        self.assertNotIn("staging: copied", second)
        with open(f"{self.folder}/again/log.txt", encoding="utf-8") as file:
            self.assertIn("staging:", file.read())

    def test_jobs_at_once_stage_once(self):
        stage = (f"data.stage_to={self.folder}/shared-disk", "train.max_steps=2")
        jobs = [
            subprocess.Popen(
                self.train_command(0, f"job{number}", *stage), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
            )
            for number in range(3)
        ]
        outputs = [job.communicate(timeout=240)[0] for job in jobs]
        self.assertEqual([job.returncode for job in jobs], [0, 0, 0], outputs)
        self.assertEqual(sum(output.count("staging: copied") for output in outputs), 2)
        self.assertEqual(sum(output.count("is there already") for output in outputs), 4)

    def test_a_signal_ends_staging_at_once(self):
        disk = f"{self.folder}/held-disk"
        stage = (f"data.stage_to={disk}", "train.max_steps=2")
        self.run_it(self.train_command(0, "before-held", *stage))
        (copy,) = glob.glob(f"{disk}/*/s.train.h5")
        os.unlink(copy)
        with open(f"{os.path.dirname(copy)}/.s.train.h5.lock", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # somebody copies, and does not come to an end
            job = subprocess.Popen(self.train_command(0, "held", *stage), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
            self.wait_for_handler(job.pid, signal.SIGTERM)
            job.send_signal(signal.SIGTERM)
            output = job.communicate(timeout=60)[0]
        self.assertEqual(job.returncode, 75, output)
        self.assertIn("interrupted while files were staged", output)
        self.assertFalse(os.path.exists(copy))
        self.run_it(self.train_command(0, "held", *stage))

    @staticmethod
    def wait_for_handler(pid, number):
        while True:
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                caught = next(line for line in status if line.startswith("SigCgt:"))
            if int(caught.split()[1], 16) >> (number - 1) & 1:
                return
            time.sleep(0.02)

    def test_where_nothing_can_be_staged_it_ends_with_6(self):
        with open(f"{self.folder}/no-folder", "w", encoding="utf-8"):
            pass
        output = self.run_it(
            self.train_command(2, "unstageable", f"data.stage_to={self.folder}/no-folder"), code=6
        )
        self.assertIn("data.stage_to", output)
        self.assertIn("no-folder", output)

    def test_orientation_is_applied_on_request_in_training_and_evaluation(self):
        for split in ("train", "val"):
            for kind in ("Maize", "Charlock"):
                source = os.path.join(SEEDLINGS, split, kind)
                target = os.path.join(self.folder, "turned", split, kind)
                os.makedirs(target)
                for name in sorted(os.listdir(source))[:20]:
                    with open(os.path.join(target, name), "wb") as file:
                        file.write(turned_by_a_quarter(os.path.join(source, name)))
        self.pack(f"{self.folder}/turned", f"{self.folder}/t.h5")
        data = (f"data.train={self.folder}/t.train.h5", f"data.val={self.folder}/t.val.h5",
                "train.epochs=1")
        self.run_it(self.train_command(0, "as-stored", *data))
        self.run_it(self.train_command(0, "upright", *data, "data.apply_orientation=true"))
        self.assertNotEqual(self.losses("as-stored"), self.losses("upright"))

        def evaluated(*more):
            output = self.run_it(
                self.command(
                    0, "eval", "--checkpoint", f"{self.folder}/upright/checkpoints/last.safetensors",
                    "--data", f"{self.folder}/t.val.h5", "--json", *more,
                )
            )
            return json.loads(output[output.index("{") :])["loss"]

        trained = self.rows("upright", "epoch")[-1]["model_loss"]
        self.assertAlmostEqual(evaluated(), trained, places=5)  # the checkpoint says how
        self.assertNotAlmostEqual(evaluated("--set", "data.apply_orientation=false"), trained, places=5)


if __name__ == "__main__":
    unittest.main()
