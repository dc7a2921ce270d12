"""Pages as plain data, and the writers that turn them into files.

:mod:`~convex_analyzer.reporting.document` holds what a page says; every other module writes it in
one format. Nothing here computes a number.
"""
