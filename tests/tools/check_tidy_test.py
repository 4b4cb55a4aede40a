"""tools/check-tidy looks at the right files, and at each only until it was clean."""

import json
import os
import shutil
import subprocess
import sys
import unittest

from clone import CloneTestCase

FILES = {
    "dataio/pack.cpp": '#include "dataio/pack.h"\n',
    "dataio/pack.h": "",
    "launch/world.cpp": "",
    "trainer/step.cpp": '#include "trainer/step.h"\n',
    "trainer/step.h": "",
    "trainer/optim.cpp": "",
}
DAY = 86400
START = 1_700_000_000


class CheckTidy(CloneTestCase):
    def setUp(self):
        super().setUp()
        self.fake("python3", f'exec "{sys.executable}" "$@"')
        (self.bin / "git").symlink_to(shutil.which("git"))
        # Preprocessing prints the file, and a file that says "bad" has a finding.
        self.fake("clang++-14", 'for word; do [[ $word == *.cpp ]] && exec cat "$word"; done')
        self.fake(
            "clang-tidy-14",
            '[[ $1 == --version ]] && exit\nfile=${@: -1}\n'
            'if grep -q bad "$file"; then echo "$file:1:1: error: bad"; exit 1; fi',
        )
        for name, text in FILES.items():
            self.write(name, text)
        self.write(".clang-tidy", "Checks: -*\n")
        self.write(".gitignore", "build/\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit(START)
        commands = [
            {
                "directory": str(self.clone),
                "file": str(self.clone / name),
                "command": f"c++ -Winvalid-pch -include /x/cmake_pch.hxx -o x.o -c {self.clone / name}",
            }
            for name in FILES
            if name.endswith(".cpp")
        ]
        self.write("build/release/compile_commands.json", json.dumps(commands))

    def write(self, name: str, text: str) -> None:
        path = self.clone / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def git(self, *arguments: str, **environment: str) -> None:
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(
            ["git", *identity, *arguments], cwd=self.clone, env=self.environment(**environment), check=True, text=True
        )

    def commit(self, seconds: int) -> None:
        self.git("add", "--all")
        date = f"{seconds} +0000"
        self.git("commit", "--quiet", "--message=x", GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)

    def checked(self, *options: str, **changes: str) -> list[str]:
        """The files that clang-tidy was run on."""
        self.log.write_text("")
        self.result = self.run_script("tools/check-tidy", *options, **changes)
        root = f"{os.path.realpath(self.clone)}/"
        return sorted(
            call.split()[-1].removeprefix(root) for call in self.calls("clang-tidy") if "--version" not in call
        )

    def test_on_the_first_commits_all_files_are_checked_without_gccs_precompiled_headers(self):
        self.assertEqual(self.checked(), sorted(name for name in FILES if name.endswith(".cpp")))
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        commands = json.loads((self.clone / "build/tidy/compile_commands.json").read_text())
        self.assertNotIn("pch", " ".join(entry["command"] for entry in commands))

    def test_a_finding_is_shown_and_fails(self):
        self.write("launch/world.cpp", "bad")
        self.checked()
        self.assertEqual(self.result.returncode, 1)
        self.assertIn("launch/world.cpp:1:1: error: bad", self.result.stdout)

    def test_a_clean_file_is_passed_over_until_it_changes(self):
        self.checked()
        self.assertEqual(self.checked(), [])
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.write("launch/world.cpp", "// changed\n")
        self.assertEqual(self.checked(), ["launch/world.cpp"])
        self.write(".clang-tidy", "Checks: '*'\n")
        self.assertEqual(len(self.checked()), 4)

    def test_a_file_with_findings_is_looked_at_each_time(self):
        self.write("launch/world.cpp", "bad")
        for _ in range(2):
            self.assertIn("launch/world.cpp", self.checked())
            self.assertEqual(self.result.returncode, 1)

    def test_the_newest_changes_come_first_and_what_time_was_too_short_for_is_counted(self):
        self.write("trainer/optim.cpp", "// changed\n")
        self.commit(START + 60)
        self.write("launch/world.cpp", "// changed\n")
        self.fake(  # the first file takes until time is up
            "clang-tidy-14",
            '[[ $1 == --version ]] && exit\necho "${@: -1}" >>"$PWD/build/order"\n/bin/sleep 3',
        )
        self.fake("nproc", "echo 1")
        self.fake("date", '[[ $* == +%s ]] && exec /bin/date --date="58 seconds ago" +%s; exec /bin/date "$@"')
        self.checked("--minutes", "1", "--all")
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertIn("1 files are clean; time was up before 3 of older changes", self.result.stdout + self.result.stderr)
        self.assertIn("launch/world.cpp", (self.clone / "build/order").read_text())
        order = (self.clone / "build/tidy/left_out").read_text().split()
        self.assertEqual(order[0], "trainer/optim.cpp")
        self.assertEqual(sorted(order[1:]), ["dataio/pack.cpp", "trainer/step.cpp"])

    def test_on_main_the_trainers_files_of_the_last_day_are_checked(self):
        self.write("README.md", "")
        self.commit(START + 3 * DAY)
        self.assertEqual(self.checked(), ["dataio/pack.cpp", "launch/world.cpp"])
        self.write("trainer/optim.cpp", "// changed\n")
        self.commit(START + 5 * DAY)
        self.assertEqual(self.checked(), ["trainer/optim.cpp"])

    def test_on_a_younger_main_the_trainers_files_of_the_last_commit_are_checked(self):
        self.write("trainer/optim.cpp", "// changed\n")
        self.commit(START + 60)
        self.assertEqual(self.checked(), ["dataio/pack.cpp", "launch/world.cpp", "trainer/optim.cpp"])

    def test_a_changed_header_is_seen_through_a_file_that_includes_it(self):
        self.write("README.md", "")
        self.commit(START + 3 * DAY)
        self.write("trainer/step.h", "// changed\n")
        self.assertIn("trainer/step.cpp", self.checked())
        self.assertNotIn("trainer/optim.cpp", self.calls("clang-tidy"))

    def test_a_base_can_be_named(self):
        self.write("trainer/optim.cpp", "// changed\n")
        self.commit(START + 1)
        self.assertNotIn("trainer/step.cpp", self.checked(CASVIT_BASE="HEAD~1"))
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.checked(CASVIT_BASE="nowhere")
        self.assertEqual(self.result.returncode, 2)

    def test_a_file_that_no_target_compiles_is_a_finding(self):
        self.write("dataio/forgotten.cpp", "")
        self.checked()
        self.assertEqual(self.result.returncode, 1)
        self.assertIn("dataio/forgotten.cpp: error: no target compiles this file", self.result.stdout)

    def test_without_a_configured_build_it_says_what_to_do(self):
        (self.clone / "build/release/compile_commands.json").unlink()
        self.checked()
        self.assertEqual(self.result.returncode, 2)
        self.assertIn("run tools/build first", self.result.stderr)


if __name__ == "__main__":
    unittest.main()
