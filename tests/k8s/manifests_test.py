"""Every overlay builds, and a cluster would take all of what it builds, field by field."""

import copy
import pathlib
import re
import shutil
import tempfile
import unittest

import make_schemas
import manifests
import yaml
from manifests import K8S, NAMES, OVERLAYS, REPOSITORY, VERSIONS, kubectls, only, overlay, problem_of


def paths(value, at=()):
    """The places of all mappings below a value."""
    if isinstance(value, dict):
        yield at
        for key, inner in value.items():
            yield from paths(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*at, index))


def at(value, place):
    for part in place:
        value = value[part]
    return value


# Mappings whose keys are free, in the schemas as in the cluster.
FREE = {"labels", "annotations", "matchLabels", "limits", "requests", "data", "nodeSelector"}


class Overlays(unittest.TestCase):
    def test_all_that_the_project_promises_are_there(self):
        wanted = {"single-node", "pack", "gpu", "rdma", "kueue", "kueue-quota", "spot", "tensorboard", "files"}
        self.assertEqual(set(NAMES), wanted)

    def test_each_builds_with_every_kubectl_here(self):
        for folder in [K8S / "base", *OVERLAYS]:
            built = {}
            for kubectl in kubectls():
                with self.subTest(folder=folder.name, kubectl=kubectl):
                    built[kubectl] = list(yaml.safe_load_all(manifests.build(folder, kubectl)))
                    self.assertTrue(all(built[kubectl]))
            first = built[kubectls()[0]]
            for kubectl, other in built.items():
                self.assertEqual(other, first, kubectl)

    def test_no_namespace_is_named(self):
        for name in NAMES:
            for item in overlay(name):
                self.assertNotIn("namespace", item["metadata"], f"{name}: {item['kind']}")

    def test_every_image_comes_from_the_registry(self):
        registry = yaml.safe_load((K8S / "registry/kustomization.yaml").read_text(encoding="utf-8"))
        known = {f"{image['newName']}:{image['newTag']}" for image in registry["images"]}
        used = set()
        for name in NAMES:
            for item in overlay(name):
                for template in manifests.templates(item).values():
                    used |= {container["image"] for container in template["spec"]["containers"]}
        self.assertEqual(used, known)
        # What the Dockerfile says how to make, and the page; the latter in a shell's words.
        made = set(re.findall(r"^#.* -t (\S+) \.$", (K8S / "image/Dockerfile").read_text(), re.MULTILINE))
        self.assertEqual(made, known)
        page = (REPOSITORY / "docs/kubernetes.md").read_text()
        for image in re.findall(r"(?:-t|docker push) (\$registry\S+)", page):
            self.assertIn(image.replace("$registry", "registry.example.com"), known)

    def test_every_recipe_is_in_the_config_map_and_the_manifests_name_no_other(self):
        recipes = {path.name: path.read_text(encoding="utf-8") for path in REPOSITORY.glob("configs/*.yaml")}
        for name in set(NAMES) - {"kueue-quota"}:
            config_map = only(overlay(name), "ConfigMap")
            self.assertEqual(config_map["data"], recipes)
            for item in overlay(name):
                for template in manifests.templates(item).values():
                    for volume in template["spec"]["volumes"]:
                        if "configMap" in volume:
                            self.assertEqual(volume["configMap"]["name"], config_map["metadata"]["name"])
                    arguments = template["spec"]["containers"][0].get("args", [])
                    for argument in arguments:
                        if argument.startswith("/etc/casvit/recipes/"):
                            self.assertIn(pathlib.PurePath(argument).name, recipes)

    def test_pods_reach_each_other_and_dns_alone(self):
        policy = only(overlay("gpu"), "NetworkPolicy")["spec"]
        job = {"podSelector": policy["podSelector"]}
        self.assertEqual(set(policy["policyTypes"]), {"Ingress", "Egress"})
        self.assertEqual(policy["ingress"], [{"from": [job]}])
        within, dns = policy["egress"]
        self.assertEqual(within, {"to": [job]})
        self.assertEqual({(port["protocol"], port["port"]) for port in dns["ports"]}, {("UDP", 53), ("TCP", 53)})
        for name in NAMES:
            for item in overlay(name):
                if item["kind"] in ("MPIJob", "Job"):
                    for template in manifests.templates(item).values():
                        labels = template["metadata"]["labels"]
                        self.assertEqual(labels, {**labels, **policy["podSelector"]["matchLabels"]})

    def test_tensorboard_cannot_write(self):
        pod = only(overlay("tensorboard"), "Deployment")["spec"]["template"]["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        self.assertTrue(volumes["runs"]["persistentVolumeClaim"]["readOnly"])
        mounts = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
        self.assertTrue(mounts["/runs"]["readOnly"])
        service = only(overlay("tensorboard"), "Service")["spec"]
        self.assertEqual(service["type"], "ClusterIP")


class Schemas(unittest.TestCase):
    def test_every_object_passes_for_the_newest_and_the_oldest_version(self):
        for version in VERSIONS:
            for name in NAMES:
                for item in overlay(name):
                    with self.subTest(version=version, overlay=name, kind=item["kind"]):
                        self.assertIsNone(problem_of(item, version))

    def test_a_misspelt_field_is_found_wherever_it_is(self):
        kinds = {}
        for name in NAMES:
            for item in overlay(name):
                kinds.setdefault(item["kind"], item)
        self.assertLessEqual({"MPIJob", "Job", "LocalQueue", "ClusterQueue", "ResourceFlavor"}, set(kinds))
        for kind, item in kinds.items():
            custom = manifests.custom_schema(kind, item["apiVersion"]) is not None
            tried = 0
            for place in paths(item):
                # Definitions leave the object's own metadata to the API server.
                if FREE & set(place) or (custom and place[:1] == ("metadata",)):
                    continue
                bad = copy.deepcopy(item)
                at(bad, place)["mispelt"] = 1
                tried += 1
                self.assertIsNotNone(problem_of(bad, VERSIONS[0]), f"{kind}: {'/'.join(map(str, place))}")
            self.assertGreater(tried, 0, kind)

    def test_a_field_by_another_name_is_found(self):
        job = copy.deepcopy(only(overlay("gpu"), "MPIJob"))
        job["spec"]["slotPerWorker"] = job["spec"].pop("slotsPerWorker")
        self.assertIn("slotPerWorker", problem_of(job, VERSIONS[0]))

    def test_a_kind_without_a_schema_is_a_problem(self):
        self.assertIsNotNone(problem_of({"apiVersion": "v1", "kind": "Pot", "metadata": {"name": "a"}}, VERSIONS[0]))

    def test_the_shipped_schemas_are_those_of_the_definitions(self):
        folder = manifests.originals()
        if folder is None or not folder.is_dir():
            self.skipTest(
                "CASVIT_K8S_SCHEMAS names no folder with the operator's and Kueue's definitions: the shipped"
                " schemas were used, but not compared with their originals"
            )
        made = {}
        for path in sorted(folder.glob("*crd*.yaml")):
            for definition in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                for api, kind, schema in make_schemas.kind_schemas(definition):
                    made[kind, api] = schema
        shipped = list(manifests.SCHEMAS.glob("*.json"))
        self.assertEqual(len(shipped), 4)
        for (kind, api), schema in made.items():
            if (found := manifests.custom_schema(kind, api)) is not None:
                self.assertEqual(found, schema, f"{kind} {api}")
                shipped.pop()
        self.assertEqual(shipped, [])


# The overlay that docs/kubernetes.md shows.
(OWN,) = re.findall(r"^```yaml\n(.*?)^```", (REPOSITORY / "docs/kubernetes.md").read_text(), re.MULTILINE | re.DOTALL)


class Documentation(unittest.TestCase):
    PAGE = (REPOSITORY / "docs/kubernetes.md").read_text(encoding="utf-8")

    def test_every_path_it_names_is_there(self):
        named = set(re.findall(r"\b(?:k8s|tests|configs)/[\w./-]*\w", self.PAGE)) - {"k8s/overlays/oaks"}
        named -= {name for name in named if name.startswith("k8s/overlays/oaks/")}
        self.assertGreater(len(named), 8)
        for name in named:
            self.assertTrue((REPOSITORY / name).exists(), name)

    def test_its_table_has_every_overlay_and_component(self):
        for kind in ("overlays", "components"):
            there = {path.parent.name for path in K8S.glob(f"{kind}/*/kustomization.yaml")}
            self.assertEqual(set(re.findall(rf"`{kind}/([\w-]+)`", self.PAGE)) & there, there)

    def test_its_objects_are_those_of_the_manifests(self):
        names = {f"{item['kind'].lower()}/{item['metadata']['name']}" for name in NAMES for item in overlay(name)}
        for kind, name in re.findall(r"\b(job|pod|service|mpijob)/([\w-]+)", self.PAGE):
            if name != "casvit-launcher":  # the operator makes it
                self.assertIn(f"{kind}/{name}", names)


class OwnOverlay(unittest.TestCase):
    def test_components_combine_and_names_follow(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("k8s", "configs"):
                shutil.copytree(REPOSITORY / name, f"{folder}/{name}")
            own = pathlib.Path(folder) / "k8s/overlays/own"
            own.mkdir()
            (own / "kustomization.yaml").write_text(OWN, encoding="utf-8")
            (own / "oaks.yaml").write_text("model: {name: rcvit_s}\n", encoding="utf-8")
            found = manifests.objects(own)
        job = only(found, "MPIJob")
        self.assertEqual(job["metadata"]["name"], "oaks-casvit")
        self.assertEqual(job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"], "oaks-casvit")
        self.assertTrue(job["spec"]["runPolicy"]["suspend"])
        worker = job["spec"]["mpiReplicaSpecs"]["Worker"]
        self.assertEqual(worker["replicas"], 4)
        self.assertEqual(len(worker["template"]["spec"]["tolerations"]), 3)
        recipes = only(found, "ConfigMap")
        self.assertIn("oaks.yaml", recipes["data"])
        arguments = job["spec"]["mpiReplicaSpecs"]["Launcher"]["template"]["spec"]["containers"][0]["args"]
        self.assertEqual(arguments[4:8], ["--config", "/etc/casvit/recipes/oaks.yaml", "--out", "/runs/oaks"])
        claims = [item for item in found if item["kind"] == "PersistentVolumeClaim"]
        self.assertEqual([claim["spec"]["storageClassName"] for claim in claims], ["shared-files"] * 2)
        named = {item["metadata"]["name"] for item in found}
        for template in manifests.templates(job).values():
            self.assertIn(template["spec"]["serviceAccountName"], named)
            for volume in template["spec"]["volumes"]:
                for source in ("configMap", "persistentVolumeClaim"):
                    if source in volume:
                        self.assertIn(volume[source].get("name", volume[source].get("claimName")), named)
        for item in found:
            self.assertEqual(problem_of(item, VERSIONS[0]), None)


if __name__ == "__main__":
    unittest.main()
