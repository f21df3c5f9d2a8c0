"""The bilateral solver: its grid, its bistochastic blur and its solution against the energy that the paper states."""

import mirm_samples
import numpy as np
import pytest

from sodlift.refiners.bilateral_solver import BilateralSolverOptions, grid, solve

OPTIONS = BilateralSolverOptions(space=4, luma=16, chroma=16)


def test_the_blur_joins_cells_that_are_one_step_apart_along_one_axis() -> None:
    image, _ = mirm_samples.scene(0, (12, 14))
    on, options = grid(image, OPTIONS), BilateralSolverOptions(space=4, luma=16, chroma=16)
    grey = np.repeat(image[..., :1], 3, axis=2)
    flat = grid(grey, options)  # of grey, whose colour differences are constant: position and brightness alone
    y, x = np.mgrid[:12, :14]
    cells = np.stack([np.rint(v / s).ravel() for v, s in ((y, 4), (x, 4), (grey[..., 0], 16))], 1)
    steps = np.abs(cells[:, None] - cells[None]).sum(-1)
    expected = np.select([steps == 0, steps == 1], [10.0, 1.0])
    assert np.array_equal(flat.blur.toarray()[flat.cell][:, flat.cell], expected)
    assert np.array_equal(on.blur.toarray(), on.blur.toarray().T)


def test_the_blur_becomes_bistochastic() -> None:
    image, _ = mirm_samples.scene(1, (30, 40))
    on = grid(image, OPTIONS)
    n, m = on.bistochastic()
    rows = (n[:, None] * on.blur.toarray() * n[None]).sum(1)
    assert np.allclose(rows, m, rtol=1e-12)
    assert np.allclose(m, np.bincount(on.cell), rtol=1e-5)


def test_the_solution_is_the_least_of_the_papers_energy() -> None:
    image, prior = mirm_samples.scene(2, (14, 16))
    on, confidence = grid(image, OPTIONS), np.maximum(np.abs(2 * prior - 1), 0.01)
    n, m = on.bistochastic()
    one = np.eye(len(n))[on.cell]  # S transposed: the cell of each pixel
    joint = n[:, None] * on.blur.toarray() * n[None] / np.outer(m, m)
    affinity = one @ joint @ one.T  # W^ between all pixels, up to Algorithm 1's remainder
    laplacian = np.diag(affinity.sum(1)) - affinity

    def energy(x: np.ndarray) -> float:
        flat = x.ravel().astype(float)
        return 16 * flat @ laplacian @ flat + (confidence.ravel() * (flat - prior.ravel()) ** 2).sum()

    solved = solve(on, prior, confidence, 16, 200).astype(float)
    rng = np.random.default_rng(0)
    for _ in range(20):
        change = (one @ rng.normal(0, 1e-2, len(n))).reshape(prior.shape)
        assert energy(solved) < energy(solved + change)
    system = one.T @ (16 * laplacian + np.diag(confidence.ravel())) @ one
    exact = one @ np.linalg.solve(system, one.T @ (confidence * prior).ravel())
    assert solved.ravel() == pytest.approx(exact, abs=1e-4)


def test_sure_pixels_lead_unsure_ones_of_their_colour() -> None:
    image = np.full((24, 48, 3), (40, 60, 90), np.uint8)
    image[:, 24:] = (220, 60, 60)
    prior = np.full((24, 48), 0.5, np.float32)
    prior[:, :4], prior[:, -4:] = 0, 1
    confidence = np.maximum(np.abs(2 * prior - 1), 1e-3)
    solved = solve(grid(image, BilateralSolverOptions()), prior, confidence, 128, 200)
    assert solved[:, :24].max() < 0.1 and solved[:, 24:].min() > 0.9


def test_the_defaults_steps_leave_little_of_the_error() -> None:
    image, prior = mirm_samples.scene(0, (90, 120))
    on, confidence = grid(image, BilateralSolverOptions()), np.maximum(np.abs(2 * prior - 1), 0.01)
    least = solve(on, prior, confidence, 128, BilateralSolverOptions().iterations)
    assert np.abs(least - solve(on, prior, confidence, 128, 500)).max() < 0.01
