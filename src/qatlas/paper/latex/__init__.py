"""The LaTeX kit: figures, tables and values to put into an article of one's own."""
