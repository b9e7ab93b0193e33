"""Makes the AVIF pictures of the tests, which no Rust crate at hand encodes. Needs pillow 11.3 and imagecodecs.

Each has 64 x 36 pixels, the left half in one colour and the right half in another.
"""

import io
import struct

import imagecodecs
import numpy
from PIL import Image, ImageCms

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


def box(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


def boxes(content):
    while content:
        size, kind = struct.unpack(">I4s", content[:8])
        yield kind, content[8:size]
        content = content[size:]


def with_property(picture, kind, content):
    """The AVIF file of `picture` with one more property of its only item."""
    file = io.BytesIO()
    picture.save(file, "AVIF", quality=100, subsampling="4:4:4")
    file = file.getvalue()
    grown = len(box(kind, content)) + 1
    made = b""
    for name, old in boxes(file):
        if name == b"meta":
            children = [(child, bytearray(data)) for child, data in boxes(old[4:])]
            for child, data in children:
                if child == b"iloc":
                    # One item of one extent, whose offset is the last but one of the numbers.
                    offset = struct.unpack(">I", data[-8:-4])[0]
                    data[-8:-4] = struct.pack(">I", offset + grown)
                elif child == b"iprp":
                    (_, properties), (_, uses) = boxes(bytes(data))
                    count = len(list(boxes(properties))) + 1
                    used = bytearray(uses) + bytes([0x80 | count if kind == b"clap" else count])
                    used[10] += 1
                    data[:] = box(b"ipco", properties + box(kind, content)) + box(b"ipma", bytes(used))
            old = old[:4] + b"".join(box(child, bytes(data)) for child, data in children)
        made += box(name, old)
    return made


# A black border of 16 and 9 pixels, which the clean aperture leaves out.
framed = numpy.zeros((54, 96, 3), numpy.uint8)
framed[9:45, 16:80] = halves(LEFT, RIGHT)
aperture = struct.pack(">8I", 64, 1, 36, 1, 0, 1, 0, 1)
with open("cropped.avif", "wb") as file:
    file.write(with_property(Image.fromarray(framed), b"clap", aperture))

# sRGB with red and blue exchanged, behind the colour box that is there already.
profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
swapped = halves(LEFT[::-1], RIGHT[::-1]).astype(numpy.uint8)
with open("profile_behind.avif", "wb") as file:
    file.write(with_property(Image.fromarray(swapped), b"colr", b"prof" + bytes(profile)))
