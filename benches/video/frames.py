"""Exact frames of a zoom, drawn by another library than Kinora's own.

Pillow resamples a fractional box with an anti-aliased cubic filter in floating point. The BT.709 matrix
is applied here. This is slow, and independent of everything that is measured.
"""

import numpy as np
from PIL import Image, ImageOps

LENGTH, RATE, SPEED = 5, 30, 3  # seconds, frames per second, percent per second
COUNT = LENGTH * RATE
LAST_ZOOM = 1 + SPEED / 100 * LENGTH


def size(photo):
    """Width and height of the frames for a photo."""
    width, height = ImageOps.exif_transpose(Image.open(photo)).size
    return (1920, 1080) if width > height else (1080, 1920)


def zoom(k):
    return 1 + SPEED / 100 * LENGTH * k / COUNT


def write(photo, path):
    """Writes all frames of the photo, as raw planar 4:2:0 in limited range."""
    picture = ImageOps.exif_transpose(Image.open(photo)).convert("RGB")
    frame = size(photo)
    step = min(picture.width / frame[0], picture.height / frame[1])
    with open(path, "wb") as out:
        for k in range(COUNT):
            width, height = frame[0] * step / zoom(k), frame[1] * step / zoom(k)
            left, top = (picture.width - width) / 2, (picture.height - height) / 2
            box = (left, top, left + width, top + height)
            rgb = picture.resize(frame, Image.BICUBIC, box=box)
            out.write(planar(np.asarray(rgb, np.float32)))


def planar(rgb):
    """RGB to Y, Cb, Cr by BT.709, chroma averaged for the left siting of H.264."""
    luma = rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    cb = (rgb[..., 2] - luma) / 1.8556
    cr = (rgb[..., 0] - luma) / 1.5748
    planes = [16 + luma * 219 / 255, 128 + halve(cb) * 224 / 255, 128 + halve(cr) * 224 / 255]
    return b"".join(np.clip(np.rint(plane), 0, 255).astype(np.uint8).tobytes() for plane in planes)


def halve(plane):
    """Half the size: horizontally by weights 1-2-1 around every other sample, vertically by the mean of two rows."""
    left = np.pad(plane, ((0, 0), (1, 0)), mode="edge")[:, :-1]
    right = np.pad(plane, ((0, 0), (0, 1)), mode="edge")[:, 1:]
    across = (left + 2 * plane + right)[:, ::2] / 4
    return (across[::2] + across[1::2]) / 2
