"""hyperimpute's side: ``register(Imputers()).get("macode")``.

Translates between hyperimpute's plugins and :class:`~macode_plugin.MaCoDE`; models nothing itself.
Written against hyperimpute 0.1.17.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from hyperimpute.plugins.core import params
from hyperimpute.plugins.core.base_plugin import Plugin
from hyperimpute.plugins.imputers import ImputerPlugin, Imputers
from sklearn.exceptions import NotFittedError
from sklearn.impute._base import _BaseImputer

from macode_plugin.estimator import MaCoDE

__all__ = ["MaCoDEPlugin", "register"]


def register(imputers: Imputers) -> Imputers:
    """Add the plugin "macode" to hyperimpute's imputers, once, and return them.

    hyperimpute keeps no list of plugins beyond one ``Imputers`` object, so that each needs its own
    call.

    Example
    -------
    >>> from hyperimpute.plugins.imputers import Imputers  # doctest: +SKIP
    >>> imputer = register(Imputers()).get("macode")  # doctest: +SKIP
    """
    if MaCoDEPlugin.name() not in imputers.list():
        imputers.add(MaCoDEPlugin.name(), MaCoDEPlugin)
    return imputers


class MaCoDEPlugin(ImputerPlugin):
    """Fills gaps with draws from their conditional distribution, all gaps of a row jointly.

    Columns may be of any kind. For several imputations to be pooled, use
    ``imputer.model.multiple_impute``.

    Arguments
    ---------
    epochs : int or "auto"
        Passes over the training rows.
    width : int
        Width of the transformer, an even number.
    n_layers : int or "auto"
        Layers of the transformer; "auto" chooses by the number of rows.
    lr : float
        Peak learning rate.
    random_state : int
        Seed of the fit and of the series of draws that begins with it: every :meth:`transform` takes the
        next, so that rows handed over one by one do not share theirs.

    Attributes
    ----------
    model : MaCoDE
        Once fitted.
    """

    def __init__(
        self,
        epochs: int | str = "auto",
        width: int = 64,
        n_layers: int | str = "auto",
        lr: float = 2e-3,
        random_state: int = 0,
    ) -> None:
        # Not the parent's, which seeds the process's global generators.
        _BaseImputer.__init__(self)
        Plugin.__init__(self)
        self.epochs = epochs
        self.width = width
        self.n_layers = n_layers
        self.lr = lr
        self.random_state = random_state

    @staticmethod
    def name() -> str:
        """Return the name that hyperimpute knows the plugin by."""
        return "macode"

    @staticmethod
    def hyperparameter_space(*args: Any, **kwargs: Any) -> list[params.Params]:
        """Return what a search may vary, and within which bounds."""
        return [
            params.Categorical("width", [32, 64, 128]),
            params.Integer("n_layers", 1, 4),
            params.Categorical("lr", [1e-3, 2e-3, 4e-3]),
        ]

    def _fit(self, X: pd.DataFrame, *args: Any, **kwargs: Any) -> MaCoDEPlugin:
        model = MaCoDE(
            epochs=self.epochs,
            width=self.width,
            n_layers=self.n_layers,
            lr=self.lr,
            random_state=self.random_state,
            verbose=False,
        )
        self.model = model.fit(X)
        return self

    def _transform(self, X: pd.DataFrame) -> pd.DataFrame:
        if not hasattr(self, "model"):
            raise NotFittedError("this imputer is not fitted yet; call fit with a table first")
        return self.model.impute(X)
