"""Writes PNGs of every kind that the format knows; Pillow's own writer knows few."""

import struct
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pack_rows(samples, depth):
    """[h, w, channels] integers to one bytes object a row."""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            yield row.astype(">u2").tobytes()
        elif depth == 8:
            yield row.astype(np.uint8).tobytes()
        else:
            bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            yield np.packbits(bits.astype(np.uint8).reshape(-1)).tobytes()


def filtered(rows, bytes_per_pixel, first_filter):
    """Every filter in turn, beginning with first_filter."""
    out, before = b"", None
    for number, row in enumerate(rows):
        kind = (first_filter + number) % 5
        line = np.frombuffer(row, np.uint8).astype(np.int32)
        up = np.zeros_like(line) if before is None else before
        left = np.concatenate([np.zeros(bytes_per_pixel, np.int32), line])[: len(line)]
        corner = np.concatenate([np.zeros(bytes_per_pixel, np.int32), up])[: len(line)]
        estimate = left + up - corner
        a, b, c = abs(estimate - left), abs(estimate - up), abs(estimate - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        guess = [0, left, up, (left + up) // 2, paeth][kind]
        out += bytes([kind]) + ((line - guess) & 255).astype(np.uint8).tobytes()
        before = line
    return out


def write(samples, depth, color_type, interlaced=False, extra=(), pieces=2):
    """`samples` [h, w, channels]; `extra` chunks [(name, data)] stand before the picture's."""
    height, width = samples.shape[:2]
    assert samples.shape[2] == CHANNELS[color_type]
    bytes_per_pixel = max(1, CHANNELS[color_type] * depth // 8)
    if interlaced:
        raw = b""
        for number, (y, x, dy, dx) in enumerate(ADAM7):
            part = samples[y::dy, x::dx]
            if part.size:
                raw += filtered(pack_rows(part, depth), bytes_per_pixel, number)
    else:
        raw = filtered(pack_rows(samples, depth), bytes_per_pixel, 0)
    packed = zlib.compress(raw, 9)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    for name, data in extra:
        out += chunk(name, data)
    step = -(-len(packed) // pieces)
    for at in range(0, len(packed), step):
        out += chunk(b"IDAT", packed[at : at + step])
    return out + chunk(b"IEND", b"")
