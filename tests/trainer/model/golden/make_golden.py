"""Writes reference values of the published CAS-ViT model (PyTorch, float64); README.md has the format.

  git clone https://github.com/Tianfang-Zhang/CAS-ViT
  pip install torch==2.11.0 timm
  python make_golden.py CAS-ViT/classification/model/rcvit.py rcvit_s --pixels 72 --classes 5 -o .
"""

import argparse
import importlib.util
import json
import pathlib
import sys
import zlib

import numpy as np
import torch

SMOOTHING = 0.1


def uniform(name, count):
    """u(name, 0), ..., u(name, count - 1)"""
    x = (np.arange(count, dtype=np.uint64) + zlib.crc32(name.encode())).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**32


def fill(name, shape):
    u = uniform(name, int(np.prod(shape)))
    if name == "input":
        value = 4 * (u - 0.5)
    elif name.endswith("running_var"):
        value = 0.5 + u
    elif name.endswith("running_mean"):
        value = 0.2 * (u - 0.5)
    elif len(shape) >= 2:
        value = 0.7 * (u - 0.5) * 2 * np.sqrt(3 / np.prod(shape[1:]))
    elif name.endswith("weight"):
        value = 0.8 + 0.4 * u
    else:
        value = 0.2 * (u - 0.5)
    return torch.from_numpy(value.astype(np.float32).astype(np.float64).reshape(shape))


def first(tensor):
    return {"first": tensor.detach().flatten()[:3].tolist()}


def reference(model, arch, classes, batch, pixels):
    model = model.double()
    state = model.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point():
            tensor.copy_(fill(name, tuple(tensor.shape)))
    images = fill("input", (batch, 3, pixels, pixels))
    targets = [int(v) for v in (7 * np.arange(batch)) % classes]
    with torch.no_grad():
        eval_logits = model.eval()(images)
    logits = model.train()(images)
    loss = torch.nn.functional.cross_entropy(
        logits, torch.tensor(targets), label_smoothing=SMOOTHING
    )
    loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    return {
        "arch": arch,
        "num_classes": classes,
        "batch": batch,
        "pixels": pixels,
        "n_parameters": sum(p.numel() for p in model.parameters()),
        "targets": targets,
        "label_smoothing": SMOOTHING,
        "eval_logits": eval_logits.tolist(),
        "train_logits": logits.tolist(),
        "train_loss": loss.item(),
        "grad_norm": torch.cat([g.flatten() for g in gradients.values()]).norm().item(),
        "state_dict_keys": list(state),
        "parameters": {
            name: {
                "shape": list(g.shape),
                "grad_l2": g.norm().item(),
                "grad_first": g.flatten()[:3].tolist(),
            }
            for name, g in gradients.items()
        },
        "buffers_after_one_train_forward": {
            name: first(b) for name, b in model.named_buffers() if b.is_floating_point()
        },
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="the published rcvit.py")
    parser.add_argument("arch", choices=["rcvit_xs", "rcvit_s", "rcvit_m", "rcvit_t"])
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--classes", type=int, default=12)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path("."))
    arguments = parser.parse_args()
    spec = importlib.util.spec_from_file_location("rcvit", arguments.model)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # timm's register_model looks it up
    spec.loader.exec_module(module)
    model = getattr(module, arguments.arch)(num_classes=arguments.classes, distillation=False)
    values = reference(
        model, arguments.arch, arguments.classes, arguments.batch, arguments.pixels
    )
    path = arguments.out / f"{arguments.arch}_{arguments.pixels}px.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
