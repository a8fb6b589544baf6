"""Measures the main job beside a bare conversion script, and the runtimes beside PyTorch."""
