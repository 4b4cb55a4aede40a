"""What tests of whole training runs share: casvit_dist under real mpirun on the sample photographs, tiny
pictures, a few steps. Reads checkpoints and metrics with its own few lines."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

BIN = os.environ["CASVIT_BIN"]
LAST = "checkpoints/last.safetensors"
TIMEOUT = int(os.environ.get("CASVIT_TEST_TIMEOUT", "240"))  # of one run, seconds
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


class TrainingCase(unittest.TestCase):
    train_pictures = None  # of each class: all. Fewer make shorter epochs

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="casvit-training-")
        photos = pathlib.Path(cls.folder, "photos")
        for species in pathlib.Path(SEEDLINGS, "train").iterdir():
            (photos / "train" / species.name).mkdir(parents=True)
            for picture in sorted(species.iterdir())[: cls.train_pictures]:
                (photos / "train" / species.name / picture.name).symlink_to(picture)
        (photos / "val").symlink_to(pathlib.Path(SEEDLINGS, "val"))
        subprocess.run(
            [f"{BIN}/casvit-pack", photos, "-o", f"{cls.folder}/s.h5"],
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
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
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
        deadline = time.monotonic() + TIMEOUT
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
