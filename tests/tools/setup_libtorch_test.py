"""tools/setup fetches LibTorch by hash, unpacks it whole or not at all, and once for all clones."""

import hashlib
import pathlib
import platform
import subprocess
import sys
import unittest
import zipfile

from clone import CloneTestCase

TORCH_FILES = {
    "torch/include/ATen/ATen.h": "// header",
    "torch/lib/libtorch_cpu.so": "library",
    "torch/lib/libgomp.so.1": "library",
    "torch/lib/libtorch_python.so": "only Python loads it",
    "torch/nn/module.py": "Python",
    "torch-2.11.0.dist-info/licenses/LICENSE": "licence",
}
RUNTIME_FILES = {
    "nvidia/cu13/include/cuda_runtime_api.h": "// header",
    "nvidia/cu13/lib/libcudart.so.13": "library",
    "nvidia/cu13/lib/libcudart_static.a": "static",
}


def make_wheel(folder: pathlib.Path, name: str, version: str, tags: str, files: dict[str, str]) -> str:
    """Writes a wheel that pip takes for one; gives its line for a list of wheels."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    path = folder / f"{module}-{version}-{tags}_{platform.machine()}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in files.items():
            wheel.writestr(member, text)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tags}_{platform.machine()}\n")
        wheel.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{name}=={version} --hash=sha256:{digest}\n"


class SetupLibtorch(CloneTestCase):
    def setUp(self):
        super().setUp()
        for name in ("g++", "ninja", "mold", "git", "mpirun", "ccache"):
            self.fake(name, "[[ ${1:-} == -dumpversion ]] && echo 12; true")
        self.fake("cmake", "echo cmake version 3.25.1")
        self.fake("dpkg-query", 'printf "installed %s\\n" "${@:4}"')
        self.fake("python3", f'exec "{sys.executable}" "$@"')
        self.wheels = self.folder / "wheels"
        self.wheels.mkdir()
        torch = make_wheel(self.wheels, "torch", "2.11.0", "cp311-cp311-manylinux_2_28", TORCH_FILES)
        runtime = make_wheel(self.wheels, "nvidia-cuda-runtime", "13.0.96", "py3-none-manylinux_2_17", RUNTIME_FILES)
        self.pins = torch + runtime
        self.list = self.clone / f"tools/libtorch/{platform.machine()}.txt"
        self.cache = self.home / ".cache/casvit"
        self.libtorch = self.cache / "libtorch-2.11.0-cu130"

    def setup_script(self, **changes):
        return self.run_script("tools/setup", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.wheels), **changes)

    def test_a_wheel_with_another_hash_is_refused_and_leaves_nothing(self):
        # The repository's own pins, which the wheels made here cannot match.
        result = self.setup_script()
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("DO NOT MATCH THE HASHES", result.stderr)
        self.assertFalse(self.libtorch.exists())
        self.assertEqual(list(self.cache.glob("wheels*")), [])

    def test_what_cpp_needs_is_unpacked_where_the_libraries_look_for_it(self):
        self.list.write_text(self.pins)
        result = self.setup_script()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"will download LibTorch 2.11.0 (545 MB) into {self.libtorch}", result.stdout)
        files = {str(path.relative_to(self.libtorch)) for path in self.libtorch.rglob("*") if path.is_file()}
        self.assertEqual(
            files,
            {
                "torch/include/ATen/ATen.h",
                "torch/lib/libtorch_cpu.so",
                "torch/lib/libgomp.so.1",
                "torch-2.11.0.dist-info/licenses/LICENSE",
                "nvidia/cu13/include/cuda_runtime_api.h",
                "nvidia/cu13/lib/libcudart.so.13",
                "wheels.txt",
            },
        )
        self.assertEqual(list(self.cache.glob("wheels*")) + list(self.cache.glob("*.unpacking")), [])

    def test_a_second_call_fetches_nothing_and_a_changed_pin_fetches_again(self):
        self.list.write_text(self.pins)
        self.setup_script()
        self.log.write_text("")
        result = self.setup_script()
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertEqual([call for call in self.calls("python3") if "download" in call], [])
        # The list is what the stamp is compared with; another one that pip refuses shows that it is read.
        self.list.write_text(self.pins.replace("sha256:", "sha256:0"))
        result = self.setup_script()
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("will download LibTorch", result.stdout)
        self.assertTrue((self.libtorch / "wheels.txt").is_file(), "the LibTorch in use is kept")

    def test_what_an_interrupted_setup_left_is_made_anew(self):
        self.list.write_text(self.pins)
        (self.cache / "libtorch-2.11.0-cu130.unpacking/torch/lib").mkdir(parents=True)
        (self.libtorch / "torch/lib").mkdir(parents=True)
        result = self.setup_script()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.libtorch / "torch/include/ATen/ATen.h").is_file())

    def test_two_setups_at_once_download_once(self):
        self.list.write_text(self.pins)
        command = [str(self.clone / "tools/setup")]
        environment = self.environment(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.wheels))
        both = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
        self.assertEqual([process.wait(timeout=120) for process in both], [0, 0])
        self.assertEqual(len([call for call in self.calls("python3") if "pip download" in call]), 1)

    def test_a_libtorch_that_is_named_is_used_as_it_is(self):
        other = self.folder / "other"
        for name in ("include/ATen/ATen.h", "lib/libtorch_cpu.so"):
            (other / name).parent.mkdir(parents=True)
            (other / name).write_text("")
        result = self.setup_script(CASVIT_LIBTORCH=str(other))
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertFalse(self.libtorch.exists())

    def test_a_named_folder_without_libtorch_is_refused(self):
        result = self.setup_script(CASVIT_LIBTORCH=str(self.home))
        self.assertEqual(result.returncode, 2)
        self.assertIn(f"CASVIT_LIBTORCH={self.home} holds no LibTorch", result.stderr)

    def test_the_cache_folder_follows_xdg_cache_home(self):
        self.list.write_text(self.pins)
        result = self.setup_script(XDG_CACHE_HOME=str(self.folder / "xdg"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue((self.folder / "xdg/casvit/libtorch-2.11.0-cu130/torch/lib/libtorch_cpu.so").is_file())
        self.assertFalse(self.cache.exists())

    def test_without_a_home_the_cache_is_in_the_clone(self):
        self.list.write_text(self.pins)
        result = self.setup_script(HOME=None)
        self.assertEqual(result.returncode, 0, result.stderr)
        library = self.clone / ".cache/casvit/libtorch-2.11.0-cu130/torch/lib/libtorch_cpu.so"
        self.assertTrue(library.is_file())
        # A home that cannot be written to is like none: the same folder is found again.
        self.assertEqual(self.setup_script(HOME="/proc/nowhere").stdout, "")


if __name__ == "__main__":
    unittest.main()
