"""Paint masks on photos with any file of a bundle.

command          `segport predict`
predictor        one file on one photo
tiles            a photo at its own size, in overlapping tiles
masks            masks and overlays as files
areas            pixels of each class
file_names       names of the files written
console          areas on a terminal
"""
