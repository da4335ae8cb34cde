"""Holds the peer to the reference fixtures: `python bench/peer/check.py tests/fixtures/lat`.

Each loss within 1e-4 relative in the first step; later, where Adam has amplified the last bits of the first updates,
within 1e-3 of the iteration's total; deltas and final adapters with cosine > 0.999. Prints what was reached; exits 1 on
a miss.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from lat import Attack, Batch, Defence, Labelled, Peer, attack, defend, with_adapters

CASES = ["toward_away_sft", "toward_away_kl_completions", "toward_only"]


def rows(pairs, part, length):
    tokens = torch.zeros(len(pairs), length, dtype=torch.long)
    labels = torch.zeros(len(pairs), length, dtype=torch.bool)
    for at, pair in enumerate(pairs):
        prompt, ids = len(pair["p"]), pair["p"] + pair[part]
        tokens[at, : len(ids)] = torch.tensor(ids)
        labels[at, prompt : len(ids)] = True
    return Labelled(tokens, labels)


def length_of(pairs):
    return max(len(pair["p"]) + max(len(pair["a"]), len(pair["c"])) for pair in pairs)


def batch_of(pairs, benign):
    length = length_of(pairs)
    prompt = torch.zeros(len(pairs), length, dtype=torch.bool)
    for at, pair in enumerate(pairs):
        prompt[at, : len(pair["p"])] = True
    return Batch(rows(pairs, "a", length), rows(pairs, "c", length), prompt, rows(benign, "c", length_of(benign)))


def peer_of(folder):
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32, attn_implementation="sdpa")
    peer = Peer(with_adapters(model, rank=4, alpha=8))
    initial = load_file(folder / "adapters_init.safetensors")
    for name, parameter in peer.model.named_parameters():
        if "lora_" in name:
            parameter.data.copy_(initial[name.replace(".default.", ".")])
    return peer


def worst(got, want, prefix, whole=False):
    """The largest error of logged losses, relative to each loss or to the iteration's total."""
    errors = []
    for mine, theirs in zip(got, want):
        for name, value in mine.items():
            scale = theirs[prefix + ("total" if whole else name)]
            errors.append(abs(value - theirs[prefix + name]) / abs(scale))
    return max(errors)


def cosine(a, b):
    return torch.nn.functional.cosine_similarity(a.flatten().double(), b.flatten().double(), dim=0).item()


def check(folder, name, case, data):
    peer = peer_of(folder)
    a, d = case["adversary"], case["defence"]
    adversary = Attack(a["layers"], a["coefs"], a["epsilon"], a["lr"], a["iterations"], a["completions"])
    defence = Defence(d["coefs"], d["lr"], d["iterations"], d["clip"])
    hooks = peer.hook(adversary.sites)
    optimizer = torch.optim.AdamW(peer.adapters(), lr=defence.learning_rate)
    deltas = load_file(folder / f"{name}.deltas.safetensors")
    errors, relative, cosines = [], [], []
    for step, (pairs, benign) in enumerate(zip(data["lat"], data["sft"])):
        batch = batch_of(pairs, benign)
        found = attack(peer, batch, adversary)
        trained = defend(peer, batch, defence, optimizer)
        want = case["defence_losses"][step * d["iterations"] : (step + 1) * d["iterations"]]
        for whole, into in ((False, relative), (True, errors)):
            into.append(max(worst(found, case["adversary_losses"][step], "adv_", whole),
                            worst(trained, want, "def_", whole)))
        cosines += [cosine(peer.deltas[str(s)], deltas[f"step{step}.{s}"]) for s in adversary.sites]
    for hook in hooks:
        hook.remove()
    final = load_file(folder / f"{name}.adapters_final.safetensors")
    mine = {n.replace(".default.", "."): p for n, p in peer.model.named_parameters() if "lora_" in n}
    adapters = cosine(torch.cat([mine[n].flatten() for n in final]), torch.cat([final[n].flatten() for n in final]))
    print(f"{name}: losses {relative[0]:.1e} first step, all {max(relative):.1e} of each and {max(errors):.1e} of the "
          f"total; cosine deltas {min(cosines):.7f}, adapters {adapters:.7f}")
    return relative[0] < 1e-4 and max(errors) < 1e-3 and min(cosines) > 0.999 and adapters > 0.999


def main():
    torch.set_num_threads(1)
    folder = pathlib.Path(sys.argv[1])
    trajectories = json.loads((folder / "trajectories.json").read_text())
    data = json.loads((folder / "rows.json").read_text())
    passed = [check(folder, name, trajectories[name], data) for name in CASES]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
