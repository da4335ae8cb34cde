"""Round trips between this engine and transformers + PEFT: `python tests/python/roundtrip.py make|check FOLDER`.

FOLDER holds one folder per model with `model.json` (where the checkpoint is). `make` writes `theirs/`, a random adapter of
PEFT, and the logits that it gives. `check` compares logits of `ours/` (an adapter written by the engine, loaded by PEFT) and of
`merged/` (a checkpoint with that adapter merged, loaded by transformers) with the engine's, and prints the largest
differences as JSON.
"""

import json
import pathlib
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM


def base(path):
    # Eager attention is the one that computes everything that configurations ask for.
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()


def logits(model, tokens):
    with torch.no_grad():
        return model(tokens, use_cache=False).logits


def make(folder, told):
    tokens = load_file(folder / "ours.safetensors")["tokens"].long()
    config = LoraConfig(r=3, lora_alpha=6, target_modules=told["projections"], task_type="CAUSAL_LM")
    model = get_peft_model(base(told["model"]), config).eval()
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    model.save_pretrained(folder / "theirs")
    save_file({"logits": logits(model, tokens).contiguous()}, folder / "theirs.safetensors")
    return {}


def check(folder, told):
    ours = load_file(folder / "ours.safetensors")
    tokens = ours["tokens"].long()
    plain = logits(base(told["model"]), tokens)
    adapted = logits(PeftModel.from_pretrained(base(told["model"]), folder / "ours").eval(), tokens)
    merged = logits(base(folder / "merged"), tokens)
    distance = lambda other: (other - ours["logits"]).abs().max().item()
    return {"adapter": distance(adapted), "merged": distance(merged), "effect": distance(plain)}


def main():
    step, root = {"make": make, "check": check}[sys.argv[1]], pathlib.Path(sys.argv[2])
    torch.set_num_threads(1)
    results = {}
    for folder in sorted(path.parent for path in root.glob("*/model.json")):
        results[folder.name] = step(folder, json.loads((folder / "model.json").read_text()))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
