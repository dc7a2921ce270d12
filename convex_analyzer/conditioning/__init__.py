"""Where a condition number comes from, what it costs, and what each fix buys."""
