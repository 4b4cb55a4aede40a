"""Several "hosts" on one machine: each a set of namespaces (network, host name, processes, mounts) with an sshd of
its own, as in the project's image: not root, port 2222, no capabilities, keys made for the job. A bridge in one more
namespace joins them; nothing of it is visible outside. Needs root; `reason_to_skip` says what else."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

USER = "trainer"
UID = 1000
PORT = 2222
NEEDED = ("unshare", "nsenter", "setpriv", "ip", "mount", "ssh", "ssh-keygen")
SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def reason_to_skip():
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    for name in NEEDED:
        if shutil.which(name) is None:
            return f"there is no {name} (packages util-linux, iproute2, openssh-client)"
    if SSHD is None:
        return "there is no sshd (package openssh-server)"
    script = "ip link add name br type bridge && ip link add va type veth peer name vb && mount -t tmpfs none /mnt"
    tried = subprocess.run(
        ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return None if tried.returncode == 0 else "no network namespaces here: " + tried.stderr.strip()


class Host:
    """The namespaces live as long as the shell that holds them, which waits for us and for whatever loses its parent."""

    def __init__(self, name):
        self.name = name
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", "hostname " + name + "; echo ready; cat; true"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.holder.stdout.readline() == b"ready\n"
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        self.pid = int(children.read_text(encoding="ascii").split()[0])

    def inside(self, *command, user=None):
        """The command line that runs `command` on the host, as root or as the image's user."""
        words = ["nsenter", "--target", str(self.pid), "--net", "--uts", "--mount", "--pid"]
        if user is not None:
            words += ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--bounding-set=-all",
                      "--inh-caps=-all", "--no-new-privs"]  # fmt: skip
        return [*words, *command]

    def root(self, script):
        subprocess.run(self.inside("sh", "-e", "-c", script), check=True, capture_output=True)

    def show(self, visible):
        """The host gets a /tmp of its own, and folders such as /root, which the image's user may not pass, hold only
        what it must see."""
        by_hidden = {tempfile.gettempdir(): set()}
        for path in map(str, visible):
            hidden = hidden_ancestor(path)
            if hidden is not None:
                by_hidden.setdefault(hidden, set()).add(path)
        for hidden, paths in by_hidden.items():
            lines = ["mount -t tmpfs none /mnt"]
            for index, path in enumerate(sorted(paths)):
                lines += [f"mkdir /mnt/{index}", f"mount --bind '{path}' /mnt/{index}"]
            lines.append(f"mount -t tmpfs -o mode={755 if hidden != tempfile.gettempdir() else 1777} none '{hidden}'")
            for index, path in enumerate(sorted(paths)):
                lines += [f"mkdir -p '{path}'", f"mount --bind /mnt/{index} '{path}'"]
            self.root("\n".join([*lines, "umount -R -l /mnt"]))

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait(timeout=20)


def hidden_ancestor(path):
    """/tmp, or the topmost folder above `path` that others may not pass, such as /root."""
    for folder in reversed(pathlib.Path(path).parents):
        if str(folder) == tempfile.gettempdir() or not folder.stat().st_mode & 0o001:
            return str(folder)
    return None


def write_user(folder):
    """The user of the image, with a home in `folder`, which becomes theirs; for /etc/passwd of a host."""
    home = folder / "home"
    home.mkdir()
    (folder / "passwd").write_text(
        f"root:x:0:0:root:/root:/bin/bash\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
        f"{USER}:x:{UID}:{UID}::{home}:/bin/bash\n"
    )
    for path in (folder, home):
        os.chown(path, UID, UID)
    return home


class Network:
    """Hosts called host-a, host-b, ...; `folder` is what they share. `visible`: what else they must be able to read."""

    def __init__(self, folder, count, visible):
        self.folder = pathlib.Path(folder)
        self.hosts = []
        self.servers = []
        self.visible = visible
        self.switch = Host("switch")
        try:
            self.switch.root("ip link add name bridge0 type bridge && ip link set bridge0 up && ip link set lo up")
            self.write_files(count)
            for number in range(count):
                self.add_host(number)
        except BaseException:
            self.close()
            raise

    def close(self):
        for host in [*self.hosts, self.switch]:
            host.close()
        for server in self.servers:  # ended with their hosts
            server.wait(timeout=20)

    def write_files(self, count):
        keys = self.folder / "ssh"
        keys.mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / "id"], check=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / "host_key"], check=True)
        shutil.copy(keys / "id.pub", keys / "authorized_keys")
        (keys / "sshd_config").write_text(
            f"Port {PORT}\nHostKey {keys}/host_key\nAuthorizedKeysFile {keys}/authorized_keys\nPidFile none\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\n"
        )
        host_key = " ".join((keys / "host_key.pub").read_text().split()[:2])
        self.names = ["host-" + "abcdefgh"[number] for number in range(count)]
        known = "".join(f"[{name}]:{PORT} {host_key}\n" for name in self.names)
        (keys / "known_hosts").write_text(known)
        (keys / "config").write_text(
            f"Host host-*\n  Port {PORT}\n  IdentityFile {keys}/id\n  UserKnownHostsFile {keys}/known_hosts\n"
            "  StrictHostKeyChecking yes\n  BatchMode yes\n"
        )
        addresses = "".join(f"10.77.0.{10 + number} {name}\n" for number, name in enumerate(self.names))
        (self.folder / "hosts").write_text("127.0.0.1 localhost\n" + addresses)
        write_user(self.folder)
        for path in [*keys.iterdir(), keys]:
            os.chown(path, UID, UID)

    def add_host(self, number):
        host = Host(self.names[number])
        self.hosts.append(host)
        port = f"port{number}"
        self.switch.root(f"ip link add {port} type veth peer name {port}h && ip link set {port} master bridge0 up")
        # nsenter gives the switch's network, the mounts and processes stay ours: the host is known by its pid here.
        subprocess.run(
            ["nsenter", "--target", str(self.switch.pid), "--net", "ip", "link", "set", f"{port}h", "netns", str(host.pid)],
            check=True,
        )  # fmt: skip
        host.root(
            f"ip link set {port}h name eth0 && ip addr add 10.77.0.{10 + number}/24 dev eth0\n"
            "ip link set eth0 up && ip link set lo up\n"
            f"mount --bind {self.folder}/hosts /etc/hosts && mount --bind {self.folder}/passwd /etc/passwd"
        )
        host.show(self.visible)

    def start_sshd(self, number):
        log = (self.folder / f"sshd-{number}.log").open("w")
        command = self.hosts[number].inside(SSHD, "-D", "-e", "-f", f"{self.folder}/ssh/sshd_config", user=UID)
        self.servers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        log.close()

    def start_all_sshd(self):
        for number in range(len(self.hosts)):
            self.start_sshd(number)

    def wall_off(self, number, others=None):
        """The host's packets to the others (all, unless given) are swallowed, as by a firewall, but for those of ssh."""
        lines = ["ip link add nowhere type bridge", "ip link set nowhere up", "ip route add 10.77.0.0/24 dev nowhere table 9"]
        for other in range(len(self.hosts)) if others is None else others:
            if other != number:
                address = f"10.77.0.{10 + other}"
                lines += [
                    f"ip neigh add {address} lladdr 02:00:00:00:00:01 dev nowhere nud permanent",
                    f"ip rule add pref 10 to {address} ipproto tcp sport {PORT} lookup main",
                    f"ip rule add pref 20 to {address} lookup 9",
                ]
        self.hosts[number].root("\n".join(lines))

    def kill(self, number, *patterns):
        """kill -9 of the host's processes whose command line fits, one pattern after the other; without: all of the
        image's user, sshd among them."""
        for pattern in patterns:
            self.signal(number, "pkill", "-KILL", "-f", pattern)
        if not patterns:
            self.signal(number, "pkill", "-KILL", "--uid", str(UID))

    def kill_oldest(self, number, pattern):
        self.signal(number, "pkill", "-KILL", "--oldest", "-f", pattern)

    def signal(self, number, *command):
        words = ["nsenter", "--target", str(self.hosts[number].pid), "--pid", "--mount", *command]
        subprocess.run(words, capture_output=True, check=False)

    def cut(self, number):
        self.switch.root(f"ip link set port{number} down")

    def join(self, number):
        self.switch.root(f"ip link set port{number} up")

    def runs(self, number, pattern):
        """Whether a process whose command line fits the pattern is on the host."""
        command = ["nsenter", "--target", str(self.hosts[number].pid), "--pid", "--mount", "pgrep", "-f", pattern]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def wait_until_runs(self, number, pattern, seconds):
        deadline = time.monotonic() + seconds
        while not self.runs(number, pattern):
            if time.monotonic() > deadline:
                raise AssertionError(f"no {pattern} on host {number} within {seconds} s")
            time.sleep(0.05)

    def wait_until_quiet(self, number, pattern, seconds):
        """Whether none is left within the time."""
        deadline = time.monotonic() + seconds
        while self.runs(number, pattern):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True
