"""What is minimised: quadratics, least squares, classic problems, files."""
