"""Draws the test images: every kind of file that a decoder treats in its own way, photo-like, from fixed seeds."""
import os
import struct

import numpy as np
from PIL import Image, ImageCms


NAMES = ["photo.jpg", "portrait.jpg", "photo.png", "photo.webp", "photo.avif", "rgba.png", "grey.jpg", "grey-alpha.png",
         "palette-alpha.png", "palette-key.png", "grey-16-bit.png", "cmyk.jpg", "orientation-6.jpg", "tiny.png", "wide.png",
         "animated.gif", "profile.jpg", "photo.tiff"]
ORIENTATION = 0x0112


def photo(width, height, seed):
    """RGB u8: smooth colours, a few hard-edged discs and stripes, and grain, so that any resampling fault shows."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    x, y = x / width, y / height
    canvas = np.empty((height, width, 3))
    for channel in range(3):
        fx, fy, phase = random.uniform(1, 5, 3)
        canvas[..., channel] = 128 + 90 * np.sin(fx * x * 3 + phase) * np.cos(fy * y * 3 - phase)
    for _ in range(6):
        cx, cy, radius = random.uniform(0, 1), random.uniform(0, 1), random.uniform(0.05, 0.25)
        canvas[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = random.uniform(0, 255, 3)
    stripes = (np.sin((x * random.uniform(40, 90) + y * random.uniform(20, 60)) * 2) > 0.3) & (x + y > 1.2)
    canvas[stripes] *= 0.6
    canvas += random.normal(0, 4, canvas.shape)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def swapped_profile():
    """sRGB's profile with red and green exchanged: whoever applies it shows it at once."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)  # the date of its making, which would change the file at every run
    places = {}
    for i in range(struct.unpack_from(">I", profile, 128)[0]):
        at = 132 + 12 * i
        places[bytes(profile[at:at + 4])] = at + 4
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    profile[red:red + 8], profile[green:green + 8] = profile[green:green + 8], profile[red:red + 8]
    return bytes(profile)


def alpha(width, height):
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    return np.broadcast_to(ramp, (height, width))


def draw(folder):
    """Writes the images of NAMES."""
    os.makedirs(folder, exist_ok=True)
    rgb = lambda w, h, seed: Image.fromarray(photo(w, h, seed))
    save = lambda image, name, **options: image.save(os.path.join(folder, name), **options)

    save(rgb(300, 225, 1), "photo.jpg", quality=90)
    save(rgb(80, 120, 2), "portrait.jpg", quality=85, subsampling=2)
    save(rgb(90, 60, 3), "photo.png")
    save(rgb(60, 45, 4), "photo.webp", quality=85)
    save(rgb(180, 150, 5), "photo.avif", quality=80)
    save(Image.fromarray(np.dstack([photo(60, 44, 6), alpha(60, 44)])), "rgba.png")
    save(Image.fromarray(photo(75, 55, 7)[..., 0]), "grey.jpg", quality=90)
    save(Image.fromarray(np.dstack([photo(40, 56, 8)[..., 1], alpha(40, 56)]), "LA"), "grey-alpha.png")
    save(rgb(70, 50, 9).quantize(64), "palette-alpha.png", transparency=bytes(range(0, 256, 4)))
    save(rgb(60, 45, 10).quantize(32), "palette-key.png", transparency=0)
    save(Image.fromarray(photo(50, 40, 11)[..., 2].astype(np.uint16) * 2), "grey-16-bit.png")
    save(rgb(100, 70, 12).convert("CMYK"), "cmyk.jpg", quality=90)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    save(rgb(110, 70, 13), "orientation-6.jpg", quality=90, exif=exif)
    save(rgb(20, 15, 14), "tiny.png")
    save(rgb(600, 40, 15), "wide.png")
    frames = [rgb(60, 50, seed).quantize(48) for seed in (16, 17, 18)]
    save(frames[0], "animated.gif", save_all=True, append_images=frames[1:], duration=100, loop=0)
    save(rgb(100, 80, 19), "profile.jpg", quality=90, icc_profile=swapped_profile())
    save(rgb(75, 60, 20), "photo.tiff", compression="tiff_lzw")
