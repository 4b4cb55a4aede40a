"""Makes orientation.json: pictures with EXIF of all kinds, and the orientation that Pillow finds. See README.md."""

import io
import json
import pathlib
import struct
import warnings
import zlib

import PIL
from PIL import Image

HERE = pathlib.Path(__file__).parent
TAG, SHORT, LONG, ASCII = 0x0112, 3, 4, 2


def entry(order, tag, kind, count, value):
    return struct.pack(order + "HHI", tag, kind, count) + value


def tiff(order, entries, magic=None, offset=8, count=None):
    """A TIFF header and one directory at `offset`."""
    mark = {"<": b"II", ">": b"MM"}[order] + (magic or struct.pack(order + "H", 42))
    head = mark + struct.pack(order + "I", offset)
    count = len(entries) if count is None else count
    return head + bytes(offset - 8) + struct.pack(order + "H", count) + b"".join(entries) + bytes(4)


def short(order, value, kind=SHORT, count=1):
    return entry(order, TAG, kind, count, struct.pack(order + "HH", value, 0))


def note(order, value):
    make = entry(order, 0x010F, ASCII, 3, b"ab\0\0")
    last = entry(order, 0x0128, SHORT, 1, struct.pack(order + "HH", 2, 0))
    return tiff(order, [make, short(order, value), last])


def blocks():
    """Blocks of EXIF by name."""
    for value in range(10):
        for order, word in (("<", "little"), (">", "big")):
            yield f"{word}-{value}", note(order, value)
    for order, word in (("<", "little"), (">", "big")):
        yield f"{word}-long", tiff(order, [entry(order, TAG, LONG, 1, struct.pack(order + "I", 6))])
        yield f"{word}-huge-long", tiff(order, [entry(order, TAG, LONG, 1, struct.pack(order + "I", 0x80000006))])
        yield f"{word}-text", tiff(order, [entry(order, TAG, ASCII, 2, b"6\0\0\0")])
        yield f"{word}-two-values", tiff(order, [entry(order, TAG, SHORT, 2, struct.pack(order + "HH", 6, 3))])
        yield f"{word}-no-values", tiff(order, [short(order, 6, count=0)])
        yield f"{word}-twice", tiff(order, [short(order, 6), short(order, 8)])
        far = tiff(order, [entry(order, TAG, SHORT, 3, struct.pack(order + "I", 26))])
        yield f"{word}-elsewhere", far + struct.pack(order + "HHH", 5, 1, 1)
        yield f"{word}-elsewhere-cut", far + struct.pack(order + "HH", 5, 1)
        yield f"{word}-late-directory", tiff(order, [short(order, 7)], offset=100)
        yield f"{word}-more-promised", tiff(order, [short(order, 7)], count=500)
        yield f"{word}-swapped-magic", tiff(order, [short(order, 4)], magic=struct.pack(order + "H", 42)[::-1])
        yield f"{word}-wrong-magic", tiff(order, [short(order, 4)], magic=b"\x2b\x2b")
        yield f"{word}-cut-entry", tiff(order, [short(order, 4)])[:-9]
        yield f"{word}-cut-header", tiff(order, [short(order, 4)])[:7]
        yield f"{word}-offset-outside", tiff(order, [short(order, 4)])[:4] + struct.pack(order + "I", 0xFFFFFFF0)
    yield "empty", b""
    yield "prefix-twice", b"Exif\0\0" + note("<", 3)


def saved(**options):
    out = io.BytesIO()
    Image.new("RGB", (2, 2), (200, 100, 0)).save(out, **options)
    return out.getvalue()


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments):
    plain = saved(format="JPEG", quality=20)
    return plain[:2] + b"".join(segments) + plain[2:]


def jpeg_exif(block):
    return jpeg(segment(0xE1, b"Exif\0\0" + block))


def png(block, behind=False):
    plain = saved(format="PNG")
    chunk = struct.pack(">I", len(block)) + b"eXIf" + block
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + block))
    at = len(plain) - 12 if behind else 33
    return plain[:at] + chunk + plain[at:]


def webp(block, flag=0x08):
    image = saved(format="WEBP", lossless=True)[12:]
    canvas = struct.pack("<I", flag) + (1).to_bytes(3, "little") * 2
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas + image
    body += b"EXIF" + struct.pack("<I", len(block)) + block + bytes(len(block) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pictures():
    for name, block in blocks():
        yield f"jpeg-{name}", jpeg_exif(block)
        yield f"png-{name}", png(block)
        yield f"webp-{name}", webp(block)
    six, three = note("<", 6), note("<", 3)
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")
    yield "jpeg-none", jpeg()
    yield "jpeg-behind-xmp", jpeg(xmp, segment(0xE1, b"Exif\0\0" + six))
    yield "jpeg-in-two-segments", jpeg(*[segment(0xE1, b"Exif\0\0" + part) for part in (six[:20], six[20:])])
    yield "jpeg-other-application", jpeg(segment(0xE2, b"Exif\0\0" + six))
    yield "jpeg-pillow", saved(format="JPEG", exif=b"Exif\0\0" + six)
    yield "png-none", saved(format="PNG")
    yield "png-behind-the-pixels", png(six, behind=True)
    yield "webp-none", saved(format="WEBP", lossless=True)
    yield "webp-not-announced", webp(six, flag=0)
    yield "webp-prefixed", webp(b"Exif\0\0" + three)


def orientation(data):
    """What ImageOps.exif_transpose goes by: anything but 2 to 8 is upright."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(data))
        try:
            value = image.getexif().get(TAG, 1)
        except Exception:  # noqa: BLE001 - Pillow raises several kinds for a corrupt block
            return 1
    return value if value in range(1, 9) else 1


golden = {name: {"orientation": orientation(data), "bytes": data.hex()} for name, data in pictures()}
result = {"versions": {"pillow": PIL.__version__}, "pictures": golden}
(HERE / "orientation.json").write_text(json.dumps(result, indent=0) + "\n")
