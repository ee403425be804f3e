"""What does quantizing the weights do to what a model computes?"""
