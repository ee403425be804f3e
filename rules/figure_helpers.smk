from qatlas.figure_files import FORMAT_SUFFIXES, figure_paths


def figure_files(
    stem,
    category,
    subcategory="Figures",
    formats=study.figure_formats,
    caption="captions/figure.rst",
):
    """Outputs of a rule that draws a figure; the report shows its preview.

    `stem` is their path without suffix, `formats` what the figure is written as besides.
    """
    paths = figure_paths(stem, formats)
    shown = report(
        paths["png"],
        caption=caption,
        category=category,
        subcategory=subcategory,
        labels={"figure": Path(stem).name},
    )
    return paths | {"pdf": ensure(paths["pdf"], non_empty=True), "png": shown}


def figure_of_several(stem, category, subcategory="Figures"):
    """Outputs of one figure of a job that draws several.

    A caption sees the job and not the file that it stands under, and is looked for beside the
    rules unless its path is absolute.
    """
    return figure_files(stem, category, subcategory, caption=os.path.abspath(f"{stem}.rst"))


def together(each):
    """Outputs of a rule that draws several figures, from those of each of them."""
    kinds = figure_paths("", study.figure_formats)
    return {kind: [files[kind] for files in each] for kind in kinds}


def in_all_formats(pdfs):
    """Figures, and what they are written as besides.

    Targets ask for all of it: of a job whose outputs were not all made before, Snakemake does not
    look at the parameters.
    """
    stems = [pdf.removesuffix(".pdf") for pdf in pdfs]
    besides = [f"{stem}{FORMAT_SUFFIXES[name]}" for stem in stems for name in study.figure_formats]
    return pdfs + besides
