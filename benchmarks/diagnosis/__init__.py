"""A laboratory of labelled training runs: small networks, one known fault each, every label proved.

``python -m benchmarks.diagnosis.make_runs --seed 1 OUT`` writes a set of them.
"""
