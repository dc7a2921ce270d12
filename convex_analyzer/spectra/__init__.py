"""The curvature of a problem: eigenvalues with brackets, exact or iterative."""
