"""FFCV on the CPU. Its file holds the very JPEG bytes of the folder (FFCV itself would encode them anew), or
pixels in raw mode. Its resize is OpenCV's INTER_AREA and its DCT the fast one: coarser than the others'. Its
augment stage is crop, resize and mirror to uint8, without normalising."""

import os

import ffcv
import importlib.metadata
import numpy as np
import peer_protocol
from ffcv.fields import IntField, RGBImageField
from ffcv.fields.decoders import IntDecoder, RandomResizedCropRGBImageDecoder, SimpleRGBImageDecoder
from ffcv.loader import Loader, OrderOption
from ffcv.transforms import NormalizeImage, RandomHorizontalFlip, ToTensor
from ffcv.writer import DatasetWriter
from PIL import Image


class StoredJpegField(RGBImageField):
    """RGBImageField, written from a JPEG's own bytes."""

    def encode(self, destination, image, malloc):
        data, height, width = image
        destination["mode"] = 0  # jpg
        destination["height"], destination["width"] = height, width
        destination["data_ptr"], storage = malloc(len(data))
        storage[:] = np.frombuffer(data, np.uint8)


class Folder:
    """Pictures of a folder of classes, as bytes or as pixels of one size."""

    def __init__(self, folder, raw_size):
        classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
        self.files = [
            (os.path.join(folder, name, file), label)
            for label, name in enumerate(classes)
            for file in sorted(os.listdir(os.path.join(folder, name)))
        ]
        self.raw_size = raw_size

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        path, label = self.files[index]
        if self.raw_size:
            with Image.open(path) as image:
                pixels = image.convert("RGB").resize((self.raw_size, self.raw_size), Image.BICUBIC)
            return np.asarray(pixels), label
        with open(path, "rb") as file:
            data = file.read()
        with Image.open(path) as image:
            if image.format != "JPEG" or image.mode != "RGB":
                raise peer_protocol.NotComparable(f"FFCV stores colour JPEGs only: {path}")
            return (data, image.height, image.width), label


def write(options, raw):
    path = os.path.join(options.scratch, "raw.beton" if raw else "jpeg.beton")
    field = RGBImageField(write_mode="raw") if raw else StoredJpegField()
    writer = DatasetWriter(path, {"image": field, "label": IntField()}, num_workers=options.threads)
    writer.from_indexed_dataset(Folder(options.folder, options.image_size if raw else 0))
    return path


def main():
    options = peer_protocol.arguments()
    size = options.image_size
    # Both files first: the writer forks, which does not go well with threads of a loader.
    files = {raw: write(options, raw) for raw in (False, True)}

    def steps_of(name):
        normalise = NormalizeImage(
            255 * np.array(peer_protocol.MEAN), 255 * np.array(peer_protocol.STD), np.float32
        )
        crop = RandomResizedCropRGBImageDecoder((size, size))
        if name == "decode":
            return [SimpleRGBImageDecoder()]
        if name == "augment":
            return [crop, RandomHorizontalFlip()]
        if name == "loader":
            return [crop, RandomHorizontalFlip(), normalise, ToTensor()]
        if name == "raw":
            return [SimpleRGBImageDecoder(), RandomHorizontalFlip(), normalise, ToTensor()]
        raise peer_protocol.NotComparable(f"FFCV has no stage {name}")

    def make_stage(name):
        steps = steps_of(name)
        raw = name == "raw"
        try:
            loader = Loader(
                files[raw], batch_size=options.batch_size, num_workers=options.threads, os_cache=True,
                order=OrderOption.RANDOM, drop_last=True,
                pipelines={"image": steps, "label": [IntDecoder(), ToTensor()]},
                custom_fields={} if raw else {"image": StoredJpegField},
            )
        except TypeError as error:
            raise peer_protocol.NotComparable(str(error).splitlines()[0]) from error
        return peer_protocol.endless(lambda: loader)

    peer_protocol.serve(options, make_stage, {"FFCV": importlib.metadata.version("ffcv")}, queued=4)


if __name__ == "__main__":
    main()
