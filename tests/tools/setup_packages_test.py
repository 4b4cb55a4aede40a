"""tools/setup installs only what is missing, or prints the exact command and stops."""

import os
import unittest

from clone import CloneTestCase

# dpkg-query knows every package but those named.
DPKG = """
status=0
for name in "${{@:4}}"; do
  case " {missing} " in
    *" $name "*) echo "no packages found matching $name" >&2; status=1 ;;
    *) echo "installed $name" ;;
  esac
done
exit $status"""
# apt-cache knows a version of everything.
APT_CACHE = """for name in "${@:2}"; do printf '%s:\\n  Installed: (none)\\n  Candidate: 1.0\\n' "$name"; done"""


class SetupPackages(CloneTestCase):
    def setUp(self):
        super().setUp()
        self.fake_system("libwebp-dev ccache")
        for name in ("g++", "ninja", "mold", "git", "mpirun", "python3"):
            self.fake(name, '[[ ${1:-} == -dumpversion ]] && echo 12; true')
        self.fake("cmake", "echo cmake version 3.25.1")
        self.fake("apt-cache", APT_CACHE)
        self.fake("apt-get")

    def fake_system(self, missing: str) -> None:
        self.fake("dpkg-query", DPKG.format(missing=missing))

    def setup_script(self, *options: str, **changes):
        return self.run_script("tools/setup", "--no-libtorch", *options, **changes)

    def test_without_root_and_sudo_it_prints_the_command_and_exits_2(self):
        result = self.setup_script(as_nobody=True)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn(
            "\n    apt-get update && apt-get install -y --no-install-recommends ccache libwebp-dev\n", result.stderr
        )
        self.assertIn("will install with apt: ccache libwebp-dev", result.stdout)
        self.assertEqual(self.calls("apt-get"), [])

    def test_sudo_that_would_ask_for_a_password_without_a_terminal_counts_as_none(self):
        self.fake("sudo", "exit 1")
        result = self.setup_script(as_nobody=True)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertEqual(self.calls("sudo"), ["sudo -n true"])
        self.assertIn("apt-get install -y --no-install-recommends ccache libwebp-dev\n", result.stderr)

    def test_with_sudo_it_installs_exactly_what_is_missing(self):
        self.fake("sudo", '[[ $1 == -n ]] && shift; exec "$@"')
        result = self.setup_script(as_nobody=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        (call,) = self.calls("apt-get")
        self.assertTrue(call.endswith(" ccache libwebp-dev"), call)
        self.assertIn("install", call.split())
        self.assertEqual(len(self.calls("sudo env")), 1)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_root_needs_no_sudo(self):
        result = self.setup_script()
        self.assertEqual(result.returncode, 0, result.stderr)
        (call,) = self.calls("apt-get")
        self.assertTrue(call.endswith(" ccache libwebp-dev"), call)

    def test_a_complete_machine_is_left_alone_and_nothing_is_said(self):
        self.fake_system("")
        self.fake("ccache")
        result = self.setup_script(as_nobody=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(self.calls("apt-get") + self.calls("sudo"), [])

    def test_a_program_on_the_path_does_instead_of_its_package(self):
        self.fake_system("cmake ninja-build git libwebp-dev ccache")
        result = self.setup_script(as_nobody=True)
        self.assertIn("will install with apt: ccache libwebp-dev\n", result.stdout)

    def test_checks_need_more_packages(self):
        self.fake_system("clang-tidy libwebp-dev ccache")
        result = self.setup_script("--checks", as_nobody=True)
        self.assertIn("ccache libwebp-dev clang-tidy\n", result.stdout)

    def test_a_cluster_is_installed_only_when_asked_for(self):
        self.fake_system("slurm-wlm munge libwebp-dev ccache")
        self.assertIn("apt: ccache libwebp-dev\n", self.setup_script("--checks", as_nobody=True).stdout)
        self.assertIn("apt: ccache libwebp-dev slurm-wlm munge\n", self.setup_script("--cluster", as_nobody=True).stdout)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_package_lists_are_fetched_when_a_package_is_unknown(self):
        self.fake("apt-cache", "printf 'N: Unable to locate package\\n'")
        result = self.setup_script()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call.split()[1] for call in self.calls("apt-get")], ["update", "install"])

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_an_install_from_old_lists_is_tried_again_with_new_ones(self):
        self.fake("apt-get", f'[[ $1 == update || $(grep -c "^apt-get install" "{self.log}") == 2 ]]')
        result = self.setup_script()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call.split()[1] for call in self.calls("apt-get")], ["install", "update", "install"])

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_when_apt_fails_it_prints_the_command_and_exits_2(self):
        self.fake("apt-get", "exit 100")
        result = self.setup_script()
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("    apt-get update && apt-get install -y --no-install-recommends ccache", result.stderr)

    def test_old_compilers_and_cmake_are_refused_with_what_helps(self):
        self.fake_system("")
        self.fake("ccache")
        self.fake("cmake", "echo cmake version 3.22.1")
        result = self.setup_script(as_nobody=True)
        self.assertEqual(result.returncode, 2)
        self.assertIn("cmake 3.22.1 is too old, 3.25 is the least", result.stderr)
        self.fake("cmake", "echo cmake version 4.1.0")
        self.fake("g++", "echo 11")
        result = self.setup_script(as_nobody=True)
        self.assertEqual(result.returncode, 2)
        self.assertIn("g++ 11 is too old, 12 is the least", result.stderr)
        self.fake("g++-12", "echo 12")
        self.assertEqual(self.setup_script(as_nobody=True, CXX="g++-12").returncode, 0)

    def test_elsewhere_than_on_debian_it_says_that_packages_are_not_checked(self):
        (self.bin / "dpkg-query").unlink()
        result = self.setup_script(as_nobody=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("packages are not checked", result.stderr)
        self.assertIn("libhdf5-dev", result.stderr)

    def test_unknown_options_are_refused(self):
        result = self.run_script("tools/setup", "--test", as_nobody=True)
        self.assertEqual(result.returncode, 2)
        self.assertIn("unknown option --test", result.stderr)


if __name__ == "__main__":
    unittest.main()
