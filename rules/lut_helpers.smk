from qatlas.lut.map_names import MAPS, map_names, parse_map_name
from qatlas.lut.simulation.plot_names import PLOTS, drawn_plots, parse_plot_name
from qatlas.lut.summary import kinds_of
from qatlas.lut.user_tables import read_user_table

if workflow.is_main_process:
    try:
        for name, path in study.lut.tables.items():
            read_user_table(name, path, study.lut.range)
    except AtlasError as error:
        raise WorkflowError(str(error))


def map_files():
    """Maps of the study."""
    section = study.lut
    names = map_names(section.encodings, section.sizes, section.range)
    return [f"{MAPS}/{name.path}" for name in names]


def asked_map(wildcards):
    """Parameter function: the place of a map that was asked for by name."""
    try:
        return [parse_map_name(f"{wildcards.bits}bit/{wildcards.map}.png").path]
    except AtlasError as error:
        raise WorkflowError(str(error))


def lut_table_files(names):
    return {name: f"results/lut/tables/{name}.parquet" for name in names}


def tables_of_lut_summary():
    return lut_table_files(kind.name for kind in kinds_of(study.lut))


def operands_of_lut():
    """What models multiply, if the study asks for it."""
    return ["results/lut/tables/operands.parquet"] if study.lut.operands else []


def lut_language_model():
    """First training of the language model whose operands are counted, as wildcards name it."""
    name = study.lut.operands.model
    return SimpleNamespace(language_model=name, seed=study.function.models[name].seeds[0])


# Room for some twenty numbers for every pair of the largest table.
lut_errors_memory_mb = memory_mb(1000 + 160 * max(study.lut.sizes) ** 2 / 1e6)


def drawn_stems(batch=(None,)):
    """Paths without suffix of the plots that are drawn unasked, of all steps or of fewer."""
    return [
        name.path.removesuffix(".pdf") for steps in batch for name in drawn_plots(study.lut, steps)
    ]


def simulation_plots(batch=(None,)):
    """Outputs of a job that draws these plots."""
    return together(
        [figure_of_several(s, "Lookup tables", "Simulated variants") for s in drawn_stems(batch)]
    )


def lut_plots_of_study():
    return [f"{stem}.pdf" for stem in drawn_stems()]


def settings_of_simulations():
    """What the simulations depend on: not which of them are drawn."""
    section = study.lut.model_dump(include={"range", "sizes", "encodings", "simulations"})
    return section | {"simulations": section["simulations"] | {"drawn": None}}


def settings_of_asked_plot(wildcards):
    """Parameter function: the chapter's section, if it has the plot that was asked for."""
    try:
        parse_plot_name(f"{PLOTS}/{wildcards.folder}/{wildcards.plot}.pdf", study.lut)
    except AtlasError as error:
        raise WorkflowError(str(error))
    return study.lut.model_dump()


def plots_of_example(wildcards):
    return [f"{stem}.png" for stem in drawn_stems([int(wildcards.steps)])]


def steps_of_simulations():
    """Steps of all trajectories of the ensemble."""
    section = study.lut.simulations
    return section.seeds * section.steps if section else 0


# Room for some fifty numbers for every step.
lut_simulations_memory_mb = memory_mb(1000 + 400 * steps_of_simulations() / 1e6)
