"""Makes the goldens that the parity tests compare with: what Python's transformers says of images and labels.

    python3 -m venv VENV
    VENV/bin/pip install torch==2.13.0 transformers==5.23.0 pillow==13.0.0 numpy onnx onnxruntime
    VENV/bin/python test/golden/make_goldens.py [images] [models] [goldens]

Without arguments: all three, in that order. Everything comes from fixed seeds; what is checked in was made by the
versions that each golden names. There is no torchvision in this list, so that the image processors are transformers'
PIL ones, the reference that docs/parity.md means.

    images/                    drawn by draw_images.py, one file for each thing a decoder may get wrong
    models/{clip,siglip,chinese-clip}/   made by tiny_models.py, in the layout of the Hub's ONNX exports
    goldens/NAME.json          for NAME in clip, siglip, chinese-clip (over images/) and demo (models/demo over
                               examples/pictures)
    goldens/NAME.u8            the processor's pixels after resizing and cropping: images x height x width x RGB, u8
    goldens/NAME.f32           unit vectors, little-endian float32, `dimensions` a row: images first, then texts

NAME.json:
    versions                   of python, transformers, torch, pillow, numpy
    modelDir, imageDir         relative to the repository
    dimensions, width, height
    logitScale, logitBias      as they multiply and add (not their logarithm); the bias is 0 where there is none
    scoreFunction              "softmax" or "sigmoid"
    images                     [{file, sourceWidth, sourceHeight}]: sizes after EXIF; number i is row i of both files
    labelSets                  [{name, labels, templates, tokens, textRow, truncated, pipelineError, from, results}]
        tokens                 per template, per label: the ids without padding, cut where `truncated`
        textRow                row of NAME.f32 of the first label; a label's vector is the unit mean over its templates
        truncated              places of the labels that had more tokens than fit
        pipelineError          what the pipeline raises, or null: it does not truncate a CLIP's texts, and (5.23) drops
                               the tokenizer_kwargs that would tell it to
        from                   "pipeline": the scores are those of pipeline("zero-shot-image-classification");
                               "formula": several templates, or an error: scores of the unit vectors in NAME.f32
        results                per image: {logits, scores}, both in the order of `labels`
"""
import json
import os
import platform
import sys
import warnings

import numpy as np
import PIL
import torch
import transformers
from transformers import (BertTokenizer, ChineseCLIPImageProcessorPil, ChineseCLIPModel, CLIPImageProcessorPil, CLIPModel,
                          CLIPTokenizer, PreTrainedTokenizerFast, SiglipImageProcessorPil, SiglipModel, pipeline)
from transformers.image_utils import load_image

import draw_images
import tiny_models

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LONG = "a very long label that goes on and on about " + "many small boats in the sea and " * 20 + "a dog"

LABEL_SETS = [
    ("plain", ["cat", "dog", "red car", "tree", "the sea at night"], ["This is a photo of {}."]),
    ("scripts", ["猫の写真", "一只在草地上的狗", "😀👍🏽", "Cafe\u0301 crème", "हाथी", "فيل"], ["{}"]),
    ("odd", ["a $& bill", "$1 and $$", "a {} b", "  UPPER  and   spaces ", "it's", "x"], ["a photo of {}"]),
    ("single", ["cat"], ["This is a photo of {}."]),
    ("too-long", ["cat", LONG], ["{}"]),
    ("ensemble", ["cat", "dog", "car"], ["a photo of a {}.", "a drawing of the {}", "many {}"]),
]
PICTURES = ["airplane", "apple", "bear", "bike", "car", "cat", "dog", "fox", "guitar", "horse", "owl", "pizza", "rocket",
            "sailboat", "tree", "umbrella"]
DEMO_SETS = [("pictures", PICTURES, ["This is a photo of {}."]), *LABEL_SETS]

LOADERS = {
    "clip": (CLIPModel, CLIPTokenizer, CLIPImageProcessorPil),
    "siglip": (SiglipModel, PreTrainedTokenizerFast, SiglipImageProcessorPil),
    "chinese-clip": (ChineseCLIPModel, BertTokenizer, ChineseCLIPImageProcessorPil),
    "demo": (CLIPModel, CLIPTokenizer, CLIPImageProcessorPil),
}
VERSIONS = {"python": platform.python_version(), "transformers": transformers.__version__, "torch": torch.__version__,
            "pillow": PIL.__version__, "numpy": np.__version__}


def images_of(folder, files, processor):
    """What the model is fed, and the same before numbers were scaled."""
    pictures = [load_image(os.path.join(folder, file)) for file in files]
    pixels = [processor(picture, do_rescale=False, do_normalize=False)["pixel_values"][0] for picture in pictures]
    names = [{"file": file, "sourceWidth": p.width, "sourceHeight": p.height} for file, p in zip(files, pictures)]
    return names, np.moveaxis(np.asarray(pixels), 1, -1).astype(np.uint8), processor(pictures, return_tensors="pt")


def unit(vectors):
    return vectors / vectors.norm(dim=-1, keepdim=True)


def vectors_of(output):
    """Unit vectors; transformers 5 gives the tower's whole output, whose pooler_output is the projected embedding."""
    return unit(output if torch.is_tensor(output) else output.pooler_output).detach()


class Reference:
    """A model in Python, asked the way the pipeline asks it."""

    def __init__(self, name, folder):
        kind, tokenizer, processor = LOADERS[name]
        # The small models have no checkpoint: their weights are in the graphs, and drawn anew here from the same seed.
        self.model = kind.from_pretrained(folder).eval() if name == "demo" else tiny_models.build(name)[0]
        self.tokenizer = tokenizer.from_pretrained(folder)
        self.processor = processor.from_pretrained(folder)
        self.is_siglip = name == "siglip"
        self.positions = self.model.config.text_config.max_position_embeddings
        self.pipeline = pipeline("zero-shot-image-classification", model=self.model, tokenizer=self.tokenizer, image_processor=self.processor)
        self.scale = float(self.model.logit_scale.detach().exp())
        self.bias = float(getattr(self.model, "logit_bias", torch.zeros(1)))

    def tokens(self, prompts):
        padding = {"padding": "max_length", "max_length": 64} if self.is_siglip else {"padding": True, "max_length": self.positions}
        return self.tokenizer(prompts, return_tensors="pt", truncation=True, **padding)

    def text_vectors(self, prompts):
        return vectors_of(self.model.get_text_features(**self.tokens(prompts)))

    def answer(self, path, labels, template):
        """The pipeline's scores in the order of the labels."""
        found = self.pipeline(path, candidate_labels=labels, hypothesis_template=template)
        scores = {entry["label"]: entry["score"] for entry in found}
        return [scores[label] for label in labels]


def label_set(reference, name, labels, templates, image_vectors, paths):
    prompts = [[template.format(label) for label in labels] for template in templates]
    vectors = unit(torch.stack([reference.text_vectors(each) for each in prompts]).mean(0))
    logits = reference.scale * image_vectors @ vectors.T + reference.bias
    error = error_of(lambda: reference.answer(paths[0], labels, templates[0]))
    if from_pipeline := len(templates) == 1 and error is None:
        scores = [reference.answer(path, labels, templates[0]) for path in paths]
    else:
        scores = (logits.sigmoid() if reference.is_siglip else logits.softmax(-1)).tolist()
    whole = [reference.tokenizer(each)["input_ids"] for each in prompts]
    limit = 64 if reference.is_siglip else reference.positions
    cut = [reference.tokenizer(each, truncation=True, max_length=limit)["input_ids"] for each in prompts]
    entry = {
        "name": name, "labels": labels, "templates": templates, "tokens": cut,
        "truncated": [i for i in range(len(labels)) if any(len(each[i]) > limit for each in whole)],
        "pipelineError": error, "from": "pipeline" if from_pipeline else "formula",
        "results": [{"logits": rounded(l), "scores": rounded(s)} for l, s in zip(logits.tolist(), scores)],
    }
    return entry, vectors


def error_of(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:160]


def rounded(numbers):
    """Nine digits are more than a float32 has."""
    return [float(f"{number:.9g}") for number in numbers]


def make_golden(name, model_dir, image_dir, files, sets):
    reference = Reference(name, os.path.join(ROOT, model_dir))
    images, pixels, inputs = images_of(os.path.join(ROOT, image_dir), files, reference.processor)
    with torch.no_grad():
        vectors = [vectors_of(reference.model.get_image_features(**inputs))]
        entries = []
        for set_name, labels, templates in sets:
            entry, texts = label_set(reference, set_name, labels, templates, vectors[0], [os.path.join(ROOT, image_dir, file) for file in files])
            entries.append({**entry, "textRow": sum(len(rows) for rows in vectors)})
            vectors.append(texts)
    golden = {
        "versions": VERSIONS, "modelDir": model_dir, "imageDir": image_dir, "dimensions": vectors[0].shape[1],
        "width": pixels.shape[2], "height": pixels.shape[1], "logitScale": reference.scale, "logitBias": reference.bias,
        "scoreFunction": "sigmoid" if reference.is_siglip else "softmax", "images": images, "labelSets": entries,
    }
    path = os.path.join(HERE, "goldens", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".json", "w") as file:
        json.dump(golden, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")
    pixels.tofile(path + ".u8")
    torch.cat(vectors).numpy().astype("<f4").tofile(path + ".f32")


def main():
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    what = sys.argv[1:] or ["images", "models", "goldens"]
    if "images" in what:
        draw_images.draw(os.path.join(HERE, "images"))
    if "models" in what:
        for name in tiny_models.FAMILIES:
            tiny_models.write(name, os.path.join(HERE, "models", name))
    if "goldens" in what:
        files = draw_images.NAMES
        for name in tiny_models.FAMILIES:
            make_golden(name, f"test/golden/models/{name}", "test/golden/images", files, LABEL_SETS)
        pictures = sorted(os.listdir(os.path.join(ROOT, "examples", "pictures")))
        make_golden("demo", "models/demo", "examples/pictures", pictures, DEMO_SETS)


if __name__ == "__main__":
    main()
