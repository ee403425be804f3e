import pytest

from qatlas.lut.findings.maps import error_slope
from qatlas.lut.summary import kinds_of, summarize
from tests.lut.conftest import SETTINGS


@pytest.fixture(scope="module")
def summary(tables):
    return summarize(tables, SETTINGS)


def test_the_summary_reads_the_tables_that_are_there(tables):
    assert {kind.name for kind in kinds_of(SETTINGS)} <= set(tables)


def test_mitchell_has_its_published_error_and_is_never_above(summary):
    published = summary.claims["maps.mitchell8.mred_is_the_published_one"]
    assert (published.holds, round(published.value, 4)) == (True, 0.0379)
    assert summary.claims["maps.mitchell8.never_above"].holds is True


def test_the_published_error_is_not_claimed_of_another_table(tables):
    errors = tables["map_errors"]
    worse = errors.assign(mred=errors.mred * 1.01, bias=errors.bias * 0.9)
    claims = summarize(tables | {"map_errors": worse}, SETTINGS).claims
    assert claims["maps.mitchell8.mred_is_the_published_one"].holds is False
    assert claims["maps.mitchell8.never_above"].holds is False


def test_what_a_study_leaves_out_is_not_measured(tables):
    errors = tables["map_errors"]
    settings = SETTINGS.model_copy(update={"multipliers": (), "sizes": (4, 16)})
    few = errors[(errors.table != "mitchell8") & errors["size"].isin([4, 16])]
    claims = summarize(tables | {"map_errors": few}, settings).claims
    assert claims["maps.mitchell8.mred_is_the_published_one"].holds == "not_measured"
    assert claims["maps.signed_ext.error_halves_a_bit"].holds == "not_measured"


def test_even_codes_err_half_as_much_with_every_bit(summary):
    claim = summary.claims["maps.signed_ext.error_halves_a_bit"]
    assert claim.holds is True
    assert summary["maps.signed_ext.slope"].value == claim.value


def test_a_slope_is_that_of_the_errors(tables):
    rows = tables["map_errors"].query("table == 'signed' and operands == 'uniform'")
    rows = rows[rows.pairs == "all"]
    assert error_slope(rows.assign(med=3.0 / rows["size"] ** 2)) == pytest.approx(-2)
    assert error_slope(rows[rows["size"] == 64]) is None


def test_logarithmic_codes_have_the_least_relative_error_of_those_with_a_sign(summary, tables):
    rows = tables["map_errors"].query("size == 256 and pairs == 'all' and operands == 'uniform'")
    signed = rows[rows.table.isin(["signed", "signed_ext", "signed_log", "signed_asinh"])]
    least = signed.loc[signed.mred.idxmin(), "table"]
    assert summary["maps.least_mred_of_signed_at_8_bits.uniform"].value == least


def test_every_rank_is_a_value(summary, tables):
    ranks = tables["map_ranks"].set_index(["table", "size"])["rank"]
    for (table, size), rank in ranks.items():
        assert summary[f"maps.{table}.{size}.rank"].value == rank
