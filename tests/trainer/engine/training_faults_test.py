"""Whatever goes wrong on one rank of a real training run, the whole job ends in time with the right
exit code, and says which rank failed first, on which host, at which collective. Jobs run two at a time."""

import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BIN = os.environ["CASVIT_BIN"]
SEEDLINGS = os.path.join(os.getcwd(), "data", "seedlings")
TIMEOUT_SECONDS = 3
# From the deadline on: half a second for the first to fail to speak, two for MPI_Abort, mpirun.
MARGIN_SECONDS = 6
# A rank evaluates its own blocks to the end before it waits for the others.
EVALUATION_SECONDS = 12
RECIPE = f"""
data: {{train: train.h5, val: val.h5}}
device: cpu
model: {{name: rcvit_xs, image_size: 32}}
batch: {{shards: 2, shard_size: 4}}
precision: {{amp: off}}
train: {{epochs: 50, seed: 7}}
ema: {{decay: 0.99}}
launch: {{threads: 1, timeout_seconds: {TIMEOUT_SECONDS}}}
"""
STEPS_AN_EPOCH = 396 // 8
HOST = r"\S+"
GRADIENTS = r"all_reduce \(sum\) of \d+ float32 for gradients from \S+\.\S+ on \(bucket \d+\)"
COLLECTIVE = rf"collective \d+, (all_reduce|all_gather|broadcast|barrier).*"
KILLED = (5, 128 + signal.SIGKILL)


def flip_a_byte(path, place):
    """Damages one picture: the index, and with it the hash of the data, stays as it is."""
    with open(path, "r+b") as file:
        file.seek(int(os.path.getsize(path) * place))
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0x10]))


class Job:
    """casvit_dist on two ranks, each in a working folder of its own."""

    def __init__(self, folder, name, *settings, places=("good", "good"), fault=None):
        self.run = os.path.join(folder, "runs", name)
        words = ["mpirun", "--oversubscribe", "--bind-to", "none"]
        for rank, place in enumerate(places):
            words += ([":"] if rank > 0 else []) + ["-np", "1", "-wdir", os.path.join(folder, place)]
            words += [f"{BIN}/trainer_faulty_dist" if fault else f"{BIN}/casvit_dist"]
            words += ["train", "--config", os.path.join(folder, "recipe.yaml"), "--out", self.run]
            words += [word for setting in settings for word in ("--set", setting)]
        environment = dict(os.environ)
        if fault and fault[0].startswith("mpi-"):
            environment["CASVIT_SHARED_MEMORY"] = "off"  # messages, on one host too
        if fault:
            environment["CASVIT_TEST_FAULT"], rank, call = fault
            environment["CASVIT_TEST_FAULT_RANK"], environment["CASVIT_TEST_FAULT_CALL"] = str(rank), str(call)
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, env=environment
        )

    def wait_for(self, what, found):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if found():
                return
            time.sleep(0.01)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        raise AssertionError(f"never came to {what}: {self.process.communicate()[0]}")

    def wait_for_step(self, step):
        path = os.path.join(self.run, "metrics.jsonl")

        def found():
            if not os.path.exists(path):
                return False
            with open(path, encoding="utf-8") as file:
                return f'"step": {step},' in file.read()

        self.wait_for(f"step {step}", found)

    def wait_for_saving(self):
        folder = os.path.join(self.run, "checkpoints")
        self.wait_for(
            "saving", lambda: os.path.isdir(folder) and any(name.endswith(".tmp") for name in os.listdir(folder))
        )

    def ranks(self):
        found = subprocess.run(
            ["pgrep", "--parent", str(self.process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        return [int(pid) for pid in found]

    def send(self, rank, number):
        """Returns the time at which the rank got the signal."""
        os.kill(self.ranks()[rank], number)
        return time.monotonic()

    def end(self, since=None):
        """Exit code, output, seconds since, processes left."""
        ranks = self.ranks()
        try:
            output = self.process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            output = "HANGS\n" + self.process.communicate()[0]
        struck = re.search(r"fault at ([\d.]+)\n", output)
        seconds = time.monotonic() - since if since else time.time() - float(struck[1]) if struck else 0
        time.sleep(0.2)
        return self.process.returncode, output, seconds, [pid for pid in ranks if is_alive(pid)]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TrainingFaultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="casvit-faults-")
        subprocess.run([f"{BIN}/casvit-pack", SEEDLINGS, "-o", f"{cls.folder}/s.h5"], check=True, capture_output=True)
        for place, damaged in (("good", None), ("bad-train", "train"), ("bad-val", "val")):
            os.mkdir(os.path.join(cls.folder, place))
            for split in ("train", "val"):
                path = os.path.join(cls.folder, place, f"{split}.h5")
                shutil.copy(f"{cls.folder}/s.{split}.h5", path)
                if split == damaged:
                    flip_a_byte(path, 0.9)  # of val: in a block that rank 1 evaluates
        with open(f"{cls.folder}/recipe.yaml", "w", encoding="utf-8") as file:
            file.write(RECIPE)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    # Each case starts a job, does something to it, and says what must come of it: the exit codes that
    # will do, and expressions that the output matches.

    def killed_in_training(self):
        job = Job(self.folder, "killed")
        job.wait_for_step(5)
        job.send(1, signal.SIGSTOP)
        time.sleep(0.7)  # by now the other waits in a collective, which it is to name
        since = job.send(1, signal.SIGKILL)
        return job.end(since), KILLED, [killed(1), died(1)]

    def killed_in_evaluation(self):
        job = Job(self.folder, "killed-evaluating", "eval.batch_size=1")
        job.wait_for_step(STEPS_AN_EPOCH)
        time.sleep(0.1)
        since = job.send(1, signal.SIGKILL)
        return job.end(since), KILLED, [killed(1)]

    def killed_while_saving(self):
        job = Job(self.folder, "killed-saving", "checkpoint.every_steps=3", fault=("fsync-is-slow", 0, 0))
        job.wait_for_saving()
        since = job.send(0, signal.SIGKILL)
        return job.end(since), KILLED, [killed(0)]

    def stopped_in_training(self):
        job = Job(self.folder, "stopped")
        job.wait_for_step(5)
        since = job.send(1, signal.SIGSTOP)
        return job.end(since), (5,), [stands_still(1)]

    def stopped_in_evaluation(self):
        job = Job(self.folder, "stopped-evaluating", "eval.batch_size=1")
        job.wait_for_step(STEPS_AN_EPOCH)
        time.sleep(0.1)
        since = job.send(1, signal.SIGSTOP)
        return job.end(since), (5,), [stands_still(1), "for the results of the evaluation"]

    def stopped_while_saving(self):
        job = Job(self.folder, "stopped-saving", "checkpoint.every_steps=3", fault=("fsync-is-slow", 0, 0))
        job.wait_for_saving()
        since = job.send(0, signal.SIGSTOP)
        return job.end(since), (5,), [stands_still(0)]

    def throws_in_its_loader(self):
        job = Job(self.folder, "bad-train", places=("good", "bad-train"))
        return job.end(), (3,), [rf"casvit: rank 1 of 2 on {HOST}: .*sample \d+", issued()]

    def throws_in_evaluation(self):
        job = Job(self.folder, "bad-val", "train.epochs=1", places=("good", "bad-val"))
        return job.end(), (3,), [rf"casvit: rank 1 of 2 on {HOST}: .*val.h5.*sample \d+", issued()]

    def throws_in_backward(self):
        job = Job(self.folder, "backward", fault=("backward-throws", 1, 5))
        return job.end(), (70,), [rf"casvit: rank 1 of 2 on {HOST}: .*a gradient of the test went wrong", issued()]

    def fails_in_mpi(self):
        job = Job(self.folder, "mpi-fails", fault=("mpi-fails", 1, 9))
        at = rf"collective \d+, {GRADIENTS}, failed on rank 1 of 2 on {HOST}: MPI_Irecv.*MPI_ERR_OTHER"
        return job.end(), (5,), [rf"casvit: rank 1 of 2 on {HOST}: {at}"]

    def hangs_in_mpi(self):
        job = Job(self.folder, "mpi-hangs", fault=("mpi-hangs", 1, 9))
        return job.end(), (5,), [stands_still(1, GRADIENTS)]

    def test_every_fault_ends_the_job_in_time_and_names_its_rank(self):
        cases = [
            self.killed_in_training, self.killed_in_evaluation, self.killed_while_saving,
            self.stopped_in_training, self.stopped_in_evaluation, self.stopped_while_saving,
            self.throws_in_its_loader, self.throws_in_evaluation, self.throws_in_backward,
            self.fails_in_mpi, self.hangs_in_mpi,
        ]  # fmt: skip
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            outcomes = [(case.__name__, pool.submit(case)) for case in cases]
            for name, outcome in outcomes:
                with self.subTest(name):
                    (code, output, seconds, left), codes, expressions = outcome.result()
                    print(f"{name}: exit {code}" + (f", {seconds:.1f} s" if seconds else ""))
                    self.assertIn(code, codes, output)
                    for expression in expressions:
                        self.assertRegex(output, expression)
                    before = EVALUATION_SECONDS if "evaluation" in name else 0
                    self.assertLess(seconds, before + TIMEOUT_SECONDS + MARGIN_SECONDS)
                    self.assertEqual(left, [])
                    spoken = re.findall(r"casvit: rank \d of 2 on", output)
                    self.assertLessEqual(len(spoken), 1, output)


def died(rank):
    """What the other rank says of it before mpirun ends it."""
    return (
        rf"casvit: rank {1 - rank} of 2 on {HOST}: {COLLECTIVE}, failed on rank {1 - rank} of 2 on {HOST}: "
        rf"rank {rank} on {HOST} died; the last that it issued was collective \d+"
    )


def killed(rank):
    """mpirun's own words."""
    return rf"rank {rank} with PID \d+ on node \S+ exited on signal 9"


def stands_still(rank, what=r"\S+ .*"):
    return (
        rf"casvit: rank {1 - rank} of 2 on {HOST}: collective \d+, {what}, failed on rank {1 - rank} of 2 on {HOST}: "
        rf"nothing moved for [\d.]+ s; (rank {rank} on {HOST} is (stuck inside MPI|behind)|"
        rf"waiting for messages of rank {rank} on {HOST}\n)"
    )


def issued():
    return rf"\(the last that this rank issued: collective \d+, .*\)"


if __name__ == "__main__":
    unittest.main(verbosity=2)
