"""The sbatch files under a real Slurm: one node, two tasks. A job that is told to stop saves, goes back into the queue
and is finished by its second run, to the same bits."""

import pathlib
import re
import tempfile
import unittest

import slurm_machine
from network_case import BIN, LAST, REPOSITORY, NetworkCase


class SlurmTest(NetworkCase):
    @classmethod
    def setUpClass(cls):
        reason = slurm_machine.reason_to_skip()
        if reason is not None:
            raise unittest.SkipTest(reason)
        super().setUpClass()
        folder = tempfile.mkdtemp(dir=cls.folder)
        pathlib.Path(folder).chmod(0o755)
        cls.slurm = slurm_machine.SlurmMachine(folder, cls.visible())
        cls.addClassCleanup(cls.slurm.close)

    def submit(self, run, *settings, options=()):
        output = self.slurm.call(
            "sbatch", "--ntasks=2", str(REPOSITORY / "launch/slurm/one-node.sbatch"), *options, f"{BIN}/casvit_dist", "train",
            "--config", str(self.folder / "recipe.yaml"), "--out", str(self.slurm.folder / run), "--resume", "auto",
            *(word for setting in settings for word in ("--set", setting)), CASVIT_HOME=str(REPOSITORY),
        )  # fmt: skip
        self.assertRegex(output, r"Submitted batch job \d+")
        return int(re.search(r"\d+", output)[0])

    def log(self, job):
        path = self.slurm.folder / f"home/casvit-{job}.log"
        return path.read_text() if path.exists() else ""

    def wait_for_end(self, job):
        try:
            self.slurm.wait_until(lambda: self.slurm.state(job)[0] in ("COMPLETED", "FAILED", "CANCELLED"), "the job", 150)
        except AssertionError as error:
            self.fail(f"{error}\n{self.slurm.state(job)}\n{self.log(job)}")
        return self.slurm.state(job)

    def wait_for_step(self, run, step, job):
        path = self.slurm.folder / run / "metrics.jsonl"
        try:
            self.slurm.wait_until(
                lambda: (path.exists() and f'"step": {step},' in path.read_text())
                or self.slurm.state(job)[0] == "FAILED",
                f"step {step}",
            )
        except AssertionError as error:
            self.fail(f"{error}\n{self.slurm.state(job)}\n{self.log(job)}")

    def stop_and_finish(self, run, *signal):
        """A run that is stopped once, by scancel with these options, and what its log says."""
        job = self.submit(run, "train.max_steps=24")
        self.wait_for_step(run, 4, job)
        self.assertEqual(self.slurm.call("scancel", *signal, str(job)), "")
        self.assertEqual(self.wait_for_end(job), ("COMPLETED", 1, "0:0"), self.log(job))
        log = self.log(job)
        self.assertIn("interrupted, and saved; putting job", log)
        self.assertEqual(log.count("2 ranks on 1 host (slurm-node:2); from Slurm job"), 2, log)
        return log

    def test_told_to_stop_it_saves_and_the_second_run_finishes_exactly(self):
        whole = self.submit("whole", "train.max_steps=24")  # beside the other: there is room for both
        log = self.stop_and_finish("asked", "--batch", "--signal=TERM")
        self.assertIn("with srun", log)
        self.assertEqual(self.wait_for_end(whole), ("COMPLETED", 0, "0:0"), self.log(whole))
        self.assert_same_tensors(self.slurm.folder / "asked" / LAST, self.slurm.folder / "whole" / LAST)

    def test_a_signal_to_every_process_of_the_job_is_one_wish(self):
        self.stop_and_finish("full", "--full", "--signal=TERM")

    def test_mpirun_takes_the_allocation_too(self):
        job = self.submit("mpirun", "train.max_steps=2", options=("--with", "mpirun"))
        self.assertEqual(self.wait_for_end(job), ("COMPLETED", 0, "0:0"), self.log(job))
        self.assertRegex(self.log(job), r"2 ranks on 1 host \(slurm-node:2\); from Slurm job \d+; with mpirun of Open MPI")

    def test_a_configuration_at_fault_ends_the_job_with_2_and_is_not_tried_again(self):
        job = self.submit("wrong", "launch.expect_ranks=4")
        self.assertEqual(self.wait_for_end(job), ("FAILED", 0, "2:0"), self.log(job))
        self.assertRegex(self.log(job), r"launch.expect_ranks is 4")


if __name__ == "__main__":
    unittest.main(verbosity=2)
