from qatlas.figure_files import figure_paths


def figure_files(stem, category, formats=study.figure_formats):
    """Outputs of a rule that draws a figure; the report shows its preview.

    `stem` is their path without suffix, `formats` what the figure is written as besides.
    """
    paths = figure_paths(stem, formats)
    shown = report(
        paths["png"],
        caption="captions/figure.rst",
        category=category,
        labels={"figure": Path(stem).name},
    )
    return paths | {"pdf": ensure(paths["pdf"], non_empty=True), "png": shown}


def together(each):
    """Outputs of a rule that draws several figures, from those of each of them."""
    kinds = figure_paths("", study.figure_formats)
    return {kind: [files[kind] for files in each] for kind in kinds}
