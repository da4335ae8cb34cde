"""Greedy generation by transformers, timed on request: `python bench/peer/generate.py '{"prompts": [[id, …]], …}'`.

Loads the folder `model` names, or makes random weights of the shapes; generates once to warm up, prints a line of JSON,
then `{"seconds", "peak_rss_mb"}` for each line of input.
"""

import json
import os
import resource
import sys
import time
import warnings

config = json.loads(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(config["threads"])
os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import torch  # noqa: E402
import transformers  # noqa: E402


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


IMPORTED = peak()


def model_of(c):
    if c["model"]:
        return transformers.AutoModelForCausalLM.from_pretrained(c["model"], dtype=torch.float32)
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=c["vocab"],
            hidden_size=c["hidden"],
            intermediate_size=c["ffn"],
            num_hidden_layers=c["layers"],
            num_attention_heads=c["heads"],
            num_key_value_heads=c["kv_heads"],
            tie_word_embeddings=c["tied"],
        )
    )


def main():
    torch.set_num_threads(config["threads"])
    torch.manual_seed(0)
    transformers.logging.set_verbosity_error()
    model = model_of(config).eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    ids = torch.tensor(config["prompts"])

    def step():
        with torch.inference_mode():
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=config["completion"],
            )
        assert out.shape[1] == ids.shape[1] + config["completion"]

    step()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    print(json.dumps({"ready": True, "imported_rss_mb": round(IMPORTED), "versions": versions}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        print(json.dumps({"seconds": time.perf_counter() - start, "peak_rss_mb": round(peak())}), flush=True)


if __name__ == "__main__":
    main()
