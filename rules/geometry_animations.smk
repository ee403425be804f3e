"""What does it look like when a network is quantized and corrected? An optional extra."""


include: "geometry_animation_helpers.smk"


wildcard_constraints:
    scene=one_of(SCENES),


rule animation:
    """Render one scene of the network that is corrected."""
    input:
        code=animation_code,
    output:
        film=ensure("results/geometry/animations/{scene}.mp4", non_empty=True),
    log:
        "results/geometry/animations/{scene}.log",
    benchmark:
        "results/geometry/animations/{scene}.benchmark.tsv"
    conda:
        "../envs/animations.yaml"
    resources:
        mem_mb=plane_memory_mb,
        runtime=minutes(60),
    params:
        correction=study.geometry.correction.model_dump(),
        animations=study.geometry.animations.model_dump(),
        seed=study.seed,
    script:
        "../scripts/geometry/animation.py"


rule animations:
    """Every scene."""
    input:
        expand("results/geometry/animations/{scene}.mp4", scene=SCENES),
