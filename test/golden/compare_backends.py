"""Prints how far other ways from a photograph to CLIP's pixels are from transformers' PIL backend, in grey levels and scores.

    python3 -m venv VISION
    VISION/bin/pip install torch==2.13.0 transformers==5.23.0 pillow==13.0.0 numpy==2.4.6 onnxruntime==1.32.0 opencv-python-headless==5.0.0.93
    VISION/bin/pip install --no-deps torchvision==0.28.0
    VISION/bin/python test/golden/compare_backends.py MODEL FILE_OR_FOLDER ...

MODEL is a directory with onnx/vision_model.onnx and onnx/text_model.onnx. The ways:
  fast          transformers' fast backend, by torchvision
  keep_ratio    what img2dataset stores with `--image_size 256 --resize_mode keep_ratio`: the shorter side 256 by OpenCV's area filter,
                JPEG of quality 95
  border        the same with `--resize_mode border`: the longer side 256, white bars to a square
"""
import os
import sys
import warnings

import cv2
import numpy as np
import onnxruntime
import torch

# torchvision's wheel of PyPI does not load its detection operators beside a torch without CUDA, but wants their names. Resizing is torch's.
operators = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from PIL import Image
from transformers import AutoTokenizer, CLIPImageProcessor, CLIPImageProcessorPil, logging
from transformers.image_transforms import convert_to_rgb
from transformers.image_utils import load_image

EDGE = 224
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
LABELS = ["cat", "dog", "rocket", "cup of coffee", "mountain", "beach", "street", "car", "food", "building", "flower", "bird", "book",
          "tree", "boat", "clock", "bridge", "fish", "church", "horse"]
SCALES = (10, 100)
processor = CLIPImageProcessorPil()
fast_processor = CLIPImageProcessor()
assert "Torchvision" in type(fast_processor).__mro__[1].__name__, "transformers takes its other backend: torchvision did not load"


def pil(image):
    pixels = processor(image, do_rescale=False, do_normalize=False)["pixel_values"][0]
    return np.moveaxis(np.asarray(pixels), 0, -1).astype(np.uint8)


def fast(image):
    pixels = fast_processor(image, do_rescale=False, do_normalize=False, return_tensors="pt")["pixel_values"][0]
    return pixels.permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).numpy()


def stored(image, edge, white):
    """What img2dataset's Resizer stores, read back."""
    pixels = np.array(image)[..., ::-1]
    height, width = pixels.shape[:2]
    factor = 256 / edge(width, height)
    if factor < 1:
        pixels = cv2.resize(pixels, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_AREA)
    if white:
        height, width = pixels.shape[:2]
        bars = ((256 - height) // 2, 256 - height - (256 - height) // 2, (256 - width) // 2, 256 - width - (256 - width) // 2)
        pixels = cv2.copyMakeBorder(pixels, *(max(0, bar) for bar in bars), cv2.BORDER_CONSTANT, value=[255, 255, 255])
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return Image.fromarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1])


WAYS = {
    "fast": fast,
    "keep_ratio": lambda image: pil(stored(image, min, white=False)),
    "border": lambda image: pil(stored(image, max, white=True)),
}


def open_towers(model):
    onnx = lambda name: onnxruntime.InferenceSession(os.path.join(model, "onnx", name), providers=["CPUExecutionProvider"])
    vision, text = onnx("vision_model.onnx"), onnx("text_model.onnx")
    tokenizer = AutoTokenizer.from_pretrained(model)
    wanted = {entry.name for entry in text.get_inputs()}
    prompts = [f"This is a photo of {label}." for label in LABELS]
    tokens = tokenizer(prompts, padding="max_length", max_length=77, truncation=True, return_tensors="np")
    texts = unit(text.run(["text_embeds"], {key: value.astype(np.int64) for key, value in tokens.items() if key in wanted})[0])
    assert np.isfinite(texts).all(), "a label that the text tower does not know"

    def cosines(pixels):
        values = processor(Image.fromarray(pixels), do_resize=False, do_center_crop=False, return_tensors="np")["pixel_values"]
        images = unit(vision.run(["image_embeds"], {"pixel_values": values.astype(np.float32)})[0])
        return images @ texts.T
    return cosines


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def softmax(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def photographs(paths):
    for path in paths:
        names = sorted(os.listdir(path)) if os.path.isdir(path) else [""]
        for name in names:
            if (name or path).lower().endswith(IMAGE_ENDINGS):
                yield os.path.join(path, name) if name else path


def main():
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    cosines = open_towers(sys.argv[1])
    rows = {way: [] for way in WAYS}
    files = list(photographs(sys.argv[2:]))
    for file in files:
        image = convert_to_rgb(load_image(file))
        reference = pil(image)
        right = cosines(reference)[0]
        for way, pixels_of in WAYS.items():
            pixels = pixels_of(image)
            off = np.abs(pixels.astype(int) - reference.astype(int))
            other = cosines(pixels)[0]
            moved = [np.abs(softmax(scale * other) - softmax(scale * right)).max() for scale in SCALES]
            rows[way].append((off.mean(), off.max(), *moved, other.argmax() == right.argmax()))
    print(f"{len(files)} photographs, {len(LABELS)} labels\n")
    print("| way | grey levels: mean, worst file, largest | scores at scale 10: mean of the largest, worst | at scale 100 | same best label |\n|---|---|---|---|---|")
    for way, row in rows.items():
        means, largest, ten, hundred, same = (np.array(column) for column in zip(*row))
        print(f"| {way} | {means.mean():.4f}, {means.max():.4f}, {largest.max()} | {ten.mean():.5f}, {ten.max():.5f} | "
              f"{hundred.mean():.5f}, {hundred.max():.5f} | {same.sum()} of {len(same)} |")


main()
