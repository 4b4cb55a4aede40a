#!/usr/bin/env python3
"""Writes classification_reports.json: labels, predictions and what scikit-learn makes of them.

    python make_classification_reports.py        (numpy and scikit-learn as README.md names them)
"""
import json
import pathlib

import numpy as np
from sklearn.metrics import classification_report, precision_recall_fscore_support


def case(name, classes, y_true, y_pred):
    labels = list(range(len(classes)))
    averages = {}
    for average in ("macro", "weighted"):
        figures = precision_recall_fscore_support(
            y_true, y_pred, labels=labels, average=average, zero_division=0)[:3]
        averages[average] = [float(value).hex() for value in figures]
    report = classification_report(
        y_true, y_pred, labels=labels, target_names=classes, digits=4, zero_division=0)
    return {"name": name, "classes": classes, "y_true": [int(v) for v in y_true],
            "y_pred": [int(v) for v in y_pred], "report": report, **averages}


def mostly_right(random, classes, samples, right):
    y_true = random.integers(0, classes, samples)
    wrong = random.random(samples) > right
    return y_true, np.where(wrong, random.integers(0, classes, samples), y_true)


def main():
    random = np.random.default_rng(20240607)
    species = ["Black-grass", "Charlock", "Cleavers", "Common Chickweed", "Common wheat", "Fat Hen",
               "Loose Silky-bent", "Maize", "Scentless Mayweed", "Shepherds Purse",
               "Small-flowered Cranesbill", "Sugar beet"]
    cases = [case("twelve_classes", species, *mostly_right(random, 12, 708, 0.93))]
    cases.append(case("thousand_classes", [f"n{i:08d}" for i in range(1000)],
                      *mostly_right(random, 1000, 4000, 0.7)))
    # Class 3 is never true, 5 never predicted, 7 neither.
    y_true, y_pred = mostly_right(random, 9, 300, 0.5)
    y_true[y_true == 3] = 2
    y_pred[y_pred == 5] = 4
    y_true[y_true == 7] = 0
    y_pred[y_pred == 7] = 1
    cases.append(case("absent_classes", [f"class {i}" for i in range(9)], y_true, y_pred))
    cases.append(case("long_and_foreign_names",
                      ["a name that is far longer than any heading of the table",
                       "Gänseblümchen", "雛菊", "x"], *mostly_right(random, 4, 50, 0.8)))
    cases.append(case("short_names", ["a", "b"], *mostly_right(random, 2, 33, 0.6)))
    cases.append(case("all_right", ["a", "b", "c"], np.arange(30) % 3, np.arange(30) % 3))
    cases.append(case("all_wrong", ["a", "b", "c"], np.arange(30) % 3, (np.arange(30) + 1) % 3))
    cases.append(case("one_sample", ["a", "b"], np.array([1]), np.array([0])))
    cases.append(case("one_class", ["only"], np.zeros(5, int), np.zeros(5, int)))
    for classes in (7, 8, 9, 127, 129, 300):  # where numpy sums in another order
        cases.append(case(f"{classes}_classes", [str(i) for i in range(classes)],
                          *mostly_right(random, classes, 5 * classes, 0.8)))
    out = pathlib.Path(__file__).with_name("classification_reports.json")
    out.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
