from dataclasses import dataclass

CATEGORIES = {
    "weights": "Weights",
    "rate_distortion": "Rate and distortion",
    "function": "Function",
    "lut": "Lookup tables",
    "geometry": "Geometry",
}
CONFIGURATION = "results/report/config.yaml"


@dataclass(frozen=True)
class Page:
    """A table or a text as the report shows it.

    Attributes
    ----------
    source
        File that is shown.
    caption
        Name of the file of its caption, without suffix.
    category
        Under which it stands.
    """

    source: str
    caption: str
    category: str

    @property
    def path(self):
        parts = Path(self.source).relative_to("results").with_suffix("").parts
        return f"results/report/{'-'.join(parts)}.html"


def in_report(page):
    """The page, as an output that the report shows."""
    return report(
        page.path,
        caption=f"captions/{page.caption}.rst",
        category=page.category,
        subcategory="Run" if page.category == "Run" else "Tables",
        labels={"table": page.caption.replace("_", " ")},
    )


PAGES = [
    *(
        Page(f"results/{chapter}/summary.json", "claims", CATEGORIES[chapter])
        for chapter in FIGURES
    ),
    *(
        Page(f"results/rate_distortion/tables/{table}.csv", table, CATEGORIES["rate_distortion"])
        for table in ("operating_points", "target_distortion", "speeds")
    ),
    *(
        [
            Page("results/function/robustness.txt", "robustness", CATEGORIES["function"]),
            Page(
                "results/function/robustness/summary.json",
                "robustness_claims",
                CATEGORIES["function"],
            ),
        ]
        if study.robustness
        else []
    ),
    Page("results/runtimes.csv", "runtimes", "Run"),
    Page("results/provenance.json", "provenance", "Run"),
    Page(CONFIGURATION, "config", "Run"),
]
