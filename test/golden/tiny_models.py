"""Small random CLIP, SigLIP and ChineseCLIP models with trained-looking scale and bias, in the layout of the Hub's ONNX exports.

Random weights of the usual spread (0.02) give every image the same embedding. Here they are wide enough that images and
texts differ, and the last biases give all embeddings a common direction, as trained towers have: cosines lie near one
another, and a scale of 100 makes neither zeros nor ones of the scores.
"""
import json
import math
import os

import torch
from transformers import ChineseCLIPConfig, ChineseCLIPModel, CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

import tiny_tokenizers

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def awaken(model, seed, cone):
    """Weights wide enough to tell inputs apart; biases of the last layers named in `cone` give the common direction."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda p, spread: p.copy_(torch.randn(p.shape, generator=generator) * spread)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if any(name.endswith(ending) for ending in cone):
                draw(p, cone[next(ending for ending in cone if name.endswith(ending))])
            elif "position_embedding" in name or "token_type" in name:
                draw(p, 0.3)
            elif "embedding" in name and "patch" not in name or "probe" in name:
                draw(p, 1.0)
            elif p.ndim >= 2:
                draw(p, 1.0 / math.sqrt(p[0].numel()))


class Tower(torch.nn.Module):
    """One side of a model as the Hub's split graphs have it."""

    def __init__(self, model, side):
        super().__init__()
        self.model, self.side = model, side

    def forward(self, *inputs):
        is_clip = self.model.config.model_type == "clip"
        if self.side == "vision":
            out = self.model.vision_model(pixel_values=inputs[0])
            return self.model.visual_projection(out.pooler_output) if is_clip else (out.last_hidden_state, out.pooler_output)
        mask = {"attention_mask": inputs[1]} if len(inputs) > 1 else {}
        out = self.model.text_model(input_ids=inputs[0], **mask)
        return self.model.text_projection(out.pooler_output) if is_clip else (out.last_hidden_state, out.pooler_output)


class Joint(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, pixel_values, attention_mask=None):
        mask = {} if attention_mask is None else {"attention_mask": attention_mask}
        out = self.model(input_ids=input_ids, pixel_values=pixel_values, **mask)
        return out.logits_per_image, out.logits_per_text, out.text_embeds, out.image_embeds


def export(module, inputs, names, outputs, path):
    text, image = {0: "text_batch_size", 1: "sequence_length"}, {0: "image_batch_size"}
    axes = {name: image if name == "pixel_values" else text for name in names}
    rows = {"logits_per_image": {0: "image_batch_size", 1: "text_batch_size"}, "logits_per_text": {0: "text_batch_size", 1: "image_batch_size"}}
    axes |= {name: rows.get(name, {0: "rows"}) for name in outputs}
    torch.onnx.export(module.eval(), inputs, path, input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)


SIZE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def make_clip(words):
    text = {**SIZE, "vocab_size": words, "max_position_embeddings": 77, "projection_dim": 24, "bos_token_id": words - 2,
            "eos_token_id": words - 1, "pad_token_id": words - 1}
    vision = {**SIZE, "image_size": 32, "patch_size": 8, "projection_dim": 24}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))


def make_siglip(words):
    text = {**SIZE, "vocab_size": words, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 1,
            "projection_size": 32}
    return SiglipModel(SiglipConfig(text_config=text, vision_config={**SIZE, "image_size": 48, "patch_size": 16}))


def make_chinese_clip(words):
    text = {**SIZE, "vocab_size": words, "max_position_embeddings": 64}
    vision = {**SIZE, "image_size": 64, "patch_size": 16}
    return ChineseCLIPModel(ChineseCLIPConfig(text_config=text, vision_config=vision, projection_dim=24))


# Sizes as numbers, and nothing of rescaling: as the oldest checkpoints have it.
CLIP_PROCESSOR = {
    "feature_extractor_type": "CLIPFeatureExtractor", "do_resize": True, "size": 32, "resample": 3, "do_center_crop": True,
    "crop_size": 32, "do_normalize": True, "image_mean": MEAN, "image_std": STD}
SIGLIP_PROCESSOR = {
    "image_processor_type": "SiglipImageProcessor", "do_resize": True, "size": {"height": 48, "width": 48}, "resample": 2,
    "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
CHINESE_PROCESSOR = {
    "feature_extractor_type": "ChineseCLIPFeatureExtractor", "image_processor_type": "ChineseCLIPImageProcessor",
    "do_resize": True, "size": {"height": 64, "width": 64}, "resample": 3, "do_center_crop": False, "do_rescale": True,
    "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": MEAN, "image_std": STD}

FAMILIES = {
    "clip": {"seed": 33, "tokenizer": tiny_tokenizers.clip_tokenizer, "make": make_clip, "processor": CLIP_PROCESSOR, "scale": math.log(100),
             "cone": {"final_layer_norm.bias": 1.6, "post_layernorm.bias": 0.8}},
    "siglip": {"seed": 21, "tokenizer": tiny_tokenizers.siglip_tokenizer, "make": make_siglip, "processor": SIGLIP_PROCESSOR,
               "scale": math.log(117.33), "bias": -12.93, "cone": {"text_model.head.bias": 1.0, "head.mlp.fc2.bias": 4.0}},
    "chinese-clip": {"seed": 12, "tokenizer": tiny_tokenizers.chinese_tokenizer, "make": make_chinese_clip, "processor": CHINESE_PROCESSOR,
                     "scale": math.log(100), "cone": {"layer.1.output.LayerNorm.bias": 1.6, "post_layernorm.bias": 0.8}},
}


def build(name):
    """The model with its fixed weights, and its tokenizer with the two files beside it."""
    family = FAMILIES[name]
    tokenizer, config, special = family["tokenizer"]()
    torch.manual_seed(family["seed"])
    model = family["make"](tokenizer.get_vocab_size()).eval()
    awaken(model, family["seed"], family["cone"])
    with torch.no_grad():
        model.logit_scale.fill_(family["scale"])
        if "bias" in family:
            model.logit_bias.fill_(family["bias"])
            # Sigmoids need cosines near -bias / scale: the image's common direction leans a little towards the text's.
            model.vision_model.head.mlp.fc2.bias.add_(1.8 * model.text_model.head.bias)
    return model, tokenizer, config, special


def write(name, folder):
    """The directory as the Hub has it: CLIP and SigLIP with towers and joint graph, ChineseCLIP with the joint graph alone."""
    model, tokenizer, tokenizer_config, special = build(name)
    os.makedirs(os.path.join(folder, "onnx"), exist_ok=True)
    layout = json.loads(tokenizer.to_str())
    if isinstance(layout["model"]["vocab"], dict):  # in the order of a hash map, another one at every run
        layout["model"]["vocab"] = dict(sorted(layout["model"]["vocab"].items(), key=lambda entry: entry[1]))
    with open(os.path.join(folder, "tokenizer.json"), "w") as out:
        json.dump(layout, out, ensure_ascii=False, separators=(",", ":"))
    config = {"architectures": [type(model).__name__], **model.config.to_diff_dict()}
    files = {"config.json": config, "preprocessor_config.json": FAMILIES[name]["processor"],
             "tokenizer_config.json": tokenizer_config, "special_tokens_map.json": special}
    for file, value in files.items():
        with open(os.path.join(folder, file), "w") as out:
            json.dump(value, out, indent=2, ensure_ascii=False)
            out.write("\n")
    export_graphs(name, model, os.path.join(folder, "onnx"))


def export_graphs(name, model, folder):
    size = model.config.vision_config.image_size
    length = 64 if name == "siglip" else 9
    ids = torch.full((2, length), model.config.text_config.vocab_size - 1)
    ids[:, :3] = torch.tensor([[5, 6, 7], [9, 8, 7]])
    pixels = torch.zeros(2, 3, size, size)
    masks = [] if name == "siglip" else [torch.ones_like(ids)]
    mask_names = ["attention_mask"] * len(masks)
    path = lambda graph: os.path.join(folder, f"{graph}.onnx")
    export(Joint(model), (ids, pixels, *masks), ["input_ids", "pixel_values", *mask_names],
           ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"], path("model"))
    if name == "chinese-clip":
        return
    outputs = lambda side: [f"{side}_embeds"] if name == "clip" else ["last_hidden_state", "pooler_output"]
    export(Tower(model, "vision"), (pixels,), ["pixel_values"], outputs("image"), path("vision_model"))
    export(Tower(model, "text"), (ids, *masks), ["input_ids", *mask_names], outputs("text"), path("text_model"))
