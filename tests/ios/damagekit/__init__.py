"""Golden vectors that DamageKit's Swift tests and the Python side share: see `vectors`."""
