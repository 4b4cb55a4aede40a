"""What tests of launch/run on several hosts share: hosts (network_hosts.py), data and a recipe in the folder that they
all see, and launch/run called on the first of them as a Kubernetes MPIJob's launcher is."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import default_signals  # noqa: F401
from network_hosts import UID, Network, reason_to_skip

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "trainer", "engine"))
from training_case import BIN, RECIPE, SEEDLINGS, tensors_of  # noqa: E402

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LAST = "checkpoints/last.safetensors"


def libraries(program):
    """Folders of the shared libraries that `program` loads."""
    text = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    paths = [line.split("=>")[1].split()[0] for line in text.splitlines() if "=> /" in line]
    return {os.path.dirname(path) for path in paths}


class NetworkCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = reason_to_skip()
        if reason is not None:
            raise unittest.SkipTest(reason)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="casvit-network-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        subprocess.run([f"{BIN}/casvit-pack", SEEDLINGS, "-o", cls.folder / "s.h5"], check=True, capture_output=True)
        recipe = RECIPE.replace("TRAIN", f"{cls.folder}/s.train.h5").replace("VAL", f"{cls.folder}/s.val.h5")
        (cls.folder / "recipe.yaml").write_text(recipe)

    @classmethod
    def visible(cls):
        """What hosts must see of this machine, besides the system."""
        return {cls.folder, REPOSITORY, BIN, *libraries(f"{BIN}/casvit_dist")}

    def network(self, count):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o755)
        network = Network(folder, count, self.visible())
        self.addCleanup(network.close)
        return network

    def environment(self, network, slots):
        """As kubeflow's operator gives it to the launcher of an MPIJob, with its hostfile."""
        hostfile = network.folder / "hostfile"
        hostfile.write_text("".join(f"{name} slots={slots}\n" for name in network.names))
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(network.folder / "home"),
            "USER": "trainer",
            "K_MPI_JOB_ROLE": "launcher",
            "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
            "OMPI_MCA_orte_default_hostfile": str(hostfile),
            "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
            "OMPI_MCA_orte_set_default_slots": str(slots),
        }

    def start(self, network, run, *settings, slots=1, options=()):
        """Training, by launch/run on host-a; its run folder is shared by all."""
        program = [
            f"{BIN}/casvit_dist", "train", "--config", str(self.folder / "recipe.yaml"),
            "--out", str(network.folder / run), "--resume", "auto",
            *(word for setting in settings for word in ("--set", setting)),
        ]  # fmt: skip
        return self.start_program(network, *program, slots=slots, options=options)

    def start_program(self, network, *program, slots=1, options=()):
        """Any program, by launch/run on host-a, not as root."""
        command = [
            str(REPOSITORY / "launch/run"), "--ssh-args", f"-F {network.folder}/ssh/config", *options, *program
        ]  # fmt: skip
        return subprocess.Popen(
            network.hosts[0].inside(*command, user=UID),
            env=self.environment(network, slots), cwd=network.folder / "home", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def finish(self, process, code, seconds=100):
        """Its output; fails unless it ends with `code`."""
        try:
            output = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.fail(f"not ended within {seconds} s:\n" + process.communicate()[0])
        self.assertEqual(process.returncode, code, output)
        return output

    def wait_for_step(self, process, run, step):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            path = run / "metrics.jsonl"
            if path.exists() and f'"step": {step},' in path.read_text(encoding="utf-8"):
                return
            time.sleep(0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        self.fail(f"training never came to step {step}:\n" + process.communicate()[0])

    def assert_same_tensors(self, one, other):
        self.assertEqual(tensors_of(one), tensors_of(other))
