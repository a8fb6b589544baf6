"""The iOS app's other half: golden vectors, golden fixtures and device reports.

The functions of the Swift package DamageKit are written here a second time, in numpy; the
golden vectors that both sides must reproduce come from these.
"""
