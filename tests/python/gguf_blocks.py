"""Writes tests/fixtures/gguf/blocks.json: random blocks of every element type and what gguf-py makes of them.

With a number, prints so many of each instead: name the output in LATSTREAM_GGUF_BLOCKS to hold the tests to them."""

import json
import sys
import warnings

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

warnings.filterwarnings("ignore")
TYPES = "F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K".split()


def blocks(rng, kind, count):
    elements, width = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    raw = rng.integers(0, 256, (1, count * width), dtype=np.uint8)
    values = dequantize(raw, GGMLQuantizationType[kind]) if kind not in ("F32", "F16") else (
        raw.view(np.float32 if kind == "F32" else np.float16).astype(np.float32))
    return raw.tobytes(), values.astype("<f4").tobytes()


if __name__ == "__main__":
    rng = np.random.default_rng(7)
    counts = {kind: 2 if GGML_QUANT_SIZES[GGMLQuantizationType[kind]][0] > 1 else 64 for kind in TYPES}
    if len(sys.argv) > 1:
        counts = {kind: int(sys.argv[1]) for kind in TYPES}
    made = {kind: blocks(rng, kind, count) for kind, count in counts.items()}
    out = {kind: {"blocks": raw.hex(), "values": values.hex()} for kind, (raw, values) in made.items()}
    json.dump(out, sys.stdout if len(sys.argv) > 1 else open("tests/fixtures/gguf/blocks.json", "w"), indent=1)
