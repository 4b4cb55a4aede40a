"""Hosts that are lost, or that nothing passes through to, under launch/run: bounded, exit code 5 and what was lost. The
"ranks" do nothing but sleep, so that each way to lose one can be tried several times."""

import os
import re
import signal
import time
import unittest

from network_case import NetworkCase

RANKS = ("/usr/bin/sleep", "987")
RANK = "^/usr/bin/sleep 987"


class NetworkLossTest(NetworkCase):
    def start_ranks(self, network, *options):
        process = self.start_program(network, *RANKS, options=options)
        for number in range(len(network.hosts)):
            network.wait_until_runs(number, RANK, 30)
        return process

    def assert_nothing_left(self, network):
        for number in range(len(network.hosts)):
            self.assertTrue(network.wait_until_quiet(number, f"{RANK}|orted|mpirun", 10), f"left on host {number}")

    def test_whatever_of_a_host_dies_first_it_is_5_and_named(self):
        network = self.network(2)
        network.start_sshd(0)
        for first, rounds in (((), 3), (("sshd",), 3), (("orted",), 2), ((RANK, "orted", "sshd"), 2)):
            for attempt in range(rounds):
                with self.subTest(first=first, attempt=attempt):
                    network.start_sshd(1)
                    process = self.start_ranks(network)
                    network.kill(1, *first)
                    started = time.monotonic()
                    output = self.finish(process, 5)
                    self.assertLess(time.monotonic() - started, 20, output)
                    self.assertRegex(output, r"(?m)^run: lost: host-b\b")
                    network.kill(1)
                    self.assert_nothing_left(network)

    def test_a_session_of_ssh_that_ends_alone_is_5_too(self):
        network = self.network(2)
        network.start_all_sshd()
        process = self.start_ranks(network)
        network.kill(0, "^/usr/bin/ssh|^ssh ")
        self.assertRegex(self.finish(process, 5), r"lost: one of host-b, all of which answer to ssh again")
        self.assert_nothing_left(network)

    def test_a_firewall_on_the_way_back_ends_the_start_in_bounded_time(self):
        network = self.network(3)
        network.start_all_sshd()
        network.wall_off(1)
        started = time.monotonic()
        output = self.finish(self.start_program(network, *RANKS, options=("--start-wait", "3")), 5)
        self.assertLess(time.monotonic() - started, 40)
        self.assertIn("not all ranks have started within 3 s", output)
        self.assertRegex(output, r"call it back from their hosts, and host-b cannot reach 10\.77\.0\.10 \(TCP, ports \d+")
        self.assertIn("firewall", output)
        self.assertFalse(network.runs(0, RANK))

    def test_ranks_that_cannot_reach_each_other_are_named(self):
        # What Open MPI says after the two minutes for which the kernel tries, made shorter here.
        network = self.network(3)
        network.start_all_sshd()
        for host in network.hosts:
            host.root("echo 1 >/proc/sys/net/ipv4/tcp_syn_retries")
        network.wall_off(1, others=[2])
        started = time.monotonic()
        settings = ("batch.shards=3",)
        output = self.finish(self.start(network, "run", *settings, options=("--end-wait", "2")), 5)
        self.assertLess(time.monotonic() - started, 60)
        self.assertRegex(output, r"ranks cannot reach each other: host-[bc] to 10\.77\.0\.1[12]")
        self.assertIn("preflight ended with exit code 5", output)

    def test_a_launcher_that_is_killed_leaves_no_rank_behind(self):
        network = self.network(2)
        network.start_all_sshd()
        process = self.start_ranks(network)
        network.kill_oldest(0, "^bash .*launch/run")
        process.communicate(timeout=20)
        self.assert_nothing_left(network)

    def test_a_host_without_the_program_or_without_open_mpi_is_2(self):
        network = self.network(2)
        network.start_all_sshd()
        output = self.finish(self.start_program(network, str(self.program_of_one_host(network))), 2)
        self.assertRegex(output, r"\[1 host-b\] .*only-here: not found")
        self.assertIn("only-here is not on every host", output)
        (network.folder / "home/.bashrc").write_text("[ $(uname -n) != host-b ] || PATH=/nowhere\n")
        self.assertIn("mpirun's own program is not on every host", self.finish(self.start_program(network, *RANKS), 2))

    def program_of_one_host(self, network):
        folder = network.folder / "programs"
        folder.mkdir()
        network.hosts[0].root(f"mount -t tmpfs none {folder} && cp /bin/true {folder}/only-here")
        return folder / "only-here"

    def test_a_world_of_one_host_that_is_another(self):
        network = self.network(2)
        network.start_all_sshd()
        output = self.finish(self.start_program(network, "uname", "-n", options=("--hosts", "host-b:2")), 0)
        self.assertEqual(sorted(re.findall(r"(?m)^\[\d host-b\] .*$", output)), ["[0 host-b] host-b", "[1 host-b] host-b"])

    def test_hang_up_and_a_second_signal(self):
        network = self.network(2)
        network.start_all_sshd()
        process = self.start_ranks(network)
        os.killpg(process.pid, signal.SIGHUP)
        process.communicate(timeout=30)
        self.assert_nothing_left(network)


if __name__ == "__main__":
    unittest.main(verbosity=2)
