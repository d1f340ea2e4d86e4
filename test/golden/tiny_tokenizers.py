"""The tokenizers of the small models: CLIP's byte-level BPE, SigLIP's Unigram, Chinese CLIP's WordPiece.

Each function gives the tokenizer, its tokenizer_config.json and its special_tokens_map.json. Their vocabularies are learnt
from CORPUS, a few words in several scripts; everything else falls into bytes, pieces, or the unknown token.
"""
import collections
import json
import math
import string

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

CORPUS = """a photo of a cat . this is a photo of a dog . a red car on a street , the sea at night . a tree in the garden , a bird in
the sky . seven old books and a blue bicycle . a drawing of a house , a painting of flowers . music , food , people . an airplane
over the mountains . a good photo of the small boat . a bad photo of many large horses . close-up of an apple . none of these .
写真 猫 犬 海 山 一张 照片 图 狗 猫咪 的 花 树 车 Café crème naïve façade""".lower()


def learn_merges(pre_tokenizer, wanted):
    """Byte pairs in the order they merge; of equal counts the first by letters, where the trainer takes any."""
    words = [list(word) for word, _ in pre_tokenizer.pre_tokenize_str(CORPUS)]
    words = [[*word[:-1], word[-1] + "</w>"] for word in words]
    merges = []
    while len(merges) < wanted:
        pairs = collections.Counter(pair for word in words for pair in zip(word, word[1:]))
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for word in words:
            for i in range(len(word) - 2, -1, -1):
                if tuple(word[i:i + 2]) == best:
                    word[i:i + 2] = ["".join(best)]
    return merges


def clip_tokenizer():
    bos, eos = "<|startoftext|>", "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE(unk_token=eos, continuing_subword_prefix="", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(words, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = learn_merges(tokenizer.pre_tokenizer, 150)
    tokens = [*alphabet, *(letter + "</w>" for letter in alphabet), *(a + b for a, b in merges), bos, eos]
    vocab = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    tokenizer.model = models.BPE(vocab=vocab, merges=merges, unk_token=eos, continuing_subword_prefix="", end_of_word_suffix="</w>")
    tokenizer.post_processor = processors.RobertaProcessing((eos, vocab[eos]), (bos, vocab[bos]), trim_offsets=False, add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(bos, normalized=False), AddedToken(eos, normalized=False)])
    # Each with how it is matched, as the oldest checkpoints have it.
    matched = lambda token: {"content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": True}
    special = {"bos_token": matched(bos), "eos_token": matched(eos), "unk_token": matched(eos), "pad_token": eos}
    config = {**special, "add_prefix_space": False, "errors": "replace", "do_lower_case": True, "model_max_length": 77,
              "tokenizer_class": "CLIPTokenizer"}
    return tokenizer, config, special


def unigram_pieces(special):
    """Pieces with log-probabilities, counted and not trained: the trainer gives another vocabulary at every run."""
    words = ["▁" + "".join(c for c in word if c not in string.punctuation) for word in CORPUS.split()]
    count = collections.Counter(words)
    for word in words:
        count.update(word)
        count.update(word[i:i + 3] for i in range(len(word) - 2))
    total = sum(count.values())
    return [(mark, 0.0) for mark in special] + [(piece, math.log(n / total)) for piece, n in sorted(count.items())]


def siglip_tokenizer():
    """Unigram, lower case, punctuation removed: what SigLIP's own sentencepiece model becomes as tokenizer.json."""
    eos, unk = "</s>", "<unk>"
    tokenizer = Tokenizer(models.Unigram(unigram_pieces(["<pad>", eos, unk]), unk_id=2))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Lowercase(), normalizers.Replace(Regex("[" + "".join("\\" + mark for mark in string.punctuation) + "]"), ""),
        normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {eos}", pair=f"$A {eos} $B {eos}", special_tokens=[(eos, 1)])
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    special = {"eos_token": eos, "pad_token": eos, "unk_token": unk}
    config = {"tokenizer_class": "SiglipTokenizer", **special, "model_max_length": 64, "model_input_names": ["input_ids"]}
    return tokenizer, config, special


def chinese_tokenizer():
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = string.ascii_lowercase + string.digits
    han = sorted({c for c in CORPUS + "一只在草地上的狗红色汽车街道房子苹果飞机马鸟图片" if "\u4e00" <= c <= "\u9fff"})
    words = sorted({word for word in CORPUS.split() if word.isascii() and word.isalpha() and len(word) > 2})
    tokens = [*marks, *letters, *("##" + c for c in letters), *han, *words, *".,!?-{}$&"]
    vocab = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(marks)
    special = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"}
    return tokenizer, {"tokenizer_class": "BertTokenizer", **special, "do_lower_case": True, "model_max_length": 64}, special
