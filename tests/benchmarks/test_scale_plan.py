from growth import Growth
from llama_checkpoint import LLAMA_3_2_1B, LLAMAS, number_of_parameters
from scale_plan import Rate, measured_weights, plan

FLAT = Growth(slope=1e-6, intercept=100.0, r_squared=1.0, exponent=1.0)
RATES = {"manifest": Rate(2.0, 0.0, 1e-9), "sweep of uniform": Rate(3.0, 0.1, 1e-7)}


def planned(shape, rates=RATES, most_weights=None):
    return plan(shape, rates, dict.fromkeys(rates, FLAT), most_weights or {})


def test_weights_of_matrices_are_all_but_the_norms():
    norms = (2 * 16 + 1) * 2048
    assert measured_weights(LLAMA_3_2_1B) == number_of_parameters(LLAMA_3_2_1B) - norms


def test_a_limit_counts_for_every_matrix():
    # Per layer queries and outputs, keys and values, and three of the MLP; then the embedding.
    assert measured_weights(LLAMA_3_2_1B, 2**20) == 113 * 2**20
    assert measured_weights(LLAMA_3_2_1B, 2**22) == (16 * 5 + 1) * 2**22 + 32 * 2**20


def test_a_plan_adds_up_the_starts_and_the_weights_of_all_jobs():
    found = planned(LLAMA_3_2_1B)
    weights = measured_weights(LLAMA_3_2_1B)
    assert (found.shards, found.jobs) == (5, 1 + 5)
    assert abs(found.cpu_seconds - (2 + 5 * 3 + 113 * 0.1 + weights * 1.01e-7)) < 1e-6
    assert found.bytes_read == 2 * 2 * weights
    assert found.largest == 128256 * 2048
    assert found.peak_mib == FLAT.at(found.largest)


def test_the_longest_job_of_a_shard_has_the_largest_matrix_or_its_share():
    found = planned(LLAMA_3_2_1B)
    assert found.longest_shared_step == "sweep of uniform"
    assert abs(found.longest_shared_seconds - (3 + 113 / 5 * 0.1 + 128256 * 2048 * 1e-7)) < 1e-6
    huge = planned(LLAMAS["Llama 3.1 405B"], {**RATES, "manifest": Rate(2.0, 0.0, 1e-8)})
    assert huge.longest_step == "manifest"
    assert abs(huge.longest_seconds - (2 + huge.weights * 1e-8)) < 1e-3


def test_drawn_rows_make_a_step_cheaper():
    few = planned(LLAMA_3_2_1B, most_weights={"sweep of uniform": 2**16})
    assert few.cpu_seconds < planned(LLAMA_3_2_1B).cpu_seconds
