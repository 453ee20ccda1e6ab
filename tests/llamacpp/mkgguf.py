#!/usr/bin/env python3
"""Writes a tiny llama-architecture model with random weights: a real server needs a model, not a good one.

Two layers, 64 dimensions, one token for every byte and every printable ASCII character, a chat template.
The weights come from a fixed seed: the same file every time.

    mkgguf.py OUT.gguf
"""

import sys

import gguf
import numpy as np

SEED = 20
DIMENSIONS, LAYERS, HEADS, HIDDEN, CONTEXT = 64, 2, 4, 128, 4096
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
SPACE = "\u2581"  # how this tokenizer writes a space
WORDS = ["the", "hello", "world", SPACE + "the", SPACE + "a", "ing", "er", "in", "on", "an", "re"]
# Tools are shown and called as in Hermes' format: llama.cpp constrains calls only where the template has them.
TEMPLATE = (
    "{% if tools %}<|im_start|>system\n<tools>\n{% for t in tools %}{{ t | tojson }}\n{% endfor %}</tools><|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content if m.content else '' }}"
    "{% for c in m.tool_calls or [] %}<tool_call>\n"
    '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}'
    "\n</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def vocabulary():
    """(token, type, score) in the order of their ids; 1 begins a text, 2 ends it."""
    yield from [(b"<unk>", UNKNOWN, 0.0), (b"<s>", CONTROL, 0.0), (b"</s>", CONTROL, 0.0)]
    yield from ((b"<0x%02X>" % byte, BYTE, 0.0) for byte in range(256))
    yield from ((SPACE if c == 32 else chr(c), NORMAL, -1.0) for c in range(32, 127))
    yield from ((word, NORMAL, -2.0) for word in WORDS)
    yield from [(b"<|im_start|>", CONTROL, 0.0), (b"<|im_end|>", CONTROL, 0.0)]


def write_metadata(out, tokens):
    out.add_name("lintel-tiny-random")
    out.add_context_length(CONTEXT)
    out.add_embedding_length(DIMENSIONS)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(HIDDEN)
    out.add_head_count(HEADS)
    out.add_head_count_kv(HEADS)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(DIMENSIONS // HEADS)
    out.add_vocab_size(len(tokens))
    out.add_file_type(0)
    out.add_tokenizer_model("llama")
    out.add_token_list([t.encode() if isinstance(t, str) else t for t, _, _ in tokens])
    out.add_token_types([kind for _, kind, _ in tokens])
    out.add_token_scores([score for _, _, score in tokens])
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_eot_token_id(len(tokens) - 1)
    out.add_unk_token_id(0)
    out.add_add_bos_token(True)
    out.add_add_space_prefix(False)
    out.add_chat_template(TEMPLATE)


def write_weights(out, vocabulary_size):
    random = np.random.default_rng(SEED)

    def matrix(*shape):
        return (random.standard_normal(shape) * 0.08).astype(np.float32)

    ones = np.ones(DIMENSIONS, np.float32)
    out.add_tensor("token_embd.weight", matrix(vocabulary_size, DIMENSIONS))
    out.add_tensor("output_norm.weight", ones)
    out.add_tensor("output.weight", matrix(vocabulary_size, DIMENSIONS))
    for layer in range(LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            out.add_tensor(f"blk.{layer}.{name}.weight", ones)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            out.add_tensor(f"blk.{layer}.{name}.weight", matrix(DIMENSIONS, DIMENSIONS))
        for name, shape in (("gate", (HIDDEN, DIMENSIONS)), ("up", (HIDDEN, DIMENSIONS)), ("down", (DIMENSIONS, HIDDEN))):
            out.add_tensor(f"blk.{layer}.ffn_{name}.weight", matrix(*shape))


def main():
    path = sys.argv[1]
    tokens = list(vocabulary())
    out = gguf.GGUFWriter(path, "llama")
    write_metadata(out, tokens)
    write_weights(out, len(tokens))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


if __name__ == "__main__":
    main()
