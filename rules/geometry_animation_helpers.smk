from qatlas.geometry.animations import SCENES
from qatlas.geometry.animations.ready import require_manim
from qatlas.geometry.animations.story import story_of
from snakemake.settings.types import DeploymentMethod


def animation_code(wildcards):
    """Files that a scene runs; where it cannot be rendered, the reason ends the run before any job."""
    try:
        story_of(study.geometry.correction, study.geometry.animations, study.seed)
        # With conda the job has Manim from its own environment.
        if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
            require_manim()
    except AtlasError as error:
        raise WorkflowError(str(error))
    return code("geometry/animation", f"geometry.animations.scenes.{SCENES[wildcards.scene]}")
