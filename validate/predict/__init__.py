"""Predict masks on photos with any file of a bundle.

command          `segport predict`
predictor        one file on one photo
tiles            divide a photo into overlapping tiles
blend            run tiles, and blend them
masks            masks and overlays as files
areas            pixels of each class, as JSON and CSV
file_names       names of the files written
resume           photos that an interrupted call has done
console          areas on a terminal
"""
