"""A host that is cut off while it trains: the job ends in bounded time with exit code 5 and the host's name, nothing of
it stays, and the next start goes on to the same bits as a run never disturbed."""

import time
import unittest

from network_case import LAST, NetworkCase

SETTINGS = ("train.max_steps=20", "checkpoint.every_steps=5")


class NetworkFailureTest(NetworkCase):
    def cut_in_training(self, *settings, options, seconds):
        network = self.network(2)
        network.start_all_sshd()
        process = self.start(network, "run", *SETTINGS, *settings, options=options)
        self.wait_for_step(process, network.folder / "run", 6)
        network.cut(1)
        started = time.monotonic()
        output = self.finish(process, 5, seconds + 20)
        self.assertLess(time.monotonic() - started, seconds)
        for number in range(2):
            self.assertTrue(network.wait_until_quiet(number, "casvit_dist", 30), f"ranks left on host {number}")
        return network, output

    def test_ranks_that_notice_first_name_it_and_resuming_is_exact(self):
        # mpirun would wait for ever for the host's word.
        network, output = self.cut_in_training(
            "launch.timeout_seconds=10", options=("--end-wait", "4"), seconds=10 + 4 + 25
        )
        self.assertRegex(output, r"\[0 host-a\] casvit: rank 0 of 2 on host-a: collective .*rank 1 on host-b")
        network.join(1)
        self.finish(self.start(network, "run", *SETTINGS, "launch.timeout_seconds=10"), 0)
        self.finish(self.start(network, "whole", *SETTINGS), 0)
        self.assert_same_tensors(network.folder / "run" / LAST, network.folder / "whole" / LAST)

    def test_mpirun_notices_it_long_before_the_ranks_deadline(self):
        _, output = self.cut_in_training(options=("--lost-after", "12"), seconds=12 + 25)
        self.assertIn("lost: host-b, which nothing reaches any more", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
