"""One page to look through all measurements in a browser, without a network.

What is drawn is computed here, with the functions of the chapters; the page only chooses among
rows.
"""
