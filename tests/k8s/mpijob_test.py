"""The rendered MPIJob runs: launcher and workers as pods in namespaces, with what the operator adds to them. The
commands, arguments, environment, ports, probes, mounts, user and rights are read from the YAML; behind the
launcher's arguments come a few settings that make the run a small one."""

import copy
import re
import signal
import time
import unittest

import mpi_operator
import pod
from exit_codes_test import action
from job_case import HAS_RUN, LONG, NAMESPACE, NO_RUN, JobCase
from manifests import K8S, objects, only, overlay


class MpiJobCase(JobCase):
    def setUp(self):
        super().setUp()
        self.items = objects(K8S / "base")
        self.job = copy.deepcopy(only(self.items, "MPIJob"))

    def start_cluster(self):
        name = self.job["metadata"]["name"]
        self.pods = mpi_operator.pods_of(self.job, NAMESPACE)
        self.secret = mpi_operator.key_pair()
        self.start_network(self.items, {f"{name}-ssh": self.secret})
        domain = f"{name}.{NAMESPACE}.svc"
        self.cluster.names({host: f"{host}.{domain} {host}.{domain}.cluster.local" for host in self.pods}, name)
        self.launcher, *self.workers = self.pods
        self.trainer = self.pods[self.launcher]

    def start_workers(self):
        started = [self.cluster.start(host, self.pods[host]) for host in self.workers]
        for worker in started:
            self.cluster.wait_until_ready(worker)
        return started

    def start_launcher(self, **settings):
        return self.start_trainer(self.launcher, **settings)

    def end_workers(self, workers):
        for worker in workers:
            worker.send()
        for worker in workers:
            self.assertEqual(worker.wait(20), 143, worker.text())


class Worker(MpiJobCase):
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


@unittest.skipUnless(HAS_RUN, NO_RUN)
class Training(MpiJobCase):
    def test_trains_on_all_hosts_to_the_end(self):
        self.start_cluster()
        workers = self.start_workers()
        launcher = self.start_launcher(**{"train.max_steps": 4})
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.assertEqual(pod.steps_of(self.run_folder()), [1, 2, 3, 4])
        self.assertTrue((self.run_folder() / "checkpoints/last.safetensors").exists())
        for host in self.workers:
            self.assertIn(host, launcher.text())
        self.end_workers(workers)

    def test_trains_on_four_hosts(self):
        self.job["spec"]["mpiReplicaSpecs"]["Worker"]["replicas"] = 4
        self.start_cluster()
        workers = self.start_workers()
        launcher = self.start_launcher(**{"train.max_steps": 2, "batch.shards": 4})
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.assertIn("4 ranks on 4 hosts", launcher.text())
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

    def test_a_worker_that_vanishes_is_a_lost_peer_and_the_next_attempt_goes_on(self):
        self.start_cluster()
        workers = self.start_workers()
        settings = {"train.epochs": 40, "checkpoint.every_steps": 2}
        launcher = self.start_launcher(**settings)
        self.wait_for_step(launcher, 5)
        workers[1].send(signal.SIGKILL)  # the kernel ends the rest of the container, in any order
        self.assertEqual(launcher.wait(90), 5, launcher.text())
        self.assertRegex(launcher.text(), f"(?m)^run: lost: {self.workers[1]}")
        reached = pod.steps_of(self.run_folder())[-1]
        again = self.cluster.start(self.workers[1], self.pods[self.workers[1]])
        self.cluster.wait_until_ready(again)
        launcher = self.start_launcher(**settings, **{"train.max_steps": reached + 3})
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
        launcher = self.start_launcher(**{"train.max_steps": 2})
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.assertEqual(pod.steps_of(self.run_folder()), [1, 2])
        self.assertIn(f"1 {self.workers[0]}", launcher.text())
        self.end_workers(workers)

    def test_a_late_worker_is_waited_for(self):
        self.start_cluster()
        first = self.cluster.start(self.workers[0], self.pods[self.workers[0]])
        launcher = self.start_launcher(**{"train.max_steps": 2})
        time.sleep(4)
        self.assertIsNone(launcher.process.poll(), launcher.text())
        second = self.cluster.start(self.workers[1], self.pods[self.workers[1]])
        self.assertEqual(launcher.wait(LONG), 0, launcher.text())
        self.end_workers([first, second])


if __name__ == "__main__":
    unittest.main()
