"""Causal language models of equal size: Llama, Mamba and ResNet-BK."""
