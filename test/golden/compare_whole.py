"""Prints each image file whose pixels, before resizing, are not Pillow's, and how many are.

    VENV/bin/python test/golden/compare_whole.py FILE_OR_FOLDER ...

VENV as for compare_reference.py. Any file is tried, whatever its name. Numbers are grey levels of 255: the
mean absolute difference and, in brackets, the largest.
"""
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from transformers.image_transforms import convert_to_rgb
from transformers.image_utils import load_image

from compare_reference import ROOT


def files_of(paths):
    for path in paths:
        for folder, _, names in sorted(os.walk(path)) or [(os.path.dirname(path), [], [os.path.basename(path)])]:
            yield from (os.path.join(folder, name) for name in sorted(names))


def theirs_of(file):
    try:
        return np.asarray(convert_to_rgb(load_image(file))), None
    except Exception as error:
        return None, type(error).__name__


def verdict(ours, theirs, error, path):
    """What to print of a file; None where both agree."""
    if theirs is None:
        return None if "code" in ours else f"Pillow: {error}; read here"
    if "code" in ours:
        return f"{ours['code']}: {ours['message']}"
    if theirs.shape != (ours["height"], ours["width"], 3):
        return f"{ours['width']} x {ours['height']} here, {theirs.shape[1]} x {theirs.shape[0]} in Pillow"
    difference = np.abs(np.fromfile(path, np.uint8).reshape(theirs.shape).astype(int) - theirs)
    return f"{difference.mean():.2f} ({difference.max()})" if difference.any() else None


def main():
    warnings.simplefilter("ignore")
    files = list(files_of(sys.argv[1:]))
    counts = {"equal": 0, "refused by both": 0}
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(ROOT, "dist", "test", "golden", "dump-pixels.js")
        lines = subprocess.run(["node", script, folder, "whole", *files], check=True, capture_output=True, text=True).stdout
        for index, line in enumerate(lines.splitlines()):
            theirs, error = theirs_of(files[index])
            said = verdict(json.loads(line), theirs, error, os.path.join(folder, f"{index}.u8"))
            if said is None:
                counts["equal" if theirs is not None else "refused by both"] += 1
            else:
                print(f"{os.path.basename(files[index])}: {said}")
    print(f"{len(files)} files: {counts}")


if __name__ == "__main__":
    main()
