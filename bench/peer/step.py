"""One training step in plain PyTorch, timed on request: `python bench/peer/step.py CONFIG.json [--labelled-logits]`.

Builds model, adapters and one batch from the shapes in CONFIG, runs one step to warm up, prints a line of JSON, then
runs and times one step per line of input, printing `{"seconds", "peak_rss_mb"}` for each.
"""

import json
import os
import resource
import sys
import time
import warnings

config = json.load(open(sys.argv[1]))
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
    torch.manual_seed(0)
    model = model_of(config).requires_grad_(False)
    if config["rank"]:
        model = with_adapters(model, config["rank"], 2 * config["rank"])
    else:
        model.get_base_model = lambda: model
    peer = Peer(model, labelled_logits="--labelled-logits" in sys.argv)
    step = (gradient_step if config.get("kind") == "gradient" else training_step)(config, peer)
    step()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    print(json.dumps({"ready": True, "imported_rss_mb": round(IMPORTED), "versions": versions}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        print(json.dumps({"seconds": time.perf_counter() - start, "peak_rss_mb": round(peak())}), flush=True)


if __name__ == "__main__":
    main()
