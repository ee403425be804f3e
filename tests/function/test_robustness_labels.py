"""Values lie off lines and off each other, in the order of their points."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.function.robustness.labels import Label, placed, sampled, text_size
from qatlas.function.robustness.scale import scale_of
from qatlas.function.robustness.values import Written, in_order_of_placing, value_text

BOUNDS = (0, 0, 400, 200)
SIZE = text_size("123.4", 7)
NOTHING = np.empty((0, 2))


def box(centre):
    return np.array([*(np.array(centre) - np.array(SIZE) / 2), *(centre + np.array(SIZE) / 2)])


def on_each_other(one, other):
    return (one[:2] < other[2:]).all() and (other[:2] < one[2:]).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(60, 140), min_size=1, max_size=5), st.integers(0, 100))
def test_labels_lie_within_bounds_off_lines_and_off_each_other(heights, slope):
    lines = np.array([[[100, y], [300, y + slope * 0.4]] for y in heights])
    labels = [Label((200, y + slope * 0.2), SIZE, above=True) for y in heights]
    boxes = [box(centre) for centre in placed(labels, sampled(lines), BOUNDS)]
    for one, other in combinations(boxes, 2):
        assert not on_each_other(one, other)
    for its_box in boxes:
        assert (its_box[:2] >= BOUNDS[:2]).all()
        assert (its_box[2:] <= BOUNDS[2:]).all()
        inside = (sampled(lines) > its_box[:2]) & (sampled(lines) < its_box[2:])
        assert not inside.all(axis=1).any()


@pytest.mark.parametrize("above", [True, False])
def test_a_label_goes_to_its_side_and_near(above):
    points = sampled(np.array([[[0, 100], [400, 100]]]))
    ((x, y),) = placed([Label((200, 100), SIZE, above)], points, BOUNDS)
    assert abs(x - 200) < SIZE[0]
    assert (y > 100) is above
    assert abs(y - 100) < 1.5 * SIZE[1]


def test_where_one_side_lies_outside_it_goes_to_the_other():
    points = sampled(np.array([[[0, 198], [400, 198]]]))
    ((_, y),) = placed([Label((200, 198), SIZE, above=True)], points, BOUNDS)
    assert y < 198


def test_a_full_panel_still_gets_its_labels():
    everywhere = np.stack(np.meshgrid(range(100, 301), range(0, 201, 2)), axis=-1).reshape(-1, 2)
    first, second = placed(
        [Label((200, 100), SIZE, above=True)] * 2, everywhere.astype(float), BOUNDS
    )
    assert not on_each_other(box(first), box(second))


def test_a_segment_is_sampled_from_end_to_end():
    points = sampled(np.array([[[0.0, 0.0], [30.0, 40.0]], [[5.0, 5.0], [5.0, 5.0]]]))
    steps = np.hypot(*np.diff(points[:-2], axis=0).T)
    assert steps.max() <= 1
    assert points[0].tolist() == [0, 0]
    assert [30, 40] in points.tolist()
    assert sampled(np.empty((0, 2, 2))).shape == (0, 2)


def test_the_upper_half_goes_above_innermost_first():
    values = [Written(0, (column, y), "k") for column in (0, 1.2) for y in (30, 10, 20)]
    assert in_order_of_placing(values) == [
        (2, True),
        (0, True),
        (1, False),
        (5, True),
        (3, True),
        (4, False),
    ]


@pytest.mark.parametrize(
    ("perplexity", "text"),
    [
        (30.248, "30.2"),
        (999.94, "999.9"),
        (999.96, "1000"),
        (9999.4, "9999"),
        (9999.6, "1.0e4"),
        (1.234e5, "1.2e5"),
        (float("inf"), "∞"),
    ],
)
def test_values_are_short(perplexity, text):
    assert value_text(perplexity) == text


finite = st.floats(1, 1e12)


@given(st.lists(st.one_of(finite, st.just(np.inf)), min_size=1), finite, st.floats(1, 1e6))
def test_everything_is_drawn_on_the_axis_and_the_threshold_if_it_is_near(drawn, at_32, threshold):
    scale = scale_of([*drawn, at_32], [at_32], threshold)
    places = [scale.position(perplexity) for perplexity in [*drawn, at_32]]
    assert np.isfinite(places).all()
    assert scale.low <= min(places) <= max(places) <= scale.high
    assert not scale.clips(at_32)
    assert scale.logarithmic is (max(places) > 10 * min(places))
    if threshold <= 10 * max(places):
        assert scale.low < threshold < scale.high


@given(st.floats(1, 1e5), st.floats(1, 1e5))
def test_an_axis_has_a_handful_of_ticks(one, other):
    scale = scale_of([one, other], [one], 100)
    assert 2 <= len(scale.ticks) <= 12
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)


def test_an_enormous_perplexity_is_clipped_and_a_large_one_is_not():
    scale = scale_of([30, 1e5], [30], 100)
    assert scale.clips(1e5)
    assert not scale.clips(480)
    assert scale.logarithmic
    assert not scale_of([30, 45], [30], 100).logarithmic
