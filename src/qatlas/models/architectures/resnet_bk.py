"""ResNet-BK: a language model whose positions meet in the resolvent of a chain.

Block: h += FFN(LN h) + scale * Linear(Re G_ii, Im G_ii), with G the resolvent of a chain whose
potential is v = clamp(Linear(LN h), -3, 3). Between token and learned position embeddings and a
final LN with the head. The chain's causal diagonal is the default; see ``resolvent``.
"""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (its name everywhere)
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    GenerationMixin,
    PreTrainedConfig,
    PreTrainedModel,
    initialization,
)
from transformers.modeling_outputs import CausalLMOutput

from qatlas.errors import AtlasError, nearest
from qatlas.models.architectures.resolvent import RESOLVENTS

POTENTIAL_LIMIT = 3.0


class ResNetBKConfig(PreTrainedConfig):
    """Sizes of a ResNet-BK.

    Attributes
    ----------
    num_chains
        Potentials, and so pairs of features, that a block has at each position; with 1 it is the
        scalar potential of the definition.
    broadening
        Im z: the less it is, the further back a position sees.
    resolvent
        "causal", or "full" for analysis: the latter leaks the tokens to be predicted.
    """

    model_type = "resnet_bk"

    vocab_size: int = 2048
    hidden_size: int = 256
    intermediate_size: int = 512
    num_hidden_layers: int = 4
    num_chains: int = 1
    max_position_embeddings: int = 256
    broadening: float = 1.0
    resolvent: str = "causal"
    layer_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    tie_word_embeddings: bool = True


class ResolventMixer(nn.Module):
    """From normalized hidden states (batch, time, hidden) to features of the same shape.

    The resolvent is computed in float32, whatever narrower dtype the weights have.
    """

    def __init__(self, config: ResNetBKConfig) -> None:
        super().__init__()
        self.broadening = config.broadening
        self.diagonal = RESOLVENTS[config.resolvent]
        self.potential = nn.Linear(config.hidden_size, config.num_chains)
        self.readout = nn.Linear(2 * config.num_chains, config.hidden_size)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Mix positions."""
        potential = self.potential(hidden_states).clamp(-POTENTIAL_LIMIT, POTENTIAL_LIMIT)
        wide = potential if potential.dtype == torch.float64 else potential.float()
        features = torch.cat(self.diagonal(wide, self.broadening), -1)
        mixed: Tensor = self.scale * self.readout(features.to(potential.dtype))
        return mixed


class ResNetBKMLP(nn.Module):
    """Feed-forward layer with GELU."""

    def __init__(self, config: ResNetBKConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Transform each position by itself."""
        transformed: Tensor = self.fc2(F.gelu(self.fc1(hidden_states)))
        return transformed


class ResNetBKBlock(nn.Module):
    """One residual block."""

    def __init__(self, config: ResNetBKConfig) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = ResNetBKMLP(config)
        self.mixer = ResolventMixer(config)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Add the feed-forward layer and the mixer, both of the same normalized states."""
        normalized = self.norm(hidden_states)
        added: Tensor = hidden_states + self.mlp(normalized) + self.mixer(normalized)
        return added


class ResNetBKPreTrainedModel(PreTrainedModel):
    """What transformers asks of every model."""

    config: ResNetBKConfig
    config_class = ResNetBKConfig
    base_model_prefix = "model"

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[no-untyped-call]
        if isinstance(module, ResolventMixer):
            # H_ii = 0 on average, the middle of the band, from where a position sees furthest back.
            initialization.constant_(module.potential.bias, 2.0)
            initialization.normal_(module.potential.weight, std=self.config.hidden_size**-0.5)
            initialization.ones_(module.scale)


class ResNetBKModel(ResNetBKPreTrainedModel):
    """Embeddings, blocks and the final normalization."""

    def __init__(self, config: ResNetBKConfig) -> None:
        if config.resolvent not in RESOLVENTS:
            raise AtlasError(
                f"resolvent {config.resolvent!r} of a ResNet-BK: "
                f"{nearest(config.resolvent, RESOLVENTS)}"
            )
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_positions = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.layers = nn.ModuleList(ResNetBKBlock(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor) -> Tensor:
        """Hidden states, shape (batch, time, hidden).

        Raises
        ------
        AtlasError
            If the sequences are longer than the position embeddings.
        """
        length, longest = input_ids.shape[1], self.config.max_position_embeddings
        if length > longest:
            raise AtlasError(
                f"ResNet-BK: sequences of {length} tokens, but it has embeddings of {longest} "
                f"positions; lower the context to at most {longest}"
            )
        positions = torch.arange(length, device=input_ids.device)
        hidden_states = self.embed_tokens(input_ids) + self.embed_positions(positions)
        for layer in self.layers:
            hidden_states = layer(hidden_states)
        normalized: Tensor = self.norm(hidden_states)
        return normalized


class ResNetBKForCausalLM(ResNetBKPreTrainedModel, GenerationMixin):
    """The model with its head, called, saved and loaded as transformers' own."""

    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}  # noqa: RUF012

    def __init__(self, config: ResNetBKConfig) -> None:
        super().__init__(config)
        self.model = ResNetBKModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, labels: Tensor | None = None, **_: Any) -> CausalLMOutput:
        """Logits of the next tokens, and their mean NLL if labels are given.

        Parameters
        ----------
        input_ids
            Int64, shape (batch, time).
        labels
            The same tokens, which are shifted here; -100 is not counted.
        **_
            What transformers' models take besides (attention_mask, use_cache, ...): padding on the
            right changes nothing to the left of it, and there is no cache.
        """
        logits = self.lm_head(self.model(input_ids)).float()
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return CausalLMOutput(loss=loss, logits=logits)


AutoConfig.register("resnet_bk", ResNetBKConfig, exist_ok=True)
AutoModel.register(ResNetBKConfig, ResNetBKModel, exist_ok=True)
AutoModelForCausalLM.register(ResNetBKConfig, ResNetBKForCausalLM, exist_ok=True)
