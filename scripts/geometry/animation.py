from qatlas.config.geometry_animations import Animations
from qatlas.config.geometry_correction import Correction
from qatlas.geometry.animations.stage import QUALITIES, render, show_of
from qatlas.geometry.animations.story import story_of
from qatlas.job import job

with job(snakemake):
    correction = Correction(**snakemake.params.correction)
    animations = Animations(**snakemake.params.animations)
    story = story_of(correction, animations, snakemake.params.seed)
    show = show_of(snakemake.wildcards.scene)
    render(show, story, QUALITIES[animations.quality], snakemake.output.film)
