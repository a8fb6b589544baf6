"""The twelve samples: one car, many paints, every kind of damage, and one car unhurt."""

from __future__ import annotations

from samples.render.light import METALLIC, Surroundings
from samples.render.marks import Damage
from samples.render.scene import Scene
from samples.render.view import Camera

WIDTH, HEIGHT = 384, 288

SCENES: tuple[Scene, ...] = (
    Scene(
        "01_front_bumper_hole",
        Camera(0.78, 0.53, 1.75, yaw=-22, pitch=6),
        colour=(0.012, 0.05, 0.22),
        finish=METALLIC,
        damages=(
            Damage("hole", 0.3, 0.5, 0.36, angle=8, seed=3),
            Damage("scratch", 0.86, 0.8, 0.46, angle=6, seed=2),
        ),
        world=Surroundings(seed=11),
    ),
    Scene(
        "02_door_dent",
        Camera(2.15, 0.7, 1.55, yaw=-10, pitch=6),
        colour=(0.02, 0.022, 0.025),
        damages=(Damage("dent", 1.92, 0.6, 0.66, angle=20, seed=4),),
        world=Surroundings(seed=22, cloud=0.45),
    ),
    Scene(
        "03_door_scratches",
        Camera(2.62, 0.68, 1.5, yaw=10, pitch=5),
        colour=(0.36, 0.01, 0.012),
        damages=(
            Damage("scratch", 2.14, 0.64, 0.6, angle=7, seed=5),
            Damage("scratch", 2.74, 0.58, 0.56, angle=-5, seed=9),
        ),
        world=Surroundings(seed=33),
        spokes=7,
    ),
    Scene(
        "04_rear_bumper_broken",
        Camera(3.86, 0.58, 1.5, yaw=20, pitch=6),
        colour=(0.6, 0.6, 0.59),
        damages=(
            Damage("hole", 4.12, 0.5, 0.36, angle=-12, seed=6),
            Damage("crack", 3.93, 0.52, 0.3, angle=75, seed=8),
        ),
        world=Surroundings(seed=44, cloud=0.1),
    ),
    Scene(
        "05_wing_dent",
        Camera(0.98, 0.62, 1.5, yaw=-14, pitch=5),
        colour=(0.33, 0.34, 0.36),
        finish=METALLIC,
        damages=(
            Damage("dent", 1.2, 0.72, 0.44, angle=-35, seed=12),
            Damage("scratch", 0.52, 0.6, 0.34, angle=-30, seed=13),
        ),
        world=Surroundings(seed=55),
        spokes=10,
    ),
    Scene(
        "06_headlamp_broken",
        Camera(0.52, 0.62, 1.2, yaw=-24, pitch=7),
        colour=(0.62, 0.24, 0.015),
        damages=(
            Damage("hole", 0.33, 0.71, 0.3, angle=15, seed=14),
            Damage("crack", 0.24, 0.5, 0.26, angle=-70, seed=15),
        ),
        world=Surroundings(seed=66, cloud=0.2),
    ),
    Scene(
        "07_tail_lamp_broken",
        Camera(3.98, 0.76, 1.2, yaw=24, pitch=6),
        colour=(0.06, 0.062, 0.066),
        finish=METALLIC,
        damages=(
            Damage("hole", 4.16, 0.85, 0.28, angle=-6, seed=17),
            Damage("dent", 3.86, 0.62, 0.34, angle=60, seed=18),
        ),
        world=Surroundings(seed=77),
    ),
    Scene(
        "08_rear_door_dent",
        Camera(2.86, 0.66, 1.55, yaw=14, pitch=5),
        colour=(0.42, 0.35, 0.24),
        finish=METALLIC,
        damages=(
            Damage("dent", 2.74, 0.56, 0.58, angle=-15, seed=21),
            Damage("scratch", 3.3, 0.78, 0.36, angle=12, seed=22),
        ),
        world=Surroundings(seed=88, cloud=0.15),
        spokes=6,
    ),
    Scene(
        "09_front_bumper_cracks",
        Camera(0.6, 0.5, 1.3, yaw=-20, pitch=5),
        colour=(0.6, 0.61, 0.62),
        damages=(
            Damage("crack", 0.3, 0.45, 0.42, angle=35, seed=25),
            Damage("crack", 0.2, 0.56, 0.28, angle=-60, seed=26),
            Damage("scratch", 0.74, 0.78, 0.3, angle=10, seed=27),
        ),
        world=Surroundings(seed=99),
        spokes=8,
    ),
    Scene(
        "10_quarter_scrape",
        Camera(3.66, 0.68, 1.6, yaw=16, pitch=6),
        colour=(0.02, 0.16, 0.17),
        finish=METALLIC,
        damages=(
            Damage("scratch", 3.96, 0.6, 0.5, angle=-18, seed=31),
            Damage("dent", 3.1, 0.62, 0.44, angle=50, seed=32),
        ),
        world=Surroundings(seed=110),
        spokes=12,
    ),
    Scene(
        "11_sill_hole",
        Camera(2.1, 0.56, 1.4, yaw=-16, pitch=7),
        colour=(0.035, 0.13, 0.04),
        damages=(
            Damage("hole", 1.85, 0.46, 0.36, angle=4, seed=36),
            Damage("scratch", 2.35, 0.5, 0.5, angle=-8, seed=37),
        ),
        world=Surroundings(seed=121, cloud=0.4),
    ),
    Scene(
        "12_no_damage",
        Camera(2.2, 0.74, 4.9, yaw=-16, pitch=5),
        colour=(0.36, 0.012, 0.014),
        world=Surroundings(seed=132, cloud=0.2),
    ),
)
