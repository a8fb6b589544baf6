"""Share what every command needs.

cli              exit codes, one-sentence errors, stages with their times
options          options that several commands declare
console          text on a terminal
text             control characters written out, plurals, lists cut short
hashing          SHA-256 of a file
json_codec       dataclasses to JSON and back
"""
