"""Recognise TransUNet: `network`, and its encoder in `hybrid_vit`."""
