"""Writes tests/fixtures/gguf/tokenizers.json: small vocabularies as GGUF keeps them, and the ids that Hugging Face's
tokenizers gives to awkward texts under every way of splitting. Merges cross words, digits and signs, so that every
split shows."""

import json
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers.tokenization_utils_base import generate_merges

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = (CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
UPPER, LOWER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
TEKKEN = (rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*"
          r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
GPT4O = (rf"[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]*[{LOWER}]+{CONTRACTIONS}?"
         rf"|[^\r\n\p{{L}}\p{{N}}]?[{UPPER}]+[{LOWER}]*{CONTRACTIONS}?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), behavior="isolated")


def byte_level(regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex)


def sequence(*parts):
    return pre_tokenizers.Sequence(list(parts))


# name: pre-tokenizer, NFC, merges are ignored for whole tokens, BOS is added
BPE = {
    "gpt-2": (byte_level(True), False, False, False),
    "olmo": (byte_level(True), True, False, False),
    "smollm": (sequence(pre_tokenizers.Digits(individual_digits=True), byte_level(True)), False, False, False),
    "llama-bpe": (sequence(split(LLAMA3), byte_level(False)), False, True, True),
    "qwen2": (sequence(split(QWEN2), byte_level(False)), True, False, False),
    "tekken": (sequence(split(TEKKEN), byte_level(False)), False, True, True),
    "gpt-4o": (sequence(split(GPT4O), byte_level(False)), False, False, False),
    "deepseek-coder": (sequence(split(r"[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"),
                                split("[一-龥ࠀ-一가-퟿]+"), pre_tokenizers.Digits(individual_digits=True),
                                byte_level(False)), False, False, False),
}

CORPUS = [
    "The year 2024 isn't 1999; it's 25 years later!!! WE'LL see what they've done, don't you think?",
    "def f(x):\n    return x**2 + 10 # squares\n\n\n  if x == 1000000:\t\tprint('yes')\r\n",
    "naïve café déjà vu Ünïcödé straße ΑΒΓαβγ привет мир 你好世界 こんにちは 한국어 🙂🙃 e\u0301",
    "  leading and trailing  spaces   \n \n x\n", "CamelCaseWords and SCREAMING_SNAKE mixed1with2digits 3.14159 ½ ² ٣٤٥",
    "http://example.com/a/b?c=d&e=f#g <|tag|> $100,000.00 (50%) [1] {2} a-b_c", "I'm you're he'd she'll IT'S Don'T",
] * 3
TEXTS = ["", " ", "a", "hello", " hello", "  two", "\n", "x\n\ny", "\t\tz ", "12345678", "a1b22c333", "½²٣٤٥", "e\u0301", "'S'll'D",
         "<|end|> after", "no<|begin|>space<|end|>", "a   b \n  c", "🙂🙃 ok", "你好 2024年", "WORDSwords Words'S", "…—“q”", "\ufeffmark", "a/b//\n/c"] + CORPUS[:7]


def lorem(rng, words):
    alphabet = "etaoin shrdlu ETAOIN 0123456789 .,;:!?'\"()-\n\t éüñ"
    return "".join(rng.choice(alphabet) for _ in range(words))


def bpe():
    rng = random.Random(7)
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = byte_level(False)
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=["<|begin|>", "<|end|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=6)
    model.train_from_iterator(CORPUS + [lorem(rng, 400) for _ in range(12)], trainer)
    saved = json.loads(model.to_str())
    vocab, merges = saved["model"]["vocab"], [tuple(m) for m in saved["model"]["merges"]]
    # A token that no merges reach, by whole pieces alone.
    vocab["Ġunreachable"] = len(vocab)
    vocab["[PAD701]"] = len(vocab)
    tokens = sorted(vocab, key=vocab.get)
    types = [3 if t.startswith("<|") else 5 if t.startswith("[PAD") else 1 for t in tokens]
    cases = {}
    for name, (pre, nfc, ignore, bos) in BPE.items():
        ref = Tokenizer(models.BPE(vocab={t: i for t, i in vocab.items() if not t.startswith("[PAD")}, merges=merges,
                                   ignore_merges=ignore))
        ref.pre_tokenizer = pre
        if nfc:
            ref.normalizer = normalizers.NFC()
        ref.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("<|begin|>", "<|end|>")])
        if bos:
            ref.post_processor = processors.TemplateProcessing("<|begin|> $A", special_tokens=[("<|begin|>", 0)])
        ref.decoder = decoders.ByteLevel()
        texts = TEXTS + ["x unreachable", " unreachable", "[PAD701]"]
        cases[name] = {text: ref.encode(text).ids for text in texts}
    return {"tokens": tokens, "types": types, "merges": [" ".join(m) for m in merges], "cases": cases}


def sentencepiece():
    rng = random.Random(8)
    model = Tokenizer(models.BPE(byte_fallback=True))
    model.normalizer = normalizers.Replace(" ", "▁")
    trainer = trainers.BpeTrainer(vocab_size=400, show_progress=False, max_token_length=8)
    plain = [line.replace("\n", "").replace("\t", "") for line in CORPUS + [lorem(rng, 400) for _ in range(6)]]
    model.train_from_iterator(["▁" + line for line in plain[:1] + plain[3:]], trainer)
    learnt = json.loads(model.to_str())["model"]
    pieces = sorted(learnt["vocab"], key=learnt["vocab"].get)
    merged = [p for p in pieces if len(p) > 1]
    letters = [p for p in pieces if len(p) == 1]
    blanks = next(n for n in range(2, 9) if "▁" * n not in merged)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + merged + letters + [" " * blanks, "<turn>", "\ufeff"]
    types = [2, 3, 3] + [6] * 256 + [1] * (len(merged) + len(letters)) + [4, 4, 1]
    scores = [0.0] * 259 + [-float(i) for i in range(len(merged) + len(letters))] + [-1000.0, -1000.0, -900.0]
    named = [t.replace(" ", "▁") for t in tokens]
    vocab = {t: i for i, t in enumerate(named)}
    cases = {}
    for name, prefix in (("prefixed", True), ("gemma2", False)):
        by = {t: -i for i, t in enumerate(named)} if name == "gemma2" else dict(zip(named, scores))
        ref = Tokenizer(models.BPE(vocab=vocab, merges=generate_merges(vocab, by), byte_fallback=True, fuse_unk=True,
                                   unk_token="<unk>"))
        steps = ([normalizers.Prepend("▁")] if prefix else []) + [normalizers.Replace(" ", "▁")]
        ref.normalizer = normalizers.Sequence(steps)
        ref.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("<unk>", "<s>", "</s>")])
        ref.add_tokens([AddedToken("<turn>", normalized=False, special=False)])
        ref.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
        texts = TEXTS + ["a<turn> b</s>c", "x  y   z", "x" + " " * blanks + "y", "<s>twice"]
        cases[name] = {text: ref.encode(text).ids for text in texts}
    return {"tokens": tokens, "types": types, "scores": scores, "cases": cases}


if __name__ == "__main__":
    with open("tests/fixtures/gguf/tokenizers.json", "w") as file:
        json.dump({"gpt2": bpe(), "llama": sentencepiece()}, file, ensure_ascii=True, indent=0)
