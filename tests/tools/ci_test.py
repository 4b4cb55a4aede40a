"""What .ci/run and tools/test say at the end is what happened."""

import subprocess
import sys
import unittest

from clone import REPOSITORY, CloneTestCase

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="(empty)" tests="6" failures="2" disabled="1" skipped="2">
  <testcase name="ok" status="run"><system-out></system-out></testcase>
  {more}
</testsuite>
"""
FAILED = '<testcase name="bad" status="fail"><failure message=""/></testcase>'
MISSING = '<testcase name="gone" status="notrun"><skipped message="Unable to find executable"/></testcase>'
SKIPPED = '<testcase name="skip" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>'
DISABLED = '<testcase name="off" status="disabled"/>'


class CountTests(CloneTestCase):
    def count(self, text: str):
        results = self.folder / "tests.xml"
        results.write_text(text)
        return subprocess.run(
            [sys.executable, str(REPOSITORY / "tools/count_tests.py"), str(results)],
            capture_output=True,
            text=True,
            check=False,
        )

    def test_counts(self):
        for more, line, code in (
            ("", "1 passed, 0 failed\n", 0),
            (FAILED, "1 passed, 1 failed\n", 1),
            (MISSING, "1 passed, 1 failed\n", 1),
            (SKIPPED + DISABLED, "1 passed, 0 failed, 2 skipped\n", 0),
            (FAILED + MISSING + SKIPPED, "1 passed, 2 failed, 1 skipped\n", 1),
        ):
            with self.subTest(more=more):
                result = self.count(JUNIT.format(more=more))
                self.assertEqual((result.stdout, result.returncode), (line, code))

    def test_no_test_at_all_is_a_failure(self):
        result = self.count(JUNIT.format(more="").replace('status="run"', 'status="disabled"'))
        self.assertEqual(result.returncode, 1)


class CiRun(CloneTestCase):
    STAGES = ("setup", "check-format", "check-tidy", "check-scripts", "fuzz", "build")

    def setUp(self):
        super().setUp()
        for name in self.STAGES:
            self.fake(name, f"echo {name} was here", self.clone / "tools")
        self.fake("test", "echo 10 passed, 0 failed", self.clone / "tools")

    def ci(self):
        return self.run_script(".ci/run", CI="true")

    def test_the_last_line_counts_tests_and_each_other_stage_as_one(self):
        result = self.ci()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.splitlines()[-1], "36 passed, 0 failed")
        self.assertEqual(self.calls("test"), ["test release", "test asan", "test tsan"])
        self.assertEqual(self.calls("build"), ["build cuda casvit_dist"])

    def test_a_failing_check_fails_the_run_and_the_others_still_run(self):
        self.fake("check-format", "exit 1", self.clone / "tools")
        result = self.ci()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.splitlines()[-1], "35 passed, 1 failed")
        self.assertEqual(self.calls("build"), ["build cuda casvit_dist"])
        self.assertRegex(result.stdout, r"(?m)^format +\d s +FAILED \(exit code 1\)$")

    def test_failing_tests_are_added_up(self):
        self.fake("test", "echo 8 passed, 2 failed; exit 1", self.clone / "tools")
        result = self.ci()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.splitlines()[-1], "30 passed, 6 failed")

    def test_a_build_that_fails_before_any_test_ran_is_a_failure(self):
        self.fake("test", "[[ $1 != tsan ]] || exit 1; echo 10 passed, 0 failed", self.clone / "tools")
        result = self.ci()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.splitlines()[-1], "26 passed, 1 failed")

    def test_tests_that_pass_but_end_badly_are_a_failure(self):
        self.fake("test", "echo 10 passed, 0 failed; [[ $1 != asan ]]", self.clone / "tools")
        result = self.ci()
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.splitlines()[-1], "36 passed, 1 failed")


class ScriptsHaveHelp(unittest.TestCase):
    def test_every_script_explains_itself(self):
        scripts = [path for path in sorted(REPOSITORY.glob("tools/*")) if path.is_file() and not path.suffix]
        self.assertGreaterEqual({path.name for path in scripts}, {"build", "quickstart", "setup", "test"})
        for script in scripts:
            with self.subTest(script=script.name):
                result = subprocess.run([str(script), "--help"], capture_output=True, text=True, check=False)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn(f"tools/{script.name}", result.stdout)
                if script.name == "test":  # what it does not know is for ctest
                    continue
                bad = subprocess.run([str(script), "--nonsense"], capture_output=True, text=True, check=False)
                self.assertEqual(bad.returncode, 2)
                self.assertIn("--help", bad.stderr)


if __name__ == "__main__":
    unittest.main()
