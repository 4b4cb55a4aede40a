"""Makes augment.json: what timm and torchvision do to given pictures with given draws. See README.md."""

import json
import pathlib
import random
import sys

import numpy as np
import PIL
import timm
import torch
import torchvision
import xxhash
from PIL import Image
from timm.data import auto_augment as aa
from torchvision import transforms
from torchvision.transforms import functional as F

from synthetic import picture

SIZES = [(33, 45), (64, 64), (1, 9), (2, 2), (3, 40)]
FILL = (124, 116, 104)
FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def digest(array):
    return xxhash.xxh3_64_hexdigest(np.ascontiguousarray(array).tobytes())


def operations():
    names = ["AutoContrast", "Equalize", "Invert", "Rotate", "Posterize", "PosterizeIncreasing", "Solarize",
             "SolarizeIncreasing", "SolarizeAdd", "Color", "ColorIncreasing", "Contrast", "ContrastIncreasing",
             "Brightness", "BrightnessIncreasing", "Sharpness", "SharpnessIncreasing", "ShearX", "ShearY",
             "TranslateXRel", "TranslateYRel", "Desaturate", "GaussianBlur"]
    rng = random.Random(3)
    signs = {False: 0.25, True: 0.75}  # what _randomly_negate compares with 0.5
    for name in names:
        # 10, 30 and 60 (under mmax) reach the ends: rotation by 90 and 180 degrees among them.
        for number, magnitude in enumerate([0.0, 9.0, 10.0, 30.0, 60.0] + [rng.uniform(0, 10) for _ in range(5)]):
            negate, interpolation = bool(number % 2), ["bilinear", "bicubic"][number // 2 % 2]
            size, seed = SIZES[number % len(SIZES)], rng.randrange(1000)
            step = aa.AugmentOp(name, prob=1.0, magnitude=magnitude,
                                hparams=dict(img_mean=FILL, interpolation=FILTERS[interpolation], magnitude_max=1000))
            if name.startswith("Posterize") and step.level_fn(magnitude, {})[0] < 1:
                # Pillow refuses to keep no bits; before, it gave black.
                result = np.zeros((*size, 3), np.uint8)
            else:
                random.random, original = (lambda: signs[negate]), random.random
                result = np.asarray(step(Image.fromarray(picture(*size, seed))))
                random.random = original
            yield {"operation": name, "magnitude": magnitude, "negate": negate, "interpolation": interpolation,
                   "size": size, "seed": seed, "xxh3": digest(result)}


def jitters():
    rng = random.Random(4)
    functions = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
    for number in range(30):
        order = rng.sample(range(4), 4)
        factors = [rng.choice([0.0, 1.0, rng.uniform(0, 2.5)]) for _ in range(3)] + [rng.uniform(-0.5, 0.5)]
        factors = [None if rng.random() < 0.25 else value for value in factors]
        size, seed = SIZES[number % len(SIZES)], rng.randrange(1000)
        image = Image.fromarray(picture(*size, seed))
        for index in order:
            if factors[index] is not None:
                image = functions[index](image, factors[index])
        yield {"order": order, "factors": factors, "size": size, "seed": seed, "xxh3": digest(np.asarray(image))}


def hues():
    """Every colour once: 2^24 of them, in slices of 256 x 256 with red fixed; a few slices."""
    green, blue = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    for red in (0, 1, 77, 128, 200, 255):
        cube = np.stack([np.full_like(green, red), green, blue], axis=2).astype(np.uint8)
        result = F.adjust_hue(Image.fromarray(cube), 0.1)
        yield {"red": red, "shift": 0.1, "xxh3": digest(np.asarray(result))}


def crops():
    for height, width in [(500, 375), (375, 500), (10, 400), (400, 10), (3, 300), (77, 77), (101, 134), (135, 101)]:
        for ratio in [(3 / 4, 4 / 3), (1.0, 1.0), (0.5, 2.0)]:
            # Nothing as large as 25 pictures fits: ten tries fail, the central crop is left.
            image = Image.new("RGB", (width, height))
            box = transforms.RandomResizedCrop.get_params(image, (25.0, 25.0), ratio)
            yield {"size": (height, width), "ratio": ratio, "box": [int(v) for v in box]}


def evaluations():
    for size, ratio, interpolation, source in [
        (32, 224 / 256, "bicubic", (45, 61)), (32, 224 / 256, "bilinear", (61, 45)), (33, 0.9, "bicubic", (50, 50)),
        (32, 1.0, "bicubic", (32, 32)), (31, 0.95, "bicubic", (20, 97)), (64, 0.875, "bilinear", (30, 31)),
        (384, 0.875, "bicubic", (45, 61)),
    ]:
        if size >= 384:
            steps = [transforms.Resize((size, size), interpolation=FILTERS[interpolation])]
        else:
            steps = [transforms.Resize(int(size / ratio), interpolation=FILTERS[interpolation]), transforms.CenterCrop(size)]
        steps += [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
        result = transforms.Compose(steps)(Image.fromarray(picture(*source, 5)))
        yield {"image_size": size, "crop_ratio": ratio, "interpolation": interpolation, "source": source, "seed": 5,
               "xxh3": digest(result.permute(1, 2, 0).numpy())}


def main():
    versions = {"python": sys.version.split()[0], "pillow": PIL.__version__, "numpy": np.__version__,
                "torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
    parts = [f'"versions": {json.dumps(versions)}', f'"fill": {json.dumps(FILL)}']
    for name, cases in [("operations", operations()), ("jitters", jitters()), ("hues", hues()),
                        ("central_crops", crops()), ("evaluations", evaluations())]:
        lines = ",\n".join(json.dumps(case) for case in cases)
        parts.append(f'"{name}": [\n{lines}\n]')
    text = "{" + ",\n".join(parts) + "}\n"
    pathlib.Path(__file__).with_name("augment.json").write_text(text)


main()
