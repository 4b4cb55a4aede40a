"""What tests of the manifests share: overlays as kubectl builds them, the pods in them, and the schemas."""

import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys

import jsonschema
import kubernetes_validate
import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
K8S = REPOSITORY / "k8s"
SCHEMAS = REPOSITORY / "tests/data/kubernetes"
# The newest that the schemas know, and the oldest that docs/kubernetes.md promises.
VERSIONS = (kubernetes_validate.latest_version(), "1.29")
OVERLAYS = sorted(path.parent for path in K8S.glob("overlays/*/kustomization.yaml"))
NAMES = [path.name for path in OVERLAYS]


def kubectls():
    """The kubectl of tests/requirements.txt, and the machine's own, where it has one."""
    pinned = pathlib.Path(sys.executable).parent / "kubectl"
    own = shutil.which("kubectl")
    return [str(pinned)] + ([own] if own and pathlib.Path(own) != pinned else [])


@functools.cache
def build(folder, kubectl=None):
    """The YAML that `kubectl apply -k FOLDER` would send."""
    done = subprocess.run(
        [kubectl or kubectls()[0], "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or "Warning" in done.stderr:
        raise AssertionError(f"kubectl kustomize {folder}: {done.stderr}")
    return done.stdout


def objects(folder):
    return list(yaml.safe_load_all(build(folder)))


def overlay(name):
    return objects(K8S / "overlays" / name)


def only(found, kind):
    """The one object of that kind."""
    (one,) = [item for item in found if item["kind"] == kind]
    return one


def templates(item):
    """The pod templates of an object, by a name for messages: {"Worker": {metadata, spec}}."""
    if item["kind"] == "MPIJob":
        return {role: spec["template"] for role, spec in item["spec"]["mpiReplicaSpecs"].items()}
    if item["kind"] in ("Job", "Deployment"):
        return {item["kind"]: item["spec"]["template"]}
    if item["kind"] == "Pod":
        return {"Pod": item}
    return {}


def as_pod(template):
    """A template as the pod that comes of it, to be checked as one."""
    metadata = {"name": "pod", **template.get("metadata", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


@functools.cache
def custom_schema(kind, version):
    path = SCHEMAS / f"{kind.lower()}.{version.replace('/', '.')}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def problem_of(item, version):
    """What a cluster of that version would refuse or drop in silence; None: nothing."""
    schema = custom_schema(item["kind"], item["apiVersion"])
    try:
        if schema is None:
            kubernetes_validate.validate(item, version, strict=True)
        else:
            jsonschema.Draft202012Validator(schema).validate(item)
            for template in templates(item).values():  # where the definition says no more than "object"
                kubernetes_validate.validate(as_pod(template), version, strict=True)
    except jsonschema.ValidationError as error:
        return f"{'/'.join(str(part) for part in error.absolute_path)}: {error.message[:200]}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return error.message
    return None


def originals():
    """The folder of custom resource definitions to compare the shipped schemas with, or None."""
    folder = os.environ.get("CASVIT_K8S_SCHEMAS")
    return pathlib.Path(folder) if folder else None
