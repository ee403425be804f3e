"""Compiled selective scan of one sequence, and its exact adjoint.

States lie as (states, channels) so that the inner loops run over channels, which a CPU does
several of at once; nothing but what a state needs at one time step is ever in memory, beside the
states at the start of every ``STEPS`` time steps, from which the adjoint makes the others again.
"""

from typing import Any

import numba
import numpy as np

STEPS = 16
"""Time steps between two stored states."""

_LOG2_E = np.float32(1.4426950408889634)
_LN_2_HIGH = np.float32(0.693359375)
_LN_2_LOW = np.float32(-2.12194440e-4)
_LOWEST = np.float32(-87.0)
_HIGHEST = np.float32(88.0)
_HALF, _ONE = np.float32(0.5), np.float32(1)
_P0, _P1, _P2 = (
    np.float32(1.9875691500e-4),
    np.float32(1.3981999507e-3),
    np.float32(8.3334519073e-3),
)
_P3, _P4, _P5 = (
    np.float32(4.1665795894e-2),
    np.float32(1.6666665459e-1),
    np.float32(5.0000001201e-1),
)


@numba.njit(inline="always")
def exponential(x: Any) -> Any:
    """exp(x) of a float32 within 2 units in the last place, for several x at once.

    Source: Moshier's Cephes library, expf.c; below -87 it is exp(-87), which is 1.6e-38.
    """
    x = min(max(x, _LOWEST), _HIGHEST)
    whole = np.floor(x * _LOG2_E + _HALF)
    rest = x - whole * _LN_2_HIGH - whole * _LN_2_LOW
    series = ((((_P0 * rest + _P1) * rest + _P2) * rest + _P3) * rest + _P4) * rest + _P5
    power = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return (series * rest * rest + rest + _ONE) * power


@numba.njit(cache=True, nogil=True)
def scan(
    inputs: Any, steps: Any, decay: Any, write: Any, read: Any, outputs: Any, stored: Any
) -> None:
    """Fill ``outputs`` and the states ``stored``.

    Parameters
    ----------
    inputs, steps, outputs
        Float32, shape (time, channels).
    decay
        Negative rates A, float32, shape (states, channels).
    write, read
        B and C, float32, shape (time, states).
    stored
        Float32, shape (time / STEPS rounded up, states, channels).
    """
    length, channels = inputs.shape
    states = decay.shape[0]
    state = np.zeros((states, channels), np.float32)
    driven = np.empty(channels, np.float32)
    for t in range(length):
        if t % STEPS == 0:
            stored[t // STEPS] = state
        for d in range(channels):
            driven[d] = steps[t, d] * inputs[t, d]
            outputs[t, d] = 0
        for s in range(states):
            b, c = write[t, s], read[t, s]
            for d in range(channels):
                kept = exponential(steps[t, d] * decay[s, d]) * state[s, d]
                state[s, d] = kept + driven[d] * b
                outputs[t, d] += state[s, d] * c


@numba.njit(cache=True, nogil=True, fastmath={"reassoc"})
def adjoint(
    inputs: Any,
    steps: Any,
    decay: Any,
    write: Any,
    read: Any,
    stored: Any,
    outputs_bar: Any,
    inputs_bar: Any,
    steps_bar: Any,
    decay_bar: Any,
    write_bar: Any,
    read_bar: Any,
) -> None:
    """Fill what ends in ``_bar``: the derivatives of a loss by what it is named after.

    Shapes are those of ``scan``; ``outputs_bar`` is given.
    """
    length, channels = inputs.shape
    states = decay.shape[0]
    state_bar = np.zeros((states, channels), np.float32)
    decay_bar[:] = 0
    kept = np.empty((STEPS, states, channels), np.float32)
    after = np.empty((STEPS + 1, states, channels), np.float32)
    driven = np.empty(channels, np.float32)
    driven_bar = np.empty(channels, np.float32)
    for first in range((length - 1) // STEPS * STEPS, -1, -STEPS):
        count = min(STEPS, length - first)
        after[0] = stored[first // STEPS]
        for k in range(count):
            t = first + k
            for d in range(channels):
                driven[d] = steps[t, d] * inputs[t, d]
            for s in range(states):
                b = write[t, s]
                for d in range(channels):
                    kept[k, s, d] = exponential(steps[t, d] * decay[s, d])
                    after[k + 1, s, d] = kept[k, s, d] * after[k, s, d] + driven[d] * b
        for k in range(count - 1, -1, -1):
            t = first + k
            for d in range(channels):
                driven[d] = steps[t, d] * inputs[t, d]
                driven_bar[d] = 0
                steps_bar[t, d] = 0
            for s in range(states):
                b, c = write[t, s], read[t, s]
                b_bar, c_bar = np.float32(0), np.float32(0)
                for d in range(channels):
                    bar = state_bar[s, d] + outputs_bar[t, d] * c
                    c_bar += outputs_bar[t, d] * after[k + 1, s, d]
                    b_bar += bar * driven[d]
                    driven_bar[d] += bar * b
                    carried = bar * kept[k, s, d]
                    state_bar[s, d] = carried
                    exponent_bar = carried * after[k, s, d]
                    steps_bar[t, d] += exponent_bar * decay[s, d]
                    decay_bar[s, d] += exponent_bar * steps[t, d]
                write_bar[t, s] = b_bar
                read_bar[t, s] = c_bar
            for d in range(channels):
                inputs_bar[t, d] = driven_bar[d] * steps[t, d]
                steps_bar[t, d] += driven_bar[d] * inputs[t, d]
