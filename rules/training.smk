"""Language models that are trained here, and the tokens that they are trained on."""

TRAINED = "results/models/trained/{architecture}-{seed}"


rule train_model:
    """Train a language model; when killed it goes on from its last validation."""
    input:
        tokens="results/models/text/tokens.json",
        tokenizer="results/models/text/tokenizer.json",
        training=ancient("results/models/text/training.npy"),
        validation=ancient("results/models/text/validation.npy"),
        code=code("models/train_model"),
    output:
        weights=ensure(f"{TRAINED}/model.safetensors", non_empty=True),
        config=ensure(f"{TRAINED}/config.json", non_empty=True),
        tokenizer=ensure(f"{TRAINED}/tokenizer.json", non_empty=True),
        losses=ensure(f"{TRAINED}/losses.parquet", non_empty=True),
        card=ensure(f"{TRAINED}/card.json", non_empty=True),
        readme=ensure(f"{TRAINED}/README.md", non_empty=True),
    log:
        f"{TRAINED}.log",
    benchmark:
        f"{TRAINED}.benchmark.tsv"
    wildcard_constraints:
        architecture=one_of(study.training.learning_rates),
        seed=r"\d+",
    conda:
        "../envs/atlas.yaml"
    resources:
        mem_mb=training_memory_mb,
        runtime=minutes(600),
        gpu=gpus(study.training.device),
    params:
        context=study.text.context,
        training=recipe,
        validation_tokens=study.training.validation_tokens,
        device=study.training.device,
        checkpoint="results/models/unfinished/{architecture}-{seed}.pt",
    script:
        "../scripts/models/train_model.py"


rule train:
    """Language models, trained here."""
    input:
        trained_models(),
