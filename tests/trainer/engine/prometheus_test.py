"""/metrics of a run that trains, read by Prometheus' own client; clients that mean no good; a port that is
taken."""

import os
import socket
import time
import unittest
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families
from training_case import TIMEOUT, TrainingCase, lines_of

GAUGES = {
    "casvit_run_info", "casvit_start_time_seconds", "casvit_ranks", "casvit_step", "casvit_last_step",
    "casvit_epoch", "casvit_epochs_done", "casvit_epochs", "casvit_train_loss", "casvit_learning_rate",
    "casvit_gradient_norm", "casvit_images_per_second", "casvit_last_step_timestamp_seconds",
    "casvit_resident_memory_bytes",
}
COUNTERS = {  # the parser leaves _total to the samples
    "casvit_images", "casvit_steps", "casvit_skipped_steps", "casvit_replaced_images", "casvit_data_wait_seconds",
    "casvit_compute_seconds", "casvit_communication_wait_seconds", "casvit_optimizer_seconds",
    "casvit_pause_seconds",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def families_of(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(families, family, **labels):
    (found,) = [sample.value for sample in families[family].samples if sample.labels == labels]
    return found


class PrometheusTest(TrainingCase):
    def start(self, run, port, ranks, *settings):
        command = self.train_command(
            ranks, run, f"report.prometheus_port={port}", "report.tensorboard=false", *settings
        )
        return self.start_and_wait_for_step(command, run, 2)

    def end(self, process, code=0):
        output = process.communicate(timeout=TIMEOUT)[0]
        self.assertEqual(process.returncode, code, output)
        return output

    def test_the_page_parses_and_agrees_with_the_run(self):
        run = self.run_folder('"quoted" \\ run')
        port = free_port()
        process = self.start(run, port, 2)
        kind, text = ask(port)
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        families = families_of(text)
        self.assertLessEqual(GAUGES | COUNTERS | {"casvit_step_seconds"}, set(families))
        for name, family in families.items():
            expected = "counter" if name in COUNTERS else "histogram" if name == "casvit_step_seconds" else "gauge"
            self.assertEqual(family.type, expected, name)
            self.assertRegex(family.documentation, r"\.$")
        (info,) = families["casvit_run_info"].samples
        self.assertEqual(info.labels["run_folder"], run)
        self.assertEqual(value(families, "casvit_ranks"), 2)
        self.assertEqual(value(families, "casvit_epochs"), 2)
        self.assertLess(abs(value(families, "casvit_last_step_timestamp_seconds") - time.time()), 60)
        buckets = [sample for sample in families["casvit_step_seconds"].samples if sample.name.endswith("_bucket")]
        self.assertEqual(buckets[-1].labels["le"], "+Inf")
        counts = [sample.value for sample in buckets]
        self.assertEqual(counts, sorted(counts))

        # Figures of some moment in the middle are those of some step.
        deadline = time.monotonic() + TIMEOUT
        while "casvit_validation_accuracy_ratio" not in families:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
            last, families = families, families_of(ask(port)[1])
            for name in COUNTERS - {"casvit_pause_seconds"}:
                self.assertGreaterEqual(value(families, name), value(last, name), name)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            ask(port, "/")
        self.assertEqual(refused.exception.code, 404)
        output = self.end(process)
        self.assertIn(f"figures for Prometheus: http://127.0.0.1:{port}/metrics", output)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()

        steps = {row["step"]: row for row in lines_of(run, "step")}
        epochs = lines_of(run, "epoch")
        step = int(value(families, "casvit_step"))
        self.assertEqual(value(families, "casvit_last_step"), max(steps))
        self.assertEqual(value(families, "casvit_images"), 16 * value(families, "casvit_steps"))
        # Each figure is stored by itself: loss and step may be a step apart.
        losses = [steps[number]["loss"] for number in (step - 1, step, step + 1) if number in steps]
        self.assertTrue(any(abs(value(families, "casvit_train_loss") - loss) < 1e-6 for loss in losses))
        first = epochs[int(value(families, "casvit_epochs_done")) - 1]
        for weights in ("model", "ema"):
            for top in ("1", "5"):
                self.assertAlmostEqual(
                    100 * value(families, "casvit_validation_accuracy_ratio", weights=weights, top=top),
                    first[f"{weights}_acc{top}"],
                    places=9,
                )
            self.assertEqual(value(families, "casvit_validation_loss", weights=weights), first[f"{weights}_loss"])
        self.assertGreater(value(families, "casvit_pause_seconds", on="evaluation"), 0)

    def test_clients_that_hang_or_send_too_much_do_not_hold_a_run_up(self):
        run = self.run_folder("hung")
        port = free_port()
        process = self.start(run, port, 0, "train.epochs=1")
        clients = []
        for number in range(100):
            client = socket.create_connection(("127.0.0.1", port), timeout=30)
            clients.append(client)
            # Some say nothing, some a half, some ask and never read.
            client.sendall((b"", b"GET /met", b"GET /metrics HTTP/1.1\r\n\r\n")[number % 3])
        self.assertIn("casvit_step ", ask(port)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=30) as greedy:
            greedy.sendall(b"GET /metrics HTTP/1.1\r\nCookie: " + b"x" * 5000 + b"\r\n\r\n")
            self.assertRegex(greedy.recv(1000), rb"^HTTP/1\.1 431 ")
        self.assertIsNone(process.poll(), "the run was over before anybody could hang")
        self.end(process)
        self.assertEqual(len(lines_of(run, "epoch")), 1)
        for client in clients:
            client.close()

    def test_a_port_that_is_taken_ends_with_2_and_leaves_the_folder_free(self):
        run = self.run_folder("taken")
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            command = self.train_command(2, run, f"report.prometheus_port={port}", "train.max_steps=1")
            output = self.run_it(command, code=2)
        self.assertIn(f"report.prometheus_port: cannot listen at 127.0.0.1:{port}: Address already in use", output)
        self.assertFalse(os.path.exists(os.path.join(run, "config.yaml")))
        # Off unless it is asked for.
        output = self.run_it(self.train_command(0, run, "train.max_steps=1"))
        self.assertNotIn("Prometheus", output)

    def test_an_address_is_a_number(self):
        run = self.run_folder("named")
        output = self.run_it(self.train_command(0, run, "report.prometheus_address=localhost"), code=2)
        self.assertIn("report.prometheus_address", output)
        self.assertIn("127.0.0.1", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
