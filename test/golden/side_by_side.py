"""What Python's pipeline("zero-shot-image-classification") says of models/demo, for side-by-side.ts to compare with.

    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 numpy transformers==5.23.0 pillow==13.0.0
    VENV/bin/python test/golden/side_by_side.py > python.json
    npm run build && node dist/test/golden/side-by-side.js python.json

The model is loaded by the pipeline itself, as any user would: nothing here says how to tokenize, to resize or to score.
Photographs are those of ../shared/reference/photos; without that folder only examples/pictures is done.

Output: {versions, processor, tokenizer, sets: [{name, folder, template, labels, images: [{file, scores}]}]}; folders are
relative to the repository, scores are in the order of the labels.
"""
import json
import os
import platform
import sys
import warnings

import PIL
import torch
import transformers
from transformers import pipeline

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEMPLATE = "This is a photo of {}."
PICTURES = ["airplane", "apple", "bear", "bike", "car", "cat", "dog", "fox", "guitar", "horse", "owl", "pizza", "rocket",
            "sailboat", "tree", "umbrella"]
SETS = [
    ("photographs", "../shared/reference/photos", ["cat", "dog", "rocket", "cup of coffee", "astronaut", "diagram"]),
    ("pictures", "examples/pictures", PICTURES),
]
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def ask(classifier, name, folder, labels):
    path = os.path.join(ROOT, folder)
    images = []
    for file in sorted(f for f in os.listdir(path) if f.lower().endswith(IMAGE_ENDINGS)):
        found = classifier(os.path.join(path, file), candidate_labels=labels, hypothesis_template=TEMPLATE)
        scores = {entry["label"]: entry["score"] for entry in found}
        images.append({"file": file, "scores": [scores[label] for label in labels]})
    return {"name": name, "folder": folder, "template": TEMPLATE, "labels": labels, "images": images}


def main():
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    classifier = pipeline("zero-shot-image-classification", model=os.path.join(ROOT, "models", "demo"), dtype=torch.float32)
    sets = []
    for name, folder, labels in SETS:
        if os.path.isdir(os.path.join(ROOT, folder)):
            sets.append(ask(classifier, name, folder, labels))
        else:
            print(f"Skipped '{name}': {folder} is not there.", file=sys.stderr)
    print(json.dumps({
        "versions": {"python": platform.python_version(), "transformers": transformers.__version__, "torch": torch.__version__, "pillow": PIL.__version__},
        "processor": type(classifier.image_processor).__name__,
        "tokenizer": type(classifier.tokenizer).__name__,
        "sets": sets,
    }))


if __name__ == "__main__":
    main()
