"""Makes resize.json: hashes of what Pillow's Image.resize gives. See README.md."""

import json
import pathlib
import random
import sys

import numpy as np
import PIL
import xxhash
from PIL import Image

from synthetic import picture

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}


def cases():
    rng = random.Random(7)
    # Sides of every kind: single pixels, the same size, blowing up, both orders of the passes.
    for source, box, size in [
        ((1, 1), None, (1, 1)), ((1, 1), None, (7, 5)), ((5, 1), None, (3, 9)), ((1, 9), None, (4, 2)),
        ((40, 30), None, (40, 30)), ((40, 30), None, (40, 11)), ((40, 30), None, (13, 30)),
        ((200, 20), None, (10, 18)), ((200, 20), None, (150, 5)), ((20, 200), None, (18, 10)),
        ((40, 30), (3, 4, 13, 24), (20, 10)), ((40, 30), (3, 4, 13, 24), (21, 10)),
        ((40, 30), (0, 0, 30, 17.5), (17, 30)), ((40, 30), (0.5, 0.25, 29.125, 39.9), (40, 30)),
        ((64, 64), (10, 10, 11, 11), (8, 8)), ((300, 300), None, (2, 3)), ((300, 1), None, (1, 1)),
        ((4, 4), None, (150, 190)), ((2, 3), None, (100, 1)),
    ]:
        for name in FILTERS:
            yield source, box, size, name
    for _ in range(120):
        height, width = rng.randint(1, 130), rng.randint(1, 130)
        size = rng.randint(1, 120), rng.randint(1, 120)
        box = None
        if rng.random() < 0.5:
            left, right = sorted(rng.uniform(0, width) for _ in range(2))
            top, bottom = sorted(rng.uniform(0, height) for _ in range(2))
            if right - left < 0.1 or bottom - top < 0.1:
                continue
            box = left, top, right, bottom
        yield (height, width), box, size, rng.choice(list(FILTERS))


def main():
    out = []
    for seed, (source, box, size, name) in enumerate(cases()):
        result = Image.fromarray(picture(*source, seed)).resize((size[1], size[0]), FILTERS[name], box)
        out.append({
            "seed": seed, "source": source, "box": box or (0, 0, source[1], source[0]), "size": size,
            "interpolation": name, "xxh3": xxhash.xxh3_64_hexdigest(np.asarray(result).tobytes()),
        })
    versions = {"python": sys.version.split()[0], "pillow": PIL.__version__, "numpy": np.__version__}
    lines = ",\n".join(json.dumps(case) for case in out)
    path = pathlib.Path(__file__).with_name("resize.json")
    path.write_text(f'{{"versions": {json.dumps(versions)}, "cases": [\n{lines}\n]}}\n')


main()
