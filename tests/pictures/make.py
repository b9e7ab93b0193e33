"""Makes the AVIF pictures of the tests, which no Rust crate at hand encodes. Needs pillow 11.3 and imagecodecs.

Each has 64 x 36 pixels, the left half in one colour and the right half in another.
"""

import imagecodecs
import numpy
from PIL import Image

LEFT, RIGHT = (200, 100, 40), (10, 150, 250)


def halves(left, right):
    picture = numpy.empty((36, 64, len(left)), numpy.uint16)
    picture[:, :32], picture[:, 32:] = left, right
    return picture


def pillow(name, left, right, turn=None, **options):
    picture = Image.fromarray(halves(left, right).astype(numpy.uint8))
    if turn:
        # Stored as a camera does that was held upright.
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        exif = Image.Exif()
        exif[0x0112] = turn
        options["exif"] = exif
    picture.save(f"{name}.avif", quality=100, **options)


def deep(name, bits, left, right, **options):
    scale = ((1 << bits) - 1) / 255
    samples = numpy.rint(halves(left, right) * scale).astype(numpy.uint16)
    if len(left) == 1:
        samples = samples[..., 0]
    with open(f"{name}.avif", "wb") as file:
        file.write(imagecodecs.avif_encode(samples, 90, bitspersample=bits, **options))


pillow("limited_420", LEFT, RIGHT, subsampling="4:2:0", range="limited")
pillow("full_422", LEFT, RIGHT, subsampling="4:2:2", range="full")
pillow("alpha_444", LEFT + (128,), RIGHT + (255,), subsampling="4:4:4")
pillow("turned", LEFT, RIGHT, turn=6)
deep("ten_bits", 10, LEFT, RIGHT, pixelformat="444")
deep("twelve_bits_gray", 12, (51,), (204,), pixelformat="400")
deep("display_p3", 10, (180, 120, 90), (90, 120, 180), pixelformat="444", primaries=12, transfer=13, matrix=1)
