"""Makes upright.json: what Pillow's ImageOps.exif_transpose makes of a small picture of each EXIF orientation.
See README.md."""

import json
import pathlib

import PIL
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 7, 4


def stored():
    """Every pixel is another one."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            image.putpixel((x, y), (10 * x + 3, 20 * y + 5, 16 * y + x))
    return image


def upright(orientation):
    image = stored()
    image.getexif()[0x0112] = orientation
    turned = ImageOps.exif_transpose(image)
    return {"height": turned.height, "width": turned.width, "pixels": list(turned.tobytes())}


golden = {
    "versions": {"pillow": PIL.__version__},
    "stored": {"height": HEIGHT, "width": WIDTH, "pixels": list(stored().tobytes())},
    "upright": {str(orientation): upright(orientation) for orientation in range(1, 9)},
}
(HERE / "upright.json").write_text(json.dumps(golden) + "\n")
