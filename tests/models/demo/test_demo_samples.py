"""The rendered samples: reproducible, well-formed, and damaged as much as they claim."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.demo.samples import read_samples
from models.errors import InputError
from samples.render.catalogue import HEIGHT, SCENES, WIDTH
from samples.render.marks import Damage
from samples.render.render import render
from samples.render.scene import Scene
from samples.render.view import Camera
from samples.render.write import render_samples

SAMPLES = Path(__file__).parents[3] / "samples"
CLOSE = Camera(2.0, 0.6, 1.2)
RED = (0.36, 0.01, 0.012)


def small(*damages: Damage, camera: Camera = CLOSE) -> tuple[np.ndarray, np.ndarray]:
    return render(Scene("test", camera, RED, damages=damages), 96, 72)


def test_a_sample_rendered_again_is_the_committed_one() -> None:
    scene = SCENES[5]
    photo, mask = render(scene, WIDTH, HEIGHT)
    with Image.open(SAMPLES / f"{scene.name}.jpg") as committed:
        difference = np.abs(np.asarray(committed, np.float32) - photo)
    # JPEG at quality 90 is about one level from what it encodes; libraries differ a little more.
    assert difference.mean() < 2.5
    with Image.open(SAMPLES / "masks" / f"{scene.name}.png") as committed:
        assert np.mean(np.asarray(committed) != mask) < 0.001


def test_rendering_depends_on_the_scene_alone() -> None:
    hole = Damage("hole", 2.0, 0.6, 0.4, seed=1)
    first, again, other = small(hole), small(hole), small(Damage("hole", 2.0, 0.6, 0.4, seed=2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[1], other[1])


def test_committed_samples_are_complete_and_named_after_their_scenes() -> None:
    samples = read_samples(SAMPLES)
    assert [sample.path.stem for sample in samples] == [scene.name for scene in SCENES]
    for sample in samples:
        assert sample.photo.shape == (HEIGHT, WIDTH, 3)
        assert sample.mask.shape == (HEIGHT, WIDTH)
        assert set(np.unique(sample.mask)) <= {0, 1}


def test_damage_covers_what_the_readme_says() -> None:
    for sample, scene in zip(read_samples(SAMPLES), SCENES, strict=True):
        if scene.damages:
            assert 0.05 < sample.mask.mean() < 0.11, scene.name
        else:
            assert not sample.mask.any(), scene.name


@pytest.mark.parametrize("kind", ["dent", "scratch", "crack", "hole"])
def test_damage_changes_the_picture_inside_its_mask_only(kind: str) -> None:
    photo, mask = small(Damage(kind, 2.0, 0.6, 0.5, seed=3))
    intact, nothing = small()
    changed = np.abs(photo.astype(int) - intact).max(axis=2) > 12
    assert mask.any()
    assert not nothing.any()
    # A dent's rim and a hole's pushed-in surround fade out beyond the mask.
    assert (changed & (mask == 1)).sum() > 3 * (changed & (mask == 0)).sum()


def test_a_mask_stays_on_the_bodywork() -> None:
    over_the_wheel = Damage("dent", 0.84, 0.5, 0.9, seed=1)
    _, mask = small(over_the_wheel, camera=Camera(0.84, 0.5, 1.6))
    assert mask.any()
    assert not mask[44:60, 42:54].any()


def test_samples_are_written_as_photos_and_palette_masks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene("only", CLOSE, RED, damages=(Damage("hole", 2.0, 0.6, 0.4),))
    monkeypatch.setattr("samples.render.write.SCENES", (scene,))
    monkeypatch.setattr("samples.render.write.WIDTH", 64)
    monkeypatch.setattr("samples.render.write.HEIGHT", 48)
    seen: list[tuple[int, int, str]] = []
    written = render_samples(tmp_path / "new", lambda *step: seen.append(step))
    assert written == [tmp_path / "new" / "only.jpg"]
    assert seen == [(1, 1, "only")]
    with Image.open(tmp_path / "new" / "masks" / "only.png") as mask:
        assert mask.mode == "P"
        assert set(np.unique(np.asarray(mask))) == {0, 1}
    before = written[0].read_bytes()
    render_samples(tmp_path / "new")
    assert written[0].read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["masks", "only.jpg"]


def test_a_failed_rendering_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "01_front_bumper_hole.jpg").write_text("mine")
    monkeypatch.setattr("samples.render.write.render", fail)
    with pytest.raises(InputError, match="No space left on device"):
        render_samples(tmp_path)
    assert (tmp_path / "01_front_bumper_hole.jpg").read_text() == "mine"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".rendering")]


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "samples").write_text("no folder")
    with pytest.raises(InputError, match="cannot be written"):
        render_samples(tmp_path / "samples")


def test_a_folder_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sample photo with a mask"):
        read_samples(tmp_path)
