"""One module per topic that `convex_analyzer.derivations.derive` can derive."""
