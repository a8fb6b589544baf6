"""Recognise TransUNet.

network          its keys, its decoder, the network
hybrid_vit       its encoder
"""
