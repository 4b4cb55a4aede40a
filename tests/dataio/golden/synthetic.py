"""The picture that tests make up on both sides: synthetic_picture.h has the same formula."""

import numpy as np


def picture(height, width, seed):
    """[height, width, 3] uint8. seed % 3: 0 noise, 1 gradients, 2 both."""
    y, x, c = np.meshgrid(
        np.arange(height, dtype=np.uint32),
        np.arange(width, dtype=np.uint32),
        np.arange(3, dtype=np.uint32),
        indexing="ij",
    )
    with np.errstate(over="ignore"):
        noise = x * np.uint32(0x9E3779B1) ^ y * np.uint32(0x85EBCA77) ^ c * np.uint32(0xC2B2AE3D)
        noise ^= np.uint32(seed * 0x27D4EB2F & 0xFFFFFFFF)
        noise ^= noise >> np.uint32(15)
        noise *= np.uint32(0x2C1B3C6D)
        noise ^= noise >> np.uint32(13)
        noise >>= np.uint32(24)
        gradient = x * np.uint32(5) + y * np.uint32(3) + c * np.uint32(40)
    if seed % 3 == 0:
        value = noise
    elif seed % 3 == 1:
        value = gradient & np.uint32(255)
    else:
        value = (gradient & np.uint32(127)) + (noise >> np.uint32(1))
    return value.astype(np.uint8)
