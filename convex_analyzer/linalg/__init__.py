"""Decompositions with error bounds: arrays in, arrays out."""
