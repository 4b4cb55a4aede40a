"""What tests that run jobs from their manifests share: packed photographs, a run folder, a small run."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import pod
from manifests import REPOSITORY

NAMESPACE = "vision"
# Behind the launcher's own arguments: the same command, but a small run.
SMALL = {
    "model.image_size": 32, "batch.shard_size": 4, "train.epochs": 1, "schedule.warmup_epochs": 0,
    "eval.every_epochs": 1, "launch.threads": 1, "data.loader_threads": 1,
}  # fmt: skip
REASON = pod.missing()
HAS_RUN = pod.IMAGE or (pod.LAUNCH / "launch/run").exists()
NO_RUN = "there is no launch/run yet, which the manifests call"
LONG = 150  # seconds


@unittest.skipIf(REASON, f"pods cannot be run here: {REASON}")
class JobCase(unittest.TestCase):
    """Tests set self.trainer, the pod spec whose container trains."""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="casvit-claims-", dir="/var/tmp"))
        cls.shared.chmod(0o755)
        (cls.shared / "data").mkdir()
        # One part, as the overlay pack would make it of /data/photos.
        environment = {"PATH": f"{pod.BIN}:{os.environ['PATH']}", "CASVIT_PART": "0", "CASVIT_PARTS": "1"}
        subprocess.run(
            [REPOSITORY / "k8s/image/pack-part", REPOSITORY / "tests/data/seedlings", cls.shared / "data/photos.h5"],
            check=True, capture_output=True, env={**os.environ, **environment},
        )  # fmt: skip

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared)

    def setUp(self):
        self.runs = pathlib.Path(tempfile.mkdtemp(prefix="runs-", dir=self.shared))
        os.chown(self.runs, 1000, 1000)  # what fsGroup does

    def start_network(self, items, secrets):
        claims = {"casvit-data": self.shared / "data", "casvit-runs": self.runs}
        self.cluster = pod.Cluster(claims, items, secrets)
        self.addCleanup(self.cluster.close)

    def start_trainer(self, name, **settings):
        words = [f"--set={key}={value}" for key, value in {**SMALL, **settings}.items()]
        return self.cluster.start(name, self.trainer, more_arguments=words)

    def run_folder(self):
        """Where the container's --out is, on this side of its mounts."""
        (container,) = self.trainer["containers"]
        out = pathlib.PurePath(container["args"][container["args"].index("--out") + 1])
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        return self.runs / out.relative_to(mounts["runs"])

    def wait_for_step(self, running, step):
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline and running.process.poll() is None:
            if step in pod.steps_of(self.run_folder()):
                return
            time.sleep(0.05)
        self.fail(f"training never came to step {step}: {running.text()}")
