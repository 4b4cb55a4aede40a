"""Ranks that are killed, stopped or asked to leave: prompt ends, exit codes, exact continuation."""

import os
import signal
import time
import unittest

from training_case import LAST, TrainingCase, lines_of, tensors_of


class InterruptionTest(TrainingCase):
    def page_of(self, run):
        with open(os.path.join(run, "report", "index.html"), encoding="utf-8") as file:
            return file.read()

    def test_killed_rank_ends_the_job_and_resume_is_exact(self):
        settings = ("checkpoint.every_steps=5", "checkpoint.keep=0")
        whole = self.run_folder("whole")
        self.run_it(self.train_command(2, whole, *settings))
        broken = self.run_folder("broken")
        process = self.start_and_wait_for_step(self.train_command(2, broken, *settings), broken, 33)
        victim = self.ranks_of(process)[-1]
        started = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        output = process.communicate(timeout=60)[0]
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(process.returncode, 128 + signal.SIGKILL)
        self.assertRegex(output, r"rank 1 with PID \d+ on node \S+ exited on signal 9")
        self.assertIn("Under way: epoch 1 of 2 done", self.page_of(broken))
        self.run_it(self.train_command(2, broken, *settings, resume="auto"))
        self.assertNotIn("Under way", self.page_of(broken))
        self.assert_same_tensors(os.path.join(whole, LAST), os.path.join(broken, LAST))
        self.assertEqual(
            [row["loss"] for row in lines_of(whole, "step")],
            [row["loss"] for row in lines_of(broken, "step")],
        )
        self.assertEqual(
            [row["train_loss"] for row in lines_of(whole, "epoch")],
            [row["train_loss"] for row in lines_of(broken, "epoch")],
        )

    def test_asked_to_stop_it_saves_and_leaves_with_75_and_goes_on_exactly(self):
        whole = self.run_folder("unasked")
        self.run_it(self.train_command(2, whole))
        asked = self.run_folder("asked")
        process = self.start_and_wait_for_step(self.train_command(2, asked), asked, 7)
        os.kill(process.pid, signal.SIGUSR1)  # mpirun hands it to every rank
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 75, output)
        self.assertIn("--resume auto", output)
        steps = len(lines_of(asked, "step"))
        self.assertLess(steps, len(lines_of(whole, "step")))
        self.run_it(self.train_command(2, asked, resume="auto"))
        self.assert_same_tensors(os.path.join(whole, LAST), os.path.join(asked, LAST))
        for kind, key in (("step", "loss"), ("epoch", "ema_acc1")):
            self.assertEqual(
                [row[key] for row in lines_of(whole, kind)], [row[key] for row in lines_of(asked, kind)]
            )

    def test_a_rank_that_stands_still_ends_the_job_with_5_and_is_named(self):
        run = self.run_folder("stopped")
        command = self.train_command(2, run, "train.epochs=50", "launch.timeout_seconds=3")
        process = self.start_and_wait_for_step(command, run, 5)
        ranks = self.ranks_of(process)
        started = time.monotonic()
        os.kill(ranks[1], signal.SIGSTOP)
        output = process.communicate(timeout=60)[0]
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual(process.returncode, 5, output)
        self.assertRegex(
            output,
            r"casvit: rank [01] of 2 on \S+: collective \d+, all_reduce \(sum\) of \d+ float32 for "
            r"(gradients from \S+ on \(bucket \d+\)|batch statistics and the loss), failed on rank [01]"
            r" of 2 on \S+: nothing moved for [34](\.\d+)? s; rank [01] on \S+ is (stuck inside MPI|behind)",
        )
        for rank in ranks:
            self.wait_until_gone(rank)

    def test_interrupt_leaves_no_process_and_a_whole_checkpoint(self):
        run = self.run_folder("interrupted")
        command = self.train_command(2, run, "train.epochs=50", "checkpoint.every_steps=2")
        process = self.start_and_wait_for_step(command, run, 5)
        ranks = self.ranks_of(process)
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=20)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(len(ranks), 2)
        for rank in ranks:
            self.wait_until_gone(rank)
        self.assertIn("model.head.weight", tensors_of(os.path.join(run, LAST)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
