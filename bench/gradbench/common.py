"""What several libraries' evals share; it is on the clock like the rest.

Most of it is computed from sizes and indices alone, in NumPy; `polynomial` and `determinant` are arithmetic on any
library's values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.gradbench.inputs import Array, BaJacobian, Ht


def powers(t: Array, count: int) -> Array:
    """Return `t**0, t**1, ...` as rows: all that are known, times the first unknown one, give as many again."""
    rows = np.empty((count, t.size))
    rows[0] = 1.0
    known, factor = 1, t
    while known < count:
        more = min(known, count - known)
        np.multiply(rows[:more], factor, out=rows[known : known + more])
        factor = factor * factor
        known += more
    return rows


def polynomial(x: Any, t: Array, constant: Callable[[Array], Any], product: Callable[[Any, Any], Any]) -> Any:
    """Return the values at `t` of the polynomial with coefficients `x`.

    Some sqrt(len(x)) coefficients at a time are multiplied with the same powers, and these blocks are joined by
    Horner's rule, so that few powers have to be written out. `constant` makes the library's vector or matrix of an
    array, `product` multiplies coefficients with a matrix of powers.
    """
    count = len(x)
    width = 1 << ((count - 1).bit_length() // 2 + 1)
    basis = powers(t, width)
    step = constant(basis[-1] * t)
    values = None
    for first in reversed(range(0, count, width)):
        block = x[first : first + width]
        term = product(block, constant(basis[: len(block)]))
        values = term if values is None else values * step + term
    return values


def determinant(elements: Sequence[Any], ell: int) -> Any:
    """Return the determinant of an ell x ell matrix of scalars, given row by row, by expansion in minors."""
    rows = [elements[ell * i : ell * (i + 1)] for i in range(ell)]
    return _minor(rows, 0, tuple(range(ell)))


def _minor(rows: Sequence[Sequence[Any]], first: int, columns: tuple[int, ...]) -> Any:
    """Return the determinant of the rows from `first` on, in these columns; 3 x 3 is written out."""
    row = rows[first]
    if len(columns) == 1:
        return row[columns[0]]
    if len(columns) == 3:
        i, j, k = columns
        second, third = rows[first + 1], rows[first + 2]
        return (
            row[i] * (second[j] * third[k] - second[k] * third[j])
            - row[j] * (second[i] * third[k] - second[k] * third[i])
            + row[k] * (second[i] * third[j] - second[j] * third[i])
        )
    first += 1
    total = row[columns[0]] * _minor(rows, first, columns[1:])
    for j in range(1, len(columns)):
        term = row[columns[j]] * _minor(rows, first, columns[:j] + columns[j + 1 :])
        total = total - term if j % 2 else total + term
    return total


def gmm_places(d: int) -> Array:
    """Return where the elements of a d x d factor stand in a row of d diagonal elements, the lower part, and a 0.

    The lower part comes column by column.
    """
    places = np.full((d, d), d + d * (d - 1) // 2)
    np.fill_diagonal(places, np.arange(d))
    columns, rows = np.triu_indices(d, 1)
    places[rows, columns] = np.arange(d, d + rows.size)
    return places


def gmm_constant(k: int, d: int, n: int, gamma: float, m: int) -> float:
    """Return what the parameters do not change: the normal density's factor, and that of the Wishart prior."""
    freedom = d + m + 1
    log_gamma = d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma((freedom - j) / 2) for j in range(d))
    prior = freedom * d * math.log(gamma / math.sqrt(2)) - log_gamma
    return k * prior - 0.5 * n * d * math.log(2 * math.pi)


def ba_observed(n: int, m: int, p: int) -> tuple[Array, Array]:
    """Return the number of the camera and of the point of each observation."""
    observation = np.arange(p)
    return observation % n, observation % m


def ba_seeds(p: int) -> tuple[Array, Array]:
    """Return the two errors' cotangents `(2, p)`: one row for all first errors, one for all second."""
    ones, zeros = np.ones(p), np.zeros(p)
    return np.stack([ones, zeros]), np.stack([zeros, ones])


def ba_compressed_rows(n: int, m: int, by_observation: Array, by_own_weight: Array) -> BaJacobian:
    """Return the matrix of two rows by observation, 15 elements each, and a row of one element for each weight.

    The arguments are the derivatives `(2, 15, p)` and `(p,)`.
    """
    p = by_own_weight.size
    camera, point = ba_observed(n, m, p)
    values = np.empty(31 * p)
    values[: 30 * p].reshape(p, 30)[...] = by_observation.reshape(30, p).T
    values[30 * p :] = by_own_weight
    block = np.empty((p, 15), np.int32)
    block[:, :11] = 11 * camera[:, None]
    block[:, 11:14] = 3 * point[:, None]
    block[:, 14] = np.arange(p)
    block += np.concatenate([np.arange(11), 11 * n + np.arange(3), [11 * n + 3 * m]]).astype(np.int32)
    columns = np.empty(31 * p, np.int32)
    columns[: 30 * p].reshape(p, 2, 15)[...] = block[:, None]
    columns[30 * p :] = block[:, 14]
    rows = np.concatenate([np.arange(0, 30 * p, 15, np.int32), np.arange(30 * p, 31 * p + 1, 1, np.int32)])
    return BaJacobian(rows, columns, values)


# The matrices whose combination with coefficients v is the one that takes the cross product with v.
CROSS = np.zeros((3, 3, 3))
CROSS[[2, 0, 1], [1, 2, 0], [0, 1, 2]] = 1.0
CROSS[[1, 2, 0], [2, 0, 1], [0, 1, 2]] = -1.0
FINGERS = 5


def ht_angles(bones: int, pose: int) -> tuple[Array, Array]:
    """Return where in the pose (with a 0 behind it) each bone's bend stands, and its spread."""
    finger = np.arange(FINGERS)[:, None]
    bends, spreads = np.full(bones, pose), np.full(bones, pose)
    bends[2 + 4 * finger + np.arange(3)] = 6 + 4 * finger + [0, 2, 3]
    spreads[2 + 4 * finger] = 7 + 4 * finger
    return bends, spreads


def ht_generations(parents: list[int]) -> list[list[int]]:
    """Return the bones without parents, then their children, and so on."""
    generations = [[bone for bone, parent in enumerate(parents) if parent == -1]]
    while generations[-1]:
        known = set(generations[-1])
        generations.append([bone for bone, parent in enumerate(parents) if parent in known])
    return generations[:-1]


def ht_tangents(data: Ht) -> tuple[Array | None, Array]:
    """Return the directions of the Jacobian's columns: of the coordinates `(K, N, 2)`, and of the pose `(K, 26)`.

    A point's coordinates move no other point, so all first ones can move together, and all second ones.
    """
    pose = len(data.theta)
    if data.us is None:
        return None, np.eye(pose)
    moves = np.zeros((2 + pose, len(data.us), 2))
    moves[0, :, 0] = moves[1, :, 1] = 1.0
    return moves, np.eye(2 + pose, pose, -2)
