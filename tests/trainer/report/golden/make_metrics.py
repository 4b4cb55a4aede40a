#!/usr/bin/env python3
"""Writes metrics.json: answers of two made-up models, and what numpy, scipy and scikit-learn make of them.

    python make_metrics.py        (numpy, scipy and scikit-learn as README.md names them)
"""
import json
import pathlib

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import f1_score, log_loss, precision_recall_fscore_support, top_k_accuracy_score

RESAMPLES = 1000
SEED = 0
BINS = 15


def softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)


def expected_calibration_error(confidence, right):
    """Guo et al., 2017: bins (low, high]."""
    edges = np.arange(BINS + 1) / BINS
    place = np.clip(np.digitize(confidence, edges, right=True) - 1, 0, BINS - 1)
    gaps, bins = 0.0, []
    for b in range(BINS):
        mine = place == b
        count = int(mine.sum())
        mean = [float(confidence[mine].mean()), float(right[mine].mean())] if count else [0.0, 0.0]
        gaps += count / len(right) * abs(mean[0] - mean[1])
        bins.append([count, *mean])
    return gaps, bins


def judged(classes, y_true, logits, tied):
    labels = list(range(classes))
    probabilities = softmax(logits)
    top_k = min(5, classes)
    top = np.argsort(-logits, axis=1, kind="stable")[:, :top_k]  # ties: lower class first
    answer = top[:, 0]
    confidence = np.take_along_axis(probabilities, top, axis=1).astype(np.float32)
    acc1 = 100 * float(np.mean(answer == y_true))
    acc5 = 100 * float(np.mean((top == y_true[:, None]).any(axis=1)))
    if not tied:  # scikit-learn breaks ties the other way
        assert np.isclose(acc1, 100 * top_k_accuracy_score(y_true, probabilities, k=1, labels=labels))
        if classes > top_k:
            assert np.isclose(
                acc5, 100 * top_k_accuracy_score(y_true, probabilities, k=top_k, labels=labels))
    averages = {
        average: [float(v) for v in precision_recall_fscore_support(
            y_true, answer, labels=labels, average=average, zero_division=0)[:3]]
        for average in ("macro", "micro", "weighted")}
    ece, bins = expected_calibration_error(confidence[:, 0].astype(np.float64), answer == y_true)
    return {"top": top.ravel().tolist(), "probability": [float(str(v)) for v in confidence.ravel()],
            "loss": [round(float(v), 10) for v in -np.log(probabilities[np.arange(len(y_true)), y_true])],
            "acc1": acc1, "acc5": acc5, "log_loss": float(log_loss(y_true, probabilities, labels=labels)),
            "averages": averages, "ece": ece, "bins": bins}, answer, top


def macro_f1(classes, y_true, answer):
    """scikit-learn's over the classes that occur, in less time."""
    right = np.bincount(y_true[y_true == answer], minlength=classes)
    shown = np.bincount(y_true, minlength=classes) + np.bincount(answer, minlength=classes)
    return np.mean(2 * right[shown > 0] / shown[shown > 0])


def bootstrap(classes, y_true, answer, top):
    """The resamples that bootstrap.h describes, drawn by numpy's MT19937."""
    n = len(y_true)
    random = np.random.RandomState(SEED)
    numbers = random.randint(0, 2**32, size=(RESAMPLES, n), dtype=np.uint32).astype(np.uint64)
    occurring = len(np.union1d(y_true, answer)) / classes
    figures = {"acc1": [], "acc5": [], "macro_f1": []}
    for drawn in (numbers * np.uint64(n)) >> np.uint64(32):
        figures["acc1"].append(100 * np.mean(answer[drawn] == y_true[drawn]))
        figures["acc5"].append(100 * np.mean((top[drawn] == y_true[drawn][:, None]).any(axis=1)))
        f1 = macro_f1(classes, y_true[drawn], answer[drawn])
        if len(figures["macro_f1"]) < 5:
            assert np.isclose(f1, f1_score(y_true[drawn], answer[drawn], average="macro", zero_division=0))
        figures["macro_f1"].append(f1 * occurring)
    return {name: [float(v) for v in np.percentile(values, [2.5, 97.5])]
            for name, values in figures.items()}


def case(random, name, classes, samples, skill, tied=False, absent=()):
    y_true = random.integers(0, classes, samples)
    for one in absent:
        y_true[y_true == one] = (one + 1) % classes
    models = []
    answers = []
    for model in range(2):
        logits = random.normal(0, 1, (samples, classes))
        logits[np.arange(samples), y_true] += skill + 0.2 * model
        logits[:, list(absent)] -= 50
        if tied:
            logits = np.round(logits)
        one, answer, top = judged(classes, y_true, logits, tied)
        one["intervals"] = bootstrap(classes, y_true, answer, top)
        models.append(one)
        answers.append(answer == y_true)
    first, second = (int(np.sum(a & ~b)) for a, b in (answers, answers[::-1]))
    p_value = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    return {"name": name, "classes": classes, "label": y_true.tolist(), "models": models,
            "only_first": first, "only_second": second, "p_value": float(p_value)}


def main():
    random = np.random.default_rng(7)
    cases = [case(random, "three_classes", 3, 60, 1.0),
             case(random, "twelve_classes", 12, 300, 2.5),
             case(random, "ties", 12, 150, 2.0, tied=True),
             case(random, "absent_classes", 20, 200, 2.0, absent=(3, 19)),
             case(random, "all_right", 4, 40, 60.0),
             case(random, "many_classes", 300, 400, 3.5)]
    tests = {f"{a},{b}": float(binomtest(a, a + b, 0.5).pvalue)
             for a, b in ((1, 0), (0, 8), (5, 5), (3, 17), (100, 160), (2500, 2700), (12, 40000))}
    out = pathlib.Path(__file__).with_name("metrics.json")
    out.write_text(json.dumps({"cases": cases, "sign_tests": tests}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
