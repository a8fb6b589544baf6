"""Share what every command needs.

cli              exit codes, one-sentence errors, stages with their times
spelling         options as make, the command line and the API spell them
text             names, numbers and errors in sentences
console          text on a terminal
paths            paths that lead nowhere, files of a bounded size
hashing          SHA-256 of a file
json_reader      JSON of others, within limits
zip_entry        an entry of an archive of others, within limits
json_codec       dataclasses to JSON and back
"""
