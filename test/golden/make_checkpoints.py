"""Makes the checkpoints that the tests build towers from, and what Python's transformers says of them.

    python3 -m venv VENV
    VENV/bin/pip install torch==2.13.0 transformers==5.24.0 numpy safetensors tokenizers onnx
    VENV/bin/python test/golden/make_checkpoints.py

    checkpoints/{clip,siglip,chinese-clip}/model.safetensors
                               the weights of models/NAME, whose other files and goldens hold for them too
    checkpoints/NAME/          one directory for each of VARIANTS: config.json as transformers writes it, the weights in the
                               dtype and number of files of the variant, and golden.json:
        versions               of python, transformers, torch
        side                   of an image, in pixels
        dimensions
        pixels                 base64 of images x side x side x RGB, u8; rescaled by 1/255 and normalised by 0.5, 0.5
        ids, mask              rows of token ids, padded, and which of them are tokens
        images, texts          base64 of unit vectors, little-endian float32, of the weights as they are stored, in float32
"""
import base64
import json
import os
import platform

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import (ChineseCLIPConfig, ChineseCLIPModel, CLIPConfig, CLIPModel, MetaClip2Config, MetaClip2Model,
                          SiglipConfig, SiglipModel)

import tiny_models

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "checkpoints")
VERSIONS = {"python": platform.python_version(), "transformers": transformers.__version__, "torch": torch.__version__}
SIDE, WORDS, LENGTH = 16, 60, 9
LAYERS = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {**LAYERS, "vocab_size": WORDS, "max_position_embeddings": 12}
VISION = {**LAYERS, "image_size": SIDE, "patch_size": 4}


def clip(kind=CLIPModel, config=CLIPConfig, **text):
    sides = {"text_config": {**TEXT, "projection_dim": 8, **text}, "vision_config": {**VISION, "projection_dim": 8}}
    if "hidden_act" in text:
        sides["vision_config"]["hidden_act"] = text["hidden_act"]
    return kind(config(**sides, projection_dim=8))


def siglip():
    return SiglipModel(SiglipConfig(text_config={**TEXT, "projection_size": 16}, vision_config=VISION))


def chinese_clip():
    return ChineseCLIPModel(ChineseCLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=8))


# What ends a text: an id, or nothing where the tower reads the first or last place.
VARIANTS = {
    "clip-end-by-id": {"make": lambda: clip(eos_token_id=7), "dtype": torch.float32, "end": 7},
    "clip-end-highest-f16-shards": {"make": lambda: clip(eos_token_id=2, hidden_act="gelu"), "dtype": torch.float16, "end": WORDS - 1, "shards": 3},
    "metaclip-2-bf16": {"make": lambda: clip(MetaClip2Model, MetaClip2Config, eos_token_id=2), "dtype": torch.bfloat16, "end": 2},
    "siglip-bf16": {"make": siglip, "dtype": torch.bfloat16, "end": None},
    "siglip-f16": {"make": siglip, "dtype": torch.float16, "end": None},
    "chinese-clip-f16": {"make": chinese_clip, "dtype": torch.float16, "end": None},
}


def texts_of(end, generator):
    """Rows of several lengths; after the end mark come padding and, in one row, a second end mark."""
    ids = torch.randint(8, WORDS - 1, (5, LENGTH), generator=generator)
    mask = torch.ones_like(ids)
    for row, length in enumerate([9, 6, 4, 9, 2]):
        if end is not None:
            ids[row, length - 1] = end
        ids[row, length:] = 0
        mask[row, length:] = 0
    if end is not None:
        ids[2, 6] = end
    return ids, mask


def save(folder, state, shards):
    """One file, or several with their index, as save_pretrained writes them."""
    if shards == 1:
        return save_file(state, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    names = sorted(state)
    weight_map = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        part = {name: state[name] for name in names[shard::shards]}
        save_file(part, os.path.join(folder, file), metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, file)
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as out:
        json.dump({"metadata": {}, "weight_map": dict(sorted(weight_map.items()))}, out, indent=2)
        out.write("\n")


def readable(folder):
    """safetensors writes files for their owner alone."""
    for file in os.listdir(folder):
        os.chmod(os.path.join(folder, file), 0o644)


def encode(array, dtype):
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()


def unit(output):
    vectors = output if torch.is_tensor(output) else output.pooler_output
    return (vectors / vectors.norm(dim=-1, keepdim=True)).numpy()


def write(name, seed):
    variant = VARIANTS[name]
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(seed)
    model = variant["make"]().eval()
    tiny_models.awaken(model, seed, {})
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim == 1:  # biases are drawn as zeros, and a bias left out would not be seen
                p.add_(torch.randn(p.shape) * 0.2)
        model.logit_scale.fill_(4.5)
    model = model.to(variant["dtype"])
    save(folder, {key: value.contiguous() for key, value in model.state_dict().items()}, variant.get("shards", 1))
    with open(os.path.join(folder, "config.json"), "w") as out:
        json.dump({"architectures": [type(model).__name__], **model.config.to_diff_dict()}, out, indent=2, default=str)
        out.write("\n")
    model = model.float()
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (3, SIDE, SIDE, 3), generator=generator).numpy().astype(np.uint8)
    ids, mask = texts_of(variant["end"], generator)
    floats = torch.from_numpy(((pixels.astype(np.float32) / np.float32(255)) - np.float32(0.5)) / np.float32(0.5)).permute(0, 3, 1, 2)
    masks = {"attention_mask": mask} if name.startswith("chinese") else {}
    with torch.no_grad():
        images, texts = unit(model.get_image_features(pixel_values=floats)), unit(model.get_text_features(input_ids=ids, **masks))
    golden = {"versions": VERSIONS, "side": SIDE, "dimensions": images.shape[1], "pixels": encode(pixels, np.uint8),
              "ids": ids.tolist(), "mask": mask.tolist(), "images": encode(images, "<f4"), "texts": encode(texts, "<f4")}
    with open(os.path.join(folder, "golden.json"), "w") as out:
        json.dump(golden, out, separators=(",", ":"))
        out.write("\n")
    readable(folder)


def main():
    torch.set_num_threads(1)
    for name in tiny_models.FAMILIES:
        os.makedirs(os.path.join(OUT, name), exist_ok=True)
        save(os.path.join(OUT, name), tiny_models.build(name)[0].state_dict(), 1)
        readable(os.path.join(OUT, name))
    for seed, name in enumerate(VARIANTS):
        write(name, seed + 1)


if __name__ == "__main__":
    main()
