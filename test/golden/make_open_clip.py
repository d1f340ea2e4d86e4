"""Makes the checkpoints in open_clip's own layout that the tests build towers from, and what open_clip says of them.

    python3 -m venv VENV
    VENV/bin/pip install torch==2.13.0 torchvision==0.28.0 open_clip_torch==3.2.0 numpy safetensors
    VENV/bin/python test/golden/make_open_clip.py

    checkpoints/NAME/          one directory for each of VARIANTS: open_clip_config.json, open_clip_model.safetensors and golden.json,
                               whose keys make_checkpoints.py says
"""
import base64
import json
import os
import platform

import numpy as np
import open_clip
import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "checkpoints")
VERSIONS = {"python": platform.python_version(), "open_clip": open_clip.__version__, "torch": torch.__version__}
SIDE, WORDS, LENGTH = 16, 60, 9
VISION = {"image_size": SIDE, "layers": 2, "width": 16, "head_width": 8, "patch_size": 4, "mlp_ratio": 1.5}
TEXT = {"context_length": LENGTH, "vocab_size": WORDS, "width": 16, "heads": 2, "layers": 2, "mlp_ratio": 1.5}
PREPROCESS = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0}

VARIANTS = {
    "open-clip": {"model": {"embed_dim": 8, "quick_gelu": True, "vision_cfg": VISION, "text_cfg": TEXT}, "end": WORDS - 1},
    "open-clip-custom-text": {
        "model": {"embed_dim": 12, "custom_text": True,
                  "vision_cfg": {**VISION, "act_kwargs": {"approximate": "tanh"}, "norm_kwargs": {"eps": 1e-6}},
                  "text_cfg": {**TEXT, "pool_type": "eos", "eos_id": 2}}, "end": 2},
}


def encode(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()


def texts_of(end, generator):
    """Rows of several lengths, padded with zeros as open_clip pads."""
    ids = torch.randint(8, WORDS - 1, (5, LENGTH), generator=generator)
    for row, length in enumerate([9, 6, 4, 9, 2]):
        ids[row, length - 1] = end
        ids[row, length:] = 0
    return ids


def write(name, seed):
    variant = VARIANTS[name]
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(seed)
    config = variant["model"]
    kind = open_clip.model.CustomTextCLIP if config.get("custom_text") else open_clip.model.CLIP
    model = kind(**{key: value for key, value in config.items() if key != "custom_text"}).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Random numbers everywhere, so that no part of a tower could be left out unseen.
            parameter.copy_(parameter + torch.randn(parameter.shape) * (0.2 if parameter.ndim == 1 else 0.1))
        model.logit_scale.fill_(4.5)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()},
              os.path.join(folder, "open_clip_model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(folder, "open_clip_config.json"), "w") as out:
        json.dump({"model_cfg": config, "preprocess_cfg": PREPROCESS}, out, indent=2)
        out.write("\n")
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (3, SIDE, SIDE, 3), generator=generator).numpy().astype(np.uint8)
    ids = texts_of(variant["end"], generator)
    floats = torch.from_numpy(((pixels.astype(np.float32) / np.float32(255)) - np.float32(0.5)) / np.float32(0.5)).permute(0, 3, 1, 2)
    with torch.no_grad():
        images, texts = model.encode_image(floats, normalize=True).numpy(), model.encode_text(ids, normalize=True).numpy()
    golden = {"versions": VERSIONS, "side": SIDE, "dimensions": images.shape[1], "pixels": encode(pixels, np.uint8), "ids": ids.tolist(),
              "mask": [[1] * LENGTH] * len(ids), "images": encode(images, "<f4"), "texts": encode(texts, "<f4")}
    with open(os.path.join(folder, "golden.json"), "w") as out:
        json.dump(golden, out, separators=(",", ":"))
        out.write("\n")
    for file in os.listdir(folder):
        os.chmod(os.path.join(folder, file), 0o644)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for number, each in enumerate(VARIANTS):
        write(each, number + 21)
