"""What models are trained and measured on: a text, its tokenizer and its tokens."""


rule corpus:
    """Gather the documents of the training, the validation and the test part."""
    input:
        text=text_file(),
        code=code("models/corpus"),
    output:
        documents=ensure("results/models/text/documents.parquet", non_empty=True),
        manifest=ensure("results/models/text/manifest.json", non_empty=True),
    log:
        "results/models/text/corpus.log",
    benchmark:
        "results/models/text/corpus.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=corpus_memory_mb,
        runtime=minutes(30),
    params:
        kind=kind_of_text(study.text),
        text=study.text.model_dump(mode="json", exclude={"vocabulary", "context"}),
        # Other versions have other docstrings.
        versions=package_versions(packages_of_text()),
    script:
        "../scripts/models/corpus.py"


rule tokenizer:
    """Train a byte-level BPE tokenizer on the training part alone."""
    input:
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        code=code("models/tokenizer"),
    output:
        tokenizer=ensure("results/models/text/tokenizer.json", non_empty=True),
    log:
        "results/models/text/tokenizer.log",
    benchmark:
        "results/models/text/tokenizer.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    threads: 2
    resources:
        mem_mb=text_memory_mb,
        runtime=minutes(30),
    params:
        vocabulary=study.text.vocabulary,
    script:
        "../scripts/models/tokenizer.py"


rule tokens:
    """Encode every part of the text."""
    input:
        manifest="results/models/text/manifest.json",
        documents=ancient("results/models/text/documents.parquet"),
        tokenizer="results/models/text/tokenizer.json",
        code=code("models/tokens"),
    output:
        training=ensure("results/models/text/training.npy", non_empty=True),
        validation=ensure("results/models/text/validation.npy", non_empty=True),
        test=ensure("results/models/text/test.npy", non_empty=True),
        tokens=ensure("results/models/text/tokens.json", non_empty=True),
    log:
        "results/models/text/tokens.log",
    benchmark:
        "results/models/text/tokens.benchmark.tsv"
    conda:
        "../envs/atlas.yaml"
    threads: 2
    resources:
        mem_mb=text_memory_mb,
        runtime=minutes(30),
    params:
        context=study.text.context,
    script:
        "../scripts/models/tokens.py"


rule text:
    """The text that models are trained and measured on, as tokens."""
    input:
        "results/models/text/tokens.json",
