"""Targeted latent adversarial training in plain PyTorch: the other side of the benchmark.

transformers' Llama with SDPA attention, PEFT adapters, forward hooks for the perturbation. Frozen weights get no
gradient, and the adapters none during the attack. `check.py` holds it to the reference fixtures.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj"]


@dataclass
class Attack:
    """Sites are `embedding` or a block's number (the output of its MLP); losses map names to coefficients."""

    sites: list
    losses: dict
    epsilon: float
    learning_rate: float
    iterations: int
    completions: bool = False


@dataclass
class Defence:
    losses: dict
    learning_rate: float
    iterations: int
    clip: float = 1.0


@dataclass
class Labelled:
    """Rows [B, T] and, for each token, whether it is to be predicted and whether it may be perturbed."""

    tokens: torch.Tensor
    labels: torch.Tensor


@dataclass
class Batch:
    """Two rows per pair over one prompt; `prompt` marks its tokens [B, T]."""

    adversarial: Labelled
    desired: Labelled
    prompt: torch.Tensor
    benign: Labelled = None

    def attacked(self, completions):
        mask = self.prompt | self.adversarial.labels | self.desired.labels if completions else self.prompt
        return mask.unsqueeze(-1).float()


@dataclass
class Peer:
    """A model with adapters, and the hooks that add a perturbation where `deltas` has one."""

    model: torch.nn.Module
    labelled_logits: bool = False
    autocast: torch.dtype = None
    deltas: dict = field(default_factory=dict)

    def adapters(self):
        return [p for n, p in self.model.named_parameters() if "lora_" in n]

    def module(self, site):
        inner = self.model.get_base_model().model
        return inner.embed_tokens if site == "embedding" else inner.layers[int(site)].mlp

    def hook(self, sites):
        return [self.module(s).register_forward_hook(self._adding(str(s))) for s in sites]

    def _adding(self, site):
        return lambda _module, _inputs, out: out + self.deltas[site].to(out.dtype) if site in self.deltas else out

    def hidden(self, tokens):
        return self.model.get_base_model().model(input_ids=tokens, use_cache=False).last_hidden_state

    def logits(self, rows, shift=True):
        """Float32 logits [N, V] of the states that predict the labels (or, unshifted, of the labels' own positions)."""
        device = rows.tokens.device.type
        with torch.autocast(device, dtype=self.autocast, enabled=self.autocast is not None):
            return self._logits(rows, shift).float()

    def _logits(self, rows, shift):
        head = self.model.get_base_model().lm_head
        hidden = self.hidden(rows.tokens)
        picked = rows.labels[:, 1:] if shift else rows.labels
        if self.labelled_logits:
            return head((hidden[:, :-1] if shift else hidden)[picked])
        every = head(hidden)
        return (every[:, :-1] if shift else every)[picked]


def with_adapters(model, rank, alpha):
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=PROJECTIONS, bias="none")
    return get_peft_model(model, config)


def targets(rows):
    return rows.tokens[:, 1:][rows.labels[:, 1:]]


def toward(peer, rows):
    return F.cross_entropy(peer.logits(rows), targets(rows))


def away(peer, rows, threshold=-5.0):
    """Mean of -log(1 - p) over labels, where log p >= threshold."""
    logits, labels = peer.logits(rows), targets(rows).unsqueeze(-1)
    every = torch.logsumexp(logits, -1)
    log_p = logits.gather(-1, labels).squeeze(-1) - every
    others = torch.logsumexp(logits.scatter(-1, labels, -1e10), -1) - every
    return -torch.where(log_p < threshold, 0.0, others).mean()


def kl(peer, rows):
    """The published form: mean over elements, unshifted positions, scaled by its own detached value."""
    with torch.no_grad(), peer.model.disable_adapter():
        base = F.log_softmax(peer.logits(rows, shift=False), -1)
    new = F.log_softmax(peer.logits(rows, shift=False), -1)
    return (new.exp() * (new - base)).mean()


def attack(peer, batch, config, optimizer=None):
    """Finds deltas in `peer.deltas`; returns the losses of each iteration."""
    mask = batch.attacked(config.completions)
    width = peer.model.get_base_model().config.hidden_size
    freeze(peer, True)
    raw = {str(s): torch.zeros(*mask.shape[:2], width, requires_grad=True) for s in config.sites}
    optimizer = torch.optim.AdamW(list(raw.values()), lr=config.learning_rate)
    losses = {"toward": (toward, batch.adversarial), "away": (away, batch.desired)}
    history = []
    for _ in range(config.iterations):
        optimizer.zero_grad()
        logged = {}
        for name, coefficient in active(config.losses):
            compute, rows = losses[name]
            peer.deltas = {site: delta * mask for site, delta in raw.items()}
            loss = compute(peer, rows)
            (coefficient * loss).backward()
            logged[name] = loss.item()
        optimizer.step()
        project(raw, config.epsilon)
        history.append(logged)
    peer.deltas = {site: (delta * mask).detach() for site, delta in raw.items()}
    freeze(peer, False)
    return history


@torch.no_grad()
def project(deltas, epsilon):
    for delta in deltas.values():
        norm = delta.norm(dim=-1, keepdim=True)
        delta.div_(torch.clamp(norm / epsilon, min=1.0))


def freeze(peer, frozen):
    for parameter in peer.adapters():
        parameter.requires_grad_(not frozen)


def defend(peer, batch, config, optimizer):
    """Trains the adapters under `peer.deltas`; returns the losses of each iteration."""
    live, history = peer.deltas, []
    losses = {
        "toward": (toward, batch.desired, live),
        "away": (away, batch.adversarial, live),
        "sft": (toward, batch.benign, {}),
        "kl": (kl, batch.benign, {}),
    }
    for _ in range(config.iterations):
        optimizer.zero_grad()
        logged = {}
        for name, coefficient in active(config.losses):
            compute, rows, peer.deltas = losses[name]
            loss = compute(peer, rows)
            scaled = loss / (loss.detach() + 1e-8) if name == "kl" else loss
            (coefficient * scaled).backward()
            logged[name] = loss.item()
        torch.nn.utils.clip_grad_norm_(peer.adapters(), config.clip)
        optimizer.step()
        history.append(logged)
    peer.deltas = live
    return history


def active(losses):
    return [(name, coefficient) for name, coefficient in losses.items() if coefficient]
