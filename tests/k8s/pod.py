"""Runs pods without a cluster, each as its manifest says, in namespaces of its own: network, mounts, processes,
host name. What a kubelet would do, no more: volumes, mounts, environment, user, capabilities, a read-only root,
names of the other pods, probes, TERM. Needs root.

The root of a pod is an image's tree (CASVIT_IMAGE_ROOT, as k8s/image/chroot makes it), or else this machine's own
with a layer on top (pod_image.py)."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pod_image
from pod_image import BIN, IMAGE, LAUNCH, quoted  # noqa: F401

TOOLS = ("ip", "unshare", "nsenter", "setpriv", "mount", "mpirun", "ssh-keygen", "useradd")

# In the pod's namespaces, as root: the tree, then the container's process instead of this one.
SETUP = r"""
set -euo pipefail
work=$1 image=$2
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$image,upperdir=$work/upper,workdir=$work/work" "$work/root"
root=$work/root
source "$3"                     # the test's own part: files below $root, before it is read-only
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -p "$root"/dev/{shm,pts}
ln -s /proc/self/fd "$root/dev/fd"
chmod 1777 "$root/dev/shm"
source "$4"                     # volumes
hostname "$(<"$root/etc/hostname")"
[[ $5 == no ]] || mount -o remount,ro "$root"
shift 5
ip link set lo up
cd "$root"
exec chroot "$root" "$@"
"""


def missing():
    """Why pods cannot be run here; None: they can."""
    if os.geteuid() != 0:
        return "only root can make namespaces"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not pathlib.Path("/usr/sbin/sshd").exists():
        absent.append("sshd")
    if absent:
        return f"{', '.join(absent)} not installed"
    if not (BIN / "casvit_dist").exists() and not IMAGE:
        return f"there is no casvit_dist in {BIN}"
    with tempfile.TemporaryDirectory() as folder:
        script = 'mount -t tmpfs t "$1" && mkdir "$1"/{u,w,m} && mount -t overlay o ' \
            '-o "lowerdir=/,upperdir=$1/u,workdir=$1/w" "$1/m"'
        tried = subprocess.run(
            ["unshare", "--mount", "--net", "--pid", "--fork", "bash", "-c", script, "bash", folder],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    return None if tried.returncode == 0 else f"no namespaces or no overlay: {tried.stderr.strip()}"


class Pod:
    """One running pod: its process, its output, and the process id of the container's first process."""

    def __init__(self, name, process, output):
        self.name, self.process, self.output = name, process, output

    def first(self):
        """The first process of the container, as this machine counts; it has a handler when it is the program."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            children = self.children()
            if children and b"setpriv" not in (line := pathlib.Path(f"/proc/{children[0]}/cmdline").read_bytes()):
                if b"bash\0-c" not in line and line:
                    return int(children[0])
            time.sleep(0.02)
        raise AssertionError(f"pod {self.name} did not start: {self.text()}")

    def text(self):
        return pathlib.Path(self.output).read_text(errors="replace")

    def send(self, number=signal.SIGTERM):
        os.kill(self.first(), number)

    def kill(self):
        """All of its processes: the kernel ends a namespace's with its first, and that one by --kill-child only until it
        becomes another user."""
        for child in self.children():
            os.kill(int(child), signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def children(self):
        return pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def wait(self, seconds=120):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"pod {self.name} goes on after {seconds} s: {self.text()}") from None


class Cluster:
    """A network of pods, and what they mount: claims {name: folder}, objects (ConfigMaps), secrets {name: files}."""

    def __init__(self, claims, objects, secrets):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="casvit-pods-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.claims, self.secrets = claims, secrets
        self.config_maps = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
        self.tag = f"cv{os.getpid() % 100000}"
        self.networks, self.pods, self.addresses, self.count = [], [], {}, 0
        self.switch = self.network("sw")
        self.ip(self.switch, "link add br0 type bridge")
        self.ip(self.switch, "link set br0 up")

    def network(self, name):
        name = f"{self.tag}{name}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.networks.append(name)
        return name

    @staticmethod
    def ip(network, words):
        subprocess.run(["ip", "-n", network, *words.split()], check=True)

    def close(self):
        for pod in self.pods:
            if pod.process.poll() is None:
                pod.kill()
        for network in self.networks:
            subprocess.run(["ip", "netns", "delete", network], check=False)
        shutil.rmtree(self.folder)

    def names(self, names, subdomain):
        """Gives each pod an address under its names; a DNS would tell it to all."""
        for index, (name, host) in enumerate(names.items()):
            network = self.network(f"p{index}")
            near, far = f"{self.tag}{index}", "eth0"
            self.ip(self.switch, f"link add {near} type veth peer name {far} netns {network}")
            self.ip(self.switch, f"link set {near} master br0 up")
            address = f"10.77.0.{index + 10}"
            self.ip(network, f"address add {address}/24 dev {far}")
            self.ip(network, f"link set {far} up")
            self.addresses[name] = (network, address, f"{host} {name}.{subdomain} {name}")

    def start(self, name, spec, service_name="", more_arguments=(), image_files=()):
        """Starts the container of a pod. more_arguments go behind those of the manifest."""
        (container,) = spec["containers"]
        network = self.addresses[name][0]
        self.count += 1
        work = self.folder / f"{name}-{self.count}"
        work.mkdir()
        (work / "root").mkdir()
        files, volumes = work / "files.sh", work / "volumes.sh"
        files.write_text(self.files_script(name, image_files))
        volumes.write_text(self.volumes_script(work, spec, container))
        security = container["securityContext"]
        output = self.folder / f"{name}-{self.count}.log"
        environment = {"PATH": "/opt/casvit/bin:/opt/casvit/launch:/usr/local/bin:/usr/bin:/bin", "HOSTNAME": name}
        environment |= {entry["name"]: entry["value"] for entry in container.get("env", [])}
        root = pod_image.root()
        command = [
            "nsenter", f"--net=/run/netns/{network}", *root.enter,
            "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL",
            "bash", "-c", SETUP, "bash", str(work / "root"), root.lower, str(files), str(volumes),
            "yes" if security["readOnlyRootFilesystem"] else "no",
            *self.as_user(spec, container), "env", "-i", f"--chdir={container.get('workingDir', '/')}",
            *[f"{key}={value}" for key, value in environment.items()],
            *container["command"], *container.get("args", []), *more_arguments,
        ]  # fmt: skip
        with open(output, "w") as sink:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
            )
        pod = Pod(name, process, output)
        pod.spec = spec
        self.pods.append(pod)
        return pod

    @staticmethod
    def as_user(spec, container):
        """The pod's user with what its security context leaves it."""
        pod, own = spec["securityContext"], container["securityContext"]
        words = [
            "setpriv", f"--reuid={pod['runAsUser']}", f"--regid={pod['runAsGroup']}",
            f"--groups={pod['fsGroup']}" if "fsGroup" in pod else "--clear-groups",
        ]  # fmt: skip
        if own["capabilities"]["drop"] == ["ALL"] and "add" not in own["capabilities"]:
            words += ["--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
        if own["allowPrivilegeEscalation"] is False:
            words.append("--no-new-privs")
        return words

    def files_script(self, name, image_files):
        hosts = "127.0.0.1 localhost\n"
        hosts += "".join(f"{address} {names}\n" for _, address, names in self.addresses.values())
        lines = [
            'rm -f "$root/etc/hosts" "$root/etc/hostname" "$root/etc/resolv.conf"',
            f"printf %s {quoted(hosts)} >\"$root/etc/hosts\"",
            f"echo {quoted(name)} >\"$root/etc/hostname\"",
        ]
        for target, text in image_files:
            lines.append(f"printf %s {quoted(text)} >\"$root{target}\"")
        return "\n".join(lines) + "\n"

    def volumes_script(self, work, spec, container):
        lines = []
        for mount in container["volumeMounts"]:
            (volume,) = [item for item in spec["volumes"] if item["name"] == mount["name"]]
            target = f'"$root"{quoted(mount["mountPath"])}'
            read_only = mount.get("readOnly", False)
            lines.append(f"mkdir -p {target}")
            if "emptyDir" in volume:
                # Both kinds in memory here; the size is the manifest's where it has one.
                size = volume["emptyDir"].get("sizeLimit", "1Gi").replace("i", "").lower()
                lines.append(f"mount -t tmpfs -o mode=1777,size={size} tmpfs {target}")
            elif "persistentVolumeClaim" in volume:
                folder = self.claims[volume["persistentVolumeClaim"]["claimName"]]
                lines.append(f"mount --bind {quoted(folder)} {target}")
                read_only |= volume["persistentVolumeClaim"].get("readOnly", False)
            else:
                folder = work / f"volume-{mount['name']}"
                self.write_files(folder, volume)
                lines.append(f"mount --bind {quoted(folder)} {target}")
                read_only = True
            if read_only:
                lines.append(f"mount -o remount,bind,ro {target}")
        return "\n".join(lines) + "\n"

    def write_files(self, folder, volume):
        """A ConfigMap or secret as the kubelet lays it out: root's, and nobody's else to change."""
        folder.mkdir()
        folder.chmod(0o777)  # as secrets are, which is why sshd's strict modes are off
        mode = 0o644
        if "configMap" in volume:
            files = self.config_maps[volume["configMap"]["name"]]
        elif "secret" in volume:
            files, mode = self.secrets[volume["secret"]["secretName"]], volume["secret"]["defaultMode"]
        else:
            files = volume["files"]
        for name, text in files.items():
            (folder / name).write_text(text)
            (folder / name).chmod(mode)

    def inside(self, pod, command, seconds=30):
        """Runs a command in a running container, as `kubectl exec` and probes of kind exec do."""
        container = pod.spec["containers"][0]
        environment = [f"{entry['name']}={entry['value']}" for entry in container.get("env", [])]
        words = ["nsenter", f"--target={pod.first()}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root"]
        words += [*self.as_user(pod.spec, container), "env", "-i", "--chdir=/", "PATH=/usr/local/bin:/usr/bin:/bin"]
        return subprocess.run(
            [*words, *environment, *command], capture_output=True, text=True, timeout=seconds, check=False
        )

    def wait_until_ready(self, pod, seconds=60):
        """As its readiness probe says."""
        probe = pod.spec["containers"][0]["readinessProbe"]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            last = self.inside(pod, probe["exec"]["command"])
            if last.returncode == 0:
                return
            time.sleep(0.2)
        raise AssertionError(f"pod {pod.name} is not ready: {last.stderr} {pod.text()}")


def steps_of(run):
    """The steps in a run folder's metrics, in the order they were written."""
    path = pathlib.Path(run) / "metrics.jsonl"
    if not path.exists():
        return []
    rows = [json.loads(line) for line in re.findall(r"^.*\n", path.read_text(), re.MULTILINE)]
    return [row["step"] for row in rows if row["kind"] == "step"]
