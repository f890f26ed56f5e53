"""The learning machine: scikit-learn's, in a module of its own.

Importing it takes most of a second, and only a training needs it: whoever trains imports this
module then, so that the web app and the workers start without.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC


class QuietSVC(LinearSVC):  # type: ignore[misc]
    """A linear SVM that takes its best effort for an answer when examples contradict."""

    def fit(self, texts: csr_matrix, marks: NDArray[np.generic]) -> "QuietSVC":
        """Fit to ``texts`` (n, features) and ``marks`` (n,)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            super().fit(texts, marks)
        return self
