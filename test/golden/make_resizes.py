"""Makes test/golden/goldens/resizes.json: what Pillow's own resize gives, as hashes.

    python3 -m venv VENV && VENV/bin/pip install pillow==13.0.0 numpy==2.4.6
    VENV/bin/python test/golden/make_resizes.py

Sources are noise that test/worker/resize/resample-golden.test.ts draws again from the same seed, so that nothing but
hashes is kept. Each entry: {seed, hard, source, size, window, hashes}; sizes are [width, height], the window is
[left, top, width, height] of the resized image, the hashes are the first 16 digits of the SHA-256 of the window's RGB
bytes, by filter. `hard` noise is black or white in each channel, where overshoot is clipped most.
"""
import hashlib
import json
import os
import random

import numpy as np
import PIL
from PIL import Image

FILTERS = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "goldens", "resizes.json")


def noise(seed, hard, width, height):
    """A linear congruential generator (Numerical Recipes), its upper byte or its upper bit for each sample."""
    count = width * height * 3
    states = np.empty(count, np.uint32)
    state = seed
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        states[i] = state
    samples = np.where(states >> 31 == 1, 255, 0) if hard else states >> 24
    return Image.fromarray(samples.astype(np.uint8).reshape(height, width, 3))


def shapes(free):
    """Source and target sizes: the shapes that decide the order of passes, edges of one pixel, then free ones."""
    yield from [
        ((40, 81), (20, 40)), ((50, 101), (22, 44)), ((50, 100), (22, 44)), ((50, 99), (22, 43)),
        ((45, 98), (22, 47)), ((90, 160), (32, 32)), ((30, 200), (60, 100)), ((30, 200), (30, 100)),
        ((30, 60), (20, 40)), ((30, 61), (20, 40)), ((200, 30), (40, 40)), ((1, 300), (7, 60)),
        ((300, 1), (60, 7)), ((1, 1), (5, 9)), ((23, 22), (22, 22)), ((22, 23), (22, 22)), ((64, 64), (64, 64)),
        ((2, 3), (37, 41)), ((231, 157), (3, 2)), ((120, 90), (160, 60)),
    ]
    for _ in range(60):
        yield (free.randint(1, 180), free.randint(1, 180)), (free.randint(1, 90), free.randint(1, 90))


def main():
    free = random.Random(13)
    entries = []
    for number, (source, size) in enumerate(shapes(free)):
        hard = number % 2 == 1
        image = noise(number + 1, hard, *source)
        width, height = free.randint(1, size[0]), free.randint(1, size[1])
        left, top = free.randint(0, size[0] - width), free.randint(0, size[1] - height)
        resized = {name: image.resize(size, Image.Resampling[name.upper()]) for name in FILTERS}
        for window in ([0, 0, *size], [left, top, width, height]):
            box = (window[0], window[1], window[0] + window[2], window[1] + window[3])
            hashes = {name: hashlib.sha256(whole.crop(box).tobytes()).hexdigest()[:16] for name, whole in resized.items()}
            entries.append({"seed": number + 1, "hard": hard, "source": source, "size": size, "window": window, "hashes": hashes})
    with open(OUT, "w") as file:
        lines = ",\n".join(json.dumps(entry) for entry in entries)
        file.write(f'{{"pillow": "{PIL.__version__}", "resizes": [\n{lines}\n]}}\n')
    print(len(entries) * len(FILTERS), "resizes")


main()
