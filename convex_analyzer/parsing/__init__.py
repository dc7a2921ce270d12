"""Text that users type, read through whitelists; nothing is evaluated."""
