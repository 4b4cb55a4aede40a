"""The Job of the overlay single-node runs from its YAML: its pod trains, saves when it is told to go, and what its
failure policy then does is right for what it left."""

import unittest

import pod
from exit_codes_test import action
from job_case import HAS_RUN, LONG, NO_RUN, JobCase
from manifests import only, overlay


@unittest.skipUnless(HAS_RUN, NO_RUN)
class SingleNode(JobCase):
    def setUp(self):
        super().setUp()
        self.items = overlay("single-node")
        self.job = only(self.items, "Job")
        self.trainer = self.job["spec"]["template"]["spec"]
        self.start_network(self.items, {})
        self.name = self.job["metadata"]["name"]
        self.cluster.names({self.name: self.name}, "none")

    def test_a_drained_pod_saves_and_the_next_one_goes_on_to_the_end(self):
        first = self.start_trainer(self.name, **{"train.epochs": 40})
        self.wait_for_step(first, 3)
        first.send()
        code = first.wait(60)
        self.assertEqual(code, 75, first.text())
        self.assertEqual(action(self.job, code), "Ignore")
        reached = pod.steps_of(self.run_folder())[-1]
        second = self.start_trainer(self.name, **{"train.epochs": 40, "train.max_steps": reached + 2})
        self.assertEqual(second.wait(LONG), 0, second.text())
        self.assertEqual(pod.steps_of(self.run_folder()), list(range(1, reached + 3)))

    def test_a_mistake_ends_the_job_at_once(self):
        running = self.start_trainer(self.name, **{"modle.name": "rcvit_s"})
        code = running.wait(60)
        self.assertEqual(code, 2, running.text())
        self.assertIn("modle.name", running.text())
        self.assertEqual(action(self.job, code), "FailJob")

    def test_missing_data_end_the_job_at_once(self):
        running = self.start_trainer(self.name, **{"data.train": "none.h5"})
        code = running.wait(60)
        self.assertEqual(code, 3, running.text())
        self.assertEqual(action(self.job, code), "FailJob")


if __name__ == "__main__":
    unittest.main()
