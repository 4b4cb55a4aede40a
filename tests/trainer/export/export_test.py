"""Exported models in the hands of others: onnxruntime computes our logits, Python's safetensors brings the
weights back bit for bit, and what goes wrong has its exit code."""

import json
import os
import subprocess
import tempfile
import unittest

import numpy
import onnxruntime
import safetensors
import safetensors.numpy

BIN = os.environ["CASVIT_BIN"]
GOLDEN = os.path.join("trainer", "model", "golden", "rcvit_xs_64px.json")
CLASSES = 12
# What plain weights do not say.
PREPROCESSING = {
    "model.image_size": "96",
    "augment.eval_crop_ratio": "0.875",
    "data.mean": "[0.45,0.46,0.47]",
    "data.std": "[0.25,0.26,0.27]",
}
TOLERANCE = 1e-4  # of the largest logit


def sets(keys=PREPROCESSING):
    return [word for key in keys for word in ("--set", f"{key}={PREPROCESSING[key]}")]


class ExportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_it(self, *command, code=0):
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def export(self, checkpoint, name, *options, code=0):
        suffix = name.rsplit(".", 1)[1]
        return self.run_it(
            f"{BIN}/casvit_dist", "export", "--checkpoint", checkpoint, "--format", suffix, "-o", self.path(name),
            *options, code=code,
        )  # fmt: skip

    def weights(self, architecture="rcvit_xs"):
        path = self.path(f"{architecture}.weights")
        self.run_it(f"{BIN}/casvit_filled_model", "weights", architecture, str(CLASSES), path)
        return path

    def logits_of(self, model, pictures):
        safetensors.numpy.save_file(pictures, self.path("pictures"))
        self.run_it(f"{BIN}/casvit_filled_model", "logits", model, self.path("pictures"), self.path("logits"))
        return safetensors.numpy.load_file(self.path("logits"))

    def test_onnxruntime_gives_our_logits_at_every_size(self):
        random = numpy.random.default_rng(3)
        for architecture, sizes in {"rcvit_xs": [(128, 128), (224, 160), (384, 384)], "rcvit_m": [(128, 128)]}.items():
            weights = self.weights(architecture)
            self.export(weights, "model.onnx", *sets())
            self.export(weights, "model.safetensors", *sets())
            pictures = {
                f"{height}x{width}": random.normal(size=(batch + 1, 3, height, width)).astype(numpy.float32)
                for batch, (height, width) in enumerate(sizes)
            }
            ours = self.logits_of(self.path("model.safetensors"), pictures)
            session = onnxruntime.InferenceSession(self.path("model.onnx"), providers=["CPUExecutionProvider"])
            for size, batch in pictures.items():
                (theirs,) = session.run(["logits"], {"input": batch})
                self.assertEqual(theirs.shape, (len(batch), CLASSES))
                difference = numpy.abs(theirs - ours[size]).max()
                self.assertLessEqual(difference, TOLERANCE * numpy.abs(ours[size]).max(), (architecture, size))
                numpy.testing.assert_array_equal(theirs.argmax(1), ours[size].argmax(1))

    def test_the_metadata_say_what_a_user_must_know(self):
        self.export(self.weights(), "model.onnx", *sets())
        session = onnxruntime.InferenceSession(self.path("model.onnx"), providers=["CPUExecutionProvider"])
        model = session.get_modelmeta()
        metadata = model.custom_metadata_map
        preprocessing = json.loads(metadata["preprocessing"])
        self.assertEqual(preprocessing["mean"], [0.45, 0.46, 0.47])
        self.assertEqual(preprocessing["std"], [0.25, 0.26, 0.27])
        self.assertEqual(preprocessing["image_size"], 96)
        self.assertEqual(preprocessing["eval_crop_ratio"], 0.875)
        self.assertEqual(preprocessing["interpolation"], "bicubic")
        self.assertEqual(preprocessing["channel_order"], "RGB")
        self.assertIn("short side to 109", preprocessing["resize"])
        self.assertEqual(metadata["architecture"], "rcvit_xs")
        self.assertEqual(metadata["weights"], "model")
        self.assertTrue(metadata["producer"].startswith("casvit "))
        self.assertNotIn("classes", metadata)  # unknown
        self.assertIn("rcvit_xs", model.description)
        self.assertEqual(model.producer_name, "casvit")

    def test_safetensors_come_back_from_python_bit_for_bit(self):
        weights = self.weights()
        self.export(weights, "first.safetensors", *sets())
        first = safetensors.numpy.load_file(self.path("first.safetensors"))
        with open(GOLDEN, encoding="utf-8") as file:
            self.assertEqual(set(first), set(json.load(file)["state_dict_keys"]))
        for name, tensor in first.items():
            self.assertEqual(tensor.dtype, numpy.int64 if name.endswith("num_batches_tracked") else numpy.float32)
        # With the words of the metadata, and with none.
        with safetensors.safe_open(self.path("first.safetensors"), framework="numpy") as file:
            words = {key: value for key, value in file.metadata().items() if not key.startswith("casvit_")}
        for metadata, options in ((words, []), (None, sets())):
            safetensors.numpy.save_file(first, self.path("python.safetensors"), metadata=metadata)
            self.export(self.path("python.safetensors"), "second.safetensors", *options)
            second = safetensors.numpy.load_file(self.path("second.safetensors"))
            self.assertEqual(first.keys(), second.keys())
            for name, tensor in first.items():
                self.assertEqual(tensor.tobytes(), second[name].tobytes(), name)
            with safetensors.safe_open(self.path("second.safetensors"), framework="numpy") as file:
                self.assertEqual(file.metadata()["preprocessing"], words["preprocessing"])

    def test_json_tells_how_far_the_written_model_is_from_ours(self):
        line = self.export(self.weights(), "model.onnx", *sets(), "--json")
        result = json.loads(line)
        self.assertEqual(result["architecture"], "rcvit_xs")
        self.assertEqual(result["classes"], CLASSES)
        self.assertEqual(result["bytes"], os.path.getsize(self.path("model.onnx")))
        self.assertLess(result["largest_difference"], TOLERANCE * result["largest_logit"])

    def test_mistakes_have_their_exit_codes_and_leave_no_file(self):
        weights = self.weights()
        output = self.export(weights, "model.onnx", *sets(["model.image_size", "data.std"]), code=2)
        self.assertIn("augment.eval_crop_ratio, data.mean is missing", output)
        self.assertIn("no EMA", self.export(weights, "model.onnx", *sets(), "--use", "ema", code=3))
        self.assertIn("absent", self.export(self.path("absent"), "model.onnx", code=3))
        with open(self.path("torn"), "wb") as torn, open(weights, "rb") as whole:
            torn.write(whole.read(100_000))
        self.export(self.path("torn"), "model.onnx", *sets(), code=3)
        self.assertIn("nowhere/model.onnx", self.export(weights, "nowhere/model.onnx", *sets(), code=6))
        itself = ["--format", "safetensors", "-o", weights]
        self.run_it(f"{BIN}/casvit_dist", "export", "--checkpoint", weights, *itself, *sets(), code=2)
        limited = ["bash", "-c", 'ulimit -f 1024; exec "$@"', "bash"]  # 1 MiB a file
        for name, suffix in (("model.onnx", "onnx"), ("model.safetensors", "safetensors")):
            self.run_it(
                *limited, f"{BIN}/casvit_dist", "export", "--checkpoint", weights, "--format", suffix,
                "-o", self.path(name), *sets(), code=6,
            )  # fmt: skip
        self.assertEqual(sorted(os.listdir(self.folder)), ["rcvit_xs.weights", "torn"])


if __name__ == "__main__":
    unittest.main()
