"""An explanation as one HTML page that needs nothing else; a file for each of its sections."""

from heliumql.explain.page.page import as_html

__all__ = ["as_html"]
