"""Speed as ratios measured in one run; no test asserts a time.

``python -m benchmarks`` needs the package alone. ``python -m benchmarks.torch_loop`` measures
against torch, which ``make bench-peers`` installs in a folder of its own.
"""
