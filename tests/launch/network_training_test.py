"""launch/run across hosts that are network namespaces with an sshd each: it trains on all of them, waits for one that
comes late, and names one that never comes."""

import time
import unittest

from network_case import LAST, NetworkCase


class NetworkTrainingTest(NetworkCase):
    def test_two_hosts_train_with_the_hostfile_of_an_mpijob(self):
        network = self.network(2)
        network.start_all_sshd()
        output = self.finish(self.start(network, "run", "train.max_steps=4", slots=2), 0)
        self.assertIn("4 ranks on 2 hosts (host-a:2 host-b:2); from Kubernetes MPIJob", output)
        self.assertRegex(output, r"world +ok +4 ranks on 2 hosts, as expected")
        self.assertRegex(output, r"(?m)^\[0 host-a\] .*4 ranks x 1 thread$")
        (logs,) = (network.folder / "run/logs").iterdir()
        self.assertIn("4 ranks x 1 thread", (logs / "rank-0.log").read_text())
        self.assertIn("[0 host-a] ", (logs / "all.log").read_text())
        self.assertTrue((network.folder / "run" / LAST).exists())

    def test_four_hosts_of_which_one_comes_20_seconds_late(self):
        network = self.network(4)
        for number in range(3):
            network.start_sshd(number)
        started = time.monotonic()
        process = self.start(network, "run", "train.max_steps=3")
        time.sleep(20)
        self.assertIsNone(process.poll())
        network.start_sshd(3)
        output = self.finish(process, 0)
        self.assertGreater(time.monotonic() - started, 20)
        self.assertRegex(output, r"waiting for ssh: host-d \(.*Connection refused\)")
        self.assertRegex(output, r"world +ok +4 ranks on 4 hosts, as expected")

    def test_a_host_that_never_comes_ends_with_5_and_its_name(self):
        network = self.network(2)
        network.start_sshd(0)
        started = time.monotonic()
        output = self.finish(self.start(network, "run", options=("--wait", "5")), 5)
        self.assertLess(time.monotonic() - started, 20)
        self.assertRegex(output, r"no answer to ssh within 5 s from host-b \(.*Connection refused\); nothing was started")
        self.assertFalse((network.folder / "run").exists())

    def test_a_host_that_is_off_ends_with_5_and_its_name(self):
        network = self.network(2)
        network.start_all_sshd()
        network.cut(1)
        output = self.finish(self.start(network, "run", options=("--wait", "5")), 5, seconds=30)
        self.assertRegex(output, r"no answer to ssh within 5 s from host-b \(.*\); nothing was started")


if __name__ == "__main__":
    unittest.main(verbosity=2)
