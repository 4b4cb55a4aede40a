"""A pile of odd, broken and hostile pictures, each with its documented outcome (docs/packing.md):
packed and decodable, packed and named by `verify --decode`, or rejected with the reason. The pile is
packed in every storage form too, and every sample of each read as training and evaluation read it: a
picture or an error that names it, nothing else."""

import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from PIL import Image

PACK = pathlib.Path(os.environ["CASVIT_BIN"]) / "casvit-pack"
READ_EVERY_SAMPLE = PACK.with_name("read_every_sample")
GOLDEN = pathlib.Path("dataio/golden/pictures")

GOOD = "packed"           # and verify --decode finds it whole
UNDECODABLE = "undecodable"  # packed, as its structure is whole, and named by verify --decode
REJECTED = "rejected"

PICTURE = Image.radial_gradient("L").resize((40, 30)).convert("RGB")


def encoded(form, picture=PICTURE, **options):
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width=4, height=3, depth=8, kind=2, rows=None, before=b"", end=chunk(b"IEND", b"")):
    """A PNG of zeros; `rows` replaces the uncompressed picture data, `before` goes before them."""
    if rows is None:
        rows = bytes((1 + width * 3 * depth // 8) * height)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", zlib.compress(rows, 9)) + end


def jpeg_parts(data):
    """The segments of a JPEG up to its scan, as (marker, payload), and the rest."""
    at, parts = 2, []
    while data[at + 1] != 0xDA:
        length = struct.unpack_from(">H", data, at + 2)[0]
        parts.append((data[at + 1], data[at + 4:at + 2 + length]))
        at += 2 + length
    return parts, data[at:]


def jpeg_from(parts, rest):
    segments = [bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in parts]
    return b"\xff\xd8" + b"".join(segments) + rest


def jpeg_with(marker, change, data=None):
    """The usual JPEG with the first segment of this marker changed."""
    parts, rest = jpeg_parts(data or encoded("JPEG"))
    at = [m for m, _ in parts].index(marker)
    parts[at] = marker, change(parts[at][1])
    return jpeg_from(parts, rest)


def set_bytes(at, value):
    return lambda data: data[:at] + value + data[at + len(value):]


def many_scans(count):
    """A grey progressive JPEG of one block, whose `count` scans refine one coefficient after the other by
    one bit each: not a rule is broken, and a large picture of this form keeps a decoder busy for hours."""
    one_code = bytes([1] + [0] * 15 + [0])  # a Huffman table: the code "0" for the symbol 0
    parts = [(0xDB, b"\0" + b"\x01" * 64), (0xC2, b"\x08\0\x08\0\x08\x01\x01\x11\0"),
             (0xC4, b"\0" + one_code), (0xC4, b"\x10" + one_code)]
    bands = [(0, 0, 0)] + [(k, 0 if low == 13 else low + 1, low) for k in range(1, 64) for low in range(13, -1, -1)]
    if count > len(bands):
        raise ValueError("there are no more scans that break no rule")
    scans = [b"\xff\xda\0\x08\x01\x01\0" + bytes([k, k, high << 4 | low]) + b"\x7f" for k, high, low in bands[:count]]
    return jpeg_from(parts, b"".join(scans) + b"\xff\xd9")


def refining_beyond_baseline():
    """A progressive JPEG with one coefficient of 2^13, which a baseline JPEG cannot hold, behind 180 kB of
    application data: the transcoding fails when much of it has been written."""
    one_code = bytes([1] + [0] * 15 + [0])
    ac_code = bytes([1] + [0] * 15 + [1])  # "0" for a run of 0 and a number of one bit
    parts = [(0xE2, bytes(60_000))] * 3
    parts += [(0xDB, b"\0" + b"\x01" * 64), (0xC2, b"\x08\0\x08\0\x08\x01\x01\x11\0"),
              (0xC4, b"\0" + one_code), (0xC4, b"\x10" + ac_code)]
    scans = b"\xff\xda\0\x08\x01\x01\0\0\0\0\x7f" + b"\xff\xda\0\x08\x01\x01\0\x01\x01\x0d\x7f"
    return jpeg_from(parts, scans + b"\xff\xd9")


def climbing_dc():
    """A grey baseline JPEG whose every block adds 32767 to the average of the one before, far beyond what a
    coefficient holds: 65,600 blocks make the sum pass 2^31."""
    side = 65_500
    blocks = (side + 7) // 8 * 9
    one_code = bytes([1] + [0] * 15 + [15])  # "0" for a number of 15 bits
    parts = [(0xDB, b"\0" + b"\x01" * 64), (0xC0, b"\x08" + struct.pack(">HH", 72, side) + b"\x01\x01\x11\0"),
             (0xC4, b"\0" + one_code), (0xC4, b"\x10" + bytes([1] + [0] * 15 + [0]))]
    bits = "0" + "1" * 15 + "0"  # the number 32767, then the end of the block
    data = int(bits * blocks + "1" * (-len(bits) * blocks % 8), 2)
    data = data.to_bytes((len(bits) * blocks + 7) // 8, "big").replace(b"\xff", b"\xff\0")
    return jpeg_from(parts, b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + data + b"\xff\xd9")


def webp(body, form=b"WEBP"):
    return b"RIFF" + struct.pack("<I", len(body) + 4) + form + body


def webp_chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def large_webp(width, height):
    return webp(webp_chunk(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + bytes(20)))


BOMB = zlib.compress(bytes(100 << 20), 9)  # 100 MiB of zeros in 100 kB
FRAMES = [PICTURE, PICTURE.rotate(90), PICTURE.rotate(180)]

PICTURES = {
    # Every kind that cameras, scanners and web sites make.
    "grey.jpg": (encoded("JPEG", PICTURE.convert("L")), GOOD),
    "cmyk.jpg": (encoded("JPEG", PICTURE.convert("CMYK")), GOOD),
    "ycck.jpg": ((GOLDEN / "jpeg-ycck.jpg").read_bytes(), GOOD),
    "progressive.jpg": (encoded("JPEG", progressive=True), GOOD),
    "grey.png": (encoded("PNG", PICTURE.convert("L")), GOOD),
    "grey16.png": (encoded("PNG", PICTURE.convert("I").convert("I;16")), GOOD),
    "rgb16.png": (png(depth=16), GOOD),
    "one_bit.png": (encoded("PNG", PICTURE.convert("1")), GOOD),
    "palette.png": (encoded("PNG", PICTURE.convert("P"), transparency=3), GOOD),
    "alpha.png": (encoded("PNG", PICTURE.convert("RGBA")), GOOD),
    "grey_alpha.png": (encoded("PNG", PICTURE.convert("LA")), GOOD),
    "interlaced.png": ((GOLDEN / "png-type6-depth16-interlaced.png").read_bytes(), GOOD),
    "animated.png": (encoded("PNG", save_all=True, append_images=FRAMES), GOOD),
    "lossy.webp": (encoded("WEBP"), GOOD),
    "lossless.webp": (encoded("WEBP", lossless=True), GOOD),
    "alpha.webp": (encoded("WEBP", PICTURE.convert("RGBA")), GOOD),
    "animated.webp": (encoded("WEBP", save_all=True, append_images=FRAMES), GOOD),
    "two_in_one.jpg": (encoded("MPO", save_all=True, append_images=FRAMES), GOOD),
    "one_pixel.png": (png(1, 1), GOOD),
    # Names that lie.
    "jpeg.png": (encoded("JPEG"), GOOD),
    "png.jpg": (encoded("PNG"), GOOD),
    "webp.JPEG": (encoded("WEBP"), GOOD),
    "text.jpg": (b"no picture at all", REJECTED, "not a JPEG, PNG or WebP"),
    "gif.png": (encoded("GIF"), REJECTED, "not a JPEG, PNG or WebP"),
    "bmp.bmp": (encoded("BMP"), REJECTED, "not a JPEG, PNG or WebP"),
    "tiff.tif": (encoded("TIFF"), REJECTED, "not a JPEG, PNG or WebP"),
    "script.jpg": (b"#!/bin/sh\nrm -rf /\n", REJECTED, "not a JPEG, PNG or WebP"),
    # Nothing, or not all.
    "empty.jpg": (b"", REJECTED, "empty file"),
    "signature.jpg": (b"\xff\xd8\xff", REJECTED, "truncated"),
    "signature.png": (b"\x89PNG\r\n\x1a\n", REJECTED, "truncated"),
    "signature.webp": (b"RIFF\x04\0\0\0WEBP", REJECTED, "WebP"),
    "zeros.jpg": (bytes(4096), REJECTED, "not a JPEG, PNG or WebP"),
    # More bytes than the picture needs.
    "tail.jpg": (encoded("JPEG") + bytes(100_000), GOOD),
    "tail.png": (encoded("PNG") + b"PK\x03\x04" * 1000, GOOD),
    "fat_header.jpg": (jpeg_from([(0xE2, bytes(65_000))] * 100 + jpeg_parts(encoded("JPEG"))[0],
                                 jpeg_parts(encoded("JPEG"))[1]), GOOD),
    "fat_chunk.png": (png(before=chunk(b"tEXt", b"Comment\0" + b"x" * (8 << 20))), GOOD),
    "private_chunk.png": (png(before=chunk(b"prVt", os.urandom(1 << 20))), GOOD),
    "many_chunks.png": (png(before=chunk(b"tEXt", b"k\0v") * 20_000), GOOD),
    # Bombs.
    "text_bomb.png": (png(before=chunk(b"zTXt", b"Comment\0\0" + BOMB)), GOOD),
    "international_bomb.png": (png(before=chunk(b"iTXt", b"Comment\0\x01\0\0\0" + BOMB)), GOOD),
    "profile_bomb.png": (png(before=chunk(b"iCCP", b"icc\0\0" + BOMB)), GOOD),
    "data_bomb.png": (png(rows=bytes(100 << 20)), GOOD),
    "wide_bomb.png": (png(2_000_000_000, 1, rows=b"\0"), REJECTED, "more than the 178956970 allowed"),
    "square_bomb.png": (png(100_000, 100_000, rows=b"\0"), REJECTED, "more than the 178956970 allowed"),
    "largest_bomb.png": (png(2**31 - 1, 2**31 - 1, rows=b"\0"), REJECTED, "allowed"),
    "bomb.jpg": (jpeg_with(0xC0, set_bytes(1, b"\xff\xff\xff\xff")), REJECTED, "65535 x 65535"),
    "bomb.webp": (large_webp(16_384, 16_384), REJECTED, "16384 x 16384"),
    "scans.jpg": (many_scans(800), UNDECODABLE, "more than 500 scans"),
    "some_scans.jpg": (many_scans(400), GOOD),
    "surplus_scan.jpg": (encoded("JPEG", progressive=True)[:-2] + encoded("JPEG", progressive=True)[-60:],
                          UNDECODABLE),
    # Sides and numbers at their limits.
    "thin.jpg": (encoded("JPEG", Image.new("L", (65_500, 1), 9)), GOOD),
    "tall.png": (png(1, 65_535), GOOD),
    "too_long.png": (png(65_536, 1), REJECTED, "no side may be longer than 65535"),
    "too_long_for_libjpeg.jpg": (jpeg_with(0xC0, set_bytes(1, struct.pack(">HH", 8, 65_501))), UNDECODABLE),
    "refining.jpg": (refining_beyond_baseline(), GOOD),
    "climbing.jpg": (climbing_dc(), GOOD),
    # Headers that cannot be.
    "flat.png": (png(4, 0, rows=b""), REJECTED, "4 x 0"),
    "flat.jpg": (jpeg_with(0xC0, set_bytes(1, b"\0\0")), REJECTED, "0"),
    "depth.png": (png(depth=3), UNDECODABLE),
    "kind.png": (png(kind=5), UNDECODABLE),
    "twelve_bits.jpg": (jpeg_with(0xC0, set_bytes(0, b"\x0c")), UNDECODABLE),
    "two_components.jpg": (jpeg_with(0xC0, lambda data: data[:5] + b"\x02" + data[6:12]), UNDECODABLE),
    "sampling.jpg": (jpeg_with(0xC0, set_bytes(7, b"\xff")), UNDECODABLE),
    "no_frame.jpg": (jpeg_from([p for p in jpeg_parts(encoded("JPEG"))[0] if p[0] != 0xC0],
                               jpeg_parts(encoded("JPEG"))[1]), REJECTED, "no frame header"),
    "no_scan.jpg": (jpeg_from(jpeg_parts(encoded("JPEG"))[0], b"\xff\xd9"), REJECTED, "no picture data"),
    "no_data.png": (b"\x89PNG\r\n\x1a\n" + png()[8:33] + chunk(b"IEND", b""), REJECTED, "no picture data"),
    "no_data.webp": (webp(webp_chunk(b"EXIF", bytes(40))), REJECTED, "WebP"),
    "late_header.png": (b"\x89PNG\r\n\x1a\n" + chunk(b"eXIf", b"") + png()[8:], REJECTED, "does not begin with its header"),
    "no_end.png": (png(end=b""), REJECTED, "before its end chunk"),
    "no_end.jpg": (encoded("JPEG")[:-2], REJECTED, "end marker"),
    # Data that is not what it should be.
    "checksum.png": (png()[:30] + b"\0" + png()[31:], REJECTED, "wrong checksum"),
    "short_data.png": (png(40, 30, rows=bytes(500)), UNDECODABLE),
    "filter.png": (png(rows=b"\x09" + bytes(12) + bytes(26)), UNDECODABLE),
    "no_zlib.png": (png().replace(zlib.compress(bytes(39), 9), b"x" * len(zlib.compress(bytes(39), 9))),
                    REJECTED, "wrong checksum"),
    "huffman_counts.jpg": (jpeg_with(0xC4, set_bytes(1, b"\xff" * 16)), UNDECODABLE),
    "huffman_codes.jpg": (jpeg_with(0xC4, set_bytes(1, b"\x03")), UNDECODABLE),
    "no_huffman.jpg": (jpeg_from([p for p in jpeg_parts(encoded("JPEG"))[0] if p[0] != 0xC4],
                                 jpeg_parts(encoded("JPEG"))[1]), GOOD),  # the standard's own tables
    "no_quantisation.jpg": (jpeg_from([p for p in jpeg_parts(encoded("JPEG"))[0] if p[0] != 0xDB],
                                      jpeg_parts(encoded("JPEG"))[1]), UNDECODABLE),
    "zero_segment.jpg": (b"\xff\xd8\xff\xdb\0\0" + encoded("JPEG")[2:], REJECTED, "shorter than its own"),
    "zero_addition.jpg": (b"\xff\xd8\xff\xe0\0\0" + encoded("JPEG")[2:], GOOD),  # skipped, as Pillow does
    "holes.jpg": (encoded("JPEG")[:-40] + bytes(38) + b"\xff\xd9", UNDECODABLE),
    "beyond.webp": (encoded("WEBP")[:4] + struct.pack("<I", 1 << 30) + encoded("WEBP")[8:],
                    REJECTED, "truncated WebP"),
    "noise.webp": (webp(webp_chunk(b"VP8L", b"\x2f" + struct.pack("<I", 39 | 29 << 14) + os.urandom(60))),
                   UNDECODABLE),
}

UNUSUAL_NAMES = [b"caf\xe9.jpg", b"line\nfeed.jpg", b"-rf.jpg", b" .jpg", b"\xf0\x9f\x8c\xb1.jpg", b"x" * 251 + b".jpg"]
WHOLE = {"cut.jpg": encoded("JPEG", PICTURE.resize((8, 8))), "cut.png": png(), "cut.webp":
         encoded("WEBP", PICTURE.resize((8, 8)), lossless=True)}


def make_pile(folder):
    """@returns the outcome that each path, relative to `folder`, is to have."""
    (folder / "odd").mkdir(parents=True)
    (folder / "cut").mkdir()
    (folder / "names").mkdir()
    outcomes = {}
    for name, (data, *outcome) in PICTURES.items():
        (folder / "odd" / name).write_bytes(data)
        outcomes[f"odd/{name}"] = outcome
    for name, data in WHOLE.items():
        for length in range(len(data)):
            path = f"cut/{length:05}_{name}"
            (folder / path).write_bytes(data[:length])
            outcomes[path] = [REJECTED, ""]
        (folder / "cut" / name).write_bytes(data)
        outcomes[f"cut/{name}"] = [GOOD]
    for number, name in enumerate(UNUSUAL_NAMES):
        path = os.path.join(os.fsencode(folder), b"names", name)
        with open(path, "wb") as file:
            file.write(WHOLE["cut.jpg"] + bytes([number]))
        shown = (b"names/" + name).decode("utf-8", errors="replace")
        outcomes[shown] = [GOOD]
    (folder / "odd/nowhere.jpg").symlink_to("gone.jpg")
    outcomes["odd/nowhere.jpg"] = [REJECTED, ""]
    (folder / "odd/loop.jpg").symlink_to("loop.jpg")
    outcomes["odd/loop.jpg"] = [REJECTED, ""]
    os.mkfifo(folder / "odd/pipe.jpg")  # nobody ever writes to it
    outcomes["odd/pipe.jpg"] = [REJECTED, "not a regular file"]
    return outcomes


STORAGE_FORMS = [[], ["--baseline"], ["--quality", "80"], ["--resize", "16"], ["--raw", "32"], ["--raw", "256"]]


def run(*arguments):
    result = subprocess.run([PACK, *map(str, arguments)], capture_output=True, text=True, check=False,
                            errors="replace", timeout=240)
    if result.returncode not in (0, 3):
        sys.exit(f"FAILED: casvit-pack {arguments} ended with {result.returncode}: {result.stderr[-3000:]}")
    return json.loads(result.stdout)


def found_outcomes(folder, output):
    """Every file's outcome, and the reason."""
    packed = run("pack", folder, "-o", output, "--json")
    verified = run("verify", "--decode", output, "--json")["files"][0]
    if verified.get("error"):
        sys.exit(f"FAILED: {verified['error']}")
    found = {item["path"]: (REJECTED, item["reason"]) for item in packed["rejected"]}
    for item in verified["damaged"]:
        found[item["source"]] = UNDECODABLE, item["message"]
    return found, verified["samples"]


def read_as_training_does(folder, output, form):
    run("pack", folder, "-o", output, *form, "--json")
    result = subprocess.run([READ_EVERY_SAMPLE, output], capture_output=True, text=True, check=False, timeout=240)
    if result.returncode != 0:
        sys.exit(f"FAILED: reading what was packed with {form}: {result.returncode} {result.stderr[-3000:]}")
    read = json.loads(result.stdout)
    if form[:1] in (["--quality"], ["--raw"]) and read["whole"] != read["samples"]:  # all are decoded
        sys.exit(f"FAILED: packed with {form} is what does not decode: {read}")
    print(f"{' '.join(form) or 'originals'}: {read['samples']} samples, {read['whole']} of them whole")


def main(folder):
    expected = make_pile(folder / "pile")
    started = time.monotonic()
    found, samples = found_outcomes(folder / "pile", folder / "pile.h5")
    wrong = []
    for path, (outcome, *words) in expected.items():
        is_outcome, reason = found.get(path, (GOOD, ""))
        if is_outcome != outcome or not all(word in reason for word in words):
            wrong.append(f"{path} should be {outcome} {words}, and is {is_outcome}: {reason}")
    if wrong:
        sys.exit("FAILED:\n" + "\n".join(wrong))
    unexpected = set(found) - set(expected)
    packed = sum(outcome[0] != REJECTED for outcome in expected.values())
    if unexpected or samples != packed:
        sys.exit(f"FAILED: {samples} samples were packed, not {packed}; unexpected {unexpected}")
    for number, form in enumerate(STORAGE_FORMS):
        read_as_training_does(folder / "pile", folder / f"form{number}.h5", form)
    print(f"{len(expected)} hostile files have their documented outcomes, {packed} of them are packed, "
          f"in {time.monotonic() - started:.1f} s")


with tempfile.TemporaryDirectory() as temporary:
    main(pathlib.Path(temporary))
