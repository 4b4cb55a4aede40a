"""The MPIJobs are what the MPI operator takes, and its retries and clean-up do what the overlays are for."""

import copy
import unittest

from manifests import NAMES, only, overlay
from mpi_operator import refusals

JOBS = {
    name: only(overlay(name), "MPIJob") for name in NAMES if any(item["kind"] == "MPIJob" for item in overlay(name))
}


class OperatorRules(unittest.TestCase):
    def test_every_job_is_taken(self):
        self.assertEqual(set(JOBS), {"gpu", "rdma", "kueue", "spot"})
        for name, job in JOBS.items():
            self.assertEqual(refusals(job), [], name)

    def test_what_the_operator_refuses_is_refused_here(self):
        def broken(*path, value):
            job = copy.deepcopy(JOBS["gpu"])
            target = job
            for part in path[:-1]:
                target = target[part]
            target[path[-1]] = value
            return refusals(job)

        roles = ("spec", "mpiReplicaSpecs")
        for path, value in (
            (("metadata", "name"), "1-begins-with-a-digit"),
            (("metadata", "name"), "Casvit"),
            (("metadata", "name"), "a" * 55),  # with -worker-1 64 characters
            (("spec", "slotsPerWorker"), -1),
            (("spec", "mpiImplementation"), "OpenMpi"),
            (("spec", "launcherCreationPolicy"), "WaitForWorkers"),
            (("spec", "runPolicy", "cleanPodPolicy"), "Always"),
            (("spec", "runPolicy", "backoffLimit"), -1),
            (("spec", "runPolicy", "managedBy"), "us"),
            ((*roles, "Launcher", "restartPolicy"), "Always"),
            ((*roles, "Worker", "restartPolicy"), "ExitCode"),
            ((*roles, "Launcher", "replicas"), 2),
            ((*roles, "Worker", "replicas"), 0),
            ((*roles, "Worker", "template", "spec", "containers"), []),
            ((*roles, "Worker", "template", "spec", "restartPolicy"), "Never"),
        ):
            with self.subTest(path=path, value=value):
                self.assertEqual(len(broken(*path, value=value)), 1)

    def test_no_object_has_a_name_that_the_operator_takes(self):
        for name, job in JOBS.items():
            own = job["metadata"]["name"]
            taken = {("ConfigMap", f"{own}-config"), ("Secret", f"{own}-ssh"), ("Service", own)}
            taken.add(("Job", f"{own}-launcher"))
            others = {(item["kind"], item["metadata"]["name"]) for item in overlay(name)}
            for side in ("single-node", "pack", "tensorboard"):  # in the same namespace
                others |= {(item["kind"], item["metadata"]["name"]) for item in overlay(side)}
            self.assertEqual(taken & others, set())

    def test_a_failed_attempt_keeps_its_log_and_a_failed_worker_comes_back(self):
        for name, job in JOBS.items():
            with self.subTest(overlay=name):
                roles = job["spec"]["mpiReplicaSpecs"]
                self.assertEqual(roles["Launcher"]["restartPolicy"], "Never")
                # The operator never replaces a worker pod that failed.
                self.assertEqual(roles["Worker"]["restartPolicy"], "OnFailure")
                self.assertEqual(job["spec"]["runPolicy"]["cleanPodPolicy"], "Running")
                self.assertGreaterEqual(job["spec"]["runPolicy"]["backoffLimit"], 1)

    def test_ranks_are_gpus_and_the_launcher_has_none(self):
        for name in ("gpu", "rdma"):
            roles = JOBS[name]["spec"]["mpiReplicaSpecs"]
            limits = roles["Worker"]["template"]["spec"]["containers"][0]["resources"]["limits"]
            self.assertEqual(int(limits["nvidia.com/gpu"]), JOBS[name]["spec"]["slotsPerWorker"])
            launcher = roles["Launcher"]["template"]["spec"]["containers"][0]["resources"]["limits"]
            self.assertNotIn("nvidia.com/gpu", launcher)

    def test_requests_are_limits_so_that_workers_are_evicted_last(self):
        for name, job in JOBS.items():
            for role, replica in job["spec"]["mpiReplicaSpecs"].items():
                resources = replica["template"]["spec"]["containers"][0]["resources"]
                self.assertEqual(resources["requests"], resources["limits"], f"{name} {role}")

    def test_kueue_starts_it(self):
        job = JOBS["kueue"]
        self.assertTrue(job["spec"]["runPolicy"]["suspend"])
        queue = only(overlay("kueue"), "LocalQueue")
        self.assertEqual(job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"], queue["metadata"]["name"])
        quota = only(overlay("kueue-quota"), "ClusterQueue")
        self.assertEqual(queue["spec"]["clusterQueue"], quota["metadata"]["name"])
        (flavor,) = quota["spec"]["resourceGroups"][0]["flavors"]
        self.assertEqual(flavor["name"], only(overlay("kueue-quota"), "ResourceFlavor")["metadata"]["name"])

    def test_spot_saves_often_and_has_time_to(self):
        spot, base = JOBS["spot"]["spec"], JOBS["kueue"]["spec"]
        self.assertGreater(spot["runPolicy"]["backoffLimit"], base["runPolicy"]["backoffLimit"])
        for role in ("Launcher", "Worker"):
            pods = [job["mpiReplicaSpecs"][role]["template"]["spec"] for job in (spot, base)]
            self.assertGreater(*(pod["terminationGracePeriodSeconds"] for pod in pods))
        arguments = spot["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]["containers"][0]["args"]
        self.assertEqual(arguments[-2:], ["--set", "checkpoint.every_steps=200"])


if __name__ == "__main__":
    unittest.main()
