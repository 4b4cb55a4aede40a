"""casvit_dist import on files of torch.save that Python's pickle wrote (torch_save.py): every protocol, both
forms, the published trainer's dictionary; and on files that want to do harm."""

import argparse
import collections
import json
import os
import pathlib
import pickle
import subprocess
import tempfile
import unittest

import numpy
import safetensors
import safetensors.numpy

import torch_save

BIN = os.environ["CASVIT_BIN"]
GOLDEN = "trainer/model/golden/rcvit_xs_64px.json"


def shapes():
    """Names and shapes of rcvit_xs, of the golden file's classes."""
    with open(GOLDEN, encoding="utf-8") as file:
        golden = json.load(file)
    result = {}
    for name in golden["state_dict_keys"]:
        stem, last = name.rsplit(".", 1)
        if last == "num_batches_tracked":
            result[name] = ()
        else:
            key = name if last in ("weight", "bias") else stem + ".weight"
            result[name] = tuple(golden["parameters"][key]["shape"])
    return result


def weights(seed):
    """name -> array, each of random values"""
    source = numpy.random.default_rng(seed)
    return {name: source.standard_normal(shape).astype(numpy.float32) if shape else numpy.array(seed)
            for name, shape in shapes().items()}


def state_dict(arrays, prefix=""):
    return collections.OrderedDict((prefix + name, torch_save.Tensor(array))
                                   for name, array in arrays.items())


def trainer_dictionary(model, ema):
    """As classification/utils.py of the published trainer saves it."""
    return {
        "model": state_dict(model),
        "optimizer": {"state": {0: {"step": 7, "exp_avg": torch_save.Tensor(model["head.bias"])}},
                      "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0]}]},
        "epoch": 299,
        "scaler": {"scale": 65536.0, "_growth_tracker": 17},
        "args": argparse.Namespace(model="rcvit_xs", input_size=224, output_dir=pathlib.PurePosixPath("/x/y"),
                                   cutmix_minmax=None, distributed=True),
        "model_ema": state_dict(ema, "module."),
        "max_accuracy": numpy.float64(78.5),
    }


class Harm:
    """What a pickle of it does where pickles are executed."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


class ImportCommand(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="casvit-import-")
        self.addCleanup(self.folder.cleanup)
        self.source, self.output = self.path("official.pth"), self.path("imported.safetensors")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_import(self, *arguments, code=0, source=None):
        done = subprocess.run([f"{BIN}/casvit_dist", "import", source or self.source, "-o", self.output,
                               *arguments], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def assert_imported(self, expected):
        arrays = safetensors.numpy.load_file(self.output)
        self.assertEqual(arrays.keys(), expected.keys())
        for name, array in expected.items():
            self.assertEqual(arrays[name].dtype, array.dtype, name)
            self.assertTrue(numpy.array_equal(arrays[name], array), name)

    def test_every_protocol_in_both_forms(self):
        model, ema = weights(1), weights(2)
        for save, form, protocols in ((torch_save.save_zip, "zip", range(6)),
                                      (torch_save.save_legacy, "legacy", (0, 2, 4))):
            for protocol in protocols:
                with self.subTest(form=form, protocol=protocol):
                    save(self.source, trainer_dictionary(model, ema), protocol)
                    report = json.loads(self.run_import("--json").stdout)
                    self.assert_imported(ema)
                    self.assertEqual(report["form"], form)
                    self.assertEqual(report["architecture"], "rcvit_xs")
                    self.assertEqual(report["weights"], "ema")
                    self.assertEqual(report["epoch"], "299")
                    self.assertEqual(report["accuracies"], {"max_accuracy": 78.5})
                    self.assertEqual(report["input_size"], 224)
                    self.assertEqual(report["left_out"], ["optimizer", "scaler", "args"])
                    largest = max(numpy.abs(model[name] - ema[name]).max() for name in model
                                  if model[name].dtype == numpy.float32)
                    self.assertAlmostEqual(report["ema_difference"]["largest"], largest, places=5)
                    if protocol == 2:  # torch.save's own
                        self.run_import("--use", "model")
                        self.assert_imported(model)

    def test_views_of_one_storage(self):
        """All float tensors in one storage, the convolutions channels-last."""
        arrays = weights(3)
        floats = {name: array for name, array in arrays.items() if array.dtype == numpy.float32}
        stored = {name: array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
                  for name, array in floats.items()}
        storage = torch_save.Storage(numpy.concatenate([array.ravel() for array in stored.values()]))
        tensors, offset = state_dict(arrays), 0
        for name, array in floats.items():
            _, channels, _, width = array.shape if array.ndim == 4 else (0, 0, 0, 0)
            strides = None
            if array.ndim == 4:
                strides = (array[0].size, 1, channels * width, channels)
            tensors[name] = torch_save.Tensor(array, storage, offset, strides)
            offset += array.size
        torch_save.save_zip(self.source, tensors)
        self.run_import()
        self.assert_imported(arrays)

    def test_page_says_what_was_found(self):
        torch_save.save_zip(self.source, trainer_dictionary(weights(1), weights(2)))
        done = self.run_import()
        for text in ("rcvit_xs", "one head", "EMA (model_ema)", "epoch 299", "max_accuracy 78.5",
                     "optimizer, scaler, args", "module.",
                     f"--set model.init={self.output} --set model.name=rcvit_xs"):
            self.assertIn(text, done.stdout)
        self.assertIn("warning: the file has model and EMA weights, and they differ", done.stderr)
        with safetensors.safe_open(self.output, framework="numpy") as file:
            metadata = file.metadata()
        self.assertEqual(metadata["source"], "official.pth")
        self.assertEqual(metadata["weights"], "ema")

    def test_files_beyond_4_gib(self):
        """An optimizer's storage that nobody reads, a hole in the file, before the weights."""
        arrays = weights(4)
        hole = torch_save.Storage(numpy.zeros(0, numpy.float32), hole=(1 << 32) + 4096)
        torch_save.save_zip(self.source, {
            "optimizer": torch_save.Tensor(numpy.zeros(3, numpy.float32), hole), "model": state_dict(arrays)})
        self.assertGreater(os.path.getsize(self.source), 1 << 32)
        self.run_import()
        self.assert_imported(arrays)

    def test_harm_is_refused_by_name_and_not_done(self):
        touched = self.path("touched")
        # By the names of Python 3 and, up to protocol 2, those of Python 2.
        harms = {
            ("posix.system", "posix.system"): Harm(os.system, f"touch {touched}"),
            ("builtins.eval", "__builtin__.eval"): Harm(eval, f"open({touched!r}, 'w')"),
            ("builtins.exec", "__builtin__.exec"): Harm(exec, f"open({touched!r}, 'w')"),
            ("builtins.getattr", "__builtin__.getattr"): Harm(getattr, "", "upper"),
            ("subprocess.Popen", "commands.Popen"): Harm(subprocess.Popen, ["touch", touched]),
            ("io.open", "io.open"): Harm(open, touched, "w"),
        }
        for (name, old_name), harm in harms.items():
            for save, protocol in ((torch_save.save_zip, 0), (torch_save.save_zip, 4),
                                   (torch_save.save_legacy, 2)):
                with self.subTest(name=name, save=save.__name__, protocol=protocol):
                    save(self.source, {"model": {"w": torch_save.Tensor(numpy.ones(3))}, "args": harm},
                         protocol)
                    error = self.run_import(code=3).stderr
                    self.assertIn(f'"{old_name if protocol < 3 else name}"', error)
                    self.assertIn("nothing was executed", error)
                    self.assertIn(self.source, error)
                    self.assertFalse(os.path.exists(touched))
                    self.assertFalse(os.path.exists(self.output))

    def test_a_whole_model_object_is_refused(self):
        torch_save.stand_in("rcvit", "RCViT", type("RCViT", (), {}))
        torch_save.save_zip(self.source, __import__("rcvit").RCViT())
        self.assertIn('"rcvit.RCViT"', self.run_import(code=3).stderr)

    def test_exit_codes(self):
        torch_save.save_zip(self.source, state_dict(weights(1)))
        self.run_import("--use", "best", code=2)
        self.run_import(source=self.path("none.pth"), code=3)
        self.run_import("--use", "model_ema", code=3)
        self.output = self.path("no/folder.safetensors")
        self.run_import(code=6)
        self.output = self.source
        self.run_import(code=2)
        with open(self.source, "ab") as file:
            file.write(b"x")
        self.output = self.path("imported.safetensors")
        self.assertIn(self.source, self.run_import(code=3).stderr)
        with open(self.source, "wb") as file:
            pickle.dump({"model": 1}, file)
        self.run_import(code=3)


if __name__ == "__main__":
    unittest.main()
