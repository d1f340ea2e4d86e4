"""Makes goldens/tokens.json: the ids that Python's tokenizers, with their classes in transformers, make of texts that are easily read otherwise.

    VENV/bin/pip install transformers==5.24.0 tokenizers
    VENV/bin/python test/golden/make_tokens.py

    tokenizers/siglip2/        a small byte-pair encoding in the layout of SigLIP 2, whose class lower-cases and pads left
    goldens/tokens.json        {texts, tokenizers: {NAME: {dir, ids, padded}}}: ids of each text, whole; and of the first two texts
                               together, padded to the longer
"""
import json
import os

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TEXTS = [
    "ΑΡΗΣ", "Ο ΘΕΟΣ ΑΡΗΣ, και ο Ζευς.", "ΣΣ Σ", "<|ENDOFTEXT|>", "one <|EndOfText|> two", "<|startoftext|>three", "İzmir ve IRMAK",
    "GROSSE STRASSE große ẞ", "It's the OWL's, they'RE", "Ǆ ǅ ǆ", "ﬀ ﬁ", "Cafe\u0301 CAFE\u0301", "灰色的猫 GRAY", "👩‍🚀 AND 🛰️", "a\u00a0b\u2003c\u200bd",
    "  TWO   words\t\n", "x²+y³=½", "[SEP] and [MASK]", "<eos> <pad> end", "ＷＩＤＥ ｗｉｄｅ", "", "𠮷野家 and a𩸽b", "你𫠟們 \U0002F800",
]


def write_siglip2(folder):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *[f"<0x{byte:02X}>" for byte in range(256)]]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, show_progress=False)
    lines = ["a photo of a grey cat and the owl", "two words, one star in the wide sea", "one two three four words and the end"] * 20
    tokenizer.train_from_iterator([line.replace(" ", "▁") for line in lines], trainer)
    layout = json.loads(tokenizer.to_str())
    layout["added_tokens"] = layout["added_tokens"][:5]
    layout["post_processor"] = json.loads(TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)]).__getstate__())
    os.makedirs(folder, exist_ok=True)
    config = {"tokenizer_class": "Siglip2Tokenizer", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
              "model_max_length": 64}
    for name, value in (("tokenizer.json", layout), ("tokenizer_config.json", config)):
        with open(os.path.join(folder, name), "w") as out:
            json.dump(value, out, ensure_ascii=False, separators=(",", ":"))
            out.write("\n")


def main():
    transformers.logging.set_verbosity_error()
    write_siglip2(os.path.join(HERE, "tokenizers", "siglip2"))
    dirs = {"clip": "models/clip", "chinese-clip": "models/chinese-clip", "siglip2": "tokenizers/siglip2"}
    answers = {}
    for name, folder in dirs.items():
        tokenizer = AutoTokenizer.from_pretrained(os.path.join(HERE, folder))
        answers[name] = {"dir": f"test/golden/{folder}", "class": type(tokenizer).__name__, "ids": [tokenizer(text)["input_ids"] for text in TEXTS],
                         "padded": tokenizer(TEXTS[:2], padding=True)["input_ids"]}
    with open(os.path.join(HERE, "goldens", "tokens.json"), "w") as out:
        json.dump({"transformers": transformers.__version__, "texts": TEXTS, "tokenizers": answers}, out, ensure_ascii=False, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    main()
