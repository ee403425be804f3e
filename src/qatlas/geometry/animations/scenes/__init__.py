"""Scenes, one a module, each with ``show(stage, story)``."""
