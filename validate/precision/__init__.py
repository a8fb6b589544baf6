"""Find what float16 cannot hold, and keep it in float32.

gate             the entry: judges an export, and repairs it where float16 alone fails
pins             the operations that have to stay in float32, and why
search           the fewest of them, by running
mixed            a program with those operations in float32, without converting again
repair           the mlprogram, written again
measure          what each operation needs of float16
survey           the same for a report: on every export, and for `--ranges`
"""
