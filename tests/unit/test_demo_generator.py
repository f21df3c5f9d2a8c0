"""The generator of the demo data."""

import importlib.util

import cv2
import numpy as np
import pytest

from sodlift.arrays import read_image, read_mask
from sodlift.demo import compose, demo_root, photos, scenes
from sodlift.demo.backdrops import BACKDROPS
from sodlift.demo.cutouts import CUTOUTS, Collage, make_collage
from sodlift.demo.grounds import GROUNDS
from sodlift.demo.noise import solid_noise, spectral_noise
from sodlift.demo.objects import CLUTTER, OBJECTS
from sodlift.demo.render import Camera, Ground, Light, Placed, render
from sodlift.demo.solids import Solid, ellipsoid
from sodlift.demo.still_life import StillLife, make_still_life
from sodlift.errors import DataError, MissingDependencyError

SMALL = StillLife("test", ("lemon", "mug"), "planks", "dusk", "nut", (60, 80), 0.2, (0.1, 0.0), 0.5)
FLAT = Collage("train", ("photo:coins", "photo:coins"), "sand", "", (60, 80), 0.2, (0.0, 0.0))


@pytest.mark.parametrize(("make", "plan"), [(make_still_life, SMALL), (make_collage, FLAT)])
def test_the_same_seed_gives_the_same_arrays_and_another_seed_others(make, plan):
    (image, mask), (again, mask_again) = (make(plan, np.random.default_rng(3)) for _ in range(2))
    other, _ = make(plan, np.random.default_rng(4))
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(mask, mask_again)
    assert image.dtype == np.uint8 and mask.dtype == bool and image.shape[:2] == mask.shape == plan.size
    assert (image != other).mean() > 0.5


def test_the_list_of_scenes_depends_on_the_seed_only():
    assert scenes.plan_scenes(5) == scenes.plan_scenes(5)
    assert scenes.plan_scenes(5) != scenes.plan_scenes(6)


def _quick(kind: type) -> scenes.Scene:
    """The first shipped scene of this kind that needs scikit-image alone."""
    fits = (s for s in scenes.plan_scenes(compose.SEED) if isinstance(s.plan, kind) and len(s.objects) == 1)
    return next(s for s in fits if all(photos.SOURCES[name].package == "skimage" for name in s.photos))


@pytest.mark.parametrize("kind", [scenes.Crop, Collage, StillLife])
def test_the_shipped_files_come_from_this_generator(kind):
    scene = _quick(kind)
    image, mask = scenes.make_scene(scene, compose.SEED)
    shipped = read_image(demo_root() / "images" / f"{scene.stem}.jpg")
    difference = np.abs(cv2.GaussianBlur(image, (5, 5), 1.0).astype(int) - cv2.GaussianBlur(shipped, (5, 5), 1.0))
    assert difference.mean() < 2.5
    assert (mask != read_mask(demo_root() / "masks" / f"{scene.stem}.png")).mean() < 0.002


def test_the_shipped_table_and_licences_come_from_this_generator():
    plan = scenes.plan_scenes(compose.SEED)
    stored = (demo_root() / "scenes.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert stored == [",".join(compose.row(scene).values()) for scene in plan]
    assert (demo_root() / "LICENSES.md").read_text(encoding="utf-8") == compose.licences(plan)


@pytest.mark.parametrize("registry", [OBJECTS, CLUTTER, GROUNDS, BACKDROPS])
def test_no_maker_serves_both_parts(registry):
    assert not set(registry["train"]) & set(registry["test"])
    for split, makers in registry.items():
        named = {name.removeprefix("photo:") for name in makers if name.startswith("photo:")}
        assert {photos.SOURCES[name].split for name in named} <= {split}


def test_cutouts_stay_in_the_part_of_their_photograph():
    for name, pieces in CUTOUTS.items():
        for piece in pieces:
            assert name == f"photo:{piece.name}" and piece.split == photos.SOURCES[piece.name].split


@pytest.mark.parametrize("name", [*OBJECTS["train"], *OBJECTS["test"]])
def test_a_solid_stays_inside_its_bounding_sphere_and_stands_on_the_ground(name):
    make = {**OBJECTS["train"], **OBJECTS["test"]}[name]
    solid = make(np.random.default_rng(1))
    axis = np.linspace(-1.6, 1.6, 41, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    inside = grid[solid.distance(grid) < 0]
    assert len(inside) > 100
    assert np.linalg.norm(inside - np.asarray(solid.centre), axis=1).max() <= solid.radius + 0.05
    assert -0.2 < inside[:, 2].min() < 0.12


def test_a_rendered_ball_covers_what_geometry_says_and_throws_a_shadow():
    def colour(points, normals):
        return np.full_like(points, 0.5)

    ball = Solid(lambda p: ellipsoid(p, (0, 0, 0.5), (0.5, 0.5, 0.5)), colour, (0, 0, 0.5), 0.52)
    light = Light((0.7, 0.0, 0.714), (2.0, 2.0, 2.0), (0.4, 0.4, 0.4), (0.2, 0.2, 0.2), 14.0)
    ground = Ground(lambda xy, depth: np.full((len(xy), 3), 0.5, np.float32))
    camera = Camera((0.0, 0.0, 0.5), 6.0, 0.9, 0.5)
    layers = render([Placed(ball, 0.0, 0.0, 0.0, 1.0)], [True], ground, light, camera, (100, 100))
    radius = np.tan(np.arcsin(0.5 / 6.0)) / np.tan(0.25) * 50
    assert layers.coverage.sum() == pytest.approx(np.pi * radius**2, rel=0.03)
    floor = layers.ground[..., 0]
    assert floor[55, 22] < 0.6 * floor[55, 85], "the sun is on the right, so the shadow falls to the left"


def test_clutter_is_drawn_but_not_covered():
    def colour(points, normals):
        return np.zeros_like(points)

    ball = Solid(lambda p: ellipsoid(p, (0, 0, 0.5), (0.5, 0.5, 0.5)), colour, (0, 0, 0.5), 0.52)
    light = Light((0.0, -0.7, 0.714), (2.0, 2.0, 2.0), (0.4, 0.4, 0.4), (0.2, 0.2, 0.2), 14.0)
    ground = Ground(lambda xy, depth: np.ones((len(xy), 3), np.float32))
    camera = Camera((0.0, 0.0, 0.5), 6.0, 0.9, 0.5)
    layers = render([Placed(ball, 0.0, 0.0, 0.0, 1.0)], [False], ground, light, camera, (60, 60))
    assert layers.coverage.max() == 0
    assert layers.ground[30, 30, 0] < 0.5 < layers.ground[30, 4, 0]


def test_a_scene_that_cannot_reach_a_fitting_size_is_an_error(monkeypatch):
    monkeypatch.setattr(scenes, "AREA", (0.9, 1.0))
    monkeypatch.setattr(scenes, "_TRIES", 1)
    with pytest.raises(DataError, match="composite_x"):
        scenes.make_scene(scenes.Scene("composite_x", "train", FLAT), 0)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    photos.photo.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"sodlift\[demo\]") as caught:
        photos.photo("coffee")
    assert "scikit-image" in str(caught.value)
    monkeypatch.undo()
    photos.photo.cache_clear()


def test_outlines_fit_their_photographs():
    for name in ("astronaut", "camera", "chelsea", "clock", "coffee", "coins", "horse"):
        mask = photos.outline(name)
        assert mask.shape == photos.photo(name).shape[:2]
        assert 0.05 < mask.mean() < 0.8


def test_noise_is_seeded_and_scaled():
    points = np.random.default_rng(0).uniform(-40, 40, (4000, 3)).astype(np.float32)
    values = solid_noise(np.random.default_rng(1))(points)
    np.testing.assert_array_equal(values, solid_noise(np.random.default_rng(1))(points))
    assert abs(values.mean()) < 0.1 and 0.3 < values.std() < 1.2
    field = spectral_noise(np.random.default_rng(1), (64, 48), 1.5)
    assert field.mean() == pytest.approx(0, abs=1e-5) and field.std() == pytest.approx(1, abs=1e-4)


def test_the_command_line_asks_for_something_to_do(capsys):
    with pytest.raises(SystemExit):
        compose.main([])
    assert "--output" in capsys.readouterr().err


def test_the_command_line_keeps_an_existing_folder(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        compose.main(["--output", str(tmp_path)])
    assert (tmp_path / "mine.txt").read_text() == "keep"
