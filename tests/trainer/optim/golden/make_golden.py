"""Writes reference values of optimizers, schedules, losses, clipping and EMA; README.md has the format.

  git clone https://github.com/Tianfang-Zhang/CAS-ViT
  pip install torch==2.15.0 timm==1.0.31 scikit-learn
  python make_golden.py CAS-ViT/classification -o recipe.json
"""

import argparse
import importlib.util
import json
import pathlib
import types
import zlib

import numpy as np
import timm
import torch
from sklearn.utils.class_weight import compute_class_weight
from timm.loss import BinaryCrossEntropy
from timm.optim import Lion
from timm.scheduler import StepLRScheduler
from timm.utils import ModelEmaV2
from timm.utils.agc import adaptive_clip_grad

SHAPES = {"stem.weight": [2, 3, 3, 3], "mixer.weight": [4, 6], "mixer.bias": [4], "head.weight": [3, 4], "head.bias": [3]}
STEPS = 5


def uniform(name, count):
    x = (np.arange(count, dtype=np.uint64) + zlib.crc32(name.encode())).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**32


def tensor(name, shape, scale=1.0):
    values = scale * 2 * (uniform(name, int(np.prod(shape))) - 0.5)
    return torch.tensor(values.reshape(shape), dtype=torch.float64)


def numbers(values):
    return torch.as_tensor(values).flatten().tolist()


def parameters():
    return {name: torch.nn.Parameter(tensor(name, shape)) for name, shape in SHAPES.items()}


def gradient(name, step, scale=1.0):
    return tensor(f"gradient {step} {name}", SHAPES[name], scale)


def optimizer_case(make, options, weight_decay=0.1):
    """Parameters after STEPS steps; the rate of step t is 0.01 (t + 1), one-dimensional ones are not decayed."""
    values = parameters()
    groups = [
        {"params": [p for p in values.values() if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in values.values() if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimizer = make(groups, lr=0.01, **options)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (step + 1)
        for name, value in values.items():
            value.grad = gradient(name, step)
        optimizer.step()
    return {"options": options, "weight_decay": weight_decay, "parameters": {n: numbers(v.detach()) for n, v in values.items()}}


def optimizers():
    return {
        "adamw": [
            optimizer_case(torch.optim.AdamW, {"betas": [0.9, 0.999], "eps": 1e-8}),
            optimizer_case(torch.optim.AdamW, {"betas": [0.8, 0.95], "eps": 1e-3}, 0.0),
        ],
        "sgd": [
            optimizer_case(torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
            optimizer_case(torch.optim.SGD, {"momentum": 0.7, "nesterov": False}, 0.02),
            optimizer_case(torch.optim.SGD, {"momentum": 0.0, "nesterov": False}),
        ],
        "lion": [
            optimizer_case(Lion, {"betas": [0.9, 0.99]}),
            optimizer_case(Lion, {"betas": [0.95, 0.98]}, 1.0),
        ],
    }


def clipped(clip, scale):
    values = parameters()
    for name, value in values.items():
        value.grad = gradient(name, 0, scale)
    clip(values)
    return {n: numbers(v.grad) for n, v in values.items()}


def clipping():
    """Gradients after clipping; they are `scale` times those of step 0."""
    not_head = lambda values: [v for n, v in values.items() if not n.startswith("head.")]  # noqa: E731
    return {
        "norm": [
            {"limit": limit, "scale": 1.0, "gradients": clipped(lambda v: torch.nn.utils.clip_grad_norm_(v.values(), limit), 1.0)}
            for limit in (1.0, 100.0)
        ],
        "value": [
            {"limit": 0.25, "scale": 1.0, "gradients": clipped(lambda v: torch.nn.utils.clip_grad_value_(v.values(), 0.25), 1.0)}
        ],
        "agc": [
            {"limit": limit, "scale": scale, "gradients": clipped(lambda v: adaptive_clip_grad(not_head(v), clip_factor=limit), scale)}
            for limit, scale in ((0.01, 1.0), (0.5, 0.4), (0.1, 1e-9))
        ],
    }


def schedules(official):
    cosine = official.cosine_scheduler
    falling = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.004)
    linear = torch.optim.lr_scheduler.LinearLR(falling, start_factor=1.0, end_factor=0.001 / 0.004, total_iters=40)
    line = []
    for _ in range(40):
        line.append(falling.param_groups[0]["lr"])
        falling.step()
        linear.step()
    stepped = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    steps = StepLRScheduler(stepped, decay_t=3, decay_rate=0.5)  # epochs of 4 steps
    stairs = []
    for epoch in range(10):
        steps.step(epoch)
        stairs += [stepped.param_groups[0]["lr"]] * 4
    return {
        "cosine": {"peak": 6e-3, "minimum": 1e-6, "warmup_start": 1e-5, "warmup_steps": 8, "total_steps": 40,
                   "values": cosine(6e-3, 1e-6, 10, 4, warmup_epochs=2, start_warmup_value=1e-5).tolist()},
        "weight_decay": {"peak": 0.05, "minimum": 0.2, "warmup_start": 0, "warmup_steps": 0, "total_steps": 40,
                         "values": cosine(0.05, 0.2, 10, 4).tolist()},
        "linear": {"peak": 4e-3, "minimum": 1e-3, "warmup_start": 0, "warmup_steps": 0, "total_steps": 40, "values": line},
        "step": {"peak": 0.1, "minimum": 0, "warmup_start": 0, "warmup_steps": 0, "total_steps": 40, "fall_factor": 0.5,
                 "falls": [12, 24, 36], "values": stairs},
    }


def soft_targets():
    targets = uniform("targets", 24).reshape(6, 4)
    return torch.tensor(targets / targets.sum(1, keepdims=True))


def losses(official):
    """Of logits 6 x 4 (three times u) against the soft targets, and their gradients."""
    counts = [50, 7, 300, 1]
    labels = np.repeat(np.arange(4), counts)
    weights = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    beta = 0.99
    effective = (1 - beta) / (1 - beta ** np.array(counts, dtype=np.float64))
    effective *= sum(counts) / (effective * counts).sum()

    def case(loss, **what):
        logits = tensor("logits", [6, 4], 3.0).requires_grad_()
        value = loss(logits)
        value.backward()
        return {**what, "value": value.item(), "gradient": numbers(logits.grad)}

    def focal(logits, gamma, weight):
        p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
        return -(torch.tensor(weight) * soft_targets() * (1 - p) ** gamma * torch.log(p)).sum() / 6

    teacher = tensor("teacher", [6, 4], 2.0)
    distilled = []
    for kind, alpha, tau in (("soft", 0.5, 1.0), ("soft", 0.9, 3.0), ("hard", 0.3, 1.0)):
        loss = official.DistillationLoss(timm.loss.SoftTargetCrossEntropy(), lambda _: teacher, kind, alpha, tau)
        second = tensor("second", [6, 4], 3.0)
        distilled.append(case(lambda x: loss(None, (second, x), soft_targets()), kind=kind, alpha=alpha, tau=tau))
    balanced = weights.tolist()
    return {
        "counts": counts, "balanced": balanced, "beta": beta, "effective": effective.tolist(),
        "cross_entropy": [
            case(lambda x: torch.nn.functional.cross_entropy(x, soft_targets()), weighted=False),
            case(lambda x: torch.nn.functional.cross_entropy(x, soft_targets(), weight=torch.tensor(weights), reduction="none").mean(), weighted=True),
        ],
        "bce": [
            case(lambda x: BinaryCrossEntropy(smoothing=0, target_threshold=t)(x, soft_targets()), threshold=t or 0)
            for t in (None, 0.3)
        ],
        "focal": [case(lambda x: focal(x, gamma, w), gamma=gamma, weighted=w is balanced) for gamma, w in ((2.0, [1.0] * 4), (0.5, balanced))],
        "distillation": distilled,
    }


def ema():
    model = torch.nn.Module()
    model.layer = torch.nn.Linear(3, 2).double()
    model.norm = torch.nn.BatchNorm1d(2).double()
    def fill(step):  # noqa: E306
        with torch.no_grad():
            for name, value in model.state_dict().items():
                if value.dtype == torch.float64:
                    value.copy_(tensor(f"ema {step} {name}", list(value.shape)))
                else:
                    value.fill_(step)
    fill(0)
    average = ModelEmaV2(model, decay=0.75)
    for step in range(1, STEPS + 1):
        fill(step)
        average.update(model)
    return {"decay": 0.75, "values": {n: numbers(v) for n, v in average.module.state_dict().items() if v.dtype == torch.float64}}


def load(folder, name):
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scheduler_of(folder):
    """The published cosine_scheduler alone: the file around it imports what is not needed."""
    source = (folder / "utils.py").read_text(encoding="utf-8")
    begin = source.index("def cosine_scheduler(")
    end = source.index("\ndef ", begin + 1) if "\ndef " in source[begin + 1 :] else len(source)
    module = types.SimpleNamespace()
    names = {"np": np, "math": __import__("math")}
    exec(source[begin:end], names)  # noqa: S102
    module.cosine_scheduler = names["cosine_scheduler"]
    return module


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("classification", type=pathlib.Path, help="folder of the published trainer")
    parser.add_argument("-o", dest="out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    golden = {
        "versions": {"torch": torch.__version__.split("+")[0], "timm": timm.__version__},
        "steps": STEPS,
        "shapes": SHAPES,
        "optimizers": optimizers(),
        "clipping": clipping(),
        "schedules": schedules(scheduler_of(options.classification)),
        "losses": losses(load(options.classification, "losses")),
        "ema": ema(),
    }
    options.out.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
