"""Makes models of the well-known shapes with random weights, for benchmarks: speed does not depend on the weights.

    VENV/bin/python bench/random_models.py FOLDER [vit-b-32 vit-b-16 vit-l-14 siglip-b-16]

Needs torch, transformers and onnx (see test/golden/make_goldens.py). Each gets the Hub's layout with fp32 weights: the ONNX
graphs, and the same weights as model.safetensors for peers in Python; where onnxruntime is installed too, both towers in
fp16 as well. The tokenizer is the bundled model's, whose ids all are within the larger vocabularies.
"""
import json
import os
import shutil
import sys

import onnx
import torch
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test", "golden"))
from tiny_models import Joint, Tower, export  # noqa: E402

DEMO = os.path.join(ROOT, "models", "demo")


def clip(patch, vision=None, text=None, projection=512):
    with open(os.path.join(DEMO, "config.json")) as file:
        demo = json.load(file)["text_config"]
    # A text's vector is that of its end token: without the tokenizer's own id all texts would have the same.
    tokens = {name: demo[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    return CLIPModel(CLIPConfig(
        vision_config={"patch_size": patch, "projection_dim": projection, **(vision or {})},
        text_config={"projection_dim": projection, **tokens, **(text or {})}, projection_dim=projection))


LARGE = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}
LARGE_TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12}
SHAPES = {
    "vit-b-32": lambda: clip(32),
    "vit-b-16": lambda: clip(16),
    "vit-l-14": lambda: clip(14, LARGE, LARGE_TEXT, 768),
    "siglip-b-16": lambda: SiglipModel(SiglipConfig()),
}


def halve(path):
    """The graph with weights and sums in float16; inputs and outputs stay float32."""
    try:
        from onnxruntime.transformers.float16 import convert_float_to_float16
    except ImportError:
        return
    onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), path.replace(".onnx", "_fp16.onnx"))


def write(name, folder):
    torch.manual_seed(1)
    model = SHAPES[name]().eval()
    os.makedirs(os.path.join(folder, "onnx"), exist_ok=True)
    siglip = name.startswith("siglip")
    pixels = torch.zeros(2, 3, 224, 224)
    ids = torch.ones(2, 64 if siglip else 9, dtype=torch.long)
    masks = [] if siglip else [torch.ones_like(ids)]
    texts = ["input_ids", *(["attention_mask"] if masks else [])]
    outputs = lambda side: ["last_hidden_state", "pooler_output"] if siglip else [f"{side}_embeds"]
    path = lambda graph: os.path.join(folder, "onnx", f"{graph}.onnx")
    export(Tower(model, "vision"), (pixels,), ["pixel_values"], outputs("image"), path("vision_model"))
    export(Tower(model, "text"), (ids, *masks), texts, outputs("text"), path("text_model"))
    joint = ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"]
    export(Joint(model), (ids, pixels, *masks), ["input_ids", "pixel_values", *texts[1:]], joint, path("model"))
    for tower in ["vision_model", "text_model"]:
        halve(path(tower))
    model.save_pretrained(folder)
    for file in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]:
        shutil.copy(os.path.join(DEMO, file), folder)
    processor = json.load(open(os.path.join(DEMO, "preprocessor_config.json")))
    processor |= {"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}}
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as file:
        json.dump(processor, file)
    print(name, sum(p.numel() for p in model.parameters()), "parameters,",
          sum(p.numel() for p in model.vision_model.parameters()), "in the image tower")


if __name__ == "__main__":
    for shape in sys.argv[2:] or SHAPES:
        write(shape, os.path.join(sys.argv[1], shape))
