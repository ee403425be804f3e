"""What a tensor is for: its kind, its layer, which way it lies, and whether it is another's twin.

Kinds come from where a module stands (inside an attention block, a feed-forward block) and the
name of its attribute. ``architecture`` learns where it stands from the model's own classes; for
tensors that no known architecture has, ``role_from_name`` learns it from the name alone.
"""

import re
from dataclasses import dataclass

KINDS = (
    "embedding",
    "attention_q",
    "attention_k",
    "attention_v",
    "attention_o",
    "attention_qkv",
    "mlp_gate",
    "mlp_up",
    "mlp_down",
    "mlp_gate_up",
    "mlp_fc1",
    "mlp_fc2",
    "head",
    "convolution",
    "linear",
    "vector",
    "other",
)
"""Kinds of tensors; "vector" is anything one-dimensional, "other" what is no layer's weight."""
NO_MATRICES = ("vector", "other")
"""Kinds of what is not quantized."""

_BLOCKS = (
    (re.compile(r"attention|attn", re.IGNORECASE), "attention"),
    (re.compile(r"intermediate$", re.IGNORECASE), "intermediate"),
    (
        re.compile(
            r"mlp|ffn|feed_?forward|experts?|sparse_?moe|moe(block)?$|dense(relu|act|gated)",
            re.IGNORECASE,
        ),
        "mlp",
    ),
    (re.compile(r"output$", re.IGNORECASE), "output"),
)
_KINDS_BY_BLOCK: dict[str, dict[str, tuple[str, ...]]] = {
    "attention": {
        "attention_q": ("q_proj", "query", "q_lin", "q", "wq", "to_q", "q_attn", "query_proj"),
        "attention_k": ("k_proj", "key", "k_lin", "k", "wk", "to_k", "key_proj"),
        "attention_v": ("v_proj", "value", "v_lin", "v", "wv", "to_v", "value_proj"),
        "attention_o": (
            *("o_proj", "out_proj", "c_proj", "dense", "out_lin", "o", "wo", "proj", "to_out"),
            *("out", "projection"),
        ),
        "attention_qkv": (
            *("c_attn", "query_key_value", "qkv_proj", "qkv", "Wqkv", "in_proj_weight"),
        ),
    },
    "mlp": {
        "mlp_gate": ("gate_proj", "w1", "wi_0"),
        "mlp_up": ("up_proj", "w3", "wi_1"),
        "mlp_down": ("down_proj", "w2"),
        "mlp_gate_up": ("gate_up_proj",),
        "mlp_fc1": (
            *("c_fc", "fc1", "lin1", "linear1", "dense_h_to_4h", "fc_in", "wi"),
            "intermediate_dense",
        ),
        "mlp_fc2": (
            *("c_proj", "fc2", "lin2", "linear2", "dense_4h_to_h", "fc_out", "wo"),
            "output_dense",
        ),
    },
    "intermediate": {"mlp_fc1": ("dense",)},
    "output": {"mlp_fc2": ("dense",)},
    # Feed-forward layers without a block of their own, as in OPT and ALBERT.
    "": {
        "mlp_fc1": ("fc1", "linear1", "ffn"),
        "mlp_fc2": ("fc2", "linear2", "ffn_output"),
    },
}
_KINDS = {
    (block, attribute): kind
    for block, kinds in _KINDS_BY_BLOCK.items()
    for kind, attributes in kinds.items()
    for attribute in attributes
}
_EMBEDDING = re.compile(r"(^|_)(embed|embeddings?|embed_tokens|wte|wpe|shared)(_|$)")
_HEADS = ("lm_head", "embed_out")


@dataclass(frozen=True)
class Role:
    """What a parameter of a model is.

    Attributes
    ----------
    kind
        One of ``KINDS``.
    layer
        Position in the outermost stack of layers around it; None outside.
    transposed
        Whether it is stored as (input, output) channels instead of (output, input).
    tied_to
        Parameter that it is the same tensor as, in the model's own names.
    """

    kind: str
    layer: int | None = None
    transposed: bool = False
    tied_to: str | None = None


def block_of(name: str, enclosing: str) -> str:
    """Block that a class or attribute of this name opens, or else the enclosing one."""
    found = next((block for pattern, block in _BLOCKS if pattern.search(name)), enclosing)
    # What BERT calls the output of attention still belongs to attention.
    return enclosing if (found, enclosing) == ("output", "attention") else found


def layer_kind(block: str, attribute: str) -> str | None:
    """Kind of an attribute with two or more dimensions inside a block; None if not known."""
    return _KINDS.get((block, attribute))


def role_from_name(name: str, shape: tuple[int, ...]) -> Role:
    """Guess a role from a tensor's name and shape alone.

    Names do not tell which way a matrix lies, nor what is tied to what: it is taken to be
    (output, input) channels, and tied to nothing.
    """
    *path, last = name.split(".")
    layer = next((int(part) for part in path if part.isdecimal()), None)
    return Role(_kind_from_name(path, last, len(shape)), layer)


def _kind_from_name(path: list[str], last: str, dimensions: int) -> str:
    if dimensions < 2:
        return "vector"
    attribute = next((part for part in reversed(path) if not part.isdecimal()), "")
    if last != "weight":
        return layer_kind(_block_from_names(path), last) or "other"
    if attribute in _HEADS:
        return "head"
    if _EMBEDDING.search(attribute):
        return "embedding"
    if dimensions > 2:
        return "convolution" if "conv" in attribute else "other"
    return layer_kind(_block_from_names(path[:-1]), attribute) or "linear"


def _block_from_names(path: list[str]) -> str:
    block = ""
    for part in path:
        block = block_of(part, block)
    return block
