"""Name the files that judging puts beside those that `bundle.json` lists.

`validate` writes them, and the export has to know them when it replaces a bundle.
"""

DATA = "parity.json"
MARKDOWN = "parity.md"
PAGE = "report.html"
JUNIT = "junit.xml"
CARD = "README.md"
CARD_MARKER = "<!-- Written by Segport; `segport validate` writes it again. -->"
"""First line of the model card, which tells it from a README of somebody else's."""
UNFINISHED = ".parity.unfinished.jsonl"
RESULTS = (DATA, MARKDOWN, PAGE, JUNIT, CARD, UNFINISHED)
