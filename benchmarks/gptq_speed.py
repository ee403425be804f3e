"""How long GPTQ takes on a layer, next to the paper's algorithm in NumPy and to GPTQModel.

GPTQModel (PyPI: gptqmodel) is compared where it is installed; it needs an environment of its own,
with this package installed beside it. The seconds of both include the factors of H, not H.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from record import (
    Measurement,
    Record,
    Target,
    at_least,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)

from qatlas.codecs import Context, create
from qatlas.codecs.calibrated.plain_gptq import Round, plain_gptq
from qatlas.codecs.calibrated.second_moment import damped
from qatlas.codecs.output_error import output_error
from qatlas.codecs.peers import is_installed

BITS, GROUP, DAMPING = 4, 128, 0.01
Quantize = Callable[[], torch.Tensor]
Prepare = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Quantize]
"""From weights, inputs and their second moment, what quantizes and gives back the weights."""


def run(
    threads: int = 2,
    layer: tuple[int, int] = (2048, 8192),
    small_layer: tuple[int, int] = (256, 1024),
    samples: int = 1024,
) -> Record:
    """Quantize N(0, 1) weights to 4 bits in groups of 128, their inputs correlated.

    Seconds do not include compilation.

    Parameters
    ----------
    layer, small_layer
        Rows and columns; the paper's algorithm in NumPy has the small one alone.
    samples
        Inputs that H is of.
    """
    before = machine(threads=threads)
    torch.set_num_threads(threads)
    peers = {"GPTQModel": _by_gptqmodel} if is_installed("gptqmodel") else {}
    compared: dict[tuple[int, int], dict[str, Prepare]] = {
        small_layer: {"plain NumPy": _by_plain_numpy, **peers},
        layer: peers,
    }
    _measure(_by_qatlas, *_layer((16, 256), samples))
    measurements: list[Measurement] = []
    targets: list[Target] = []
    for shape, others in compared.items():
        what = f"{shape[0]} x {shape[1]}"
        weight, x, h = _layer(shape, samples)
        seconds, error = _measure(_by_qatlas, weight, x, h)
        report_progress(f"{what}: qatlas {seconds:.2f} s")
        measurements += _measurements(what, "qatlas", seconds, error)
        if shape == layer:
            targets.append(at_most(f"{what}: seconds", seconds, 60))
        for name, prepare in others.items():
            theirs, their_error = _measure(prepare, weight, x, h)
            report_progress(f"{what}: {name} {theirs:.2f} s")
            measurements += _measurements(what, name, theirs, their_error)
            targets += [
                at_least(f"{what}: times as fast as {name}", theirs / seconds, 1),
                at_most(
                    f"{what}: output error above that of {name}, relative",
                    error / their_error - 1,
                    0.01,
                ),
            ]
    return Record(
        name="gptq_speed",
        compares=f"GPTQ to {BITS} bits in groups of {GROUP}, with the paper's algorithm in NumPy "
        "and, where it is installed, with GPTQModel",
        machine=before,
        measurements=tuple(measurements),
        targets=tuple(targets),
    )


def _layer(shape: tuple[int, int], samples: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Weights, inputs of unequal size whose neighbours are correlated, and H of these."""
    draws = torch.Generator().manual_seed(0)
    weight = torch.randn(shape, generator=draws)
    x = torch.randn(samples, shape[1], generator=draws) * torch.rand(shape[1], generator=draws)
    x[:, 1:] += 0.5 * x[:, :-1]
    return weight, x, x.T @ x / samples


def _measure(
    prepare: Prepare, weight: torch.Tensor, x: torch.Tensor, h: torch.Tensor
) -> tuple[float, float]:
    """Seconds and output error."""
    seconds, decoded = timed(prepare(weight, x, h))
    return seconds, output_error(weight, decoded, h)


def _measurements(what: str, by: str, seconds: float, error: float) -> list[Measurement]:
    return [
        Measurement(f"{what}, time", by, seconds, "s"),
        Measurement(f"{what}, output error", by, error, "1"),
    ]


def _by_qatlas(weight: torch.Tensor, x: torch.Tensor, h: torch.Tensor) -> Quantize:
    codec = create("gptq", bits=BITS, granularity=GROUP, scale_dtype="float32", damping=DAMPING)
    return lambda: codec.decode(codec.encode(weight, Context(second_moment=h)))


def _by_plain_numpy(weight: torch.Tensor, x: torch.Tensor, h: torch.Tensor) -> Quantize:
    exact, moment = weight.double().numpy(), damped(h.double(), DAMPING).numpy()
    return lambda: torch.from_numpy(plain_gptq(exact, moment, GROUP, _grid_of))


def _grid_of(members: NDArray[np.float64]) -> Round:
    """Rounding to the uniform grid that spans each row of a group."""
    low, high = members.min(1).clip(max=0), members.max(1).clip(min=0)
    top = 2**BITS - 1
    scale = (high - low) / top
    zero = np.rint(-low / scale)
    return lambda column: (np.clip(np.rint(column / scale) + zero, 0, top) - zero) * scale


def _by_gptqmodel(weight: torch.Tensor, x: torch.Tensor, h: torch.Tensor) -> Quantize:
    from gptqmodel.quantization import QuantizeConfig
    from gptqmodel.quantization.gptq import GPTQ

    linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    linear.weight.data.copy_(weight)
    config = QuantizeConfig(
        bits=BITS,
        group_size=GROUP,
        sym=False,
        desc_act=False,
        act_group_aware=False,
        damp_percent=DAMPING,
        mse=0.0,
        fallback=None,
        offload_to_disk=False,
    )
    gptq = GPTQ(linear, config)
    gptq.quantizer.configure(perchannel=True)
    gptq.add_batch(x, linear(x))
    return lambda: gptq.quantize()[0]


if __name__ == "__main__":
    print_record(run())
