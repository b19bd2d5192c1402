"""scikit-learn's side: an imputer for pipelines."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from macode_plugin.estimator import MaCoDE

__all__ = ["MaCoDEImputer"]


class MaCoDEImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fill missing values with draws from their conditional distribution, in scikit-learn's manner.

    All gaps of a row are drawn jointly (:meth:`MaCoDE.multiple_impute`). Data frames may hold
    columns of any kind; arrays hold numbers, or objects. Categories that only new rows have stay as
    they are, with a warning. For several imputations to be pooled, use
    ``imputer.model_.multiple_impute``.

    Arguments
    ---------
    model : MaCoDE or None
        What to learn with, unfitted; it is cloned. None for the defaults, without a progress bar.
        Its parameters are reachable as ``model__epochs`` and so on if it is given.
    categorical_features : iterable of labels, of positions or of booleans, or None
        Columns to treat as categorical although they hold numbers: by label or position, or a
        boolean for every column. A whole number that is a label of the frame is taken for one.
    random_state : int, RandomState or None
        Seed of the fit and of the series of draws that begins with it, unless the model has one of its
        own. As with scikit-learn's ``IterativeImputer(sample_posterior=True)``, every
        :meth:`transform` takes the next draw, so that rows handed over one by one do not share theirs.

    Attributes
    ----------
    model_ : MaCoDE
        The fitted model.
    n_features_in_ : int
    feature_names_in_ : ndarray
        Where a frame with string labels was given.

    Example
    -------
    >>> import numpy as np
    >>> from macode_plugin import MaCoDE, MaCoDEImputer
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> X[::7, 0] = np.nan
    >>> imputer = MaCoDEImputer(MaCoDE(epochs=3, verbose=False), random_state=0)
    >>> bool(np.isnan(imputer.fit_transform(X)).any())
    False
    """

    def __init__(
        self,
        model: MaCoDE | None = None,
        *,
        categorical_features: Iterable[Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.model = model
        self.categorical_features = categorical_features
        self.random_state = random_state

    def fit(self, X: Any, y: None = None) -> MaCoDEImputer:
        """Learn the columns' conditional distributions from a table with gaps.

        Arguments
        ---------
        X : DataFrame or array, shape (n, p)
        y : None
            Ignored.

        Raises
        ------
        ValueError
            For infinite values, a column without any value, an empty table, or categorical features
            that the table does not have.
        """
        if not isinstance(self.model, MaCoDE | None):
            raise TypeError(f"model must be a MaCoDE or None, however: {self.model!r}")
        frame = self._read(X, reset=True)
        empty = frame.columns[frame.isna().all()]
        if len(frame) and len(empty):
            raise ValueError(f"column {empty[0]!r} has no value to fill its gaps by; drop it")
        model = MaCoDE(verbose=False) if self.model is None else clone(self.model)
        if model.random_state is None:
            model.set_params(random_state=self._seed())
        self.model_ = model.fit(frame, categorical_columns=self._categorical(frame.columns))
        return self

    def transform(self, X: Any) -> Any:
        """Return a copy of X with every gap filled: a frame for a frame, else an array.

        Arguments
        ---------
        X : DataFrame or array, shape (n, p)
        """
        check_is_fitted(self)
        frame = self._read(X, reset=False)
        # Where fit or this call has no names, columns are known by their places.
        known = frame.set_axis(self.model_.table_.labels, axis=1)
        filled = self.model_.impute(known)
        return (
            filled.set_axis(frame.columns, axis=1) if isinstance(X, pd.DataFrame) else filled.to_numpy()
        )

    def _seed(self) -> int | None:
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(np.iinfo(np.int32).max))
        return self.random_state

    def _categorical(self, labels: pd.Index) -> Any:
        """Return the labels of the columns that are to be categorical."""
        if self.categorical_features is None:
            return None
        if isinstance(self.categorical_features, str):
            raise ValueError(
                f"categorical_features must be a list, however: {self.categorical_features!r}; text, "
                "booleans and categories are categorical by themselves"
            )
        chosen = list(self.categorical_features)
        if chosen and all(isinstance(one, (bool, np.bool_)) for one in chosen):
            if len(chosen) != len(labels):
                raise ValueError(
                    f"categorical_features has {len(chosen)} booleans, and the table {len(labels)} "
                    "columns; give one for each"
                )
            return labels[np.array(chosen)]
        chosen = [labels[one] if self._is_place(one, labels) else one for one in chosen]
        for one in chosen:
            if one not in labels:
                raise ValueError(f"categorical_features has {one!r}, which is not a column of the table")
        return chosen

    @staticmethod
    def _is_place(one: Any, labels: pd.Index) -> bool:
        whole = isinstance(one, numbers.Integral)
        return whole and one not in labels and -len(labels) <= one < len(labels)

    def _read(self, X: Any, *, reset: bool) -> pd.DataFrame:
        """Check X in scikit-learn's manner and return it as a frame with its own dtypes."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        objects = getattr(getattr(X, "dtype", None), "kind", "f") in "OUS"
        checked = check_array(
            X,
            dtype=object if objects else "numeric",
            ensure_all_finite="allow-nan",
            estimator=self,
            input_name="X",
        )
        validate_data(self, X, reset=reset, skip_check_array=True)
        frame = pd.DataFrame(checked)
        return frame.infer_objects() if objects else frame

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn should know: gaps and categories are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags
