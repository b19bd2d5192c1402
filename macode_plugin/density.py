"""Probabilities from a network: of one column's tokens given other columns, and of whole rows."""

from __future__ import annotations

import math

import numpy as np
import torch

from macode_plugin.columns import FREE
from macode_plugin.networks import ConditionalNetwork
from macode_plugin.sampling import chunks

__all__ = ["row_log_prob", "token_probabilities"]


@torch.no_grad()
def token_probabilities(
    network: ConditionalNetwork,
    known: np.ndarray,
    target: int,
    n_tokens: int,
    *,
    n_orders: int,
    seed: int,
) -> np.ndarray:
    """Return p(token of the target column | known cells of its row).

    The causal form's answer depends a little on the order in which it reads what is known;
    probabilities are averaged over several.

    Arguments
    ---------
    network : ConditionalNetwork
    known : ndarray of int64, shape (n, p)
        Tokens, ``FREE`` where nothing is known; the target's own are not looked at.
    target : int
        Position of the column.
    n_tokens : int
        How many tokens it has, K.
    n_orders : int
        Random orders to average over, at least 1.
    seed : int
        Seed of the orders.

    Returns
    -------
    ndarray, shape (n, K)
        Rows sum to one.
    """
    device = next(network.parameters()).device
    n_orders = n_orders if network.reads_in_order else 1
    heads = network.heads.frozen(1.0, {})
    free = known == FREE
    free[:, target] = True
    order_keys = _order_keys(seed, n_orders, known.shape[1])
    rank = free.astype(int) + (free & (np.arange(known.shape[1]) != target))
    result = np.zeros((len(known), n_tokens))
    for rows in chunks(len(known), network.scored_bytes_per_row):
        tokens = torch.from_numpy(known[rows]).to(device)
        n_known = torch.from_numpy((~free[rows]).sum(axis=1)).to(device)
        column = torch.full_like(n_known, target)
        for keys in order_keys:
            orders = torch.from_numpy(np.argsort(keys + rank[rows], axis=1)).to(device)
            state = network.state(tokens, orders, n_known)
            _, logits, _ = heads.logits(state, column)[0]
            result[rows] += torch.softmax(logits[:, :n_tokens].cpu().double(), dim=1).numpy()
    return result / n_orders


@torch.no_grad()
def row_log_prob(
    network: ConditionalNetwork, tokens: np.ndarray, *, n_orders: int, seed: int
) -> np.ndarray:
    """Return the log-probability of each row's observed tokens, shape (n,), in nats.

    The chain rule along one order gives a normalised probability; the mean of the probabilities
    over several random orders (log-mean-exp of their logarithms) is one as well, with less of
    any order's error.

    Arguments
    ---------
    network : ConditionalNetwork
    tokens : ndarray of int64, shape (n, p)
        ``FREE`` cells are marginalised: no observed cell is conditioned on them.
    n_orders : int
    seed : int
    """
    device = next(network.parameters()).device
    observed = tokens != FREE
    order_keys = _order_keys(seed, n_orders, tokens.shape[1])
    result = np.empty(len(tokens))
    for rows in chunks(len(tokens), network.scored_bytes_per_row):
        cells = torch.from_numpy(tokens[rows]).to(device)
        seen = torch.from_numpy(observed[rows]).to(device)
        scores = []
        for keys in order_keys:
            orders = torch.from_numpy(np.argsort(keys + ~observed[rows], axis=1)).to(device)
            scores.append(-network.nll(cells, seen, orders).sum(dim=1).cpu().double())
        mean = torch.logsumexp(torch.stack(scores), dim=0) - math.log(n_orders)
        result[rows] = mean.numpy()
    return result


def _order_keys(seed: int, n_orders: int, n_columns: int) -> np.ndarray:
    """Return numbers in [0, 1) that sort the columns into random orders, the same for every row.

    With orders of its own for each row, the rows' probabilities would not sum to one.
    """
    return np.random.default_rng(seed).random((n_orders, n_columns))
