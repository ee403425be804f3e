import pytest
import torch

from qatlas.codecs import CodecError, Context, create
from qatlas.codecs.measure import measure_codec


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_weights_are_those_of_the_type_and_cost_its_width(dtype):
    weight = torch.randn(8, 5)
    codec = create("cast", dtype=dtype)
    encoded = codec.encode(weight, Context())
    assert torch.equal(codec.decode(encoded), weight.to(getattr(torch, dtype)).float())
    found = measure_codec(weight, codec, Context())
    assert found.rate.total == found.rate.payload == codec.nominal_bits
    assert (found.distortion.mse == 0) == (dtype == "float32")


def test_a_weight_beyond_the_type_is_refused():
    with pytest.raises(CodecError, match="does not fit"):
        create("cast", dtype="float16").encode(torch.tensor([[1e6, 1.0]]), Context())
