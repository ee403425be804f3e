"""What if the multiplier itself is a lookup table?"""
