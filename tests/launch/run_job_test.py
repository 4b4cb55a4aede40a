"""What launch/run does while ranks run, with fake programs: logs, exit codes, signals, hosts that come late."""

import os
import signal
import subprocess
import time
import unittest

from fake_programs import REPOSITORY, RUN, FakePrograms

TRAIN = ("casvit_dist", "train", "--config", "r.yaml", "--out", "a")
# A "rank" that has no handler for 2 s, then says that it is up, and leaves with 75 when asked.
SLOW = """sleep {before}
trap 'echo saved; exit 75' USR1
echo up
for ((i = 0; i < 600; i++)); do sleep 0.1; done
exit 1"""


class Job(FakePrograms):
    def test_the_preflight_is_first_and_its_code_ends_the_job(self):
        self.casvit_dist("exit 0", preflight=3)
        output = self.run_it("-n", "2", *TRAIN, code=3)
        self.assertIn("the preflight ended with exit code 3", output)
        self.assertEqual([call.split()[1] for call in self.calls("casvit_dist ")], ["config", "preflight"])
        self.assertFalse((self.folder / "a").exists())

    def test_exit_codes_are_the_programs(self):
        for code in (0, 2, 3, 4, 5, 6, 70, 75, 137):
            with self.subTest(code=code):
                self.casvit_dist(f"exit {code}")
                self.run_it("-n", "2", *TRAIN, code=code)

    def test_one_log_a_rank_and_one_of_all(self):
        self.fake(
            "mpirun",
            """[[ $1 != --version ]] || { echo 'mpirun (Open MPI) 4.1.4'; exit; }
               [[ " $* " != *" preflight "* ]] || exit 0
               echo '[1,0]<stdout>:from zero'
               echo '[1,1]<stderr>:  from one'
               printf '[1,0]<stdout>:not ended[1,1]<stdout>:the other\\r\\n[1,1]<stdout>:last'
               echo 'mpirun speaks' >&2; exit 6""",
        )
        process = self.start("--hosts", "localhost:1,localhost:1", *TRAIN)
        output = self.finish(process, 6)
        self.assertIn("\n[0 localhost] from zero\n", output)
        self.assertIn("\n[1 localhost]   from one\n", output)
        (folder,) = (self.folder / "a/logs").iterdir()
        self.assertEqual((folder / "rank-0.log").read_text(), "from zero\nnot ended\n")
        self.assertEqual((folder / "rank-1.log").read_text(), "  from one\nthe other\nlastmpirun speaks\n")
        self.assertEqual(len((folder / "all.log").read_text().splitlines()), 5)
        self.assertNotEqual(self.finish(self.start("--logs", "elsewhere", "-n", "1", *TRAIN), 6), "")
        self.assertTrue((self.folder / "elsewhere/all.log").exists())

    def test_term_is_held_back_until_the_ranks_are_up_and_becomes_75(self):
        self.casvit_dist(SLOW.format(before=2))
        process = self.start("-n", "2", *TRAIN)
        self.wait_for(lambda: self.calls("casvit_dist train"), "the ranks")
        process.send_signal(signal.SIGTERM)
        output = self.finish(process, 75)
        self.assertIn("SIGTERM: ranks will save and leave with exit code 75", output)
        self.assertLess(output.index("up"), output.index("saved"))

    def test_every_signal_that_asks_to_stop_does(self):
        self.casvit_dist(SLOW.format(before=0))
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(signal=number):
                self.log.write_text("")
                process = self.start("-n", "2", *TRAIN)
                self.wait_for(lambda: self.calls("casvit_dist train"), "the ranks")
                process.send_signal(number)
                self.finish(process, 75)

    def test_a_second_signal_is_final_but_not_the_same_wish_twice(self):
        self.casvit_dist("trap 'echo asked' USR1; echo up; for ((i = 0; i < 600; i++)); do sleep 0.1; done")
        process = self.start("-n", "2", *TRAIN)
        self.wait_for(lambda: self.calls("casvit_dist train"), "the ranks")
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        time.sleep(2.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        output = self.finish(process, 143)
        self.assertIn("SIGTERM again: ending the ranks now", output)

    def test_a_signal_in_the_preflight_trains_nothing(self):
        self.fake("casvit_dist", f'[[ $1 != config ]] || exec cat "{self.folder}/configuration"; echo here; sleep 60')
        process = self.start("-n", "2", *TRAIN)
        self.wait_for(lambda: self.calls("casvit_dist preflight"), "the preflight")
        process.send_signal(signal.SIGTERM)
        self.finish(process, 75)
        self.assertEqual(self.calls("casvit_dist train"), [])

    def test_a_launcher_that_does_not_end_after_its_ranks_is_ended(self):
        self.fake(
            "mpirun",
            """[[ $1 != --version ]] || { echo 'mpirun (Open MPI) 4.1.4'; exit; }
               [[ " $* " != *" preflight "* ]] || exit 0
               echo '[1,0]<stderr>:casvit: rank 0 of 2 on a: collective 3 failed; waiting for rank 1 on b'
               exec sleep 600""",
        )
        started = time.monotonic()
        output = self.finish(self.start("-n", "2", "--end-wait", "2", *TRAIN), 5)
        self.assertLess(time.monotonic() - started, 20)
        self.assertIn("mpirun has not ended within 2 s (--end-wait); ending it", output)

    def test_a_lost_host_is_5_and_named(self):
        for version, name, code in (("4.1.4", "ORTE", 205), ("5.0.7", "PRTE", 0)):  # measured
            with self.subTest(version=version):
                self.fake(
                    "mpirun",
                    f"""[[ $1 != --version ]] || {{ echo 'mpirun (Open MPI) {version}'; exit; }}
                        [[ " $* " != *" preflight "* ]] || exit 0
                        echo '{name} has lost communication with a remote daemon.'
                        echo '  HNP daemon   : [[1,0],0] on node a'
                        echo '  Remote daemon: [[1,0],1] on node b'; exit {code}""",
                )
                self.assertIn("lost: b, which nothing reaches", self.finish(self.start("-n", "2", *TRAIN), 5))

    def mpirun_says(self, text, code, version="4.1.4"):
        """A train run that is told this by mpirun, whose code it is."""
        self.fake(
            "mpirun",
            f"""[[ $1 != --version ]] || {{ echo 'mpirun (Open MPI) {version}'; exit; }}
                [[ " $* " != *" preflight "* ]] || exit 0
                printf '%s\\n' '{text}'; exit {code}""",
        )
        return self.start("--hosts", "localhost,b", *TRAIN)

    def test_a_session_of_ssh_that_ended_is_a_lost_host(self):
        started = "[1,0]<stdout>:launch/run: started\n[1,1]<stdout>:launch/run: started\n"
        self.fake("ssh", f"[[ ! -e {self.folder}/gone ]]")
        for version, said in (
            ("4.1.4", "ORTE was unable to reliably start one or more daemons."),
            ("5.0.11", "A daemon failed to report back after being spawned. This could"),
        ):
            with self.subTest(version=version):
                begun = started.replace(":l", ": l") if version[0] == "5" else started
                text = f"{begun}Connection to b closed by remote host.\n{said}"
                output = self.finish(self.mpirun_says(text, 255, version), 5)
                self.assertIn("lost: b, whose session of ssh ended", output)
                self.assertNotIn("launch/run: started", output)
                output = self.finish(self.mpirun_says(f"{begun}{said}", 9, version), 5)
                self.assertIn("lost: one of b, all of which answer to ssh again", output)
        self.fake("ssh", f"[[ $(grep -c ^ssh {self.log}) == 1 ]]")  # answers before the start alone
        self.log.write_text("")
        self.assertIn("lost: b, whose session", self.finish(self.mpirun_says(f"{started}{said}", 255), 5))
        self.log.write_text("")
        self.assertIn("lost: b, which no longer answers", self.finish(self.mpirun_says(started, 137), 5))

    def test_what_another_host_lacks_is_2(self):
        self.fake("ssh")
        daemons = "bash: line 1: orted: command not found\nORTE was unable to reliably start one or more daemons."
        for code in (126, 127):
            self.assertIn("Open MPI", self.finish(self.mpirun_says(daemons, code), 2))
            text = "[1,0]<stdout>:launch/run: started\n[1,1]<stderr>:launch/run: 1: exec: /x: not found"
            self.assertRegex(self.finish(self.mpirun_says(text, code), 2), "casvit_dist is not on every host")

    def test_ranks_that_cannot_reach_each_other_are_5_and_named(self):
        self.fake("ssh")
        text = "WARNING: Open MPI failed to TCP connect to a peer MPI process.  This\n\n  Local host: c\n  PID:        5\n" \
            "  Message:    connect() to 10.0.0.2:1024 failed"
        self.assertIn("ranks cannot reach each other: c to 10.0.0.2.", self.finish(self.mpirun_says(text, 1), 5))

    def test_a_failed_rank_is_no_success_whatever_mpirun_returns(self):
        for line, code in (
            ("[1,1]<stderr>: casvit: rank 1 of 2 on b: collective 3 failed", 5),
            ("      Errorcode: 3", 3),
        ):
            with self.subTest(line=line):
                self.fake(
                    "mpirun",
                    f"""[[ $1 != --version ]] || {{ echo 'mpirun (Open MPI) 5.0.7'; exit; }}
                        [[ " $* " != *" preflight "* ]] || exit 0
                        echo '{line}'""",
                )
                self.finish(self.start("-n", "2", *TRAIN), code)

    def test_of_srun_the_first_code_of_ours_counts(self):
        self.fake("scontrol", "echo n1")
        self.fake(
            "srun",
            """case " $* " in *' --mpi=list '*) echo pmix; exit ;; *' preflight '*) exit 0 ;; esac
               echo '0: from zero'; echo 'srun: error: n1: task 0: Exited with exit code 3' >&2
               echo 'srun: error: n1: task 1: Killed' >&2; exit 137""",
        )
        given = {"SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "n1", "SLURM_TASKS_PER_NODE": "2"}
        self.assertIn("[0 n1] from zero", self.run_it(*TRAIN, code=3, **given))


class Logs(FakePrograms):
    def test_a_folder_with_spaces(self):
        self.casvit_dist("echo here")
        self.run_it("-n", "1", "--logs", "a b/c  d", *TRAIN)
        self.assertEqual((self.folder / "a b/c  d/all.log").read_text(), "here\n")

    def test_one_that_cannot_be_written_is_6_and_nothing_is_trained(self):
        (self.folder / "file").write_text("")
        self.assertIn("cannot write logs into file", self.run_it("-n", "1", "--logs", "file", *TRAIN, code=6))
        self.assertEqual(self.calls("casvit_dist train"), [])
        output = self.run_it("-n", "1", *TRAIN, code=6, TMPDIR=str(self.folder / "none"))
        self.assertIn("set TMPDIR", output)

    def test_training_goes_on_where_logs_find_no_more_room(self):
        (self.folder / "logs").mkdir()
        (self.folder / "logs/rank-0.log").symlink_to("/dev/full")
        self.casvit_dist("echo one; echo two")
        output = self.run_it("-n", "1", "--logs", "logs", *TRAIN)
        self.assertEqual(output.count("cannot write logs/rank-0.log; no more logs are kept"), 1)
        self.assertIn("one\ntwo\n", output.replace("run: cannot write logs/rank-0.log; no more logs are kept\n", ""))

    def test_nothing_of_a_burst_at_the_end_is_lost(self):
        self.casvit_dist("seq 1 5000")
        self.run_it("-n", "1", "--logs", "logs", *TRAIN)
        lines = (self.folder / "logs/rank-0.log").read_text().splitlines()
        self.assertEqual(lines, [str(number) for number in range(1, 5001)])


class Ends(FakePrograms):
    def test_killed_itself_it_has_the_ranks_save(self):
        self.casvit_dist(SLOW.format(before=0) + "\n")
        process = self.start("-n", "2", *TRAIN)
        self.wait_for(lambda: self.calls("casvit_dist train"), "the ranks")
        time.sleep(0.5)  # for the rank's handler
        process.kill()
        self.assertIn("saved", process.communicate(timeout=20)[0])

    def test_a_child_ended_before_it_is_another_program_cleans_nothing_up(self):
        # As when a job ends at the moment at which its pause begins: in one case of three, before the cure.
        script = """set -euo pipefail; launcher=mpirun trains=no
            source tools/shell/say.sh; source launch/shell/signals.sh; source launch/shell/job.sh
            scratch=$(mktemp -d); trap clean_up EXIT; listen_for_signals
            for ((i = 0; i < 100; i++)); do ( : ) & job=$!; pause 1; done
            job=''; [[ -d $scratch ]] && echo it is there"""
        done = subprocess.run(["bash", "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "it is there\n", done.stderr)


class Waiting(FakePrograms):
    def test_a_host_that_comes_late_is_waited_for(self):
        self.fake("ssh", f'[[ " $* " != *" b "* || $(grep -c "^ssh.* b true" {self.log}) -gt 2 ]] || '
                  "{ echo 'Connection refused' >&2; exit 255; }")  # fmt: skip
        output = self.run_it("--hosts", "a,b", "--ssh-args", "-p 2222", *TRAIN)
        self.assertIn("waiting for ssh: b (Connection refused)", output)
        self.assertEqual(len(self.calls("ssh -p 2222 -o BatchMode=yes -o ConnectTimeout=5 b true")), 3)
        self.assertEqual(len([call for call in self.calls("ssh") if call.endswith(" a true")]), 1)

    def test_one_that_never_comes_is_5_with_its_name(self):
        self.fake("ssh", '[[ " $* " != *" b "* ]] || { echo "No route to host" >&2; exit 255; }')
        output = self.run_it("--hosts", "a,b", "--wait", "2", *TRAIN, code=5)
        self.assertIn("no answer to ssh within 2 s from b (No route to host); nothing was started", output)
        self.assertEqual(self.calls("casvit_dist preflight"), [])

    def test_a_signal_while_waiting_is_75(self):
        self.fake("ssh", "exit 255")
        process = self.start("--hosts", "a,b", *TRAIN)
        self.wait_for(lambda: self.calls("ssh"), "ssh")
        process.send_signal(signal.SIGTERM)
        self.assertIn("nothing was trained", self.finish(process, 75, seconds=10))


class Requeue(FakePrograms):
    def setUp(self):
        super().setUp()
        self.fake("scontrol")
        self.fake("sleep")

    def requeue(self, code, restarts, exit_code):
        done = subprocess.run(
            [os.path.join(os.path.dirname(RUN), "slurm/requeue"), "bash", "-c", f"exit {code}"],
            env=self.environment(SLURM_JOB_ID="7", SLURM_JOB_NODELIST="n1", SLURM_RESTART_COUNT=str(restarts)),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, exit_code, done.stderr)
        return self.calls("scontrol")

    def test_by_exit_code(self):
        for code, restarts, requeued in (
            (0, 0, False), (2, 0, False), (3, 0, False), (4, 0, False), (6, 0, False), (70, 0, False),
            (75, 0, True), (75, 50, True), (5, 0, True), (5, 2, True), (5, 3, False), (137, 0, True), (137, 3, False),
        ):  # fmt: skip
            with self.subTest(code=code, restarts=restarts):
                self.log.write_text("")
                self.assertEqual(self.requeue(code, restarts, code), ["scontrol requeue 7"] if requeued else [])


if __name__ == "__main__":
    unittest.main()
