"""Metric and topological error of a ReLU network, and what can be corrected."""
