"""Trellises: which levels may follow which, and the search for the best path."""
