"""Support vector machines over several features and kernels, boosted into one decision.

Source: N. Tong, H. Lu, X. Ruan, M.-H. Yang, "Salient Object Detection via Bootstrap Learning", CVPR 2015, section 3.2.
scikit-learn's SVC is imported when it is needed; it comes with the extra ``learned``.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from sodlift.errors import MissingDependencyError

Floats = npt.NDArray[np.float64]

KERNELS: Sequence[Mapping[str, Any]] = (
    {"kernel": "linear"},
    {"kernel": "poly", "degree": 1, "coef0": 3.0, "gamma": "auto"},
    {"kernel": "rbf", "gamma": "auto"},
)
"""The kernels, as options of SVC; ``auto`` is one over the number of features."""


def boosted_scores(features: Sequence[Floats], truth: Floats, rounds: int) -> Floats:
    """Return the score of every sample under SVMs trained on those whose class is given: (N,) float64, 0 undecided.

    Parameters
    ----------
    features : sequence of (N, F)
        The samples in each of the feature spaces; there is one SVM a space and kernel.
    truth : (N,)
        1 and -1 for the samples of the two classes, both of which occur; 0 for those to score only.
    rounds : int
        Most rounds of boosting.

    Raises
    ------
    MissingDependencyError
        If scikit-learn is not installed.
    """
    known = truth != 0
    labels = truth[known]
    decisions, sureness = [], []
    for space in features:
        for kernel in KERNELS:
            machine = _machine(kernel).fit(space[known], labels)
            decisions.append(machine.decision_function(space))
            sureness.append(_sureness(space, space[known][machine.support_], labels[machine.support_]))
    scores = np.zeros(len(truth))
    for taken, weight in boost(np.stack(decisions)[:, known], labels, rounds):
        # (3) a decision counts as much as the sample is nearer to one side's support vectors than to the other's
        scores += weight * decisions[taken] * sureness[taken]
    return scores


def boost(decisions: Floats, labels: Floats, rounds: int) -> list[tuple[int, float]]:
    """Return which of K machines AdaBoost takes in each round, and its weight.

    Parameters
    ----------
    decisions : (K, N)
        Signed decisions of the machines on N samples.
    labels : (N,)
        The samples' classes, 1 and -1.
    rounds : int
        Most rounds; ends before where no machine is right more than wrong.
    """
    taken = []
    logs = np.zeros(len(labels))
    for _ in range(rounds):
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        # (1) β = ½ log(right / wrong), each a weighted sum of |decision|; 1/N keeps it finite (Schapire, Singer 1999)
        margins = decisions * labels
        right = (weights * margins.clip(min=0)).sum(axis=1)
        wrong = (weights * (-margins).clip(min=0)).sum(axis=1)
        betas = 0.5 * np.log((right + 1 / len(labels)) / (wrong + 1 / len(labels)))
        best = int(betas.argmax())
        if betas[best] <= 0:
            break
        taken.append((best, float(betas[best])))
        # (2) w_i ← w_i exp(-β y_i z_i), normalised above; as logarithms, which do not underflow
        logs -= betas[best] * margins[best]
    return taken


def _sureness(space: Floats, support: Floats, classes: Floats) -> Floats:
    """Return 1 - exp(-|log(p+ / p-)|), of the distances p to the means of either class's support vectors: (N,)."""
    near, far = (np.linalg.norm(space - support[classes == side].mean(axis=0), axis=1) for side in (1, -1))
    return np.asarray(1 - np.minimum(near, far) / np.maximum(np.maximum(near, far), 1e-12))


def _machine(options: Mapping[str, Any]) -> Any:
    """Return an untrained SVC; the module is imported here because only BL needs scikit-learn."""
    try:
        svm = import_module("sklearn.svm")
    except ImportError as error:
        raise MissingDependencyError(
            "BL trains support vector machines, and scikit-learn is not installed",
            mend="pip install 'sodlift[learned]'",
        ) from error
    return svm.SVC(C=1.0, **options)
