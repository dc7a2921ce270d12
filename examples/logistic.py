"""A loss and its gradient, as one would write them, for ``convex-analyzer check-gradient``."""

import numpy as np

X = np.array([[0.5, 1.2], [-1.0, 0.3], [1.5, -0.7], [0.2, 0.9], [-0.4, -1.1]])
Y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])


def loss(weights):
    """Return the mean cross-entropy of a logistic model without bias."""
    scores = X @ weights
    return np.mean(np.logaddexp(0.0, scores) - Y * scores)


def gradient(weights):
    """Return its gradient."""
    predicted = 1 / (1 + np.exp(-X @ weights))
    return X.T @ (predicted - Y) / len(Y)
