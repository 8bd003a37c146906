"""The page of a run: one HTML file that needs nothing else, to be read, shared and printed.

Whatever is on it comes from a `Dossier`; nothing is worked out here that the terminal would not show too.
"""

from siuo_async.report.page.making import Made, write_page

__all__ = ["Made", "write_page"]
