"""Every pod but those of the overlay rdma passes the restricted Pod Security Standard."""

import copy
import unittest

from manifests import NAMES, overlay, templates

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def violations(pod):
    """Of the restricted profile, as kubernetes.io/docs/concepts/security/pod-security-standards has it."""
    found = []
    security = pod.get("securityContext", {})
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            found.append(name)
    if security.get("sysctls") or security.get("windowsOptions", {}).get("hostProcess"):
        found.append("sysctls")
    for volume in pod.get("volumes", []):
        if not set(volume) - {"name"} <= VOLUMES:
            found.append(f"volume {volume['name']}")
    kinds = ("initContainers", "containers", "ephemeralContainers")
    for container in [item for kind in kinds for item in pod.get(kind, [])]:
        own = container.get("securityContext", {})
        name = container["name"]
        if own.get("privileged"):
            found.append(f"{name}: privileged")
        if own.get("allowPrivilegeEscalation") is not False:
            found.append(f"{name}: allowPrivilegeEscalation")
        capabilities = own.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
            found.append(f"{name}: capabilities")
        if not own.get("runAsNonRoot", security.get("runAsNonRoot")):
            found.append(f"{name}: runAsNonRoot")
        if own.get("runAsUser", security.get("runAsUser")) == 0:
            found.append(f"{name}: runAsUser")
        profile = own.get("seccompProfile", security.get("seccompProfile", {}))
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            found.append(f"{name}: seccompProfile")
        if own.get("procMount", "Default") != "Default":
            found.append(f"{name}: procMount")
        if {"user", "role"} & set(own.get("seLinuxOptions", security.get("seLinuxOptions", {}))):
            found.append(f"{name}: seLinuxOptions")
        if any(port.get("hostPort") for port in container.get("ports", [])):
            found.append(f"{name}: hostPort")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            for how in ("httpGet", "tcpSocket"):
                if container.get(probe, {}).get(how, {}).get("host"):
                    found.append(f"{name}: {probe} names a host")
    return found


def pods():
    for name in NAMES:
        for item in overlay(name):
            for role, template in templates(item).items():
                yield name, role, template["spec"]


class PodSecurity(unittest.TestCase):
    def test_restricted_but_for_rdma(self):
        seen = set()
        for name, role, pod in pods():
            seen.add(name)
            wanted = ["worker: capabilities"] if (name, role) == ("rdma", "Worker") else []
            self.assertEqual(violations(pod), wanted, f"{name} {role}")
        self.assertEqual(seen, set(NAMES) - {"kueue-quota"})

    def test_each_violation_is_seen(self):
        (pod, *_) = [pod for name, role, pod in pods() if (name, role) == ("gpu", "Worker")]
        container = {"securityContext": {}, "name": "worker"}

        def on_pod(**fields):
            return {**copy.deepcopy(pod), **fields}

        def on_container(**fields):
            bad = copy.deepcopy(pod)
            bad["containers"][0]["securityContext"].update(fields)
            return bad

        for bad in (
            on_pod(hostNetwork=True), on_pod(hostPID=True), on_pod(hostIPC=True), on_pod(securityContext={}),
            on_pod(volumes=[{"name": "a", "hostPath": {"path": "/"}}]), on_pod(initContainers=[container]),
            on_container(privileged=True), on_container(allowPrivilegeEscalation=True), on_container(runAsUser=0),
            on_container(capabilities={"drop": ["ALL"], "add": ["IPC_LOCK"]}), on_container(capabilities={}),
            on_container(seccompProfile={"type": "Unconfined"}), on_container(runAsNonRoot=False),
            on_container(procMount="Unmasked"), on_container(seLinuxOptions={"user": "system_u"}),
        ):  # fmt: skip
            self.assertNotEqual(violations(bad), [])

    def test_no_pod_has_a_token_or_a_writable_root(self):
        for name, role, pod in pods():
            with self.subTest(overlay=name, role=role):
                self.assertIs(pod["automountServiceAccountToken"], False)
                self.assertIs(pod["enableServiceLinks"], False)
                self.assertEqual(pod["securityContext"]["runAsUser"], 1000)
                for container in pod["containers"]:
                    self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True)

    def test_training_cannot_write_to_the_data(self):
        for name, role, pod in pods():
            mounts = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
            if "/data" in mounts:
                trains = name not in ("pack", "files")
                self.assertEqual(mounts["/data"].get("readOnly", False), trains, f"{name} {role}")


if __name__ == "__main__":
    unittest.main()
