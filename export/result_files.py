"""Name the files that judging puts beside those that `bundle.json` lists.

`validate` writes them, and the export has to know them when it replaces a bundle.
"""

DATA = "parity.json"
MARKDOWN = "parity.md"
PAGE = "report.html"
JUNIT = "junit.xml"
UNFINISHED = ".parity.unfinished.jsonl"
RESULTS = (DATA, MARKDOWN, PAGE, JUNIT, UNFINISHED)
