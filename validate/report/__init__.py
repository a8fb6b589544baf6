"""Write what was found.

write            all files of a report, whole or not at all
json_file, junit, markdown, html, console    one format a module
gallery          pictures of the page
data_uri         pictures as text
axis             positions in charts
parity_charts, drift_charts, range_charts    charts of the page
text, drift_text, compression_text           sentences and figures
commands         commands that go on from a report
"""
