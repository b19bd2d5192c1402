"""Drawing the free cells of rows, one column of every row at a step, in an order of its own each.

Source: Algorithm 2 of the paper, with an order per row in place of one per batch (a departure: rows
that share an order are more alike than rows of the data).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from macode_plugin.columns import FREE
from macode_plugin.constraints import Allowed
from macode_plugin.inversion import cumulate
from macode_plugin.memory import keep_freed_memory
from macode_plugin.networks import ConditionalNetwork
from macode_plugin.noise import RowNoise
from macode_plugin.parallel import Workers, slices, split
from macode_plugin.stratification import Independent, Numbers, Stratified

__all__ = ["block_size", "chunks", "draw_rows"]

MEMORY = 32 * 2**20
"""Bytes that the rows decoded or scored at once may take, about; more does not run faster."""

LEAST_AT_ONCE = 256
"""Rows decoded or scored at once, at least: 200 columns took a quarter more time with the 163 that
:data:`MEMORY` would hold, and no less with 512."""

LARGEST_BLOCK = 1024
"""Rows that share out a column's numbers, at most. With 256 of them margins of concrete and banknote
were met less closely (Kolmogorov and Smirnov's statistic .015 for .014), with 2048 as closely."""

CANDIDATES = 32
"""Candidates for the constrained cells of a row, where more than one column is constrained."""

LEAST_WITH_CANDIDATES = 64
"""Rows with candidates drawn at once, at least: few steps each, which touch little of their memory."""


def draw_rows(
    network: ConditionalNetwork,
    known: np.ndarray,
    *,
    temperature: float,
    seed: int,
    stratified: bool,
    allowed: Mapping[int, Allowed] | None = None,
    incomplete: np.ndarray | None = None,
    never: Mapping[int, int] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Complete rows: given cells stay, free cells are drawn from the conditionals.

    Under constraints, rows follow the model's distribution restricted to what is allowed:
    p(x | x_j allowed for every constrained j). With one constrained column that is exact: it is
    drawn first, from its restricted distribution. With several, each row picks its constrained
    cells from ``CANDIDATES`` sequentially restricted draws, weighted by the probability that the
    constraints hold along the draw (sampling-importance-resampling), which tends to the
    restricted joint as candidates grow; every row satisfies the constraints in any case.

    Arguments
    ---------
    network : ConditionalNetwork
    known : ndarray of int64, shape (n, p)
        Given tokens, ``FREE`` where a token is to be drawn.
    temperature : float
        Divides the logits; the paper's tau.
    seed : int
    stratified : bool
        Draw rows that share out each column's distribution more evenly than independent ones
        (:mod:`macode_plugin.stratification`), each of them a draw from the same joint all the same.
        Without it row i depends on (seed, i) alone. Not in the paper. Not for imputations: what those
        differ by is to be that of independent ones.
    allowed : mapping of int to Allowed, or None
        By column position, the part of its tokens that may be drawn.
    incomplete : ndarray of bool, shape (p,), or None
        Columns with masked cells in training, to be drawn after the others. What was observed of
        them alone is a biased sample unless cells are missing completely at random; what was
        observed of them beside the complete columns is not, if they are missing at random. Where
        none is complete, the most complete ones come first: least of them is missing.
    never : mapping of int to int, or None
        By column position, a token that is not drawn: the one for "missing" in imputation.

    Returns
    -------
    tokens : ndarray of int64, shape (n, p)
    u : ndarray, shape (n, p)
        Uniform numbers that place continuous values inside their bins.
    """
    walk = _Walk(network, temperature, allowed or {}, never or {})
    most = chunk_size(network.bytes_per_row, LEAST_AT_ONCE)
    rows_of_block = block_size(len(known), most // math.ceil(most / LARGEST_BLOCK))
    draw = _Draw(walk, known, incomplete, seed, rows_of_block if stratified else None)
    parts = split(len(known), most, walk.device, rows_of_block)
    keep_freed_memory()
    with Workers(len(parts), walk.device) as workers:
        workers.map(draw.complete, parts)
    return draw.tokens, draw.inside


def block_size(n_rows: int, most: int) -> int:
    """Return how many rows share out a column's numbers: as many in one block as in another.

    One block, or an even number of them: most processors' cores can share these out evenly too.
    """
    n_blocks = 1 if n_rows <= most else 2 * math.ceil(n_rows / (2 * most))
    return max(math.ceil(n_rows / n_blocks), 1)


def chunk_size(bytes_per_row: int, least: int) -> int:
    """Return how many rows take about :data:`MEMORY`: ``least`` to 4096."""
    return max(min(MEMORY // bytes_per_row, 4096), least)


def chunks(n_rows: int, bytes_per_row: int) -> list[slice]:
    """Split rows that are scored into parts that take about :data:`MEMORY`."""
    return slices(n_rows, chunk_size(bytes_per_row, LEAST_AT_ONCE))


class _Draw:
    """Rows being completed, part by part.

    Arguments
    ---------
    walk : _Walk
    known, incomplete, seed
        As of :func:`draw_rows`.
    block_size : int or None
        Rows that share out a column's numbers; None where each has its own.

    Attributes
    ----------
    tokens, inside : ndarray, shape (n, p)
        What :func:`draw_rows` returns, as far as parts are complete.
    """

    def __init__(
        self,
        walk: _Walk,
        known: np.ndarray,
        incomplete: np.ndarray | None,
        seed: int,
        block_size: int | None,
    ) -> None:
        self.walk = walk
        self.seed = seed
        self.block_size = block_size
        self.n_columns = known.shape[1]
        self.late = np.zeros(self.n_columns, dtype=bool) if incomplete is None else incomplete
        self.free = known == FREE
        self.tokens, self.inside = known.copy(), np.zeros(known.shape)

    def complete(self, rows: slice) -> None:
        """Draw the free cells of some rows."""
        tokens = self.walk.constrained_cells(self.tokens[rows], self.seed, rows.start)
        tokens, _ = self.walk.draw(tokens, self._orders(tokens, rows), self._numbers(1, rows))
        row, column = np.nonzero(self.free[rows])
        drawn = tokens[row, column]
        place = drawn / (1 + drawn.max(initial=0))
        self.tokens[rows] = tokens
        self.inside[rows][row, column] = self._numbers(3, rows).take(row, column, place)

    def _orders(self, tokens: np.ndarray, rows: slice) -> np.ndarray:
        """Draw an order for each row; given cells come first, so that every draw knows them."""
        keys = RowNoise(self.seed, self.n_columns).rows(rows.start, rows.stop)
        return np.argsort(keys + (tokens == FREE) * (1 + self.late), axis=1)

    def _numbers(self, stream: int, rows: slice) -> Numbers:
        if self.block_size is None:
            return Independent(RowNoise(self.seed, self.n_columns, stream).rows(rows.start, rows.stop))
        return Stratified(self.seed, stream, self.n_columns, rows, self.block_size)


class _Walk:
    """Draws of one network at one temperature under one set of constraints."""

    def __init__(
        self,
        network: ConditionalNetwork,
        temperature: float,
        allowed: Mapping[int, Allowed],
        never: Mapping[int, int],
    ) -> None:
        self.network = network
        self.constrained = sorted(allowed)
        device = next(network.parameters()).device
        self.device = device
        self.exact = torch.float32 if device.type == "mps" else torch.float64
        weights = {j: torch.from_numpy(allowed[j].log_weight).to(device, self.exact) for j in allowed}
        weights.update({j: _all_but(token).to(device, self.exact) for j, token in never.items()})
        with torch.no_grad():
            self.heads = network.heads.frozen(temperature, weights)

    def constrained_cells(self, known: np.ndarray, seed: int, first_row: int) -> np.ndarray:
        """Draw the free cells of constrained columns where there are several of them.

        Shape
        -----
        - known: (n, p), rows ``first_row`` and on
        - Output: (n, p), with those cells drawn and the others as they were
        """
        wanted = np.zeros(known.shape[1], dtype=bool)
        wanted[self.constrained] = True
        wanted = wanted & (known == FREE)
        if not wanted.any():
            return known
        # By the rules alone: what other rows leave free must not change a row.
        n_candidates = CANDIDATES if len(self.constrained) > 1 else 1
        drawn = known.copy()
        n_columns = known.shape[1]
        noise = RowNoise(seed, 2 * n_columns * n_candidates + 1, stream=2)
        at_once = chunk_size(self.network.bytes_per_row * n_candidates, LEAST_WITH_CANDIDATES)
        for rows in slices(len(known), at_once):
            numbers = noise.rows(first_row + rows.start, first_row + rows.stop)
            drawn[rows] = self._pick(known[rows], wanted[rows], n_candidates, numbers)
        return drawn

    def _pick(
        self, known: np.ndarray, wanted: np.ndarray, n_candidates: int, numbers: np.ndarray
    ) -> np.ndarray:
        """Pick each row's constrained cells from candidates, by their importance weights."""
        n_rows, n_columns = known.shape
        pick, numbers = numbers[:, 0], numbers[:, 1:].reshape(n_rows * n_candidates, 2, n_columns)
        candidates = np.repeat(known, n_candidates, axis=0)
        wanted = np.repeat(wanted, n_candidates, axis=0)
        # Given cells first, then those wanted, then the rest, which the walk does not reach.
        orders = np.argsort(
            numbers[:, 0] + (candidates == FREE) + (~wanted & (candidates == FREE)), axis=1
        )
        n_steps = int(((candidates != FREE) | wanted).sum(axis=1).max())
        tokens, log_weight = self.draw(candidates, orders, Independent(numbers[:, 1]), n_steps)
        tokens = np.where(wanted, tokens, candidates).reshape(n_rows, n_candidates, n_columns)
        log_weight = log_weight.reshape(n_rows, n_candidates)
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        cumulative = weight.cumsum(axis=1)
        chosen = (cumulative <= pick[:, None] * cumulative[:, -1:]).sum(axis=1)
        return tokens[np.arange(n_rows), np.minimum(chosen, n_candidates - 1)]

    @torch.no_grad()
    def draw(
        self, known: np.ndarray, orders: np.ndarray, numbers: Numbers, n_steps: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Walk rows through their orders and draw their free cells.

        Shape
        -----
        - known, orders: (n, p), tokens or ``FREE``, and columns

        Returns
        -------
        tokens : ndarray of int64, shape (n, p)
            Cells that ``n_steps`` did not reach are ``FREE``.
        log_weight : ndarray, shape (n,)
            Log-probability that the constraints hold along each row's draws.
        """
        n_steps = known.shape[1] if n_steps is None else n_steps
        order = torch.from_numpy(orders).to(self.device)
        tokens = torch.from_numpy(known).to(self.device).gather(1, order)
        free = tokens == FREE
        n_free = free.sum(dim=0).tolist()
        log_weight = torch.zeros(len(known), dtype=self.exact, device=self.device)
        decoder = self.network.decoder(len(known))
        for step in range(n_steps):
            column = order[:, step].contiguous()
            state = decoder.query(column)
            if n_free[step]:
                drawn, log_share = self._draw_column(state, column, free[:, step], numbers)
                tokens[:, step] = torch.where(free[:, step], drawn, tokens[:, step])
                log_weight += torch.where(free[:, step], log_share, 0.0)
            decoder.reveal(column, tokens[:, step])
        tokens = torch.empty_like(tokens).scatter_(1, order, tokens)
        return tokens.cpu().numpy(), log_weight.cpu().numpy()

    def _draw_column(
        self, state: Tensor, column: Tensor, free: Tensor, numbers: Numbers
    ) -> tuple[Tensor, Tensor]:
        """Draw the queried cells that are free; also the log-probability of what is allowed there."""
        drawn = torch.zeros_like(column)
        log_share = torch.zeros(len(column), dtype=self.exact, device=self.device)
        for rows, logits, weights in self.heads.logits(state, column):
            if weights is not None:
                logits = logits.to(self.exact)
                total = torch.logsumexp(logits, dim=1)
                logits = logits + weights
                log_share[rows] = torch.logsumexp(logits, dim=1) - total
            cumulative = cumulate(logits, self.exact)
            u = torch.zeros(len(rows), dtype=self.exact, device=self.device)
            wanted = free[rows]
            u[wanted] = self._numbers(numbers, rows[wanted], column, cumulative.mean_place()[wanted])
            drawn[rows] = cumulative.invert(u)
        return drawn, log_share

    def _numbers(self, numbers: Numbers, rows: Tensor, column: Tensor, expected: Tensor) -> Tensor:
        u = numbers.take(*(tensor.cpu().numpy() for tensor in (rows, column[rows], expected)))
        return torch.from_numpy(u).to(self.device, self.exact)


def _all_but(token: int) -> Tensor:
    """Return the log-weights of a column's tokens up to ``token``, which gets none."""
    weights = torch.zeros(token + 1)
    weights[token] = -torch.inf
    return weights
