"""What codecs are built from that know how the layer's inputs vary: H = E[x x^T]."""
