"""tools/quickstart does only what changed since its last call, and says how the run ended."""

import json
import sys
import unittest

from clone import CloneTestCase

REPORT = {
    "model": {"acc1": 50.0, "acc5": 91.7, "loss": 1.5},
    "ema": {"acc1": 58.333, "acc5": 95.0, "loss": 1.25},
    "classes": ["Charlock", "Maize"],
    "samples": 24,
}


class Quickstart(CloneTestCase):
    def setUp(self):
        super().setUp()
        self.fake("python3", f'exec "{sys.executable}" "$@"')
        self.photographs = self.clone / "tests/data/seedlings"
        for name in ("train/Maize/a.jpg", "train/Charlock/b.png", "val/Maize/c d.jpg"):
            path = self.photographs / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        (self.clone / "configs").mkdir()
        (self.clone / "configs/quickstart.yaml").write_text("model: {}\n")
        self.out = self.clone / "runs/quickstart"
        programs = self.clone / "build/release/bin"
        data = self.clone / "build/quickstart"
        self.fake("build", "", self.clone / "tools")
        self.fake(
            "casvit-pack",
            f'[[ $1 == verify ]] && exec cat "${{@:2}}" >/dev/null\necho x >"{data}/seedlings.train.h5"\n'
            f'echo x >"{data}/seedlings.val.h5"',
            programs,
        )
        self.training_ends_with(0)

    def training_ends_with(self, code: int) -> None:
        report = json.dumps(REPORT)
        self.fake(
            "mpirun",
            f'all=$*; out=${{all#*--out }}; out=${{out%% *}}; mkdir -p "$out/report"\n'
            f"(({code})) || echo '{report}' >\"$out/report/report.json\"\nexit {code}",
        )

    def quickstart(self, *options: str):
        self.log.write_text("")
        return self.run_script("tools/quickstart", *options)

    def test_it_builds_packs_trains_on_two_ranks_and_reports(self):
        result = self.quickstart()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout.startswith("casvit quickstart will\n"))
        self.assertEqual(self.calls("build"), ["build release casvit-pack casvit_dist"])
        self.assertEqual(
            self.calls("casvit-pack"),
            [f"casvit-pack pack {self.photographs} -o {self.clone}/build/quickstart/seedlings.h5"],
        )
        (call,) = self.calls("mpirun")
        self.assertIn(" -np 2 ", call)
        self.assertIn(" --bind-to none ", call)
        self.assertIn(f" --config {self.clone}/configs/quickstart.yaml ", call)
        self.assertIn(f" --set data.train={self.clone}/build/quickstart/seedlings.train.h5 ", call)
        self.assertIn(f" --set data.val={self.clone}/build/quickstart/seedlings.val.h5 ", call)
        self.assertTrue(call.endswith(f" --out {self.out} --resume auto"), call)
        self.assertEqual(
            result.stdout.splitlines()[-4:],
            [
                "validation photographs: 24 in 2 classes",
                "accuracy, averaged weights: 58.3% (top 5: 95.0%)",
                "accuracy, last weights: 50.0% (top 5: 91.7%)",
                f"report: {self.out}/report/index.html",
            ],
        )

    def test_a_second_call_neither_packs_nor_trains_and_reports_again(self):
        self.quickstart()
        result = self.quickstart()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call.split()[1] for call in self.calls("casvit-pack")], ["verify"])
        self.assertEqual(self.calls("mpirun"), [])
        self.assertIn("finished already", result.stdout)
        self.assertIn("accuracy, averaged weights: 58.3%", result.stdout)

    def test_changed_photographs_are_packed_again_and_the_earlier_run_is_kept(self):
        self.quickstart()
        (self.photographs / "train/Maize/a.jpg").write_text("another picture")
        result = self.quickstart()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([call.split()[1] for call in self.calls("casvit-pack")], ["pack"])
        self.assertEqual(len(self.calls("mpirun")), 1)
        earlier = list((self.clone / "runs").glob("quickstart-*"))
        self.assertEqual(len(earlier), 1)
        self.assertTrue((earlier[0] / "report/report.json").is_file())

    def test_another_setting_is_another_run(self):
        self.quickstart()
        result = self.quickstart("--set", "train.epochs=3")
        self.assertEqual(result.returncode, 0, result.stderr)
        (call,) = self.calls("mpirun")
        self.assertIn(" --set train.epochs=3 ", call)
        self.assertEqual([call.split()[1] for call in self.calls("casvit-pack")], ["verify"])

    def test_a_damaged_data_file_is_packed_again(self):
        self.quickstart()
        (self.clone / "build/quickstart/seedlings.val.h5").unlink()
        self.quickstart()
        self.assertEqual([call.split()[1] for call in self.calls("casvit-pack")], ["verify", "pack"])

    def test_a_failed_training_gives_its_exit_code_and_the_next_call_goes_on(self):
        self.training_ends_with(75)
        result = self.quickstart()
        self.assertEqual(result.returncode, 75)
        self.assertIn("exit code 75", result.stderr)
        self.assertNotIn("accuracy", result.stdout)
        self.training_ends_with(0)
        result = self.quickstart()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("going on with the run that was interrupted", result.stdout)
        self.assertTrue(self.calls("mpirun")[0].endswith("--resume auto"))
        self.assertEqual(list((self.clone / "runs").glob("quickstart-*")), [])

    def test_a_folder_with_something_else_in_it_is_left_alone(self):
        other = self.folder / "mine"
        other.mkdir()
        (other / "thesis.tex").write_text("")
        result = self.quickstart("--out", str(other))
        self.assertEqual(result.returncode, 2)
        self.assertIn("quickstart did not make", result.stderr)
        self.assertEqual(self.calls("mpirun"), [])

    def test_missing_photographs_are_an_input_error(self):
        (self.photographs / "val").rename(self.photographs / "elsewhere")
        self.assertEqual(self.quickstart().returncode, 3)


if __name__ == "__main__":
    unittest.main()
