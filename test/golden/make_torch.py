"""Saves the weights of some checkpoints as PyTorch does, so that towers built from both must be the same.

    python3 -m venv VENV
    VENV/bin/pip install torch==2.13.0 numpy safetensors
    VENV/bin/python test/golden/make_torch.py

    checkpoints/torch/
        clip-end-by-id.bin          parameters; projections are views with rows and columns swapped, as conversions leave them
        siglip-bf16-{1,2}.bin       in two files
        siglip-f16-unpadded.bin     packed anew without the padding that aligns numbers
        before-1.6.bin              in the format of before PyTorch 1.6
        calls.bin                   a pickle that would make a file, were it run
"""
import os
import zipfile
from collections import OrderedDict

import torch
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKPOINTS = os.path.join(HERE, "checkpoints")
OUT = os.path.join(CHECKPOINTS, "torch")


class Calls:
    def __reduce__(self):
        return os.system, ("touch clipfleet-was-run",)


def weights(name):
    return OrderedDict(sorted(load_file(os.path.join(CHECKPOINTS, name, "model.safetensors")).items()))


def path(name):
    return os.path.join(OUT, name + ".bin")


def main():
    os.makedirs(OUT, exist_ok=True)
    clip = weights("clip-end-by-id")
    for name in clip:
        if name.endswith("_projection.weight"):
            clip[name] = clip[name].t().contiguous().t()
        clip[name] = torch.nn.Parameter(clip[name])
    clip["text_model.embeddings.position_ids"] = torch.arange(12).expand((1, -1))
    torch.save(clip, path("clip-end-by-id"))

    siglip = list(weights("siglip-bf16").items())
    for part, items in enumerate([siglip[::2], siglip[1::2]]):
        torch.save(OrderedDict(items), path(f"siglip-bf16-{part + 1}"))

    torch.save(weights("siglip-f16"), path("padded"))
    with zipfile.ZipFile(path("padded")) as padded, zipfile.ZipFile(path("siglip-f16-unpadded"), "w") as packed:
        for entry in padded.namelist():
            packed.writestr(entry.replace("padded", "odd"), padded.read(entry))
    os.remove(path("padded"))

    few = {"logit_scale": torch.tensor(4.5)}
    torch.save(few, path("before-1.6"), _use_new_zipfile_serialization=False)
    torch.save({**few, "calls": Calls()}, path("calls"))


if __name__ == "__main__":
    main()
