"""Draw the sample pictures: `python -m samples.render samples` (`make samples`).

catalogue        the twelve scenes
scene, view      a car with damages, seen by a camera
render           a scene as photo and mask
car, body, fittings, wheel, background, light    the car and its surroundings
marks, damage, fractures, scuffs                 damages
geometry         curves and surfaces
"""
