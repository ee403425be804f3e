"""How many bits does a given error cost, and how far is that from the limit?"""
