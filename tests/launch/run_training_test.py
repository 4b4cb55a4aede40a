"""launch/run with real mpirun and real training on this machine: signals, exit codes, exact continuation."""

import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "trainer", "engine"))
from training_case import LAST, TrainingCase  # noqa: E402

from fake_programs import RUN  # noqa: E402


class Training(TrainingCase):
    def start_run(self, run, *settings):
        command = self.train_command(0, run, *settings, resume="auto")
        return [RUN, "-n", "2", *command]

    def setUp(self):
        self.short = "train.max_steps=24"

    def test_asked_to_stop_it_saves_and_goes_on_exactly(self):
        whole, asked = self.run_folder("whole"), self.run_folder("asked")
        self.run_it(self.start_run(whole, self.short))
        process = self.start_and_wait_for_step(self.start_run(asked, self.short), asked, 4)
        os.kill(process.pid, signal.SIGTERM)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 75, output)
        self.assertRegex(output, r"(?m)^\[0 localhost\] .*--resume auto")
        self.run_it(self.start_run(asked, self.short))
        self.assert_same_tensors(os.path.join(whole, LAST), os.path.join(asked, LAST))

    def test_a_signal_to_the_whole_group_while_ranks_start_is_75(self):
        # As Ctrl-C does, and as a scheduler that signals every process does.
        run = self.run_folder("early")
        process = subprocess.Popen(
            self.start_run(run), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        for line in process.stdout:
            if "run: logs:" in line:
                break
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGTERM)
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 75, output)
        self.assertTrue(os.path.exists(os.path.join(run, LAST)), output)

    def test_the_exit_code_of_a_failed_rank(self):
        output = self.run_it(self.start_run(self.run_folder("diverges"), "optimizer.learning_rate=1e30"), code=4)
        self.assertRegex(output, r"\[[01] localhost\] casvit: ")
        self.assertRegex(output, r"logs: .*diverges/logs/")


if __name__ == "__main__":
    unittest.main(verbosity=2)
