"""Makes about 500x375 photographs from the large photographs that scikit-image and scikit-learn bring along.

Each is a window of one of them, of random place and size, at least 500x375 (or upright, 375x500), reduced to that
size and stored as JPEG of quality 92 with 4:2:0 chroma, as cameras do. Nothing is ever enlarged, so that a pixel
carries as much detail as in a real photograph; what is not real is that the same few scenes come again and again,
which no decoder can profit from."""

import argparse
import os
import random

import skimage
import sklearn
from PIL import Image

SCENES = [
    (skimage, "data/astronaut.png"),
    (skimage, "data/coffee.png"),
    (skimage, "data/rocket.jpg"),
    (skimage, "data/motorcycle_left.png"),
    (sklearn, "datasets/images/china.jpg"),
    (sklearn, "datasets/images/flower.jpg"),
]


def load_scenes(width, height):
    scenes = []
    for package, name in SCENES:
        path = os.path.join(os.path.dirname(package.__file__), name)
        if os.path.exists(path):
            with Image.open(path) as image:
                scenes.append(image.convert("RGB"))
    scenes = [scene for scene in scenes if scene.width >= width and scene.height >= height]
    if not scenes:
        raise SystemExit("none of the scenes is in the installed packages")
    return scenes


def make(scene, width, height, draw):
    if draw.random() < 0.25 and scene.width >= height and scene.height >= width:
        width, height = height, width
    largest = min(scene.width / width, scene.height / height)
    zoom = draw.uniform(1, largest)
    window = (int(width * zoom), int(height * zoom))
    left = draw.randint(0, scene.width - window[0])
    top = draw.randint(0, scene.height - window[1])
    part = scene.crop((left, top, left + window[0], top + window[1]))
    if draw.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return part.resize((width, height), Image.Resampling.LANCZOS)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="to write to, with a folder a class")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--width", type=int, default=500)
    parser.add_argument("--height", type=int, default=375)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    scenes = load_scenes(options.width, options.height)
    for number in range(options.count):
        which = number % len(scenes)
        folder = os.path.join(options.folder, f"scene{which}")
        os.makedirs(folder, exist_ok=True)
        image = make(scenes[which], options.width, options.height, draw)
        image.save(os.path.join(folder, f"{number:05}.jpg"), quality=92, subsampling="4:2:0")


if __name__ == "__main__":
    main()
