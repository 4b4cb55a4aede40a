"""What a run writes for TensorBoard, read back by TensorBoard's own reader: every figure of metrics.jsonl,
histograms that count every parameter, pictures, hyperparameters, and each step once after a restart."""

import collections
import glob
import io
import os
import signal
import unittest

import numpy
from PIL import Image
from safetensors.numpy import load_file
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util import tensor_util
from training_case import LAST, TrainingCase, lines_of

STEP_TAGS = {
    "train/loss": "loss",
    "train/learning_rate": "lr",
    "train/grad_norm": "grad_norm",
    "throughput/images_per_second": "images_per_second",
    "time/data_seconds": "data_seconds",
    "time/comm_exposed_seconds": "comm_exposed_seconds",
    "time/compute_seconds": "compute_seconds",
    "time/optimizer_seconds": "optimizer_seconds",
    "time/step_seconds": "seconds",
}
EPOCH_TAGS = {
    "train/epoch_loss": "train_loss",
    "time/epoch_seconds": "seconds",
    "throughput/epoch_images_per_second": "images_per_second",
    "val/model_acc1": "model_acc1",
    "val/model_acc5": "model_acc5",
    "val/model_loss": "model_loss",
    "val/ema_acc1": "ema_acc1",
    "val/ema_acc5": "ema_acc5",
    "val/ema_loss": "ema_loss",
}
GROUPS = ["head", "network.0", "network.1", "network.2", "network.3", "network.4", "network.5", "network.6",
          "norm", "patch_embed"]


class Events:
    """A run's event files as TensorBoard takes them in."""

    def __init__(self, run):
        self.files = sorted(glob.glob(os.path.join(run, "tensorboard", "*")))
        self.reader = plugin_event_accumulator.EventAccumulator(
            os.path.join(run, "tensorboard"), size_guidance={plugin_event_accumulator.TENSORS: 0}  # 0: all
        )
        self.reader.Reload()

    def tags(self, plugin):
        return sorted(self.reader.PluginTagToContent(plugin)) if plugin in self.reader.ActivePlugins() else []

    def values(self, tag):
        """(step, value) in the order of the file."""
        return [(event.step, tensor_util.make_ndarray(event.tensor_proto)) for event in self.reader.Tensors(tag)]

    def hparams(self, tag):
        return self.reader.PluginTagToContent("hparams")[tag]


def group_of(name):
    words = name.split(".")
    return ".".join(words[:2]) if words[0] == "network" else words[0]


def parameters(run):
    """Group -> values of the newest checkpoint's model."""
    groups = collections.defaultdict(list)
    for name, tensor in load_file(os.path.join(run, LAST)).items():
        if name.startswith("model.") and not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            groups[group_of(name[len("model."):])].append(tensor.astype(numpy.float64).ravel())
    return {group: numpy.concatenate(tensors) for group, tensors in groups.items()}


def colours(picture):
    """How many a picture has."""
    return len(numpy.unique(numpy.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0))


class TensorBoardTest(TrainingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = os.path.join(cls.folder, "run")
        case = cls("test_scalars_are_those_of_metrics_jsonl")
        case.run_it(case.train_command(2, cls.whole, "clip.norm=0", "parallel.bucket_mb=1"))
        cls.events = Events(cls.whole)

    def assert_scalars(self, run, events):
        for kind, tags in (("step", STEP_TAGS), ("epoch", EPOCH_TAGS)):
            rows = lines_of(run, kind)
            self.assertGreater(len(rows), 1)
            for tag, member in tags.items():
                found = [(step, float(value)) for step, value in events.values(tag)]
                # TensorBoard's scalars are float32.
                self.assertEqual(found, [(row["step"], float(numpy.float32(row[member]))) for row in rows], tag)

    def test_scalars_are_those_of_metrics_jsonl(self):
        self.assertEqual(len(self.events.files), 1)
        self.assertRegex(os.path.basename(self.events.files[0]), r"^events\.out\.tfevents\.\d{10}\.\S+\.\d+$")
        norms = [f"{what}_norm/{group}" for what in ("gradient", "weight") for group in GROUPS]
        self.assertEqual(self.events.tags("scalars"), sorted([*STEP_TAGS, *EPOCH_TAGS, *norms]))
        self.assert_scalars(self.whole, self.events)

    def test_histograms_count_every_parameter(self):
        expected = parameters(self.whole)
        self.assertEqual(sorted(expected), GROUPS)
        tags = [f"{what}/{group}" for what in ("gradients", "weights") for group in GROUPS]
        self.assertEqual(self.events.tags("histograms"), sorted(tags))
        epochs = lines_of(self.whole, "epoch")
        for tag in tags:
            found = self.events.values(tag)
            self.assertEqual([step for step, _ in found], [row["step"] for row in epochs])
            for _, bins in found:
                self.assertEqual(bins.shape, (30, 3))
                self.assertEqual(bins[:, 2].sum(), len(expected[tag.split("/")[1]]), tag)
                self.assertTrue((bins[:, 0] <= bins[:, 1]).all())
                self.assertTrue((bins[1:, 0] == bins[:-1, 1]).all())

        # After the last step weights are those of the checkpoint: in numpy's bins, too.
        for group, values in expected.items():
            step, bins = self.events.values(f"weights/{group}")[-1]
            counts, edges = numpy.histogram(values, bins=30)
            self.assertEqual(step, epochs[-1]["step"])
            numpy.testing.assert_allclose(bins[:, 0], edges[:-1], rtol=1e-6, atol=1e-9)
            # One that lies on a border may be rounded to either side of it.
            self.assertLessEqual(numpy.abs(bins[:, 2] - counts).sum(), 4, group)
            _, norm = self.events.values(f"weight_norm/{group}")[-1]
            self.assertAlmostEqual(float(norm), numpy.linalg.norm(values), delta=1e-5 * float(norm))

        # The gradients are those of the epoch's last step, all of them.
        steps = {row["step"]: row["grad_norm"] for row in lines_of(self.whole, "step")}
        for place, row in enumerate(epochs):
            norms = [float(self.events.values(f"gradient_norm/{group}")[place][1]) for group in GROUPS]
            self.assertAlmostEqual(numpy.linalg.norm(norms), steps[row["step"]], delta=1e-4 * steps[row["step"]])

    def test_pictures_decode_to_the_size_that_is_said(self):
        self.assertEqual(self.events.tags("images"), ["val/confusion_matrix", "val/mistakes"])
        steps = [row["step"] for row in lines_of(self.whole, "epoch")]
        for tag in self.events.tags("images"):
            found = self.events.values(tag)
            self.assertEqual([step for step, _ in found], steps)
            for _, (width, height, encoded) in found:
                picture = Image.open(io.BytesIO(encoded))
                picture.load()
                self.assertEqual(picture.size, (int(width), int(height)))
                self.assertGreater(colours(picture), 20)
        # Photographs have more colours than drawings of letters and boxes.
        _, (_, _, sheet) = self.events.values("val/mistakes")[0]
        self.assertGreater(colours(Image.open(io.BytesIO(sheet))), 5000)

    def test_hyperparameters_are_the_configuration(self):
        experiment = metadata.parse_experiment_plugin_data(self.events.hparams(metadata.EXPERIMENT_TAG))
        start = metadata.parse_session_start_info_plugin_data(self.events.hparams(metadata.SESSION_START_INFO_TAG))
        end = metadata.parse_session_end_info_plugin_data(self.events.hparams(metadata.SESSION_END_INFO_TAG))
        self.assertEqual(end.status, api_pb2.STATUS_SUCCESS)
        self.assertLess(start.start_time_secs, end.end_time_secs)

        types = {info.name: info.type for info in experiment.hparam_infos}
        self.assertEqual(set(types), set(start.hparams))
        self.assertEqual(start.hparams["optimizer.learning_rate"].number_value, 1e-3)
        self.assertEqual(types["optimizer.learning_rate"], api_pb2.DATA_TYPE_FLOAT64)
        self.assertEqual(start.hparams["model.name"].string_value, "rcvit_xs")
        self.assertEqual(types["model.name"], api_pb2.DATA_TYPE_STRING)
        self.assertIs(start.hparams["ema.warmup"].bool_value, True)
        self.assertEqual(types["ema.warmup"], api_pb2.DATA_TYPE_BOOL)
        self.assertNotIn("data.mean", types)  # null
        kinds = {api_pb2.DATA_TYPE_FLOAT64: "number_value", api_pb2.DATA_TYPE_BOOL: "bool_value",
                 api_pb2.DATA_TYPE_STRING: "string_value"}
        for name, value in start.hparams.items():
            self.assertEqual(value.WhichOneof("kind"), kinds[types[name]], name)
        # What somebody set comes first.
        differs = [info.differs for info in experiment.hparam_infos]
        self.assertEqual(differs, sorted(differs, reverse=True))
        self.assertIn("train.seed", [info.name for info in experiment.hparam_infos if info.differs])
        tags = [info.name.tag for info in experiment.metric_infos]
        self.assertIn("val/ema_acc1", tags)
        self.assertLessEqual(set(tags), set(self.events.tags("scalars")))

        ((step, (text,)),) = self.events.values("config")
        self.assertEqual(step, 1)
        self.assertRegex(text.decode(), r"(?s)^```yaml\n.*\n  learning_rate: 0\.001\n.*```\n$")

    def test_a_run_that_was_killed_and_goes_on_shows_each_step_once(self):
        run = self.run_folder("killed")
        command = self.train_command(0, run, "checkpoint.every_steps=5")
        process = self.start_and_wait_for_step(command, run, 18)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        (first,) = glob.glob(os.path.join(run, "tensorboard", "*"))
        with open(first, "ab") as file:  # a record that the kill tore
            file.write(bytes((200, 0, 0, 0, 0, 0, 0, 0, 1, 2)))
        self.run_it(self.train_command(0, run, "checkpoint.every_steps=5", resume="auto"))
        events = Events(run)
        self.assertEqual(len(events.files), 2)
        self.assertEqual(events.files[0], first)
        self.assert_scalars(run, events)
        for tag in ("weights/head", "val/confusion_matrix"):
            self.assertEqual([step for step, _ in events.values(tag)], [row["step"] for row in lines_of(run, "epoch")])

        # Continued once more, it is said from which step on the configuration is another.
        self.run_it(self.train_command(0, run, "train.epochs=3", "report.tensorboard=true", resume="auto"))
        events = Events(run)
        self.assertEqual(len(events.files), 3)
        self.assert_scalars(run, events)
        last = lines_of(run, "epoch")[1]["step"]
        self.assertEqual([step for step, _ in events.values("config")][-1], last + 1)

    def test_a_run_that_diverges_has_failed(self):
        run = self.run_folder("diverged")
        self.run_it(self.train_command(0, run, "optimizer.learning_rate=1e20", "clip.norm=0"), code=4)
        events = Events(run)
        end = metadata.parse_session_end_info_plugin_data(events.hparams(metadata.SESSION_END_INFO_TAG))
        self.assertEqual(end.status, api_pb2.STATUS_FAILURE)
        steps = [row["step"] for row in lines_of(run, "step")]
        self.assertEqual([step for step, _ in events.values("train/loss")], steps)

    def test_shards_of_the_optimizer_leave_gradients_out_and_a_switch_everything(self):
        run = self.run_folder("zero")
        self.run_it(self.train_command(2, run, "parallel.zero=true", "train.epochs=1"))
        self.assertEqual(Events(run).tags("histograms"), [f"weights/{group}" for group in GROUPS])
        run = self.run_folder("none")
        self.run_it(self.train_command(0, run, "report.tensorboard=false", "train.max_steps=1"))
        self.assertFalse(os.path.exists(os.path.join(run, "tensorboard")))

    def test_what_cannot_be_written_ends_with_6(self):
        run = self.run_folder("unwritable")
        os.makedirs(run)
        with open(os.path.join(run, "tensorboard"), "w", encoding="utf-8"):
            pass
        output = self.run_it(self.train_command(0, run, "train.max_steps=1"), code=6)
        self.assertIn(f"cannot write {run}/tensorboard", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
