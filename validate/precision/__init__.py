"""Find what float16 cannot hold, and keep it in float32.

gate             parity of an export, with the repair where float16 alone fails
guard            decides whether float16 is to blame
search           the smallest set of operations that restores parity
mixed            a program with those operations in float32, without converting again
measure          what each operation needs of float16
survey           `--ranges`
"""
