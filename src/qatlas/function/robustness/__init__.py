"""How perplexity grows as precision falls, and down to which precision a model can be deployed."""
