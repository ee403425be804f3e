import json
import logging
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.weights.architecture import Architecture, architecture
from qatlas.weights.roles import KINDS, Role, role_from_name
from qatlas.weights.snapshot import open_snapshot

# What one layer of each model holds besides vectors, by name inside the layer.
LAYERS = {
    "llama": (
        "model.layers.{}.",
        {
            "self_attn.q_proj.weight": "attention_q",
            "self_attn.k_proj.weight": "attention_k",
            "self_attn.v_proj.weight": "attention_v",
            "self_attn.o_proj.weight": "attention_o",
            "mlp.gate_proj.weight": "mlp_gate",
            "mlp.up_proj.weight": "mlp_up",
            "mlp.down_proj.weight": "mlp_down",
        },
    ),
    "gpt2": (
        "transformer.h.{}.",
        {
            "attn.c_attn.weight": "attention_qkv",
            "attn.c_proj.weight": "attention_o",
            "mlp.c_fc.weight": "mlp_fc1",
            "mlp.c_proj.weight": "mlp_fc2",
        },
    ),
    "bert": (
        "bert.encoder.layer.{}.",
        {
            "attention.self.query.weight": "attention_q",
            "attention.self.key.weight": "attention_k",
            "attention.self.value.weight": "attention_v",
            "attention.output.dense.weight": "attention_o",
            "intermediate.dense.weight": "mlp_fc1",
            "output.dense.weight": "mlp_fc2",
        },
    ),
    "mamba": (
        "backbone.layers.{}.",
        {
            "mixer.A_log": "other",
            "mixer.conv1d.weight": "convolution",
            "mixer.in_proj.weight": "linear",
            "mixer.x_proj.weight": "linear",
            "mixer.dt_proj.weight": "linear",
            "mixer.out_proj.weight": "linear",
        },
    ),
    "opt": (
        "model.decoder.layers.{}.",
        {
            "self_attn.q_proj.weight": "attention_q",
            "self_attn.k_proj.weight": "attention_k",
            "self_attn.v_proj.weight": "attention_v",
            "self_attn.out_proj.weight": "attention_o",
            "fc1.weight": "mlp_fc1",
            "fc2.weight": "mlp_fc2",
        },
    ),
}
OUTSIDE = {
    "llama": {"model.embed_tokens.weight": "embedding", "lm_head.weight": "head"},
    "gpt2": {"transformer.wte.weight": "embedding", "transformer.wpe.weight": "embedding"},
    "bert": {
        "bert.embeddings.word_embeddings.weight": "embedding",
        "bert.embeddings.position_embeddings.weight": "embedding",
        "bert.embeddings.token_type_embeddings.weight": "embedding",
        "cls.predictions.transform.dense.weight": "linear",
    },
    "mamba": {"backbone.embeddings.weight": "embedding"},
    "opt": {
        "model.decoder.embed_tokens.weight": "embedding",
        "model.decoder.embed_positions.weight": "embedding",
        "model.decoder.project_in.weight": "linear",
        "model.decoder.project_out.weight": "linear",
    },
}


@pytest.mark.parametrize("model", LAYERS)
def test_every_stored_tensor_has_its_kind_and_layer(tiny_model, model):
    folder = tiny_model(model)
    known = architecture(folder, model)
    prefix, kinds = LAYERS[model]
    expected = {name: (kind, None) for name, kind in OUTSIDE[model].items()}
    for layer in range(2):
        expected |= {prefix.format(layer) + name: (kind, layer) for name, kind in kinds.items()}
    for name, stored in open_snapshot(folder, model).tensors.items():
        role, role_from = known.role(name, stored.shape)
        assert role_from == "architecture", name
        if len(stored.shape) < 2:
            assert role.kind == "vector", name
            assert role.layer == next((i for i in range(2) if f".{i}." in name), None), name
        else:
            assert (role.kind, role.layer) == expected.pop(name), name
        assert role.transposed == (model == "gpt2" and len(stored.shape) == 2 and ".h." in name), (
            name
        )
    assert expected == {}


TIED = {
    "llama": ("lm_head.weight", "model.embed_tokens.weight", {"tie_word_embeddings": True}),
    "gpt2": ("lm_head.weight", "transformer.wte.weight", {}),
    "bert": ("cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight", {}),
    "mamba": ("lm_head.weight", "backbone.embeddings.weight", {}),
    "opt": ("lm_head.weight", "model.decoder.embed_tokens.weight", {}),
}


@pytest.mark.parametrize("model", TIED)
def test_a_head_tied_to_the_embedding_says_so(tiny_model, model):
    head, embedding, changes = TIED[model]
    known = architecture(tiny_model(model, **changes), model)
    assert known.roles[head] == Role("head", tied_to=embedding)
    assert known.roles[embedding] == Role("embedding")


def test_an_untied_head_stands_alone(tiny_model):
    known = architecture(tiny_model("llama", tie_word_embeddings=False), "llama")
    assert known.roles["lm_head.weight"] == Role("head")


def test_fused_layers_and_encoder_decoder_models(tiny_model):
    phi3 = architecture(tiny_model("phi3"), "phi3").roles
    assert phi3["model.layers.0.self_attn.qkv_proj.weight"].kind == "attention_qkv"
    assert phi3["model.layers.0.mlp.gate_up_proj.weight"].kind == "mlp_gate_up"
    t5 = architecture(tiny_model("t5"), "t5").roles
    assert t5["decoder.block.1.layer.1.EncDecAttention.o.weight"] == Role("attention_o", 1)
    assert t5["encoder.block.1.layer.1.DenseReluDense.wo.weight"] == Role("mlp_fc2", 1)
    assert t5["decoder.embed_tokens.weight"].tied_to == "shared.weight"


@pytest.mark.parametrize("model", ["llama", "gpt2", "bert"])
def test_checkpoints_may_lack_or_carry_the_prefix(tiny_model, model):
    """A base model's config reads a checkpoint with a head, and the other way round."""
    folder = tiny_model(model)
    with_head = architecture(folder, model)
    config = json.loads((folder / "config.json").read_text())
    del config["architectures"]
    (folder / "config.json").write_text(json.dumps(config))
    base = architecture(folder, model)
    prefix = with_head.base_model_prefix + "."
    shared = [name for name in with_head.roles if name.startswith(prefix)]
    assert len(shared) > 10
    for name in shared:
        bare = name.removeprefix(prefix)
        assert with_head.role(bare, ()) == with_head.role(name, ())
        role, role_from = base.role(name, ())
        assert (role, role_from) == base.role(bare, ())
        assert (role.kind, role_from) == (with_head.roles[name].kind, "architecture")


def test_names_that_the_architecture_lacks_are_marked(tiny_model):
    known = architecture(tiny_model("llama"), "llama")
    assert known.role("score.weight", (2, 16)) == (Role("linear"), "names")


@pytest.mark.parametrize("model", LAYERS)
def test_names_alone_give_the_same_kinds_and_layers_for_these_models(tiny_model, model):
    folder = tiny_model(model)
    known = architecture(folder, model)
    for name, stored in open_snapshot(folder, model).tensors.items():
        role = known.roles[name]
        assert role_from_name(name, stored.shape) == Role(role.kind, role.layer), name


def test_without_a_config_names_are_used_and_a_warning_says_so(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        known = architecture(tmp_path, "mystery")
    assert known == Architecture({}, "")
    assert "model mystery: there is no" in caplog.text
    assert "guessed from the tensors' names and shapes" in caplog.text
    assert known.role("weight", (4, 4)) == (Role("linear"), "names")


def test_an_unknown_architecture_falls_back_and_its_code_is_never_run(tmp_path, caplog):
    marker = tmp_path / "ran"
    (tmp_path / "modeling_evil.py").write_text(f"open({str(marker)!r}, 'w')")
    (tmp_path / "config.json").write_text(
        json.dumps(
            {
                "model_type": "evil",
                "architectures": ["EvilModel"],
                "auto_map": {
                    "AutoConfig": "modeling_evil.EvilConfig",
                    "AutoModel": "modeling_evil.EvilModel",
                },
            }
        )
    )
    known = architecture(tmp_path, "evil")
    assert known.roles == {}
    assert "no model_type 'evil'" in caplog.text
    assert not marker.exists()


def test_code_beside_a_known_architecture_is_not_run_either(tiny_model):
    folder = tiny_model("llama")
    expected = architecture(folder, "m")
    marker = folder / "ran"
    (folder / "modeling_evil.py").write_text(f"open({str(marker)!r}, 'w')")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {
        "AutoConfig": "modeling_evil.EvilConfig",
        "AutoModel": "modeling_evil.EvilModel",
        "AutoModelForCausalLM": "modeling_evil.EvilModel",
    }
    for architectures in (["LlamaForCausalLM"], ["EvilModel"], ["sys"], []):
        config["architectures"] = architectures
        (folder / "config.json").write_text(json.dumps(config))
        known = architecture(folder, "m")
        assert known.role("model.norm.weight", (16,)) == expected.role("model.norm.weight", (16,))
    assert not marker.exists()
    assert not [name for name in sys.modules if "modeling_evil" in name]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not readable JSON"),
        ("[]", "not a JSON object"),
        ('{"model_type": "llama", "hidden_size": "wide"}', "cannot build"),
    ],
)
def test_a_damaged_config_is_named(tmp_path: Path, text, reason):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(AtlasError, match=reason) as raised:
        architecture(tmp_path, "broken")
    assert "model broken" in str(raised.value)
    assert "config.json" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "shape", "role"),
    [
        ("model.layers.3.block_sparse_moe.experts.5.w1.weight", (8, 4), Role("mlp_gate", 3)),
        ("model.layers.3.block_sparse_moe.gate.weight", (8, 4), Role("linear", 3)),
        ("h.0.attn.bias", (1, 1, 8, 8), Role("other", 0)),
        ("vision.conv1.weight", (8, 3, 4, 4), Role("convolution")),
        ("blocks.7.attn.in_proj_weight", (12, 4), Role("attention_qkv", 7)),
        ("embed_out.weight", (50, 4), Role("head")),
        ("step", (), Role("vector")),
    ],
)
def test_roles_from_names(name, shape, role):
    assert role_from_name(name, shape) == role


@given(
    st.lists(st.text("abc_.019", min_size=1), min_size=1).map(".".join),
    st.lists(st.integers(0, 5), max_size=4).map(tuple),
)
def test_any_name_has_a_kind(name, shape):
    assert role_from_name(name, shape).kind in KINDS
