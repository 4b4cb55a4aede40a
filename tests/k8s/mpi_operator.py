"""What the MPI operator (kubeflow/mpi-operator v0.8.2, pkg/controller/mpi_job_controller.go) makes of an MPIJob:
its rules for what it takes, its pods with what it adds to them, its secret and its hostfile. Written from the
operator's source, without a cluster."""

import copy
import pathlib
import re
import subprocess
import tempfile

DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
MPI_FOLDER = "/etc/mpi"


def refusals(job):
    """The operator's validation (pkg/apis/kubeflow/validation) of a job with its defaults set."""
    spec, found = job["spec"], []
    replicas = spec["mpiReplicaSpecs"].get("Worker", {}).get("replicas") or 1
    longest = f"{job['metadata']['name']}-worker-{replicas - 1}"
    if len(longest) > 63 or not DNS_1035.fullmatch(longest):
        found.append(f"metadata.name: {longest} is no DNS label (RFC 1035)")
    if spec.get("slotsPerWorker", 1) < 0:
        found.append("spec.slotsPerWorker: negative")
    if spec.get("mpiImplementation", "OpenMPI") not in ("OpenMPI", "Intel", "MPICH"):
        found.append("spec.mpiImplementation: not supported")
    if spec.get("launcherCreationPolicy", "AtStartup") not in ("AtStartup", "WaitForWorkersReady"):
        found.append("spec.launcherCreationPolicy: not supported")
    policy = spec.get("runPolicy", {})
    if policy.get("cleanPodPolicy", "None") not in ("None", "Running", "All"):
        found.append("spec.runPolicy.cleanPodPolicy: not supported")
    for name in ("ttlSecondsAfterFinished", "activeDeadlineSeconds", "backoffLimit"):
        if policy.get(name, 0) < 0:
            found.append(f"spec.runPolicy.{name}: negative")
    if policy.get("managedBy") not in (None, "kubeflow.org/mpi-operator", "kueue.x-k8s.io/multikueue"):
        found.append("spec.runPolicy.managedBy: not supported")
    if "Launcher" not in spec["mpiReplicaSpecs"]:
        found.append("spec.mpiReplicaSpecs[Launcher]: missing")
    for role, replica in spec["mpiReplicaSpecs"].items():
        at = f"spec.mpiReplicaSpecs[{role}]"
        if replica.get("restartPolicy", "Never") not in ("Never", "OnFailure"):
            found.append(f"{at}.restartPolicy: not supported")
        if not replica["template"]["spec"].get("containers"):
            found.append(f"{at}: no container")
        if replica["template"]["spec"].get("restartPolicy"):
            found.append(f"{at}.template.spec.restartPolicy: overridden by that of the replica")
        count = replica.get("replicas", 1)
        if count != 1 if role == "Launcher" else count < 1:
            found.append(f"{at}.replicas: {count}")
    return found


def key_pair():
    """The job's secret: an ECDSA key on P-521 in the form that the operator writes, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "key"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ecdsa", "-b", "521", "-m", "PEM", "-N", "", "-C", "", "-f", str(path)],
            check=True,
        )
        private, public = path.read_text(), path.with_suffix(".pub").read_text()
    return {"id_rsa": private, "id_rsa.pub": public, "authorized_keys": public}


def hosts_of(job, namespace):
    """The names in the hostfile, in its order."""
    name, spec = job["metadata"]["name"], job["spec"]
    pods = [f"{name}-worker-{index}" for index in range(spec["mpiReplicaSpecs"]["Worker"]["replicas"])]
    if spec.get("runLauncherAsWorker", False):
        pods.insert(0, f"{name}-launcher")
    return [f"{pod}.{name}.{namespace}.svc" for pod in pods]


def pods_of(job, namespace):
    """The pods, launcher first: {name: pod spec}, each a template with what the operator adds."""
    name, spec = job["metadata"]["name"], job["spec"]
    replicas = spec["mpiReplicaSpecs"]
    pods = {f"{name}-launcher": launcher_of(job, namespace, replicas["Launcher"])}
    for index in range(replicas["Worker"]["replicas"]):
        pods[f"{name}-worker-{index}"] = worker_of(job, replicas["Worker"])
    return pods


def with_keys(pod, job):
    pod["volumes"].append(
        {
            "name": "ssh-auth",
            "secret": {
                "secretName": f"{job['metadata']['name']}-ssh",
                "defaultMode": 0o600 if job["spec"]["sshAuthMountPath"] == "/root/.ssh" else 0o644,
            },
        }
    )
    pod["containers"][0]["volumeMounts"].append({"name": "ssh-auth", "mountPath": job["spec"]["sshAuthMountPath"]})
    return pod


def worker_of(job, replica):
    pod = copy.deepcopy(replica["template"]["spec"])
    container = pod["containers"][0]
    if not container.get("command") and not container.get("args"):
        container["command"] = ["/usr/sbin/sshd", "-De"]
    container.setdefault("env", []).append({"name": "K_MPI_JOB_ROLE", "value": "worker"})
    return with_keys(pod, job)


def launcher_of(job, namespace, replica):
    pod = copy.deepcopy(replica["template"]["spec"])
    spec, container = job["spec"], pod["containers"][0]
    slots = spec.get("slotsPerWorker", 1)
    environment = {
        "K_MPI_JOB_ROLE": "launcher",
        "OMPI_MCA_orte_keep_fqdn_hostnames": "true",
        "OMPI_MCA_orte_default_hostfile": f"{MPI_FOLDER}/hostfile",
        "OMPI_MCA_plm_rsh_args": "-o ConnectionAttempts=10",
        "OMPI_MCA_orte_set_default_slots": str(slots),
    }
    if not spec.get("runLauncherAsWorker", False):
        environment |= {"NVIDIA_VISIBLE_DEVICES": "", "NVIDIA_DRIVER_CAPABILITIES": ""}
    container.setdefault("env", []).extend({"name": key, "value": value} for key, value in environment.items())
    with_keys(pod, job)
    lines = [f"{host} slots={slots}\n" for host in hosts_of(job, namespace)]
    pod["volumes"].append({"name": "mpi-job-config", "files": {"hostfile": "".join(lines)}})
    container["volumeMounts"].append({"name": "mpi-job-config", "mountPath": MPI_FOLDER})
    return pod
