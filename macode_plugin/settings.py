"""The estimator's parameters: the published preset, checks, and what "auto" means."""

from __future__ import annotations

import math
import numbers
from typing import Any

import torch

from macode_plugin.networks import NETWORKS
from macode_plugin.precision import PRECISIONS

__all__ = [
    "PAPER",
    "auto_batch",
    "auto_bins",
    "auto_epochs",
    "auto_patience",
    "check",
    "check_seed",
    "check_temperature",
    "check_time",
    "check_whole",
    "network_size",
    "pick_device",
    "read_count",
    "to_json",
    "with_auto",
]

PAPER: dict[str, Any] = {
    "network": "masked",
    "n_bins": 50,
    "atoms": False,
    "ordered_basis": False,
    "marginal_bias": False,
    "stratified": False,
    "context_noise": 0.0,
    "width": 128,
    "n_heads": 4,
    "n_layers": 2,
    "feed_forward": 2048,
    "epochs": 500,
    "batch_size": 1024,
    "precision": "float32",
    "optimizer": "adamw",
    "lr": 1e-3,
    "weight_decay": 1e-3,
    "schedule": "constant",
    "ema_decay": 0.0,
    "validation_fraction": 0.0,
    "patience": None,
    "refit": False,
}
"""Every setting as published (section 2.2 of the paper; the feed-forward width is the authors'
released code's, which leaves it at the framework's default)."""


def auto_bins(n_rows: int) -> int:
    """Return the number of bins when it is "auto": one for every 14 training rows up to 64, then 20.

    At least 10, at most 200. With 14 rows for 20, 400 rows of abalone, banknote, concrete, redwine and
    whitewine are .1 to 1.2 nats better, nearer in Wasserstein distance and harder to detect (three
    seeds), breast is nearer (5.53 for 5.59, five seeds) and concrete 1.9 nats better. Redwine, with 91
    bins, is .1 to .4 better but farther (1.28 for 1.26); banknote, with 78, loses .07. With 10 rows, 400
    of redwine and whitewine are farther, and redwine is easier to detect.
    """
    return min(max(n_rows // 20, min(n_rows // 14, 64), 10), 200)


def auto_batch(n_rows: int) -> int:
    """Return the batch size when it is "auto": a third of the training rows, 16 to 256.

    Whole tables as batches took up to twice the time for the same held-out likelihood (iris, wine,
    diabetes). With a quarter, concrete was learned less well; with a tenth, digits.

    At most 64 on tables of fewer than 600 rows: with a sixth or an eighth breast is learned .2 to .3
    nats better in half to two thirds of the time (four seeds), diabetes as well; a sixth of wine's 142
    rows is too few.
    """
    return min(max(math.ceil(n_rows / 3), 16), 256 if n_rows >= 600 else 64)


def auto_epochs(n_rows: int, batch_size: int) -> int:
    """Return how many epochs are trained when ``epochs`` is "auto".

    500 steps for tables of 600 to 2500 rows, where more of them bring held-out rows nothing (banknote,
    concrete; three seeds); 600 for smaller ones, whose batches are smaller too (breast loses .15 nats
    with 500), and from 3000 to 4000 rows; then as many passes over the rows, up to 1320 steps at 8800
    rows; from there on growing with the square root of their number, to 30 passes over letter and 29
    over kings. With 34 and 33 letter's Wasserstein distance is 1.42 for 1.45 and kings' .53 for .55, F1
    .766 for .761 and .564 for .560 (``benchmarks.q1``, three seeds), in an eighth more time.
    """
    size = max(n_rows / 4000, 1.0)
    few = min(max(n_rows / 3000, 5 / 6), 1.0) if n_rows >= 600 else 1.0
    n_steps = 600 * few * min(size, math.sqrt(2.2 * size))
    return math.ceil(n_steps / math.ceil(n_rows / batch_size))


def auto_patience(epochs: int) -> int:
    """Return the patience when it is "auto": an eighth of the epochs.

    Of two fits of concrete and redwine and one of banknote, the longest wait for a better epoch that
    then came was 7 % of them (banknote).
    """
    return max(math.ceil(epochs / 8), 3)


def network_size(parameters: dict[str, Any], n_rows: int) -> dict[str, int]:
    """Return the network's size, "auto" replaced by what it means for so many rows."""
    size = {name: parameters[name] for name in ("width", "n_heads", "n_layers", "feed_forward")}
    if size["n_layers"] == "auto":
        size["n_layers"] = _auto_layers(n_rows)
    if size["feed_forward"] == "auto":
        size["feed_forward"] = _auto_feed_forward(size["width"], n_rows)
    return size


def _auto_feed_forward(width: int, n_rows: int) -> int:
    """Return the width of feed-forward layers when it is "auto": four times the transformer's.

    As wide as the transformer on tables of fewer than 600 rows, which have one layer: with 64, breast is
    as likely as with 32 and its samples are nearer (Wasserstein distance 5.59 for 5.71, five seeds), 400
    rows of banknote, concrete and redwine are .02 to .2 nats better, abalone .06, iris and wine .1 worse
    (three seeds). Concrete is learned .15 nats better with 256 than with 128 (six).
    """
    return 4 * width if n_rows >= 600 else width


def _auto_layers(n_rows: int) -> int:
    """Return the number of layers when it is "auto": two, one for fewer than 600 rows.

    With one, breast is learned .5 nats better in two thirds of the time and 400 rows of concrete .3;
    400 rows of abalone, banknote and redwine and iris as well, within .06; wine .14 worse (three seeds
    each, feed-forward layers of 32). Larger tables lose by it: .15 nats on concrete, .08 on banknote.
    """
    return 2 if n_rows >= 600 else 1


def with_auto(parameters: dict[str, Any], n_rows: int) -> dict[str, Any]:
    """Return parameters in which "auto" is replaced by what it means for so many training rows."""
    chosen = dict(parameters)
    if chosen["batch_size"] == "auto":
        chosen["batch_size"] = auto_batch(n_rows)
    if chosen["epochs"] == "auto":
        chosen["epochs"] = auto_epochs(n_rows, chosen["batch_size"])
    if chosen["patience"] == "auto":
        chosen["patience"] = auto_patience(chosen["epochs"])
    return chosen


def check(parameters: dict[str, Any]) -> None:
    """Raise a ValueError that names the first parameter with an impossible value."""
    check_seed(parameters["random_state"])
    _one_of(parameters, "network", tuple(NETWORKS))
    _one_of(parameters, "optimizer", ("muon", "adamw"))
    _one_of(parameters, "schedule", ("trapezoidal", "constant"))
    _one_of(parameters, "missing", ("mask", "model"))
    _one_of(parameters, "precision", ("auto", *PRECISIONS))
    if (parameters["network"], parameters["precision"]) == ("masked", "bfloat16"):
        raise ValueError("network='masked' is trained in float32, however: precision='bfloat16'")
    for name in ("width", "n_heads"):
        check_whole(name, parameters[name])
    for name in ("n_bins", "batch_size", "epochs", "n_layers", "feed_forward"):
        if parameters[name] != "auto":
            check_whole(name, parameters[name], or_else=' or "auto"')
    if parameters["patience"] not in (None, "auto"):
        check_whole("patience", parameters["patience"], or_else=', "auto" or None')
    _between(parameters, "lr", 0, math.inf, open_below=True)
    _between(parameters, "weight_decay", 0, math.inf)
    _between(parameters, "context_noise", 0, math.inf)
    _between(parameters, "ema_decay", 0, 1)
    _between(parameters, "validation_fraction", 0, 1)
    if parameters["width"] % parameters["n_heads"]:
        raise ValueError(
            f"width must be a multiple of n_heads, however: width={parameters['width']}, "
            f"n_heads={parameters['n_heads']}"
        )


def pick_device(device: str | torch.device) -> torch.device:
    """Return the torch device that ``device`` means; "auto" takes an accelerator if there is one."""
    if device != "auto":
        try:
            return torch.empty(0, device=device).device
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"device {device!r} cannot be used here: {reason}") from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def to_json(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with numpy's numbers replaced by Python's, a torch device by its name."""
    named = {k: str(v) if isinstance(v, torch.device) else v for k, v in parameters.items()}
    return {k: v.item() if hasattr(v, "item") else v for k, v in named.items()}


def read_count(value: Any) -> int:
    """Return a number of rows as an int; raise a ValueError unless it is a whole number."""
    number = float(value) if isinstance(value, numbers.Real) else math.nan
    if not number.is_integer() or number < 0:
        raise ValueError(f"n must be a whole number, at least 0, however: {value!r}")
    return int(number)


def check_whole(name: str, value: Any, or_else: str = "") -> None:
    """Raise a ValueError, which says ``or_else``, unless ``value`` is a whole number of at least 1."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"{name} must be a whole number, at least 1{or_else}, however: {name}={value!r}"
        )


def check_time(value: Any) -> None:
    """Raise a ValueError unless ``value`` is None or a positive number of seconds."""
    if value is not None and not (isinstance(value, numbers.Real) and float(value) > 0):
        raise ValueError(f"max_time must be a positive number of seconds or None, however: {value!r}")


def check_seed(value: Any) -> None:
    """Raise a ValueError unless ``value`` is None or a whole number that is not negative."""
    if value is not None and (not isinstance(value, numbers.Integral) or value < 0):
        raise ValueError(f"random_state must be a whole number, at least 0, or None, however: {value!r}")


def check_temperature(value: Any) -> None:
    """Raise a ValueError unless ``value`` is a positive and finite number."""
    if not isinstance(value, numbers.Real) or not 0 < float(value) < math.inf:
        raise ValueError(f"temperature must be positive and finite, however: {value!r}")


def _one_of(parameters: dict[str, Any], name: str, allowed: tuple[str, ...]) -> None:
    if parameters[name] not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, however: {name}={parameters[name]!r}")


def _between(
    parameters: dict[str, Any], name: str, low: float, high: float, *, open_below: bool = False
) -> None:
    value = parameters[name]
    real = isinstance(value, numbers.Real)
    if not real or not low <= float(value) < high or (open_below and value == low):
        bound = "above" if open_below else "at least"
        raise ValueError(f"{name} must be {bound} {low} and below {high}, however: {name}={value!r}")
