"""The learning machine: scikit-learn's, in a module of its own.

Importing it takes most of a second, and only a training needs it: whoever trains imports this
module then, so that the web app and the workers start without.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC


class QuietSVC(LinearSVC):  # type: ignore[misc]
    """A linear SVM that takes its best effort for an answer when examples contradict."""

    def fit(self, texts: csr_matrix, marks: NDArray[np.generic]) -> "QuietSVC":
        """Fit to ``texts`` (n, features) and ``marks`` (n,)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # Categories learnt from a phrase each are as many as the texts.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            super().fit(texts, marks)
        return self


class StreamSVM:
    """A linear SVM for each column, learnt part by part by averaged stochastic gradient descent.

    Hinge loss with the step sizes of Bottou (2012); the weights of the last pass are averaged
    (Polyak and Juditsky 1992). ``weigh``: how much an example of each column counts; ``penalty``
    is LinearSVC's C.
    """

    def __init__(
        self,
        weigh: NDArray[np.float64],
        texts: int,
        penalty: float,
        passes: int,
        seed: int,
    ) -> None:
        self._svms = [
            SGDClassifier(
                loss="hinge",
                alpha=1 / (penalty * texts),
                average=texts * (passes - 1) + 1,
                random_state=seed,
                class_weight={True: weight, False: 1.0},
            )
            for weight in weigh.tolist()
        ]

    def learn(self, texts: csr_matrix, marks: NDArray[np.bool_]) -> None:
        """Learn from ``texts`` (n, features) and ``marks`` (n, columns)."""
        for svm, column in zip(self._svms, marks.T, strict=True):
            svm.partial_fit(texts, column, classes=np.array([False, True]))

    def weights(self, features: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights (features × columns) and intercepts."""
        weights = np.empty((features, len(self._svms)))
        intercepts = np.empty(len(self._svms))
        for column, svm in enumerate(self._svms):
            weights[:, column], intercepts[column] = svm.coef_[0], svm.intercept_[0]
        return weights, intercepts
