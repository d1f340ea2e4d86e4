"""Prints, per image file, how far our pixels are from those of transformers' PIL backend.

    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 numpy transformers==5.23.0 pillow==13.0.0
    npm run build
    VENV/bin/python test/golden/compare_reference.py [FILE or FOLDER ...] > drift.md

Without arguments: the folders photos, formats and golden of ../shared/reference. Numbers are grey levels of 255: the
mean absolute difference over all pixels and channels, and the largest in brackets. `+` marks a file that is enlarged
in at least one direction.
"""
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from transformers import CLIPImageProcessorPil, SiglipImageProcessorPil
from transformers.image_utils import load_image

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REFERENCE = os.path.join(os.path.dirname(ROOT), "shared", "reference")
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif")

CLIP = {"image_processor_type": "CLIPImageProcessor"}
SIGLIP = {"image_processor_type": "SiglipImageProcessor", "size": {"height": 224, "width": 224}}
BICUBIC, BILINEAR = 3, 2


def cropped(edge, resample):
    return {**CLIP, "size": {"shortest_edge": edge}, "resample": resample, "crop_size": {"height": edge, "width": edge}}


CONFIGS = {
    "CLIP 224 bicubic": cropped(224, BICUBIC),
    "SigLIP 224 bicubic": {**SIGLIP, "resample": BICUBIC},
    "SigLIP 224 bilinear": {**SIGLIP, "resample": BILINEAR},
    "MobileCLIP 256 bilinear": {**cropped(256, BILINEAR), "do_normalize": False},
    "models/demo 64 bicubic": cropped(64, BICUBIC),
}


def reference_pixels(config, file):
    """The processor's own pixels before numbers are scaled: u8, height x width x 3, and the size it came from."""
    kind = SiglipImageProcessorPil if "Siglip" in config["image_processor_type"] else CLIPImageProcessorPil
    processor = kind(**{key: value for key, value in config.items() if key != "image_processor_type"})
    image = load_image(file)
    pixels = processor(image, do_rescale=False, do_normalize=False)["pixel_values"][0]
    return np.moveaxis(np.asarray(pixels), 0, -1), image.size


def our_pixels(config, files, folder):
    path = os.path.join(folder, "config.json")
    with open(path, "w") as file:
        json.dump(config, file)
    script = os.path.join(ROOT, "dist", "test", "golden", "dump-pixels.js")
    lines = subprocess.run(["node", script, folder, path, *files], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def image_files(paths):
    for path in paths:
        for folder, _, names in sorted(os.walk(path)) or [("", [], [path])]:
            for name in sorted(names):
                if name.lower().endswith(IMAGE_ENDINGS):
                    yield os.path.join(folder, name)


def compare(config, files):
    """A cell of text per file."""
    edge = config["size"].get("shortest_edge")
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        for index, ours in enumerate(our_pixels(config, files, folder)):
            try:
                theirs, (width, height) = reference_pixels(config, files[index])
            except Exception as error:
                cells.append(f"reference: {type(error).__name__}; ours: {ours.get('code', 'decoded')}")
                continue
            if "code" in ours:
                cells.append(f"ours: {ours['code']}")
                continue
            grows = min(width, height) < (edge or 224) if edge else width < 224 or height < 224
            mine = np.fromfile(os.path.join(folder, f"{index}.u8"), np.uint8).reshape(theirs.shape)
            difference = np.abs(mine.astype(int) - theirs.astype(int))
            cells.append(f"{difference.mean():.2f} ({difference.max()}){' +' if grows else ''}")
    return cells


def main():
    warnings.simplefilter("ignore")
    if not sys.argv[1:] and not os.path.isdir(REFERENCE):
        print("Skipped: ../shared/reference is not there. Give files or folders, such as test/golden/images.", file=sys.stderr)
        return
    paths = sys.argv[1:] or [os.path.join(REFERENCE, name) for name in ("photos", "formats", "golden")]
    files = list(image_files(paths))
    columns = [compare(config, files) for config in CONFIGS.values()]
    print("| file | " + " | ".join(CONFIGS) + " |\n|---|" + "---|" * len(CONFIGS))
    for file, *cells in zip(files, *columns):
        print(f"| `{os.path.basename(file)}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
