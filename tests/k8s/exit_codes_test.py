"""What docs/exit-codes.md says a scheduler should do is what the Jobs' pod failure policies do."""

import re
import unittest

from manifests import REPOSITORY, only, overlay

TABLE = dict(
    re.findall(r"^\| (\d+) \| [^|]* \| ([^|]*) \|$", (REPOSITORY / "docs/exit-codes.md").read_text(), re.MULTILINE)
)


def action(job, code, disrupted=False):
    """The job controller's decision on a failed pod: the first rule that fits, else Count."""
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        if "onExitCodes" in rule:
            on = rule["onExitCodes"]
            if (code in on["values"]) == (on["operator"] == "In"):
                return rule["action"]
        elif disrupted and any(
            condition["type"] == "DisruptionTarget" and condition["status"] == "True"
            for condition in rule["onPodConditions"]
        ):
            return rule["action"]
    return "Count"


class ExitCodes(unittest.TestCase):
    def setUp(self):
        self.single = only(overlay("single-node"), "Job")
        self.pack = only(overlay("pack"), "Job")

    def test_the_table_is_read(self):
        self.assertEqual(set(TABLE), {"0", "2", "3", "4", "5", "6", "70", "75"})

    def test_single_node_does_what_the_table_says(self):
        wanted = {
            "not retry": "FailJob", "report": "FailJob", "retry": "Count", "retry elsewhere": "Count",
            "requeue": "Ignore",
        }  # fmt: skip
        for code, what in TABLE.items():
            if what != "finish":
                self.assertEqual(action(self.single, int(code)), wanted[what], f"exit code {code}: {what}")

    def test_a_killed_rank_is_tried_again_and_a_disruption_costs_nothing(self):
        for code in (1, 129, 137, 143, 159):
            self.assertEqual(action(self.single, code), "Count")
            self.assertEqual(action(self.single, code, disrupted=True), "Ignore")
        for code in (5, 6, 75):
            self.assertEqual(action(self.single, code, disrupted=True), "Ignore")
        for code in (2, 3, 4, 70):
            self.assertEqual(action(self.single, code, disrupted=True), "FailJob")

    def test_a_part_that_cannot_be_packed_does_not_stop_the_others(self):
        for code in (2, 3, 70):
            self.assertEqual(action(self.pack, code), "FailIndex")
        for code in (5, 6, 75, 137, 143):
            self.assertEqual(action(self.pack, code), "Count")

    def test_the_table_of_the_documentation_is_right(self):
        text = (REPOSITORY / "docs/kubernetes.md").read_text()
        rows = re.findall(r"^\| (\d+) \| [^|]* \| `(\w+)`[^|]* \| `(\w+)`[^|]* \| [^|]* \|$", text, re.MULTILINE)
        self.assertEqual({code for code, _, _ in rows}, set(TABLE) - {"0"})
        for code, single, pack in rows:
            self.assertEqual((action(self.single, int(code)), action(self.pack, int(code))), (single, pack), code)
        self.assertIn(f"`Count`: again, {self.single['spec']['backoffLimit']} times at most", text)
        self.assertIn(f"`Count`, {self.pack['spec']['backoffLimitPerIndex']} times a part", text)

    def test_every_code_has_a_rule_of_its_own(self):
        for job in (self.single, self.pack):
            named = [
                code
                for rule in job["spec"]["podFailurePolicy"]["rules"]
                for code in rule.get("onExitCodes", {}).get("values", [])
            ]
            self.assertEqual(sorted(named), sorted(int(code) for code in TABLE if code != "0"))

    def test_the_api_server_takes_the_policies(self):
        # Rules of its validation that no schema has.
        for job in (self.single, self.pack):
            spec = job["spec"]
            pod = spec["template"]["spec"]
            self.assertEqual(pod["restartPolicy"], "Never")
            self.assertEqual(spec["podReplacementPolicy"], "Failed")
            containers = {container["name"] for container in pod["containers"]}
            for rule in spec["podFailurePolicy"]["rules"]:
                self.assertEqual(len({"onExitCodes", "onPodConditions"} & set(rule)), 1)
                if rule["action"] == "FailIndex":
                    self.assertIn("backoffLimitPerIndex", spec)
                if "onExitCodes" in rule:
                    values = rule["onExitCodes"]["values"]
                    self.assertEqual(values, sorted(set(values)))
                    self.assertNotIn(0, values)
                    self.assertIn(rule["onExitCodes"]["containerName"], containers)

    def test_packing_knows_how_many_parts_there_are(self):
        spec = self.pack["spec"]
        self.assertEqual(spec["completionMode"], "Indexed")
        self.assertLessEqual(spec["parallelism"], spec["completions"])
        environment = {entry["name"]: entry for entry in spec["template"]["spec"]["containers"][0]["env"]}
        self.assertEqual(environment["CASVIT_PARTS"]["value"], str(spec["completions"]))
        self.assertIn("job-completion-index", environment["CASVIT_PART"]["valueFrom"]["fieldRef"]["fieldPath"])


if __name__ == "__main__":
    unittest.main()
