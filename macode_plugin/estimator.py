"""``MaCoDE``, the estimator that a user holds: fit, sample, save, load."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from macode_plugin import checkpoints, settings, storage
from macode_plugin.conditions import read_conditions
from macode_plugin.constraints import check_agreement, read_rules
from macode_plugin.context_noise import ContextNoise, distinct_share
from macode_plugin.inference import Inference
from macode_plugin.networks import NETWORKS, ConditionalNetwork
from macode_plugin.plan import Plan
from macode_plugin.precision import in_bfloat16
from macode_plugin.progress import train_to_end
from macode_plugin.sampling import draw_rows
from macode_plugin.table import Table, check_frame
from macode_plugin.training import Trainer, split_rows

__all__ = ["MaCoDE"]


class MaCoDE(Inference, BaseEstimator):
    """Masked conditional density estimation for tables.

    Learns p(x_j | x_S) of every column j given every set S of other columns, as histograms, and
    draws tables and conditional samples with them. Rows are taken as independent draws.

    The defaults depart from the paper where measurements say so (``docs/departures.md``);
    :meth:`MaCoDE.paper` gives the published method.

    Arguments
    ---------
    network : {"causal", "masked"}
        Form of the network; "masked" is the paper's.
    n_bins : int or "auto"
        Tokens that a continuous column is cut into, about; the paper's L, 50 there. "auto" is one
        for every 14 training rows up to 64, beyond that for every 20, at least 10 and at most 200.
    atoms : bool
        Give values that hold at least 1 / ``n_bins`` of a column tokens of their own, and put
        drawn values on the column's own grid of decimals. The paper bins everything.
    ordered_basis : bool
        Let neighbouring tokens of ordered columns share strength. Not in the paper.
    marginal_bias : bool
        Start from the columns' marginal distributions. Not in the paper.
    stratified : bool
        Let the rows of a sample share out each column's distribution evenly
        (:mod:`macode_plugin.stratification`). Not in the paper.
    context_noise : float
        Standard deviation, in bins, by which the known values of a column of distinct numbers are
        moved in training, less where values repeat (:mod:`macode_plugin.context_noise`); 0 for
        none (paper).
    width, n_heads : int
        Size of the transformer.
    n_layers : int or "auto"
        Its layers; "auto" is two, one on tables of fewer than 600 rows.
    feed_forward : int or "auto"
        Width of its feed-forward layers, behind their gate; "auto" is four times ``width``, once
        on tables of fewer than 600 rows.
    epochs : int or "auto"
        Passes over the training rows; "auto" chooses by the number of rows.
    batch_size : int or "auto"
        Rows of a training step; "auto" is a third of them, 16 to 256, of fewer than 600 rows to 64.
    precision : {"auto", "float32", "bfloat16"}
        Numbers that a transformer's layers are multiplied in while it is trained and draws rows,
        and Muon's steps; all else is float32, likelihoods too. "auto" is bfloat16 on processors
        with instructions for it, where that takes less time (``feed_forward`` of at least 64); name
        one for the same model and the same rows on either kind.
    optimizer : {"muon", "adamw"}
        "muon" takes orthogonal steps of the transformer's matrices (:mod:`macode_plugin.muon`) and
        leaves the rest to AdamW: fewer epochs for a better likelihood. "adamw" for all (paper).
    lr : float
        Peak learning rate. AdamW beside Muon takes half of it on tables of up to 1500 training rows
        and all of it from 3000 on; on tables of over 4000, the causal network takes more of it, up
        to 7 times, and 1.4 times for Muon; both take half on tables of up to four columns.
    weight_decay : float
    schedule : {"trapezoidal", "constant"}
        Learning rate over the epochs: warm-up, constant, and linear to zero over the second half
        (Hägele et al. 2024, arXiv 2405.18392), or while ``refit`` lasts; or constant throughout
        (paper).
    ema_decay : float
        Decay of the moving average of weights that is used after training; 0 for none (paper).
    validation_fraction : float
        Share of the rows held out to choose the best epoch; 0 for none (paper).
    patience : int, "auto" or None
        Epochs without a better validation likelihood after which the search for the best one ends;
        "auto" is an eighth of the epochs, None never ends it early (paper).
    refit : bool
        Search for the best epoch in the first two thirds of ``epochs`` and train on from there over
        all rows: half as many epochs as the best one took, or all that are left if the last one was
        the best. Likelihoods and samples gain by it; intervals become a little narrower than they
        claim on some tables. False searches in all epochs, and leaves the held-out rows unlearned
        (paper).
    missing : {"mask", "model"}
        "mask": missing cells are masked in training (the paper, section 2.1), sampled tables are
        complete. "model": being missing is a value that is learned and sampled.
    device : str or torch.device
        "auto" (CUDA, else MPS, else CPU) or any torch device.
    random_state : int or None
        Seeds weights, batches and the draws that name no seed of their own.
    verbose : bool
        Show a progress bar over epochs.

    Attributes
    ----------
    table_ : Table
        The schema: columns and their tokens.
    network_ : ConditionalNetwork
        The fitted network.
    history_ : list of dict
        For each epoch: ``epoch``, ``train_nll`` and ``validation_nll`` in nats per row (NaN
        without validation rows, and once they are learned as well), ``lr``, ``seconds``.
    n_features_in_ : int
    feature_names_in_ : ndarray

    References
    ----------
    An et al., "Masked Language Modeling Becomes Conditional Density Estimation for Tabular Data
    Synthesis", AAAI 2025, https://arxiv.org/abs/2405.20602.

    Example
    -------
    >>> import pandas as pd
    >>> from macode_plugin import MaCoDE
    >>> frame = pd.DataFrame({"size": [1.5, 2.5, 3.5] * 20, "kind": ["a", "b", "b"] * 20})
    >>> model = MaCoDE(epochs=5, random_state=0, verbose=False).fit(frame)
    >>> model.sample(3, conditions={"kind": "a"})["kind"].tolist()
    ['a', 'a', 'a']
    """

    def __init__(
        self,
        *,
        network: str = "causal",
        n_bins: int | str = "auto",
        atoms: bool = True,
        ordered_basis: bool = True,
        marginal_bias: bool = True,
        stratified: bool = True,
        context_noise: float = 1.0,
        width: int = 64,
        n_heads: int = 2,
        n_layers: int | str = "auto",
        feed_forward: int | str = "auto",
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        precision: str = "auto",
        optimizer: str = "muon",
        lr: float = 2e-3,
        weight_decay: float = 1e-3,
        schedule: str = "trapezoidal",
        ema_decay: float = 0.99,
        validation_fraction: float = 0.1,
        patience: int | str | None = "auto",
        refit: bool = True,
        missing: str = "mask",
        device: str | torch.device = "auto",
        random_state: int | None = None,
        verbose: bool = True,
    ) -> None:
        self.network = network
        self.n_bins = n_bins
        self.atoms = atoms
        self.ordered_basis = ordered_basis
        self.marginal_bias = marginal_bias
        self.stratified = stratified
        self.context_noise = context_noise
        self.width = width
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.feed_forward = feed_forward
        self.epochs = epochs
        self.batch_size = batch_size
        self.precision = precision
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.ema_decay = ema_decay
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.refit = refit
        self.missing = missing
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def paper(cls, **changes: Any) -> MaCoDE:
        """Return an estimator with every setting as published (section 2.2 and Algorithm 2).

        Arguments
        ---------
        **changes
            Parameters to set otherwise, such as ``random_state``.
        """
        return cls(**{**settings.PAPER, **changes})

    def fit(
        self,
        X: pd.DataFrame,
        y: None = None,
        *,
        categorical_columns: Iterable[Any] | None = None,
        max_time: float | None = None,
        checkpoint: str | Path | None = None,
        callback: Callable[[dict[str, float]], Any] | None = None,
    ) -> MaCoDE:
        """Learn a table's conditional distributions. ``X`` is not modified.

        Numbers, dates and durations are continuous; strings, booleans, objects and pandas
        categoricals are categorical. Missing cells are allowed anywhere.

        Arguments
        ---------
        X : DataFrame, shape (n, p)
        y : None
            Ignored; here for scikit-learn.
        categorical_columns : iterable of labels or None
            Columns to treat as categorical although their dtype is numeric. More than two numbers
            keep their order; convert codes without one to str.
        max_time : float or None
            Seconds after which training ends, with its schedule completed by then.
        checkpoint : path or None
            File that the training state is saved to as it goes. If it exists and belongs to the
            same data and settings, training continues from it. Removed once training is complete.
            Its folder has to exist.
        callback : callable or None
            Called with each epoch's record (see ``history_``); training stops if it returns True.

        Raises
        ------
        TypeError, ValueError
            For data or parameters that cannot be used; the message names the column and value.
        FileNotFoundError
            For a checkpoint in a folder that does not exist.

        Notes
        -----
        On Ctrl-C training stops, a warning says so, and the model holds its best weights so far; the
        checkpoint keeps the state after the last complete epoch.
        """
        settings.check(self.get_params(deep=False))
        settings.check_time(max_time)
        check_frame(X)
        saved = checkpoints.load(checkpoint)
        n_bins = settings.auto_bins(len(X)) if self.n_bins == "auto" else self.n_bins
        table = Table.fit(
            X,
            categorical_columns=categorical_columns,
            n_bins=n_bins,  # type: ignore[arg-type]
            atoms=self.atoms,
            model_missing=self.missing == "model",
        )
        tokens = table.encode(X, missing_is_token=True)
        seeds = np.random.SeedSequence(self.random_state).generate_state(4).tolist()
        if saved is not None and self.random_state is None:
            seeds = saved[0]["seeds"]
        parameters = settings.to_json(self.get_params(deep=False))
        device = settings.pick_device(self.device)
        network = self._build_network(table, seeds[0], device)
        training, validation = split_rows(tokens, self.validation_fraction, seeds[1])
        chosen = settings.with_auto(parameters, len(training))
        plan = Plan.of(chosen, max_time)
        noise = self._build_noise(X, table, n_bins, device)  # type: ignore[arg-type]
        trainer = Trainer(network, training, validation, plan, seeds[2], noise)
        keeper = checkpoints.Keeper(checkpoint, trainer, parameters, seeds, table.to_json()[0])
        keeper.resume(saved)
        train_to_end(trainer, keeper, callback, verbose=self.verbose)
        self.table_ = table
        self.network_ = network.eval()
        self.history_ = trainer.history
        self.n_features_in_ = len(table)
        self.feature_names_in_ = table.labels.to_numpy(dtype=object)
        self._sampling = {"root": seeds[3], "drawn": 0}
        self._fitted_parameters = parameters
        return self

    def sample(
        self,
        n: int | None = None,
        *,
        temperature: float = 1.0,
        conditions: Mapping[Any, Any] | pd.DataFrame | None = None,
        constraints: Iterable[tuple[Any, str, Any]] | None = None,
        never_missing: Iterable[Any] = (),
        random_state: int | None = None,
    ) -> pd.DataFrame:
        """Draw rows, all cells or those that conditions leave free.

        Given cells come back exactly as given; the others are drawn from their joint
        distribution given them, with no rejection. Unless ``stratified`` is off, rows are not
        independent of each other: up to 1024 at a time they share out each column's distribution
        more evenly than chance would.

        Arguments
        ---------
        n : int or None
            Rows wanted; may be left out if ``conditions`` is a frame.
        temperature : float
            Divides the logits, the paper's tau: 1 is the model, larger is flatter, farther from
            the data. It is a knob, **not differential privacy**.
        conditions : mapping, DataFrame or None
            A value for each given column, for all rows; or a frame with a row per row wanted,
            whose missing cells are free and whose index is kept.
            :data:`macode_plugin.MISSING` asks for a missing cell.
        constraints : iterable of (column, operator, value), or None
            Rules such as ``("age", ">=", 18)`` that every drawn cell keeps; operators ``<``,
            ``<=``, ``>``, ``>=``, ``==`` and ``in`` (with a list). Rows follow the model's
            distribution restricted to the rules: exactly for one constrained column, by
            importance resampling for several (:func:`macode_plugin.sampling.draw_rows`).
        never_missing : iterable of labels
            Columns drawn after the others, and not missing, whatever those say; with
            ``missing="model"``. For values that apply to rows that others tell.
        random_state : int or None
            Seed of this draw: the same seed and n give the same rows on the same machine and thread
            count. With ``stratified`` off, row i depends on the seed and i alone: the first rows of
            a large draw are those of a small one, up to floating-point rounding on the boundary
            between two tokens. None takes the next seed of the model's own series.

        Returns
        -------
        DataFrame, shape (n, p)
            With the training columns, order and dtypes.

        Raises
        ------
        ValueError
            For a condition on a column, a category or a number (outside the training range) that
            training did not show, rules that nothing satisfies or that conditions break, a
            temperature that is not positive, or a negative n.
        """
        self._check_fitted()
        settings.check_temperature(temperature)
        settings.check_seed(random_state)
        if n is None and conditions is None:
            raise ValueError("n, the number of rows wanted, is needed")
        n = None if n is None else settings.read_count(n)
        given = read_conditions(self.table_, {} if conditions is None else conditions, n)
        seed = self._next_seed() if random_state is None else random_state
        allowed = read_rules(self.table_, () if constraints is None else constraints)
        check_agreement(self.table_, given, allowed)
        late = [self.table_.place(name) for name in never_missing]
        tokens_missing = {j: self.table_.columns[j].missing_token for j in late if j not in allowed}
        tokens, u = draw_rows(
            self.network_,
            given.tokens,
            temperature=temperature,
            seed=seed,
            stratified=self.stratified,
            allowed=allowed,
            incomplete=self.table_.incomplete | np.isin(np.arange(len(self.table_)), late),
            never={j: token for j, token in tokens_missing.items() if token is not None},
        )
        return given.write_back(self.table_.decode(tokens, u, allowed), self.table_)

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one file that executes no code on load.

        The file holds the parameters, the schema with each column's quantile function, the
        history and the weights; format: :mod:`macode_plugin.storage`. It contains values of the
        training data (categories, extremes and repeated numbers of each column), not its rows.
        """
        self._check_fitted()
        table, arrays = self.table_.to_json()
        description = {
            "parameters": self._fitted_parameters,
            "table": table,
            "history": self.history_,
            "sampling": self._sampling,
        }
        tensors = storage.arrays_to_tensors("table", arrays)
        tensors.update({f"network.{k}": v for k, v in self.network_.state_dict().items()})
        storage.write(path, "model", description, tensors)

    @classmethod
    def load(cls, path: str | Path, *, device: str | torch.device = "cpu") -> MaCoDE:
        """Read a model that :meth:`save` wrote, on any machine, onto ``device``.

        Raises
        ------
        FileNotFoundError
        ModelFileError
            For a file cut short, altered, or of another version than this release reads.
        """
        description, tensors = storage.read(path, "model")
        model = cls(**description["parameters"])
        arrays = {k: v.numpy() for k, v in storage.tensors_under("table", tensors).items()}
        model.table_ = Table.from_json(description["table"], arrays)
        network = model._build_network(model.table_, 0, settings.pick_device(device))
        network.load_state_dict(storage.tensors_under("network", tensors))
        model.network_ = network.eval()
        model.history_ = description["history"]
        model.n_features_in_ = len(model.table_)
        model.feature_names_in_ = model.table_.labels.to_numpy(dtype=object)
        model._sampling = description["sampling"]
        model._fitted_parameters = description["parameters"]
        return model

    def __getstate__(self) -> dict[str, Any]:
        # The weights on the CPU, so that a machine without the accelerator can read the pickle.
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = copy.deepcopy(self.network_).cpu()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "network_"):
            device = torch.device("cpu")
            with suppress(ValueError):  # no such device here
                device = settings.pick_device(self.device)
            self._place(self.network_, device)

    def _build_network(self, table: Table, seed: int, device: torch.device) -> ConditionalNetwork:
        network = NETWORKS[self.network](
            table.vocabulary,
            **settings.network_size(self.get_params(deep=False), table.vocabulary.n_rows),
            ordered_basis=self.ordered_basis,
            marginal_bias=self.marginal_bias,
            generator=torch.Generator().manual_seed(seed),
        )
        return self._place(network, device)

    def _place(self, network: ConditionalNetwork, device: torch.device) -> ConditionalNetwork:
        """Move a network to a device, to be used in the numbers that suit it."""
        network.bfloat16_products = in_bfloat16(
            self.precision, self.network, device, network.feed_forward
        )
        return network.to(device)

    def _build_noise(
        self, X: pd.DataFrame, table: Table, n_bins: int, device: torch.device
    ) -> ContextNoise | None:
        if not self.context_noise:
            return None
        scale = self.context_noise / n_bins * distinct_share(X)
        return ContextNoise(table.vocabulary, scale, device)

    def _next_seed(self) -> int:
        sequence = np.random.SeedSequence((self._sampling["root"], self._sampling["drawn"]))
        self._sampling["drawn"] += 1
        return int(sequence.generate_state(1)[0])

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFittedError("this MaCoDE is not fitted yet; call fit with a DataFrame first")
