"""Perplexities as JSON files, and simulated ones."""

import json
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.function.robustness.claims import robustness_claims
from qatlas.function.robustness.interchange import file_name, read_interchange, write_interchange
from qatlas.function.robustness.points import shown_points
from qatlas.function.robustness.schema import ROBUSTNESS
from qatlas.function.robustness.settings import RobustnessSettings
from qatlas.function.robustness.simulation import simulated
from qatlas.tables import write_table
from tests.function.robustness_rows import realistic, rows_of

SETTINGS = RobustnessSettings()
GOOD = {"bit_width": 8, "perplexity": 31.5, "model": "resnetbk"}


def put(folder, name="resnetbk_quant_int8.json", **changes):
    content = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    (folder / name).write_text(json.dumps(content))


def test_a_file_becomes_a_row_of_the_table(tmp_path):
    put(tmp_path, note="ignored")
    (tmp_path / "losses.json").write_text("not one of them")
    rows = read_interchange(tmp_path)
    assert rows.to_dict("records") == [
        {
            **{"model": "resnet_bk", "bit_width": 8, "perplexity": 31.5, "line": "imported"},
            **{"seed": 0, "source": "imported"},
        }
    ]
    write_table(rows, ROBUSTNESS, tmp_path / "robustness.parquet")


def test_line_and_seed_may_be_named(tmp_path):
    put(tmp_path, line="per channel", seed=3)
    (row,) = read_interchange(tmp_path).to_dict("records")
    assert (row["line"], row["seed"]) == ("per channel", 3)


def test_spellings_in_different_files_are_one_model(tmp_path):
    for bits, model in ((8, "My-Net"), (4, "my_net"), (2, "mynet")):
        put(tmp_path, f"{model}_quant_int{bits}.json", model=model, bit_width=bits)
    assert read_interchange(tmp_path).model.nunique() == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": ...}, "no key 'model' among bit_width, perplexity; add it: a name"),
        ({"model": ""}, "model: found ''; allowed: a name"),
        ({"model": 3}, "model: found 3; allowed: a name"),
        ({"bit_width": ...}, "no key 'bit_width' among model, perplexity"),
        ({"bit_width": 8.5}, "bit_width: found 8.5; allowed: a whole number from 1"),
        ({"bit_width": True}, "bit_width: found True"),
        ({"bit_width": "8"}, "bit_width: found '8'"),
        ({"bit_width": 4}, "bit_width: found 4, but its name says int8; allowed: 8"),
        ({"perplexity": ...}, "no key 'perplexity'"),
        ({"perplexity": math.nan}, "perplexity: found nan; allowed: a number from 1"),
        ({"perplexity": 0.9}, "perplexity: found 0.9; allowed: a number from 1"),
        ({"perplexity": None}, "perplexity: found None"),
        ({"line": " "}, "line: found ' '; allowed: a name"),
        ({"seed": -1}, "seed: found -1; allowed: a whole number from 0"),
    ],
)
def test_a_key_that_is_wrong_is_named_with_its_file(changes, message, tmp_path):
    put(tmp_path, **changes)
    with pytest.raises(AtlasError) as error:
        read_interchange(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'resnetbk_quant_int8.json'}: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "not readable JSON"), (b"\xff", "not readable JSON"), (b"[1]", "but a list")],
)
def test_a_file_of_something_else_is_refused(content, message, tmp_path):
    path = tmp_path / "mamba_quant_int4.json"
    path.write_bytes(content)
    with pytest.raises(AtlasError, match=message) as error:
        read_interchange(tmp_path)
    assert str(path) in str(error.value)


def test_an_unknown_precision_is_refused(tmp_path):
    put(tmp_path, "mamba_quant_q8.json")
    with pytest.raises(AtlasError, match="found precision 'q8' in its name; allowed: fp32, fp16"):
        read_interchange(tmp_path)


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_such_files_is_refused(exists, tmp_path):
    folder = tmp_path / "folder"
    if exists:
        folder.mkdir()
    with pytest.raises(AtlasError, match="no files MODEL_quant_PRECISION"):
        read_interchange(folder)


def test_two_files_of_one_model_and_bit_width_are_refused(tmp_path):
    put(tmp_path, "resnet_bk_quant_fp16.json", bit_width=16, model="resnet_bk")
    put(tmp_path, "resnetbk_quant_bf16.json", bit_width=16)
    message = "'resnetbk' with bit_width 16 is in resnet_bk_quant_fp16.json too"
    with pytest.raises(AtlasError, match=message):
        read_interchange(tmp_path)


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["resnet_bk", "mamba", "llama", "Other Model"]),
        st.dictionaries(
            st.integers(1, 32), st.floats(1, allow_infinity=True, allow_nan=False), min_size=1
        ),
        min_size=1,
    )
)
def test_what_was_written_is_read_as_the_same_numbers(tmp_path_factory, perplexities):
    folder = tmp_path_factory.mktemp("interchange")
    every_width = RobustnessSettings(bit_widths=range(1, 33))
    write_interchange(rows_of(perplexities), every_width, folder)
    read = read_interchange(folder)
    assert {
        model: dict(zip(rows.bit_width, rows.perplexity, strict=True))
        for model, rows in read.groupby("model")
    } == perplexities
    assert set(read.line) == {"by_channel"}


def test_means_of_the_shown_line_are_written_and_judged_alike(tmp_path):
    rows = realistic()
    written = write_interchange(rows, SETTINGS, tmp_path / "new")
    assert len(written) == 3 * 5
    assert sorted(written) == sorted((tmp_path / "new").iterdir())
    read = read_interchange(tmp_path / "new")
    columns = ["model", "line", "bit_width", "perplexity", "degradation_percent", "deployable"]
    pd.testing.assert_frame_equal(
        shown_points(read, SETTINGS)[columns], shown_points(rows, SETTINGS)[columns]
    )
    assert robustness_claims(read, SETTINGS) == robustness_claims(rows, SETTINGS)


def test_the_file_names_are_those_that_other_programs_read(tmp_path):
    write_interchange(rows_of({"mamba": {32: 30, 16: 30, 8: 31, 4: 40, 2: 50}}), SETTINGS, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "mamba_quant_fp32.json",
        "mamba_quant_fp16.json",
        "mamba_quant_int8.json",
        "mamba_quant_int4.json",
        "mamba_quant_int2.json",
    }
    content = json.loads((tmp_path / "mamba_quant_int4.json").read_text())
    assert {key: content[key] for key in GOOD} == {
        "bit_width": 4,
        "perplexity": 40,
        "model": "mamba",
    }


def test_a_name_with_a_slash_stays_in_the_folder():
    assert file_name("org/model", 3) == "org-model_quant_int3.json"


def test_a_failed_write_leaves_no_half_of_a_file(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(OSError, match="no space"):
        write_interchange(rows_of({"mamba": {32: 30}}), SETTINGS, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_simulation_gives_the_numbers_that_are_known():
    rows = simulated().set_index(["model", "bit_width"]).perplexity.round(2)
    assert rows["resnet_bk"].to_dict() == {32: 30.25, 16: 30.23, 8: 31.52, 4: 34.36, 2: 44.88}
    assert rows["mamba"].to_dict() == {32: 32.99, 16: 32.68, 8: 38.10, 4: 211.05, 2: 479.53}


def test_another_seed_gives_other_numbers_and_the_same_seed_the_same():
    pd.testing.assert_frame_equal(simulated(7), simulated(7))
    assert not (simulated(7).perplexity == simulated(8).perplexity).any()
    assert set(simulated(7).source) == {"simulated"}
