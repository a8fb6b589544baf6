"""Hold what was found, as plain data.

parity           the report of a run
drift            an artifact beside PyTorch, operation by operation
ranges           what operations need of float16
thumbnails       pictures for the page
numbers          figures as text
bundle_facts     what a bundle says of itself
machine          where it was judged
"""
