"""The peers of Clipfleet that are Python, for bench/peers.ts: one process, which reads a request a line and answers in kind.

    {"peer": "torch loop", "model": DIR, "labels": [...], "files": [...], "batch": 16}
    -> {"seconds": 3.2, "best": [the best label of each image]} or {"absent": "why"}

A model is loaded once for all requests, before the clock starts. Daft loads its own anew in each query: its clock stands
still meanwhile.
"""
import json
import os
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
os.environ.setdefault("DO_NOT_TRACK", "true")

TEMPLATE = "This is a photo of {}."
loaded = {}


def once(name, make):
    if name not in loaded:
        loaded[name] = make()
    return loaded[name]


def pipeline(model, labels, files, batch):
    """The zero-shot pipeline, over the files in batches, as its documentation advises."""
    import torch
    import transformers

    classify = once(("pipeline", model), lambda: transformers.pipeline(
        "zero-shot-image-classification", model=model, dtype=torch.float32, device="cpu"))
    start = time.perf_counter()
    found = classify(files, candidate_labels=labels, hypothesis_template=TEMPLATE, batch_size=batch)
    return time.perf_counter() - start, [scores[0]["label"] for scores in found]


def embeddings(output):
    """transformers 5 wraps what 4 returned as a tensor."""
    return getattr(output, "pooler_output", output)


def torch_loop(model, labels, files, batch):
    """What one writes by hand: label embeddings made once, images in batches."""
    import torch
    from PIL import Image
    from transformers import AutoProcessor, CLIPModel

    clip, processor = once(("torch", model), lambda: (
        CLIPModel.from_pretrained(model, dtype=torch.float32).eval(), AutoProcessor.from_pretrained(model)))

    def embed_labels():
        prompts = processor.tokenizer([TEMPLATE.format(label) for label in labels], padding=True, return_tensors="pt")
        return torch.nn.functional.normalize(embeddings(clip.get_text_features(**prompts)), dim=-1)

    best = []
    with torch.inference_mode():
        texts = once(("labels", model, tuple(labels)), embed_labels)
        start = time.perf_counter()
        for at in range(0, len(files), batch):
            images = [Image.open(file).convert("RGB") for file in files[at:at + batch]]
            pixels = processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
            vectors = torch.nn.functional.normalize(embeddings(clip.get_image_features(pixel_values=pixels)), dim=-1)
            scores = (clip.logit_scale.exp() * vectors @ texts.T).softmax(-1)
            best += [labels[place] for place in scores.argmax(-1).tolist()]
        return time.perf_counter() - start, best


def daft_provider():
    """Daft asks for torchvision before it makes the classifier, which runs without it: then the asking is left out."""
    from daft.ai.transformers.protocols.image_classifier import TransformersImageClassifierDescriptor
    from daft.ai.transformers.provider import TransformersProvider

    class WithoutTorchvision(TransformersProvider):
        def get_image_classifier(self, model=None, **options):
            return TransformersImageClassifierDescriptor(self.name, model, options)

    try:
        import torchvision  # noqa: F401
        return TransformersProvider()
    except ImportError:
        return WithoutTorchvision()


def daft(model, labels, files, batch):
    """classify_image of Daft, whose labels have no template of their own: the pipeline's default is TEMPLATE."""
    import daft as engine
    from daft.ai.transformers.protocols import image_classifier
    from daft.functions import classify_image, decode_image, download

    loading = []
    load = image_classifier.TransformersImageClassifier.__init__

    def timed_load(self, *given, **options):
        start = time.perf_counter()
        load(self, *given, **options)
        loading.append(time.perf_counter() - start)

    image_classifier.TransformersImageClassifier.__init__ = timed_load
    try:
        images = decode_image(download(engine.col("file")), mode="RGB")
        label = classify_image(images, labels, provider=daft_provider(), model=model, batch_size=batch)
        query = engine.from_pydict({"file": files}).select(engine.col("file"), label.alias("label"))
        start = time.perf_counter()
        rows = query.to_pydict()
        return time.perf_counter() - start - sum(loading), rows["label"]
    finally:
        image_classifier.TransformersImageClassifier.__init__ = load


def versions():
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": sys.version.split()[0]}
    for package in ["torch", "transformers", "pillow", "torchvision", "daft"]:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


PEERS = {"transformers pipeline": pipeline, "torch loop": torch_loop, "daft classify_image": daft}


def answer(request):
    if request.get("versions"):
        return {"versions": versions()}
    try:
        import torch

        torch.set_num_threads(request["threads"])
        what = {key: request[key] for key in ("model", "labels", "files", "batch")}
        seconds, best = PEERS[request["peer"]](**what)
        return {"seconds": seconds, "best": best}
    except Exception as error:  # Whatever a peer lacks is said in its row.
        return {"absent": f"{type(error).__name__}: {error}".splitlines()[0][:200]}


def main():
    # Libraries print as they like: the answers have the real standard output to themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
