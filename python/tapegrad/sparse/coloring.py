"""Colors for columns of sparse matrices, so that few directions give all entries.

The algorithms are greedy: each column gets the first color that is free. They go from columns with many entries to
those with few, equal ones in their order, so that the same pattern always gets the same colors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["column_colors", "star_colors"]


def column_colors(pattern: Any) -> npt.NDArray[np.intp]:
    """Return colors for the columns of a matrix: columns with an entry in the same row get different ones.

    The sum of the columns of one color then shows each of their entries (Curtis, Powell and Reid, 1974).

    Parameters
    ----------
    pattern : scipy.sparse.csr_array
        Its stored entries are the matrix's pattern.

    Returns
    -------
    numpy.ndarray of int, shape (columns,)
        Colors from 0 on.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> from tapegrad.sparse import column_colors
    >>> tridiagonal = np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)
    >>> column_colors(scipy.sparse.csr_array(tridiagonal))
    array([2, 0, 1, 2, 0, 1])
    """
    columns = pattern.tocsc()
    starts, rows = columns.indptr.tolist(), columns.indices.tolist()
    # For each row the colors that occur in it, as the bits of an integer.
    used = [0] * pattern.shape[0]
    colors = np.zeros(pattern.shape[1], np.intp)
    for column in np.argsort(-np.diff(columns.indptr), stable=True).tolist():
        own = rows[starts[column] : starts[column + 1]]
        taken = 0
        for row in own:
            taken |= used[row]
        free = ~taken & (taken + 1)
        for row in own:
            used[row] |= free
        colors[column] = free.bit_length() - 1
    return colors


def star_colors(pattern: Any) -> npt.NDArray[np.intp]:
    """Return colors for the columns of a symmetric matrix, from whose sums by color all entries can be read.

    Neighbours, columns i and j with an entry at (i, j), get different colors, and the columns of any two colors form
    stars: each entry is alone in the sum at (i, color of j) or at (j, color of i). This takes fewer colors than
    `column_colors`: two for a matrix in the form of an arrow (Coleman and Moré, 1984).

    Parameters
    ----------
    pattern : scipy.sparse.csr_array
        Its stored entries are the matrix's pattern, which is symmetric; those on the diagonal make no difference.

    Returns
    -------
    numpy.ndarray of int, shape (columns,)
        Colors from 0 on.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> from tapegrad.sparse import star_colors
    >>> arrow = np.eye(5)
    >>> arrow[0] = arrow[:, 0] = 1
    >>> star_colors(scipy.sparse.csr_array(arrow))
    array([0, 1, 1, 1, 1])
    """
    starts, indices = pattern.indptr.tolist(), pattern.indices.tolist()
    size = pattern.shape[0]
    colors = [-1] * size
    # For each vertex the neighbours of each color: how many, and the first of them.
    count: list[dict[int, int]] = [{} for _ in range(size)]
    first: list[dict[int, int]] = [{} for _ in range(size)]
    # For each vertex the colors of those neighbours that are the middle of a star to which the vertex belongs.
    middles: list[set[int]] = [set() for _ in range(size)]
    for vertex in np.argsort(-np.diff(pattern.indptr), stable=True).tolist():
        neighbours = [k for k in indices[starts[vertex] : starts[vertex + 1]] if k != vertex]
        around = count[vertex]
        forbidden = set(around)
        for k in neighbours:
            if colors[k] >= 0:
                # Alone of its color, the neighbour must not be at the tip of a star; else it must be a single vertex.
                forbidden |= middles[k] if around[colors[k]] == 1 else count[k].keys()
        color = 0
        while color in forbidden:
            color += 1
        colors[vertex] = color
        for k in neighbours:
            times = count[k][color] = count[k].get(color, 0) + 1
            if times == 1:
                first[k][color] = vertex
            if colors[k] < 0:
                continue
            if times > 1:
                middles[vertex].add(colors[k])
                middles[first[k][color]].add(colors[k])
            if around[colors[k]] > 1:
                middles[k].add(color)
    return np.array(colors, np.intp)
