"""A small study made by hand, its page, and a browser to look at it."""

from dataclasses import dataclass, field
from itertools import product
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest

from qatlas.bounds.gaussian import rate_bits
from qatlas.function.schema import EVALUATIONS
from qatlas.lut.simulation.schema import TRAJECTORIES
from qatlas.paper.explorer.datasets import datasets
from qatlas.paper.explorer.page import page, write_page
from qatlas.paper.explorer.views import VIEWS
from qatlas.rate_distortion.schema import BOUNDS, MEASURED, MEASUREMENTS
from qatlas.tables import write_table

# No rule forbids it as the name of a tensor in a checkpoint.
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><!--"
TENSORS = {
    ("bert", "layer.0.query"): ("attention_q", 0, 100),
    ("bert", "layer.1.query"): ("attention_q", 1, 300),
    ("bert", "layer.0.up"): ("mlp_fc1", 0, 400),
    ("bert", "words"): ("embedding", None, 1000),
    ("noise", HOSTILE): ("linear", None, 200),
}
SERIES = {
    "by_tensor": ("uniform", 8.0),
    "by_channel": ("uniform", 4.0),
    "lloyd_max": ("lloyd_max", 2.5),
    "trellis": ("trellis", 1.2),
}
BITS = (1, 2, 3, 4)
MODELS = ("llama", "mamba")


def filled(table, /, **values):
    """A row with nothing, or 0, where no value is given."""
    empty = {"text": "", "integer": 0, "number": 0.0, "truth": False}
    return {column.name: empty[column.type] for column in table.columns} | values


def measurement(model, tensor, series, bits):
    """One codec on one tensor; the error of drawn rows has an interval."""
    kind, layer, weights = TENSORS[model, tensor]
    codec, worse = SERIES[series]
    nmse = worse * 4.0**-bits * (1 + len(tensor) / 100)
    exact = series != "trellis"
    rate = bits + 0.125
    return filled(
        MEASUREMENTS,
        **{"model": model, "tensor": tensor, "kind": kind, "layer": layer, "weights": weights},
        **{"codec": codec, "series": series, "parameters": f'{{"bits": {bits}}}'},
        **{"rate_bits_per_weight": rate, "payload_bits_per_weight": float(bits)},
        **{"scale_bits_per_weight": 0.125, "nominal_bits": float(bits)},
        **{"mse": 2 * nmse, "nmse": nmse, "sqnr_db": 20.0, "sampled_weights": weights},
        **{"mse_low": 2 * nmse * (1 if exact else 0.9)},
        **{"mse_high": 2 * nmse * (1 if exact else 1.1)},
        gap_shannon_bits=rate - float(rate_bits(nmse)),
        gap_empirical_bits=rate - float(rate_bits(nmse)) + 0.01,
        gap_channel_variance_bits=None if kind == "linear" else 0.5,
    )


def bounds(model, tensor):
    kind = TENSORS[model, tensor][0]
    for bits in np.arange(0, 9, 0.5):
        yield filled(
            BOUNDS,
            **{"model": model, "tensor": tensor, "kind": kind, "nmse": 4.0**-bits},
            **{"empirical_bits": max(bits - 0.01, 0), "shannon_bits": bits},
            shannon_lower_bits=max(bits - 0.02, 0),
        )


def evaluations(model):
    floats = {"float32": 0.0, "bfloat16": 1e-4}
    for series, kl in floats.items():
        yield evaluation(model, series, "cast", 32.0, kl)
    for (series, (codec, worse)), bits in product(SERIES.items(), BITS):
        yield evaluation(model, series, codec, float(bits), worse * 4.0**-bits)


def evaluation(model, series, codec, bits, kl):
    perplexity = (50 + 10 * MODELS.index(model)) * float(np.exp(kl))
    return filled(
        EVALUATIONS,
        **{"model": model, "series": series, "codec": codec, "parameters": f'{{"bits": {bits:g}}}'},
        **{"nominal_bits": bits, "rate_bits_per_weight": bits + 0.125, "mean_kl": kl},
        **{"perplexity": perplexity, "nll": float(np.log(perplexity))},
    )


def trajectories():
    tables, methods = ("signed_ext", "signed_log"), ("nearest", "stochastic")
    sizes, references = (16, 512), ("float16", "float64")
    for table, method, size, reference in product(tables, methods, sizes, references):
        for step in (1, 10, 100):
            error = step**0.5 / size * (1 + len(table + method) / 10)
            yield filled(
                TRAJECTORIES,
                **{"operation": "chain", "table": table, "method": method, "size": size},
                **{"range": 2.0, "reference": reference, "step": step, "rms_error": error},
                mean_absolute_error=error / 2,
            )


@dataclass(frozen=True)
class Study:
    """Tables by name, and the parts of them that jobs wrote."""

    tables: dict
    measured: dict
    evaluated: dict

    def datasets(self, *names):
        """Sets of rows of the study, or of one that has these tables alone."""
        tables = {name: self.tables[name] for name in names or self.tables}
        return datasets(tables, self.measured, self.evaluated, "lut/tables/simulations", "bert")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    points = product(TENSORS, SERIES, BITS)
    measurements = pd.DataFrame([measurement(*key, *point) for key, *point in points])
    measurements = measurements.astype({"layer": "Int64", "gap_channel_variance_bits": float})
    measured = {}
    for (model, codec), rows in measurements.groupby(["model", "codec"]):
        job = f"rate_distortion/sweep/{model}/{codec}/0"
        measured[job] = folder / f"{model}-{codec}.parquet"
        write_table(rows[MEASURED.schema.names], MEASURED, measured[job])
    judged = {model: pd.DataFrame(evaluations(model)) for model in MODELS}
    evaluated = {}
    for model, rows in judged.items():
        job = f"function/evaluation/{model}-0/evaluation"
        evaluated[job] = folder / f"{model}.parquet"
        write_table(rows, EVALUATIONS, evaluated[job])
    tables = {
        "measurements": measurements,
        "bounds": pd.DataFrame([row for key in TENSORS for row in bounds(*key)]),
        "evaluations": pd.concat(judged.values(), ignore_index=True),
        "trajectories": pd.DataFrame(trajectories()),
    }
    return Study(tables, measured, evaluated)


@pytest.fixture(scope="session")
def found(made):
    """Its sets of rows."""
    return made.datasets()


@pytest.fixture(scope="session")
def html(found):
    return page(found, VIEWS)


@dataclass
class Look:
    """The page in a browser, and what it said and asked for."""

    tab: object
    address: str
    said: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def __post_init__(self):
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))

    def load(self, fragment=""):
        """Open the page anew."""
        self.tab.goto("about:blank")
        self.tab.goto(self.address + fragment)
        self.tab.wait_for_function("performance.getEntriesByName('drawn').length > 0")
        return self.tab

    def open(self, **state):
        """Go to some state of the page; names of facets are given as ``of_model``."""
        said = {name.replace("of_", "of."): value for name, value in state.items()}
        go = """(fragment) => {
          history.replaceState(null, "", fragment);
          dispatchEvent(new PopStateEvent("popstate"));
        }"""
        fragment = f"#{urlencode(said, doseq=True)}"
        self.done(lambda: self.tab.evaluate(go, fragment))
        return self.tab

    def done(self, act):
        """Do something that draws anew, and wait until that is done."""
        drawn = "performance.getEntriesByName('drawn').length"
        before = self.tab.evaluate(drawn)
        act()
        self.tab.wait_for_function(f"{drawn} > {before}")


@pytest.fixture(scope="session")
def opened(chromium, html, tmp_path_factory):
    """The page as a file, opened once: all that is chosen stands in its address."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    write_page(html, path)
    view = Look(chromium.new_page(), path.as_uri())
    view.load()
    return view


@pytest.fixture
def look(opened):
    """The open page; it must neither complain nor ask for anything but itself."""
    opened.tab.set_viewport_size({"width": 1280, "height": 900})
    opened.tab.emulate_media(color_scheme="light")
    yield opened
    assert opened.said == []
    own = ("data:", "blob:", "about:", opened.address)
    assert [url for url in opened.asked if not url.startswith(own)] == []
