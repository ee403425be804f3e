"""Everything that a study simulates."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from qatlas.config.lut import Lut
from qatlas.config.lut_simulations import Simulations
from qatlas.lut.encodings import encoding_of
from qatlas.lut.simulation.draws import draw
from qatlas.lut.simulation.ensembles import Ensemble
from qatlas.lut.simulation.growth import resamples
from qatlas.lut.simulation.outcomes import DOT, DOT_WIDE, outcomes
from qatlas.lut.simulation.run import Rows, final_rows, fixed_grid_growth, simulate
from qatlas.lut.simulation.variants import Variant, variants


@dataclass(frozen=True)
class Group:
    """A table, which is looked up in by all methods.

    Attributes
    ----------
    encoding, size, limit
        Of the table.
    compared
        Whether only its final results are wanted, to be compared with other ranges.
    """

    encoding: str
    size: int
    limit: float
    compared: bool

    def variants(self, methods: tuple[str, ...]) -> list[Variant]:
        """A variant a method."""
        return list(variants([self.encoding], [self.size], methods, self.limit))


def groups(settings: Lut, section: Simulations) -> Iterator[Group]:
    """Tables of the study: those of the chapter's range, then those of other ranges."""
    fixed = {name: encoding_of(name).fixed_range for name in settings.simulated_encodings}
    for encoding, its_range in fixed.items():
        for size in settings.simulated_sizes:
            yield Group(encoding, size, its_range or settings.range, compared=False)
    for limit in section.comparison.ranges:
        for encoding, its_range in fixed.items():
            for size in section.comparison.sizes:
                known = limit == settings.range and size in settings.simulated_sizes
                if its_range is None and not known:
                    yield Group(encoding, size, limit, compared=True)


def simulate_study(
    settings: Lut, seed: int, progress: Callable[[list[Group]], Iterable[Group]]
) -> Rows:
    """Simulate all tables of a study on the same random numbers.

    Parameters
    ----------
    settings
        The chapter's part of the configuration; it has a section ``simulations``.
    seed
        The configured one.
    progress
        Yields the groups it is given, and shows how far it is.
    """
    section = settings.simulations
    if section is None:
        return Rows()
    draws = draw(seed, section.seeds, section.steps)
    counts = resamples(seed, section.seeds)
    reported = tuple(sorted({*section.batch, section.steps}))
    rows = Rows()

    def ensemble(limit: float, references: tuple[str, ...], steps: tuple[int, ...]) -> Ensemble:
        return Ensemble(draws, limit, section.operations, references, steps)

    whole: dict[float, Ensemble] = {}
    brief: dict[float, Ensemble] = {}
    for group in progress(list(groups(settings, section))):
        limit, its_variants = group.limit, group.variants(section.methods)
        if group.compared:
            if limit not in brief:
                brief[limit] = ensemble(limit, (section.shown_reference,), (section.steps,))
            rows.simulations += [
                row for variant in its_variants for row in _final_rows(brief[limit], variant)
            ]
        else:
            if limit not in whole:
                whole[limit] = ensemble(limit, section.references, reported)
            rows.add(simulate(whole[limit], its_variants, section.shown_reference, counts))
    if DOT in section.operations:
        grid = whole.get(settings.range) or ensemble(settings.range, section.references, reported)
        rows.growth += fixed_grid_growth(grid, settings.simulated_sizes, counts)
    return rows


def _final_rows(ensemble: Ensemble, variant: Variant) -> Iterator[dict[str, object]]:
    for found in outcomes(ensemble, variant, ensemble.recorded, slice(None)):
        if found.operation != DOT_WIDE:
            yield from final_rows(ensemble, variant, found)
