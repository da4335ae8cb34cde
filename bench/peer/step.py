"""One training step in plain PyTorch, timed on request: `python bench/peer/step.py CONFIG.json [--labelled-logits]
[--device cpu|cuda] [--precision fp32|bf16]`.

fp32 is exact (no TF32); bf16 is autocast, with the frozen weights in bfloat16 and adapters, perturbations and optimizers
in float32. Builds model, adapters and one batch from the shapes in CONFIG, runs one step to warm up, prints a line of JSON, then
runs and times one step per line of input, printing `{"seconds", "peak_rss_mb"}` for each.
"""

import argparse
import json
import os
import resource
import sys
import time
import warnings

parser = argparse.ArgumentParser()
parser.add_argument("config")
parser.add_argument("--labelled-logits", action="store_true")
parser.add_argument("--device", default="cpu")
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
options = parser.parse_args()
config = json.load(open(options.config))
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(config["threads"])
warnings.filterwarnings("ignore")

import peft  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from lat import Attack, Batch, Defence, Labelled, Peer, attack, defend, toward, with_adapters  # noqa: E402


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


IMPORTED = peak()
ON_CUDA = options.device.startswith("cuda")


def finished():
    """Kernels are queued: a step is over when the device says so."""
    if ON_CUDA:
        torch.cuda.synchronize()


def device_peak():
    return {"peak_device_mb": round(torch.cuda.max_memory_reserved() / 2**20)} if ON_CUDA else {}


def place():
    """Exact products in float32; tensors are made on the device. Ends with one line where there is none."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if ON_CUDA and not torch.cuda.is_available():
        sys.exit(f"PyTorch {torch.__version__} finds no CUDA device")
    if ON_CUDA:
        torch.cuda.set_device(torch.device(options.device))
    torch.set_default_device(options.device)
    return torch.cuda.get_device_name() if ON_CUDA else "cpu"


def model_of(c):
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=c["vocab"],
            hidden_size=c["hidden"],
            intermediate_size=c["ffn"],
            num_hidden_layers=c["layers"],
            num_attention_heads=c["heads"],
            num_key_value_heads=c["kv_heads"],
            max_position_embeddings=2048,
            tie_word_embeddings=c.get("tied", False),
            use_cache=False,
            attn_implementation="sdpa",
        )
    )


def rows_of(c, shared):
    """Rows that begin with the shared prompt; everything after it is labelled."""
    tokens = torch.randint(3, c["vocab"], (c["batch"], c["prompt"] + c["completion"]))
    labels = torch.zeros_like(tokens, dtype=torch.bool)
    labels[:, c["prompt"] :] = True
    if shared is not None:
        tokens[:, : c["prompt"]] = shared
    return Labelled(tokens, labels)


def training_step(c, peer):
    """A whole step: the attack's iterations, then the defence's."""
    prompt_tokens = torch.randint(3, c["vocab"], (c["batch"], c["prompt"]))
    prompt = torch.zeros(c["batch"], c["prompt"] + c["completion"], dtype=torch.bool)
    prompt[:, : c["prompt"]] = True
    batch = Batch(rows_of(c, prompt_tokens), rows_of(c, prompt_tokens), prompt, rows_of(c, None))
    adversary = Attack(c["attack_layers"], {"toward": 0.5, "away": 0.5}, 6.0, 5e-2, c["attack_iterations"])
    thirds = {"toward": 1 / 3, "away": 1 / 3, "sft": 1 / 3}
    defence = Defence(thirds, 2e-5, c["defence_iterations"])
    peer.hook(adversary.sites)
    optimizer = torch.optim.AdamW(peer.adapters(), lr=defence.learning_rate)

    def step():
        attack(peer, batch, adversary)
        defend(peer, batch, defence, optimizer)

    return step


def gradient_step(c, peer):
    """One loss and its gradient by the perturbation, every token labelled and perturbed."""
    tokens = torch.randint(3, c["vocab"], (c["batch"], c["prompt"] + c["completion"]))
    rows = Labelled(tokens, torch.ones_like(tokens, dtype=torch.bool))
    peer.hook(c["attack_layers"])
    shape = (*tokens.shape, c["hidden"])

    def step():
        deltas = {str(site): torch.zeros(shape, requires_grad=True) for site in c["attack_layers"]}
        peer.deltas = deltas
        return torch.autograd.grad(toward(peer, rows), list(deltas.values()))

    return step


def main():
    torch.set_num_threads(config["threads"])
    where = place()
    torch.manual_seed(0)
    half = torch.bfloat16 if options.precision == "bf16" else None
    model = model_of(config).requires_grad_(False).to(half or torch.float32)
    if config["rank"]:
        model = with_adapters(model, config["rank"], 2 * config["rank"])
    else:
        model.get_base_model = lambda: model
    peer = Peer(model, labelled_logits=options.labelled_logits, autocast=half)
    step = (gradient_step if config.get("kind") == "gradient" else training_step)(config, peer)
    step()
    finished()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    ready = {"ready": True, "imported_rss_mb": round(IMPORTED), "versions": versions}
    print(json.dumps({**ready, "on": f"{where} {options.precision}"}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        finished()
        took = {"seconds": time.perf_counter() - start, "peak_rss_mb": round(peak())}
        print(json.dumps({**took, **device_peak()}), flush=True)


if __name__ == "__main__":
    main()
