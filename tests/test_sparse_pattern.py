"""`sparsity`: the pattern of a Jacobian as the tape shows it, against the Jacobians themselves at several points."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
from numpy_samples import SAMPLES
from numpy_samples_more import MORE
from shared import rosenbrock

import tapegrad
import tapegrad as tf
from tapegrad.functional.structures import leaves_of
from tapegrad.sparse import matmul

BANDED = np.diag(np.arange(1.0, 7.0)) + np.diag(np.full(4, 2.0), 2)
SPARSE = scipy.sparse.csr_array(BANDED)
STACK = np.stack([np.tril(np.ones((3, 3))), np.eye(3)])
WRITTEN = np.array([4, 1])


def jacobian_pattern(f, shape, rng, points=40):
    """Where Jacobians at random points are not zero."""
    found = False
    for _ in range(points):
        x = rng.normal(size=shape)
        found = found | (np.asarray(tapegrad.jacobian(f)(x)).reshape(-1, x.size) != 0)
    return found


def written(x):
    y = x * 1.0
    y[2:4] = x[:2] * x[1:3]
    y[WRITTEN] += 3.0 * x[0]
    return y


def laplacian(u):
    padded = np.pad(u, 1)
    return padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2] - 4.0 * u + u**3


# Programs for which the pattern must be exact: name: (function, shape of the argument).
EXACT = {
    "elementwise": (lambda x: np.sin(x) * x + 1.0, (6,)),
    "a number": (lambda x: np.exp(x) * x, ()),
    "number by number": (lambda x: tf.stack([x[0] * x[1], x[5], x[2] / x[3]]), (6,)),
    "nothing": (lambda x: np.floor(x) + np.ones(6), (6,)),
    "half of nothing": (lambda x: tf.concat([x[:2], np.ones(3)], 0), (6,)),
    "itself": (lambda x: x, (3,)),
    "stop_gradient": (lambda x: x * tf.stop_gradient(np.sum(x)), (6,)),
    "an operand without derivative": (lambda x: np.copysign(x, x[::-1]), (6,)),
    "gradient of a piecewise linear function": (tapegrad.grad(lambda x: np.sum(abs(x) * x[0] + np.sign(x))), (6,)),
    "slices": (lambda x: x[::2] * x[1::2] + x[-1:2:-1], (6,)),
    "neighbours": (lambda x: x[2:] - 2.0 * x[1:-1] + x[:-2], (6,)),
    "convolution by slices": (lambda x: sum(w * x[k : k + 3, 1:] for k, w in enumerate((0.2, 0.5, 0.3))), (5, 3)),
    "reshape and transpose": (lambda x: np.reshape(np.transpose(x, (2, 0, 1)), (-1, 2)) * 2.0, (2, 3, 2)),
    "new axes": (lambda x: x[:, None, ::-1] * 2.0, (2, 3)),
    "broadcast": (lambda x: x[0] * x + np.broadcast_to(x[:, 1:2], (3, 4)), (3, 4)),
    "outer": (lambda x: np.outer(x[:3], x[3:]), (6,)),
    "sums": (lambda x: np.sum(x, 1) * np.mean(x, 1), (3, 4)),
    "sum with kept axis": (lambda x: x / np.sum(x * x, axis=0, keepdims=True), (3, 4)),
    "sums of all": (lambda x: x[0] * np.sum(x), (4,)),
    "concatenate": (lambda x: np.concatenate([x[:, :1] ** 2, np.ones((3, 1)), x], axis=1), (3, 2)),
    "stack": (lambda x: np.stack([x, np.ones(4), x[::-1]], axis=1), (4,)),
    "where": (lambda x: tf.where(x > 0.1, x[::-1], x * x), (6,)),
    "where with a number": (lambda x: np.where(x > 0.0, x, 3.0), (6,)),
    "where, broadcast": (lambda x: tf.where(x[:1] > 0.0, x, x[0]), (4, 3)),
    "relu, clip, maximum": (lambda x: tf.nn.relu(x) + np.clip(x, -1.0, 1.0) * np.maximum(x, x[::-1]), (6,)),
    "cast": (lambda x: tf.cast(tf.cast(x, tf.float32), tf.float64)[1:] * 2.0, (4,)),
    "gather": (lambda x: tf.gather(x, [1, 1, 4]) * x[0], (6,)),
    "gather rows": (lambda x: tf.gather(x, [[2, 0], [1, 1]]), (3, 2)),
    "scatter": (lambda x: tf.scatter_nd([[1], [3], [1]], x, [5]), (3,)),
    "index arrays": (lambda x: x[np.array([0, 1]), np.array([2, 0])], (2, 3)),
    "mask": (lambda x: x[np.array([True, False, True])], (3, 2)),
    "writing": (written, (6,)),
    "banded @ x": (lambda x: BANDED @ x, (6,)),
    "x @ banded": (lambda x: (x * x) @ BANDED, (6,)),
    "banded @ x @ banded": (lambda x: BANDED @ x @ BANDED.T, (6, 6)),
    "stack of matrices @ x": (lambda x: STACK @ x, (3, 2)),
    "stack of matrices @ stack": (lambda x: tf.matmul(STACK, x, transpose_a=True), (2, 3, 2)),
    "matrix @ stack": (lambda x: tf.matmul(x, BANDED[:3, :3], transpose_b=True), (2, 2, 3)),
    "x @ x": (lambda x: x @ np.transpose(x), (3, 2)),
    "dense @ x": (lambda x: np.ones((3, 4)) @ x, (4, 2)),
    "dense @ x, one column": (lambda x: x @ np.ones((1, 3)), (4, 1)),
    "einsum with zeros": (lambda x: np.einsum("ij,j,kj->ik", BANDED, x, BANDED[:2]), (6,)),
    "einsum of both": (lambda x: np.einsum("ij,jk->ki", x, x[:, :2]), (3, 3)),
    "einsum diagonal": (lambda x: np.einsum("ii,ij->ij", x, np.ones((3, 2))), (3, 3)),
    "einsum of a stack": (lambda x: np.einsum("bij,bj->bi", np.ones((2, 3, 3)), x), (2, 3)),
    "vecdot": (lambda x: np.vecdot(x, 1.0 + BANDED[:3]), (3, 6)),
    "convolve": (lambda x: np.convolve(x, [1.0, 0.0, 2.0], "same"), (7,)),
    "convolve with a longer one": (lambda x: np.convolve(x, [1.0, 0.0, 2.0, 1.0], "same"), (2,)),
    "correlate": (lambda x: np.correlate(x, [1.0, 0.0, 2.0], "valid"), (6,)),
    "correlate backwards": (lambda x: np.correlate(np.arange(1.0, 8.0), x, "same"), (4,)),
    "correlate with a longer one": (lambda x: np.correlate(x, [1.0, 0.0, 2.0, 1.0], "same"), (3,)),
    "roll": (lambda x: np.roll(x, 2) * x, (6,)),
    "roll an axis": (lambda x: np.roll(x, 1, axis=0), (3, 4)),
    "diff": (lambda x: np.diff(x, n=2), (9,)),
    "cumsum": (lambda x: np.cumsum(x, axis=1), (3, 4)),
    "pad, tile, repeat": (lambda x: tf.concat([np.pad(x, 2), np.tile(x, 3), np.repeat(x, 2)], 0), (4,)),
    "triangle, diagonal, trace": (lambda x: np.trace(x * x) + np.diag(np.diag(x) * x[0]), (3, 3)),
    "rows of a softmax": (lambda x: tf.nn.softmax(x), (3, 4)),
    "norms of rows": (lambda x: np.linalg.norm(x, axis=1), (3, 4)),
    "variances of columns": (lambda x: np.var(x, axis=0), (3, 4)),
    "greatest of rows": (lambda x: np.max(x, axis=1), (3, 2)),
    "logsumexp of rows": (lambda x: tf.reduce_logsumexp(x, axis=1), (3, 4)),
    "products of rows": (lambda x: np.prod(x, axis=1), (3, 4)),
    "a special function": (lambda x: tapegrad.special.gammainc(2.0, x * x), (4,)),
    "a stencil": (laplacian, (4, 5)),
    "gradient of Rosenbrock": (tapegrad.grad(rosenbrock), (7,)),
    "gradient of a stencil": (tapegrad.grad(lambda u: np.sum(laplacian(u) ** 2)), (4, 4)),
    "gradient with an arrow": (tapegrad.grad(lambda x: np.sum(x[0] * np.sin(x))), (6,)),
    "gradient of a gather": (tapegrad.grad(lambda x: np.sum(tf.gather(x, [0, 2, 2]) * x[:3] * x[:3])), (6,)),
    "gradient of writing": (tapegrad.grad(lambda x: np.sum(written(x) ** 2)), (6,)),
    "gradient of a linear function": (tapegrad.grad(lambda x: np.sum(BANDED @ x)), (6,)),
    "sparse matrix @ x": (lambda x: matmul(SPARSE, x) * x, (6,)),
    "stack @ sparse matrix": (lambda x: matmul(x, SPARSE), (2, 1, 6)),
    "sparse matrix of x @ ones": (lambda x: matmul(SPARSE, np.ones((6, 2)), values=x), (10,)),
    "sparse matrix of x @ x": (lambda x: matmul(SPARSE, x[:6], values=x), (10,)),
    "diagonal x @ the same x": (lambda x: matmul(scipy.sparse.eye_array(4, format="csr"), x, values=x), (4,)),
    "x @ sparse matrix of x": (lambda x: matmul(x[:12].reshape(2, 6), SPARSE, values=x[2:]), (12,)),
    "gradient of a sparse product": (
        tapegrad.grad(lambda x: np.sum(matmul(SPARSE, x[10:].reshape(6, 2), values=x[:10]) ** 2)),
        (22,),
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_is_that_of_jacobians(name, rng):
    f, shape = EXACT[name]
    found = tapegrad.sparsity(f, rng.normal(size=shape))
    assert isinstance(found, scipy.sparse.csr_array)
    assert found.dtype == bool
    assert found.has_sorted_indices
    np.testing.assert_array_equal(found.toarray(), jacobian_pattern(f, shape, rng))


# Programs that choose elements by their values, or run code of the user's.
@tf.custom_gradient
def doubled(x):
    return 2.0 * x, lambda g: 2.0 * g


FULL = {
    "sort": lambda x: np.sort(x),
    "median": lambda x: np.median(x),
    "sort of rows": lambda x: np.sort(np.reshape(x, (2, 3)), axis=1),
    "custom_gradient": doubled,
    "checkpoint": lambda x: tapegrad.checkpoint(lambda y: y * y)(x),
    "primitive": tapegrad.primitive(lambda x: np.sin(x), vjp=lambda g, out, x: g * np.cos(x)),
    "solve": lambda x: np.linalg.solve(np.diag(np.arange(1.0, 7.0)) + np.outer(x, x), x),
}


@pytest.mark.parametrize("name", FULL)
def test_is_full_where_it_cannot_be_known(name, rng):
    assert tapegrad.sparsity(FULL[name], rng.normal(size=6)).toarray().all()


def test_holds_what_depends_on_the_results_of_such_programs(rng):
    found = tapegrad.sparsity(lambda x: tf.concat([np.sort(x[:3]), x[3:]], 0), rng.normal(size=5))
    expected = np.zeros((5, 5), bool)
    expected[:3, :3] = True
    expected[3, 3] = expected[4, 4] = True
    np.testing.assert_array_equal(found.toarray(), expected)


def test_zeros_of_a_matrix_that_depends_on_the_argument_do_not_count():
    found = tapegrad.sparsity(lambda x: (x[:2] * np.eye(2)) @ x[2:], np.ones(4))
    np.testing.assert_array_equal(found.toarray(), np.ones((2, 4), bool))
    found = tapegrad.sparsity(lambda x: np.einsum("ij,j->i", x[:2] * np.eye(2), x[2:]), np.ones(4))
    np.testing.assert_array_equal(found.toarray(), np.ones((2, 4), bool))
    found = tapegrad.sparsity(lambda x: np.vecdot(np.eye(2) * x[:2], x[2:]), np.ones(4))
    np.testing.assert_array_equal(found.toarray(), np.ones((2, 4), bool))


@pytest.mark.parametrize("mode", ["zeros", "nan"])
def test_values_do_not_matter(mode, rng):
    x = np.zeros((4, 5)) if mode == "zeros" else np.full((4, 5), np.nan)
    np.testing.assert_array_equal(tapegrad.sparsity(laplacian, x).toarray(), jacobian_pattern(laplacian, (4, 5), rng))
    np.testing.assert_array_equal(
        tapegrad.sparsity(lambda v: np.prod(v, axis=1), x).toarray(), np.repeat(np.eye(4, dtype=bool), 5, 1)
    )


DIFFERENTIABLE = [
    pytest.param(samples[i], k, id=f"{name}-{i}-{k}")
    for name, samples in {**SAMPLES, **MORE}.items()
    for i in range(len(samples))
    for k, argument in enumerate(samples[i].args)
    if isinstance(argument, np.ndarray) and argument.dtype == np.float64 and not np.isnan(argument).any()
]


@pytest.mark.parametrize(("sample", "k"), DIFFERENTIABLE)
def test_functions_of_numpy_have_no_derivatives_outside(sample, k):
    def f(x):
        leaves = leaves_of(sample.call(tapegrad.numpy, *sample.args[:k], x, *sample.args[k + 1 :]))
        parts = [part for part in leaves if isinstance(part, tf.Tensor) and part.dtype.is_floating]
        return tf.concat([tf.reshape(part, [-1]) for part in parts], 0) if parts else tf.constant([0.0])

    x = sample.args[k]
    found = tapegrad.sparse_jacobian(f)
    for point in (x, 1.01 * x):
        jacobian = np.reshape(tapegrad.jacobian(f)(point), (-1, x.size))
        np.testing.assert_allclose(found(point).toarray(), jacobian, rtol=1e-9, atol=1e-12)


def test_long_vectors_take_memory_for_their_entries_only():
    n = 100_000
    found = tapegrad.sparsity(lambda x: np.roll(np.diff(x), 3) * np.cumsum(np.ones(n - 1)), np.ones(n))
    assert found.shape == (n - 1, n)
    assert found.nnz == 2 * (n - 1)


def test_of_several_arguments_one_counts():
    found = tapegrad.sparsity(lambda a, x, scale=1.0: a @ x * scale, np.eye(3), np.ones(3), argnum=1, scale=2.0)
    np.testing.assert_array_equal(found.toarray(), np.eye(3, dtype=bool))


def test_pattern_of_values_on_a_tape():
    x, y = tf.Variable([1.0, 2.0, 3.0]), tf.constant([1.0, 1.0])
    with tf.GradientTape(persistent=True) as tape:
        middle = x * x
        end = middle[1:] * middle[0]
    np.testing.assert_array_equal(tf.sparse.pattern(tape, end, x).toarray(), [[1, 1, 0], [1, 0, 1]])
    np.testing.assert_array_equal(tf.sparse.pattern(tape, end, middle).toarray(), [[1, 1, 0], [1, 0, 1]])
    np.testing.assert_array_equal(tf.sparse.pattern(tape, middle, middle).toarray(), np.eye(3))
    assert tf.sparse.pattern(tape, y, x).nnz == 0
    assert tf.sparse.pattern(tape, end, y).shape == (2, 2)
    assert tf.sparse.pattern(tape, middle, end).nnz == 0


def test_only_paths_through_the_source_count():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x[::-1] * 2.0
        z = y * x
    np.testing.assert_array_equal(tf.sparse.pattern(tape, z, y).toarray(), np.eye(2))
    np.testing.assert_array_equal(tf.sparse.pattern(tape, z, x).toarray(), np.ones((2, 2)))


def test_nothing_is_recorded_on_other_tapes():
    v = tf.Variable([[2.0, 1.0], [1.0, 3.0]])
    with tf.GradientTape() as tape:
        tapegrad.sparsity(lambda x: np.linalg.norm(x, axis=1) * np.max(x), np.ones((2, 2)))
        assert len(tape._nodes()) == 0
        y = v * v
    assert tape.gradient(y, v) is not None


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_empty_arguments(shape):
    assert tapegrad.sparsity(lambda x: np.roll(x, 1) * 2.0, np.ones(shape)).shape == (0, 0)
    assert tapegrad.sparsity(lambda x: np.sum(np.sin(x)), np.ones(shape)).shape == (1, 0)
    assert tapegrad.sparsity(lambda x: x[:0] * 2.0, np.ones(3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (np.arange(3), "int64"),
        (np.ones(3, complex), "real"),
        ({"a": np.ones(2)}, "one number or array"),
        ([1.0, 2.0], "one number or array"),
    ],
)
def test_arguments_that_are_not_real_arrays(argument, message):
    with pytest.raises(TypeError, match=message):
        tapegrad.sparsity(lambda x: x, argument)


def test_results_that_are_not_real_arrays():
    with pytest.raises(TypeError, match="complex128"):
        tapegrad.sparsity(lambda x: x * 1j, np.ones(2))
    with pytest.raises(TypeError, match="returned"):
        tapegrad.sparsity(lambda x: (x, x), np.ones(2))


def test_without_scipy_the_message_says_what_to_install():
    program = (
        "import sys\n"
        "sys.modules['scipy'] = sys.modules['scipy.sparse'] = None\n"
        "import tapegrad\n"
        "try:\n"
        "    tapegrad.sparse_jacobian\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "pip install tapegrad[scipy]" in output


def test_a_rule_that_writes_where_its_operand_is_greatest():
    """A rule that selects by value within another rule's operations."""
    from tapegrad._ops.declare import structural
    from tapegrad._ops.writing import set_at

    def forward(a):
        out = a.copy()
        out[np.argmax(a)] = 0.0
        return out

    without_greatest = structural("without greatest", forward, a=lambda g, a: set_at(g, np.array([np.argmax(a)]), 0.0))
    assert tapegrad.sparsity(without_greatest, np.arange(3.0)).toarray().all()
