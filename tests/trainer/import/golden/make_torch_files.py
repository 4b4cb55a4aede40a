"""Writes the files of torch.save in this folder, and what is in them; README.md says what each is.

  pip install torch==2.15.0 numpy
  python make_torch_files.py
"""

import argparse
import collections
import json
import os
import pathlib

import numpy as np
import torch

FOLDER = os.path.dirname(os.path.abspath(__file__))
TYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")


def every_type():
    """Two rows of three of each type that weights or their counters may have."""
    return {name: torch.arange(-2, 4).reshape(2, 3).to(getattr(torch, name)) for name in TYPES}


def views():
    """Tensors that share storages, begin within them, or have other strides than rows."""
    flat = torch.arange(24, dtype=torch.float32)
    pictures = torch.arange(2 * 3 * 2 * 2, dtype=torch.float32).reshape(2, 3, 2, 2)
    return {
        "whole": flat,
        "middle": flat[5:11].reshape(2, 3),
        "transposed": flat[:12].reshape(3, 4).t(),
        "every_third": flat[1::3],
        "channels_last": pictures.contiguous(memory_format=torch.channels_last),
        "scalar": flat[7],
        "count": torch.tensor(1234),
        "empty": torch.zeros(0, 3),
        "one_row": torch.as_strided(flat, (1, 3), (99, 2)),
        "parameter": torch.nn.Parameter(flat[3:6].clone()),
    }


def small_model(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(),
                               torch.nn.Linear(4, 2))


def trainer_dictionary():
    """What classification/main.py of the published trainer saves, of a model with 4 channels."""
    model, average = small_model(1), small_model(2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.ones(2, 3, 3, 3)).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": "best-ema_224",
        "scaler": {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5,
                   "growth_interval": 2000, "_growth_tracker": 17},
        "args": argparse.Namespace(model="rcvit_xs", input_size=224, lr=6e-3, cutmix_minmax=None,
                                   output_dir=pathlib.PurePosixPath("/runs/xs"),
                                   device=torch.device("cuda:0"), betas=(0.9, 0.999)),
        "model_ema": collections.OrderedDict(
            ("module." + name, tensor) for name, tensor in average.state_dict().items()),
        "max_accuracy": np.float64(78.5),
        "max_accuracy_ema": np.float32(78.75),
        "shape": torch.Size([1, 3, 224, 224]),
        "type": torch.float16,
        "history": [1, 2.5, None, True, -(2**40), 2**70, b"\x00\xff", {"a", "b"}, "Maïs"],
    }


def described(tensors):
    return {name: {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
                   "values": tensor.detach().to(torch.float64).flatten().tolist()}
            for name, tensor in tensors.items()}


def main():
    content = {"types": every_type(), "views": views(), "trainer": trainer_dictionary()}
    for form, is_zip in (("zip", True), ("legacy", False)):
        for name, value in content.items():
            torch.save(value, os.path.join(FOLDER, f"{name}.{form}.pth"),
                       _use_new_zipfile_serialization=is_zip)
    torch.save(content["trainer"], os.path.join(FOLDER, "trainer.protocol4.pth"), pickle_protocol=4)
    expected = {
        "types": described(content["types"]),
        "views": described(content["views"]),
        "model": described(content["trainer"]["model"]),
        "model_ema": described({name.removeprefix("module."): tensor for name, tensor
                                in content["trainer"]["model_ema"].items()}),
    }
    with open(os.path.join(FOLDER, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(expected, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
