"""A small copy of the repository with fake programs on its PATH, to run the scripts of tools/ in."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

# What the scripts may take for granted on a bare Debian; nothing else is on their PATH.
BASE_PROGRAMS = """awk bash cat chmod cmp cp cut date df dirname env false find flock grep head id ls mkdir
mktemp mv nproc paste realpath rm sed setarch sh sha256sum sort tail tee touch true uname wc xargs""".split()

NOBODY = 65534


class CloneTestCase(unittest.TestCase):
    """Each test gets its own copy, in self.clone, with self.home beside it."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="casvit-tools-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        # So that a run as nobody can read the copy and write to it.
        os.umask(0o000)
        self.folder.chmod(0o777)
        self.clone = self.folder / "clone"
        self.home = self.folder / "home"
        self.bin = self.folder / "bin"
        for folder in (self.home, self.bin):
            folder.mkdir()
        for name in ("tools", ".ci"):
            shutil.copytree(REPOSITORY / name, self.clone / name, ignore=shutil.ignore_patterns("*.pyc"))
        (self.clone / "tests").mkdir()
        shutil.copy(REPOSITORY / "tests/requirements.txt", self.clone / "tests")
        shutil.copy(REPOSITORY / "CMakePresets.json", self.clone)
        for name in BASE_PROGRAMS:
            path = shutil.which(name)
            if path:
                (self.bin / name).symlink_to(path)
        self.log = self.folder / "log"
        self.log.write_text("")

    def fake(self, name: str, body: str = "", folder: pathlib.Path | None = None) -> None:
        """A program that notes its call in self.calls() and then does `body` (bash)."""
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/bash\nprintf \'%s\\n\' "{name} $*" >>"{self.log}"\n{body}\n')
        path.chmod(0o755)

    def calls(self, program: str = "") -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(program)]

    def environment(self, **changes: str | None) -> dict[str, str]:
        environment = {"PATH": str(self.bin), "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        environment.update({key: value for key, value in os.environ.items() if key.startswith("COVERAGE")})
        for key, value in changes.items():
            environment.pop(key, None)
            if value is not None:
                environment[key] = value
        return environment

    def run_script(self, *command: str, as_nobody: bool = False, **changes: str | None):
        """Runs a script of the copy; gives exit code and both outputs."""
        identity = {}
        if as_nobody and os.geteuid() == 0:
            identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        return subprocess.run(
            [str(self.clone / command[0]), *command[1:]],
            env=self.environment(**changes),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **identity,
        )
