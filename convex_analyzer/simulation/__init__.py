"""Running an optimizer step by step: many runs at once, in tiles."""
