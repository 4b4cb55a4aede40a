"""A folder with fake programs in front of the PATH, for launch/run: they note how they were called, and do what a test
says. mpirun runs one "rank" of the program, as a child, with Open MPI's tags before its lines."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import default_signals  # noqa: F401

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
RUN = str(REPOSITORY / "launch/run")

# What launch/run may take for granted; nothing else is on its PATH.
BASE_PROGRAMS = """awk bash cat cut date dirname env find grep head hostname id ls mkdir mkfifo mktemp nproc paste realpath
rm sed seq setpriv setsid sleep sort tail timeout touch tr true uname wc""".split()

CONFIGURATION = """
batch:
  shards: {shards}  # default

launch:
  expect_ranks: {expect_ranks}  # default
  expect_hosts: {expect_hosts}  # default
"""

# Skips mpirun's options, all with one value but some, and runs the rest with tags.
MPIRUN = """
if [[ $1 == --version ]]; then echo "mpirun (Open MPI) {version}"; exit; fi
while [[ $1 == -* ]]; do
  case $1 in
    --hostfile) cat "$2" >"{folder}/hostfile" ;;
    --mca | --prtemca) shift ;;
    --tag-output) set -- "" "$@" ;;
  esac
  shift 2
done
trap 'kill -USR1 $rank' USR1
trap 'kill -KILL $rank' INT
"$@" > >(sed -u 's/^/[1,0]<stdout>:{space}/') 2>&1 &
rank=$!
while kill -0 $rank 2>/dev/null; do wait $rank; done
wait $rank
"""
CASVIT_DIST = """
case $1 in
  config) cat "{folder}/configuration"; exit ;;
  preflight) echo preflight here; exit $(cat "{folder}/preflight-code") ;;
esac
{body}
"""


class FakePrograms(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="casvit-run-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.log = self.folder / "calls"
        self.log.write_text("")
        for name in BASE_PROGRAMS:
            (self.bin / name).symlink_to(shutil.which(name))
        self.open_mpi("4.1.4")
        self.configure()
        self.casvit_dist("exit 0")

    def fake(self, name, body=""):
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/bash\nprintf \'%s\\n\' "{name} $*" >>"{self.log}"\n{body}\n')
        path.chmod(0o755)

    def open_mpi(self, version):
        space = " " if version.startswith("5") else ""
        self.fake("mpirun", MPIRUN.format(version=version, folder=self.folder, space=space))

    def configure(self, shards=8, expect_ranks=0, expect_hosts=0):
        (self.folder / "configuration").write_text(
            CONFIGURATION.format(shards=shards, expect_ranks=expect_ranks, expect_hosts=expect_hosts)
        )

    def casvit_dist(self, body, preflight=0):
        (self.folder / "preflight-code").write_text(str(preflight))
        self.fake("casvit_dist", CASVIT_DIST.format(folder=self.folder, body=body))

    def calls(self, start=""):
        return [line for line in self.log.read_text().splitlines() if line.startswith(start)]

    def environment(self, **changes):
        environment = {
            "PATH": str(self.bin), "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }  # fmt: skip
        for key, value in changes.items():
            environment.pop(key, None)
            if value is not None:
                environment[key] = value
        return environment

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            [RUN, *arguments], env=self.environment(**environment), cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def finish(self, process, code=0, seconds=60):
        try:
            output = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.fail("not ended:\n" + process.communicate()[0])
        self.assertEqual(process.returncode, code, output)
        return output

    def run_it(self, *arguments, code=0, **environment):
        return self.finish(self.start(*arguments, **environment), code)

    def dry_run(self, *arguments, code=0, **environment):
        """What launch/run would start; the words of the last command, too."""
        output = self.run_it("--dry-run", *arguments, code=code, **environment)
        then = [line for line in output.splitlines() if line.startswith("then: ")]
        return output, then[0] if then else ""

    def wait_for(self, condition, what):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.05)
        self.fail("waited for " + what)
