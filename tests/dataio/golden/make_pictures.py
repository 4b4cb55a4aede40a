"""Makes pictures/ and pictures.json: what Pillow decodes them to. See README.md."""

import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import PIL
import xxhash
from PIL import Image

import png_writer
from synthetic import picture

HERE = pathlib.Path(__file__).parent
OUT = HERE / "pictures"


def samples(height, width, channels, depth, seed):
    planes = [picture(height, width, seed + 3 * i) for i in range(2)]
    wide = np.concatenate(planes, axis=2).astype(np.int64)[:, :, :channels]
    other = picture(height, width, seed + 9).astype(np.int64)
    if depth == 16:
        wide = wide * 256 + np.concatenate([other, other], axis=2)[:, :, :channels]
        wide[: height // 2] >>= 8  # some 16-bit values below 256: they decide how Pillow saturates
    return wide if depth >= 8 else wide >> (8 - depth)


def pngs():
    for color_type, depths in {0: [1, 2, 4, 8, 16], 2: [8, 16], 4: [8, 16], 6: [8, 16]}.items():
        for depth in depths:
            for interlaced in (False, True):
                data = samples(19, 27, png_writer.CHANNELS[color_type], depth, depth + color_type)
                name = f"png-type{color_type}-depth{depth}{'-interlaced' if interlaced else ''}.png"
                yield name, png_writer.write(data, depth, color_type, interlaced)
    palette = picture(1, 256, 2).reshape(-1).tobytes()
    for depth in (1, 2, 4, 8):
        for interlaced in (False, True):
            data = samples(19, 27, 1, depth, 3)
            extra = [(b"PLTE", palette[: 3 << depth])]
            name = f"png-palette{depth}{'-interlaced' if interlaced else ''}.png"
            yield name, png_writer.write(data, depth, 3, interlaced, extra)
    # Indices beyond a short palette, transparency of three kinds, an ancillary chunk or two.
    short = [(b"PLTE", palette[:300]), (b"tRNS", bytes(range(90)))]
    yield "png-palette-short.png", png_writer.write(samples(9, 8, 1, 8, 3), 8, 3, False, short)
    one = [(b"PLTE", palette), (b"tRNS", b"\xff\xff\x00")]
    yield "png-palette-transparent.png", png_writer.write(samples(9, 8, 1, 8, 3), 8, 3, False, one)
    key = [(b"gAMA", struct.pack(">I", 45455)), (b"tRNS", b"\x00\x10")]
    yield "png-grey-key.png", png_writer.write(samples(9, 8, 1, 8, 1), 8, 0, False, key)
    yield "png-grey16-key.png", png_writer.write(samples(9, 8, 1, 16, 1), 16, 0, False, key[1:])
    color = [(b"tRNS", b"\x00\x00\x00\x28\x00\x50"), (b"tEXt", b"Comment\x00hello")]
    yield "png-rgb-key.png", png_writer.write(samples(9, 8, 3, 8, 1), 8, 2, False, color)
    for height, width in ((1, 1), (1, 33), (31, 1), (3, 2)):
        data = samples(height, width, 3, 8, 0)
        yield f"png-{width}x{height}.png", png_writer.write(data, 8, 2, True, pieces=1)


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def jpegs():
    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            name = f"jpeg-{['444', '422', '420'][subsampling]}{'-progressive' if progressive else ''}.jpg"
            image = Image.fromarray(picture(37, 45, 2))
            yield name, saved(image, format="JPEG", quality=90, subsampling=subsampling, progressive=progressive)
    for height, width in ((1, 1), (1, 40), (40, 1), (2, 3), (8, 8), (16, 17), (33, 15)):
        image = Image.fromarray(picture(height, width, 1))
        yield f"jpeg-{width}x{height}.jpg", saved(image, format="JPEG", quality=75)
    smooth = Image.fromarray(picture(64, 48, 1))
    yield "jpeg-coarse.jpg", saved(smooth, format="JPEG", quality=5)
    yield "jpeg-fine.jpg", saved(smooth, format="JPEG", quality=100)
    grey = Image.fromarray(picture(29, 23, 2)[:, :, 0])
    yield "jpeg-grey.jpg", saved(grey, format="JPEG", quality=85)
    yield "jpeg-grey-progressive.jpg", saved(grey, format="JPEG", quality=85, progressive=True)
    cmyk = np.concatenate([picture(21, 30, 2), picture(21, 30, 4)[:, :, :1]], axis=2)
    yield "jpeg-cmyk-adobe.jpg", saved(Image.fromarray(cmyk, "CMYK"), format="JPEG", quality=85)
    yield "jpeg-exif.jpg", saved(smooth, format="JPEG", exif=orientation(6), comment=b"turned")
    yield "jpeg-behind-end.jpg", saved(smooth, format="JPEG") + b"left over"


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif.tobytes()


def unusual_jpegs():
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "unusual_jpegs"
        subprocess.run(["g++", "-O1", str(HERE / "unusual_jpegs.cpp"), "-o", str(program), "-ljpeg"], check=True)
        for kind in ("440", "411", "410", "luma-halved", "ycck", "cmyk", "rgb", "arithmetic", "restart"):
            data = picture(35, 43, 2)
            if kind in ("ycck", "cmyk"):
                data = np.concatenate([data, picture(35, 43, 4)[:, :, :1]], axis=2)
            out = pathlib.Path(folder) / "out.jpg"
            subprocess.run([str(program), kind, "35", "43", str(out)], input=data.tobytes(), check=True)
            yield f"jpeg-{kind}.jpg", out.read_bytes()


def webps():
    color = Image.fromarray(picture(37, 45, 2))
    alpha = Image.fromarray(np.concatenate([picture(37, 45, 2), picture(37, 45, 4)[:, :, :1]], axis=2), "RGBA")
    yield "webp-lossy.webp", saved(color, format="WEBP", quality=80)
    yield "webp-lossless.webp", saved(color, format="WEBP", lossless=True)
    yield "webp-lossy-alpha.webp", saved(alpha, format="WEBP", quality=80)
    yield "webp-lossless-alpha.webp", saved(alpha, format="WEBP", lossless=True, exact=True)
    yield "webp-1x1.webp", saved(color.crop((0, 0, 1, 1)), format="WEBP")
    yield "webp-33x1.webp", saved(color.crop((0, 0, 33, 1)), format="WEBP")
    frames = [Image.fromarray(picture(20, 24, seed)) for seed in (1, 2, 4)]
    yield "webp-animated.webp", saved(frames[0], format="WEBP", save_all=True, append_images=frames[1:], duration=50)


def main():
    warnings.simplefilter("ignore")  # Pillow tells of palette transparency that RGB cannot keep
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    expected = {}
    for source in (pngs, jpegs, unusual_jpegs, webps):
        for name, data in source():
            (OUT / name).write_bytes(data)
            rgb = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
            expected[name] = {
                "height": rgb.shape[0],
                "width": rgb.shape[1],
                "xxh3": xxhash.xxh3_64_hexdigest(rgb.tobytes()),
            }
    versions = {"python": sys.version.split()[0], "pillow": PIL.__version__, "numpy": np.__version__}
    text = json.dumps({"versions": versions, "pictures": expected}, indent=1)
    (HERE / "pictures.json").write_text(text + "\n")


main()
