"""The rendered MPIJob runs: launcher and workers as pods in namespaces, with what the operator adds to them. The
commands, arguments, environment, ports, probes, mounts, user and rights are read from the YAML; behind the
launcher's arguments come a few settings that make the run a small one."""

import copy
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import mpi_operator
import pod
from manifests import REPOSITORY, objects, only, K8S

NAMESPACE = "vision"
SMALL = {
    "model.image_size": 32, "batch.shard_size": 4, "train.epochs": 1, "schedule.warmup_epochs": 0,
    "eval.every_epochs": 1, "launch.threads": 1, "data.loader_threads": 1,
}  # fmt: skip
REASON = pod.missing()
HAS_RUN = pod.IMAGE or (pod.LAUNCH / "launch/run").exists()
LONG = 150  # seconds


@unittest.skipIf(REASON, f"pods cannot be run here: {REASON}")
class JobCase(unittest.TestCase):
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
        self.items = objects(K8S / "base")
        self.job = copy.deepcopy(only(self.items, "MPIJob"))

    def start_cluster(self):
        self.pods = mpi_operator.pods_of(self.job, NAMESPACE)
        name = self.job["metadata"]["name"]
        self.secret = mpi_operator.key_pair()
        self.cluster = pod.Cluster(
            {"casvit-data": self.shared / "data", "casvit-runs": self.runs}, self.items, {f"{name}-ssh": self.secret}
        )
        self.addCleanup(self.cluster.close)
        domain = f"{name}.{NAMESPACE}.svc"
        self.cluster.names({host: f"{host}.{domain} {host}.{domain}.cluster.local" for host in self.pods}, name)
        self.launcher = next(iter(self.pods))
        self.workers = [host for host in self.pods if host != self.launcher]

    def start_workers(self):
        started = [self.cluster.start(host, self.pods[host]) for host in self.workers]
        for worker in started:
            self.cluster.wait_until_ready(worker)
        return started

    def start_launcher(self, **settings):
        words = [f"--set={key}={value}" for key, value in {**SMALL, **settings}.items()]
        return self.cluster.start(self.launcher, self.pods[self.launcher], more_arguments=words)

    def run_folder(self):
        arguments = self.pods[self.launcher]["containers"][0]["args"]
        out = pathlib.PurePath(arguments[arguments.index("--out") + 1])
        mounts = {mount["name"]: mount["mountPath"] for mount in self.pods[self.launcher]["containers"][0]["volumeMounts"]}
        return self.runs / out.relative_to(mounts["runs"])

    def wait_for_step(self, launcher, step):
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline and launcher.process.poll() is None:
            if step in pod.steps_of(self.run_folder()):
                return
            time.sleep(0.05)
        self.fail(f"training never came to step {step}: {launcher.text()}")

    def end_workers(self, workers):
        for worker in workers:
            worker.send()
        for worker in workers:
            self.assertEqual(worker.wait(20), 143, worker.text())


class Worker(JobCase):
    """sshd as the manifest starts it, without launch/run."""

    def ssh(self, host, key_path, *command):
        """ssh from the launcher's pod, with the image's configuration."""
        container = self.pods[self.launcher]["containers"][0]
        spec = copy.deepcopy(self.pods[self.launcher])
        spec["containers"][0]["command"] = ["/usr/bin/ssh", *self.ssh_words(container), *key_path, host, *command]
        spec["containers"][0]["args"] = []
        started = self.cluster.start(self.launcher, spec)
        return started.wait(40), started.text()

    @staticmethod
    def ssh_words(container):
        """Those that the operator has mpirun add."""
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        return environment["OMPI_MCA_plm_rsh_args"].split()

    def test_serves_the_launcher_without_any_right(self):
        self.start_cluster()
        (worker, *_) = workers = self.start_workers()
        (host, *_) = mpi_operator.hosts_of(self.job, NAMESPACE)
        command = ["grep", "-E", "'^(Uid|CapEff|CapPrm|CapBnd|NoNewPrivs):'", "/proc/self/status"]
        code, text = self.ssh(host, [], *command, "&&", "hostname", "&&", "!", "touch", "/forbidden")
        self.assertEqual(code, 0, text + worker.text())
        status = dict(re.findall(r"^(\w+):\s+(.*)$", text, re.MULTILINE))
        self.assertEqual(status["Uid"].split(), ["1000"] * 4)
        self.assertEqual({int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")}, {0})
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertIn(f"\n{self.workers[0]}\n", text)
        self.assertIn("Read-only file system", text)
        listening = self.cluster.inside(worker, ["cat", "/proc/net/tcp"]).stdout
        (port,) = [entry["containerPort"] for entry in worker.spec["containers"][0]["ports"]]
        self.assertIn(f":{port:04X} 00000000:0000 0A", listening)
        self.end_workers(workers)

    def test_a_server_with_another_key_is_not_believed(self):
        self.start_cluster()
        self.cluster.secrets = {name: mpi_operator.key_pair() for name in self.cluster.secrets}
        self.start_workers()
        self.cluster.secrets = {name: self.secret for name in self.cluster.secrets}
        (host, *_) = mpi_operator.hosts_of(self.job, NAMESPACE)
        code, text = self.ssh(host, [], "true")
        self.assertEqual(code, 255, text)
        self.assertIn("Host key verification failed", text)


@unittest.skipUnless(HAS_RUN, "there is no launch/run yet, which the manifest's launcher calls")
class Training(JobCase):
    def test_trains_on_all_hosts_to_the_end(self):
        self.start_cluster()
        workers = self.start_workers()
        launcher = self.start_launcher(**{"train.max_steps": 6})
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.assertEqual(pod.steps_of(self.run_folder()), [1, 2, 3, 4, 5, 6])
        self.assertTrue((self.run_folder() / "checkpoints/last.safetensors").exists())
        for host in self.workers:
            self.assertIn(host, launcher.text())
        self.end_workers(workers)

    def test_a_worker_that_is_told_to_go_saves_first_and_the_next_attempt_goes_on(self):
        self.start_cluster()
        workers = self.start_workers()
        launcher = self.start_launcher(**{"train.epochs": 40})
        self.wait_for_step(launcher, 3)
        workers[1].send()
        self.assertEqual(launcher.wait(60), 75, launcher.text() + workers[1].text())
        self.assertEqual(workers[1].wait(30), 143)
        self.assertIn("they have left", workers[1].text())
        reached = pod.steps_of(self.run_folder())[-1]

        # The operator makes the worker anew, and the launcher's Job a new launcher.
        again = self.cluster.start(self.workers[1], self.pods[self.workers[1]])
        self.cluster.wait_until_ready(again)
        launcher = self.start_launcher(**{"train.epochs": 40, "train.max_steps": reached + 3})
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.assertEqual(pod.steps_of(self.run_folder()), list(range(1, reached + 4)))
        self.end_workers([workers[0], again])

    def test_all_pods_are_told_to_go_at_once(self):
        # As when Kueue suspends the job: ranks hear of it through the launcher and through their worker.
        self.start_cluster()
        workers = self.start_workers()
        launcher = self.start_launcher(**{"train.epochs": 40})
        self.wait_for_step(launcher, 3)
        for one in (launcher, *workers):
            one.send()
        self.assertEqual(launcher.wait(60), 75, launcher.text())
        for worker in workers:
            self.assertEqual(worker.wait(30), 143, worker.text())
        self.assertTrue((self.run_folder() / "checkpoints/last.safetensors").exists())

    def test_the_launcher_works_too_where_it_is_asked_to(self):
        self.job["spec"]["runLauncherAsWorker"] = True
        self.job["spec"]["mpiReplicaSpecs"]["Worker"]["replicas"] = 1
        self.start_cluster()
        workers = self.start_workers()
        launcher = self.start_launcher(**{"train.max_steps": 4})
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.assertEqual(pod.steps_of(self.run_folder()), [1, 2, 3, 4])
        self.assertIn(f"1 {self.workers[0]}", launcher.text())
        self.end_workers(workers)

    def test_a_late_worker_is_waited_for(self):
        self.start_cluster()
        first = self.cluster.start(self.workers[0], self.pods[self.workers[0]])
        launcher = self.start_launcher(**{"train.max_steps": 2})
        time.sleep(8)
        self.assertIsNone(launcher.process.poll(), launcher.text())
        second = self.cluster.start(self.workers[1], self.pods[self.workers[1]])
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.end_workers([first, second])


if __name__ == "__main__":
    unittest.main()
