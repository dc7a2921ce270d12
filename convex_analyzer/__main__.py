"""``python -m convex_analyzer`` is ``convex-analyzer``."""

from convex_analyzer.cli import main

if __name__ == "__main__":
    main()
