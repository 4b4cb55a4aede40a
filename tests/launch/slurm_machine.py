"""A Slurm of one node in namespaces of its own: munged, slurmctld and slurmd with all files in one folder. They end with
us. Needs root and Debian's slurm-wlm and munge; `reason_to_skip` says what is missing."""

import os
import pathlib
import shutil
import subprocess
import time

import network_hosts
from network_hosts import UID, Host, write_user

DAEMONS = ("munged", "slurmctld", "slurmd")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
CONFIGURATION = """
ClusterName=test
SlurmctldHost={name}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
# A job that is put back into the queue waits until its credentials have expired.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
JobRequeue=1
# That, too, is waited before a job that was put back starts again.
KillWait=2
NodeName={name} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def reason_to_skip():
    reason = network_hosts.reason_to_skip()
    if reason is not None:
        return reason
    for name in (*DAEMONS, "sbatch", "srun", "scontrol", "scancel"):
        if shutil.which(name, path=PATH) is None:
            return f"there is no {name} (Debian's packages slurm-wlm, munge)"
    return None


class SlurmMachine:
    def __init__(self, folder, visible):
        self.folder = pathlib.Path(folder)
        self.host = Host("slurm-node")
        self.daemons = []
        try:
            self.start(visible)
        except BaseException:
            self.close()
            raise

    def start(self, visible):
        write_user(self.folder)
        self.host.root(
            # Slurm wants an address besides that of the loopback.
            "ip link set lo up && ip link add name eth0 type bridge && ip addr add 10.77.1.1/24 dev eth0\n"
            f"ip link set eth0 up && mount --bind {self.folder}/passwd /etc/passwd\n"
            f"mkdir {self.folder}/state {self.folder}/spool {self.folder}/munge && chmod 755 {self.folder}/munge\n"
            "cat /etc/hosts > " + f"{self.folder}/hosts && echo 127.0.0.1 slurm-node >> {self.folder}/hosts\n"
            f"mount --bind {self.folder}/hosts /etc/hosts\n"
            f"dd if=/dev/urandom of={self.folder}/munge/key bs=1k count=1 status=none\n"
            f"chmod 400 {self.folder}/munge/key"
        )
        self.host.show(visible)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(name=self.host.name, folder=self.folder))
        munge = f"{self.folder}/munge"
        self.start_daemon(
            "munged", "--foreground", "--force", f"--socket={munge}/socket", f"--key-file={munge}/key",
            f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed",
        )  # fmt: skip
        self.wait_until(lambda: (self.folder / "munge/socket").exists(), "munged")
        self.start_daemon("slurmctld", "-D")
        self.start_daemon("slurmd", "-D", "-N", self.host.name)
        self.wait_until(lambda: "idle" in self.call("sinfo", "--noheader", "--format=%T"), "slurmd")

    def start_daemon(self, name, *arguments):
        log = (self.folder / f"{name}.out").open("w")
        command = self.host.inside(shutil.which(name, path=PATH), *arguments)
        self.daemons.append(
            subprocess.Popen(
                command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        )
        log.close()

    def environment(self):
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "SLURM_CONF": f"{self.folder}/slurm.conf",
            "HOME": f"{self.folder}/home",
            "USER": "trainer",
        }

    def call(self, *command, **environment):
        """A command of Slurm's as the user; gives its output."""
        done = subprocess.run(
            self.host.inside("env", f"--chdir={self.folder}/home", *command, user=UID),
            env={**self.environment(), **environment}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def state(self, job):
        """Its state and how often it was requeued."""
        fields = dict(
            word.split("=", 1) for word in self.call("scontrol", "show", "job", str(job)).split() if "=" in word
        )
        return fields.get("JobState"), int(fields.get("Restarts", "0")), fields.get("ExitCode")

    def wait_until(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.2)
        logs = "".join(
            f"\n{path.name}:\n{path.read_text(errors='replace')[-3000:]}" for path in self.folder.glob("*.[lo][ou][gt]")
        )
        raise AssertionError(f"waited {seconds} s for {what}{logs}")

    def close(self):
        self.host.close()
        for daemon in self.daemons:
            daemon.wait(timeout=20)
