"""The explorer: one HTML page with sliders, in which every figure answers at once.

`page` returns the page with a problem of one's own in it, `embed` the same as a piece of another
page. The page itself, ``explorer.html``, is built from the TypeScript in the folder ``explorer`` of
the repository (``npm ci && npm run build`` there); it loads nothing, and its numbers are those of
the package.
"""

from convex_analyzer.explorer.page import LARGEST, can_show, embed, page

__all__ = ["LARGEST", "can_show", "embed", "page"]
