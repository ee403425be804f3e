from collections import Counter

import yaml


def test_the_jobs_of_the_full_llama_study_are_few(checkout):
    """A job takes seconds to start, and Snakemake's graph grows with them."""
    config = "config/llama-3.2-1b.yaml"
    given = yaml.safe_load((checkout.folder / config).read_text())
    jobs = Counter(rule for rule, _ in checkout.jobs(config=config))
    families = {grid["codec"] for grid in given["codecs"].values()}
    shards = sum(model.get("shards", 0) for model in given["models"].values())
    sampled = 1  # All sampled models are one batch.
    assert jobs["sweep"] <= len(families) * (shards + sampled)
    assert jobs["statistics"] == jobs["bounds"] == jobs["rotation"] == shards + sampled
    assert jobs.total() < 1000
