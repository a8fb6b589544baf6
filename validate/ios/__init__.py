"""Put a bundle into the iOS app, and read what the app reports back.

install          copy a bundle's Core ML files and its golden fixtures into the app
fixtures         write samples with PyTorch's answers
golden           describe one sample as DamageKit reads it
report           read the JSON that the app shares
"""
