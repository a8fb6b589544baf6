"""Tell encoders of smp and timm apart by the shapes of their weights.

catalogue        the signatures of all encoders, in encoders.json
lookup           the entry of one name
match            the encoders that a checkpoint's shapes fit
choose           the one that is taken, or the refusal that names them all
build            an encoder by its name
generate         writes encoders.json (`make catalogue`)
"""
