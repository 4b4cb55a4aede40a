"""Makes mixup.json: timm's Mixup with its draws written down. See README.md."""

import json
import pathlib
import sys

import numpy as np
import timm
import torch
import xxhash
from timm.data import mixup as tm

SAMPLES, SIZE, CLASSES = 6, 9, 5
LABELS = [0, 3, 3, 1, 4, 0]


def images():
    n, y, x, c = np.meshgrid(*map(np.arange, (SAMPLES, SIZE, SIZE, 3)), indexing="ij")
    return (((n * 7919 + y * 131 + x * 17 + c * 3) % 257).astype(np.float32) / np.float32(257)) - np.float32(0.5)


class Recorder:
    """Keeps lambdas before correction, kinds, boxes and their centres while timm runs."""

    def __init__(self, mixup):
        self.mixup, self.log, self.randint, self.centres = mixup, [], np.random.randint, []

    def __enter__(self):
        np.random.randint = self.draw
        self.box_and_lam = tm.cutmix_bbox_and_lam
        tm.cutmix_bbox_and_lam = self.box
        for name in ("_params_per_elem", "_params_per_batch"):
            setattr(self.mixup, name, self.params(getattr(self.mixup, name)))
        return self

    def __exit__(self, *_):
        np.random.randint, tm.cutmix_bbox_and_lam = self.randint, self.box_and_lam

    def draw(self, *args, **kwargs):
        value = self.randint(*args, **kwargs)
        self.centres.append(int(value))
        return value

    def params(self, original):
        def call(*args):
            lam, cut = original(*args)
            for one, is_cut in zip(np.atleast_1d(lam), np.atleast_1d(cut)):
                self.log.append({"drawn": float(one), "cutmix": bool(is_cut), "lambda": float(one), "box": [0, 0, 0, 0]})
            return lam, cut
        return call

    def box(self, shape, lam, **kwargs):
        self.centres.clear()
        (yl, yh, xl, xh), corrected = self.box_and_lam(shape, lam, **kwargs)
        unit = next(u for u in self.log if u["cutmix"] and u["drawn"] == float(lam) and "centre" not in u)
        unit.update({"lambda": float(corrected), "box": [int(yl), int(yh), int(xl), int(xh)], "centre": self.centres[:2]})
        return (yl, yh, xl, xh), corrected


def main():
    lines = []
    for mode in ("batch", "pair", "elem"):
        for number, options in enumerate([
            dict(mixup_alpha=0.8, cutmix_alpha=0.0), dict(mixup_alpha=0.0, cutmix_alpha=1.0),
            dict(mixup_alpha=0.0, cutmix_alpha=1.0, correct_lam=False), dict(mixup_alpha=0.8, cutmix_alpha=1.0),
            dict(mixup_alpha=0.8, cutmix_alpha=1.0, prob=0.5, switch_prob=0.3),
            dict(mixup_alpha=0.2, cutmix_alpha=0.0, cutmix_minmax=(0.2, 0.8)), dict(mixup_alpha=0.1, label_smoothing=0.0),
        ]):
            for seed in range(3):
                mixup = tm.Mixup(mode=mode, num_classes=CLASSES, **{"label_smoothing": 0.1, **options})
                np.random.seed(100 * number + seed)
                with Recorder(mixup) as recorder:
                    x = torch.from_numpy(images()).permute(0, 3, 1, 2).contiguous()
                    x, targets = mixup(x, torch.tensor(LABELS))
                lines.append(json.dumps({
                    "mode": mode, "options": options, "units": recorder.log,
                    "images": xxhash.xxh3_64_hexdigest(x.permute(0, 2, 3, 1).contiguous().numpy().tobytes()),
                    "targets": [float(v) for v in targets.reshape(-1)],
                }))
    versions = {"python": sys.version.split()[0], "numpy": np.__version__, "torch": torch.__version__, "timm": timm.__version__}
    text = (f'{{"versions": {json.dumps(versions)}, "samples": {SAMPLES}, "size": {SIZE}, "classes": {CLASSES}, '
            f'"labels": {LABELS},\n"cases": [\n' + ",\n".join(lines) + "\n]}\n")
    pathlib.Path(__file__).with_name("mixup.json").write_text(text)


main()
