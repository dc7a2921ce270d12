"""What an update rule does on a quadratic, derived from its `step` alone."""
