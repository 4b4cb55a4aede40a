"""Makes transform.json: 3-Augment, Random Erasing and whole training transforms of timm, with what they drew. See README.md."""

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
from PIL import Image, ImageFilter, ImageOps
from timm.data import auto_augment as aa
from timm.data import create_transform
from timm.data import random_erasing as te
from timm.data import transforms as tt
from torchvision import transforms

from synthetic import picture

SIZES = [(33, 45), (64, 64), (1, 9), (2, 2), (3, 40)]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NAMES = {Image.BILINEAR: "bilinear", Image.BICUBIC: "bicubic", transforms.InterpolationMode.BILINEAR: "bilinear",
         transforms.InterpolationMode.BICUBIC: "bicubic"}


def digest(array):
    return xxhash.xxh3_64_hexdigest(np.ascontiguousarray(array).tobytes())


def three_augments():
    """The three operations as DeiT III's augment.py calls them."""
    rng = random.Random(5)
    for number in range(24):
        size, seed = SIZES[number % len(SIZES)], rng.randrange(1000)
        image, operation, radius = Image.fromarray(picture(*size, seed)), number % 3, 0.0
        if operation == 0:
            image = transforms.Grayscale(3)(image)
        elif operation == 1:
            image = ImageOps.solarize(image)
        else:
            radius = rng.uniform(0.1, 2.0)
            image = image.filter(ImageFilter.GaussianBlur(radius=radius))
        yield {"operation": operation, "radius": radius, "size": size, "seed": seed, "xxh3": digest(np.asarray(image))}


class Draws:
    """Stands for the module `random` inside one of timm's modules and writes down what it gives."""

    def __init__(self, rng):
        self.rng, self.log = rng, []

    def __getattr__(self, name):
        def call(*args):
            value = getattr(self.rng, name)(*args)
            self.log.append((name, value))
            return value
        return call


class Pixels:
    """Stands for timm's _get_pixels and keeps every box's size, and its values as [h, w, 3] (or [1, 1, 3])."""

    def __init__(self):
        self.original, self.sizes, self.values = te._get_pixels, [], []

    def __call__(self, per_pixel, rand_color, patch_size, **kwargs):
        values = self.original(per_pixel, rand_color, patch_size, **kwargs)
        self.sizes.append(list(patch_size[1:]))
        self.values.append([float(str(v)) for v in values.permute(1, 2, 0).reshape(-1).numpy()])
        return values


def erased_boxes(log, size, count):
    """Boxes from the log of one call: of every try area and log aspect, then top and left where it fitted."""
    tries, index = [], 0
    while index < len(log):
        area, log_aspect = log[index][1], log[index + 1][1]
        fits = index + 2 < len(log) and log[index + 2][0] == "randint"
        one = {"area": area * size * size / count, "aspect": float(np.exp(log_aspect)), "fits": fits}
        if fits:
            one["place"] = [log[index + 2][1], log[index + 3][1]]
        tries.append(one)
        index += 4 if fits else 2
    return tries


def erasings():
    seeds = random.Random(6)
    for number in range(36):
        mode, size, count = ["const", "rand", "pixel"][number % 3], [1, 7, 12, 16][number // 3 % 4], 1 + number % 4
        draws, pixels = Draws(random.Random(seeds.randrange(10**6))), Pixels()
        te.random, te._get_pixels = draws, pixels
        torch.manual_seed(number)
        erase = te.RandomErasing(1.0, mode=mode, max_count=count, max_area=[1 / 3, 0.9][number % 2], device="cpu")
        image = torch.from_numpy(picture(size, size, number).astype(np.float32) / np.float32(255)).permute(2, 0, 1).contiguous()
        result = erase(image).permute(1, 2, 0).contiguous().numpy()
        te.random, te._get_pixels = random, pixels.original
        log = draws.log[1:]  # the first decides whether to erase at all
        boxes = 1
        if count > 1:
            boxes, log = log[0][1], log[1:]
        yield {"mode": mode, "size": size, "seed": number, "boxes": boxes, "tries": erased_boxes(log, size, boxes),
               "values": pixels.values, "xxh3": digest(result)}


NEGATED = {"Rotate", "ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing", "ShearX",
           "ShearY", "TranslateXRel", "TranslateYRel"}


def record_operation(op, image, draws, steps):
    """One AugmentOp call; appends what it did, nothing where its probability skipped it."""
    draws.log.clear()
    result = op.original_call(image)
    log = list(draws.log)
    if op.prob < 1 and log.pop(0)[1] > op.prob:
        return result
    magnitude = op.magnitude
    if op.magnitude_std > 0:
        magnitude = log.pop(0)[1]
    magnitude = max(0.0, min(magnitude, op.magnitude_max or 10.0))
    step = {"operation": op.name, "magnitude": magnitude, "negate": False, "interpolation": NAMES.get(op.kwargs["resample"])
            if not isinstance(op.kwargs["resample"], tuple) else None}
    if op.name in NEGATED:
        step["negate"] = log.pop(0)[1] > 0.5
    if log:
        step["interpolation"] = NAMES[log.pop(0)[1]]
    assert not log, log
    steps.append(step)
    return result


def pipelines():
    cases = [
        dict(auto_augment="rand-m9-mstd0.5-inc1"),
        dict(auto_augment="rand-m9-mstd0.5-inc1", interpolation="random"),
        dict(auto_augment="rand-m7-n3-p0.8", interpolation="bilinear", vflip=0.5),
        dict(auto_augment="rand-m14-mmax20-mstd101-n4-p1", interpolation="bilinear"),
        dict(auto_augment="rand-m6-n2-mstd1-tweights"),
        dict(auto_augment="rand-m5-n1-p1-t3a", color_jitter=0.3),
        dict(auto_augment="rand-m8-n3-p1-t3aw", color_jitter=(0.2, 0.3, 0.4, 0.1), interpolation="random"),
        dict(color_jitter=0.4, re_prob=1.0, re_mode="rand", re_count=3),
        dict(color_jitter=0.0, re_prob=1.0, re_mode="const", vflip=1.0, scale=(0.4, 1.0), ratio=(0.5, 2.0)),
    ]
    original = aa.AugmentOp.__call__
    for number, options in enumerate(cases * 4):
        size, source, seed = [32, 48, 57][number % 3], [(61, 45), (40, 90), (50, 50)][number % 3 - 1], 100 + number
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        transform = create_transform(size, is_training=True, mean=MEAN, std=STD,
                                     **{"interpolation": "bicubic", "color_jitter": None, **options})
        draws, pixels, steps, case = Draws(random), Pixels(), [], {}
        aa.random, te._get_pixels = draws, pixels
        aa.AugmentOp.original_call = original
        aa.AugmentOp.__call__ = lambda op, image: record_operation(op, image, draws, steps)
        image = Image.fromarray(picture(*source, seed))
        for step in transform.transforms:
            if isinstance(step, tt.RandomResizedCropAndInterpolation):
                state = random.getstate()
                case["crop"] = [int(v) for v in step.get_params(image, step.scale, step.ratio)]
                chosen = step.interpolation
                if isinstance(chosen, (list, tuple)):
                    chosen = random.choice(chosen)
                case["interpolation"] = NAMES[chosen]
                random.setstate(state)
            elif isinstance(step, (transforms.RandomHorizontalFlip, transforms.RandomVerticalFlip)):
                state = torch.get_rng_state()
                name = "mirrored" if isinstance(step, transforms.RandomHorizontalFlip) else "upended"
                case[name] = bool(torch.rand(1) < step.p)
                torch.set_rng_state(state)
            elif isinstance(step, transforms.ColorJitter):
                state = torch.get_rng_state()
                order, *factors = step.get_params(step.brightness, step.contrast, step.saturation, step.hue)
                case["jitter"] = {"order": [int(v) for v in order], "factors": factors}
                torch.set_rng_state(state)
            elif isinstance(step, te.RandomErasing):
                te.random = Draws(random)
                image = step(image)
                places = [value for name, value in te.random.log if name == "randint"]
                places = places[1:] if step.max_count > 1 else places
                case["boxes"] = [[*places[2 * i:2 * i + 2], *box_size] for i, box_size in enumerate(pixels.sizes)]
                te.random = random
                continue
            image = step(image)
        aa.random, te._get_pixels, aa.AugmentOp.__call__ = random, pixels.original, original
        yield {"options": options, "image_size": size, "source": source, "seed": seed, **case, "steps": steps,
               "values": pixels.values, "xxh3": digest(image.permute(1, 2, 0).numpy())}


def main():
    versions = {"python": sys.version.split()[0], "pillow": PIL.__version__, "numpy": np.__version__,
                "torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__}
    parts = [f'"versions": {json.dumps(versions)}']
    for name, cases in [("three_augments", three_augments()), ("erasings", erasings()), ("pipelines", pipelines())]:
        lines = ",\n".join(json.dumps(case) for case in cases)
        parts.append(f'"{name}": [\n{lines}\n]')
    text = "{" + ",\n".join(parts) + "}\n"
    pathlib.Path(__file__).with_name("transform.json").write_text(text)


main()
