"""Rate-distortion limits: how many bits a given error must cost.

Every bound here is of a *memoryless* source: it knows how often each weight value occurs, not
where. A codec that uses structure (channel scales, blocks, correlations) may beat it on a real
tensor; on independent draws nothing can.
"""
