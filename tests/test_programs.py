"""Short whole programs, as a user would type them, each with its known result."""

import numpy as np
import pytest

import tapegrad as tf


def test_slope_of_a_line():
    w = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = w * 7
    gradient = tape.gradient(y, w)
    assert gradient.numpy() == 7.0
    assert gradient.dtype == tf.float32


def test_three_gradients_of_one_persistent_tape():
    a, b, c = tf.Variable(5.0), tf.Variable(7.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = a * b + 6.0 * c
    assert [tape.gradient(y, x).numpy() for x in (a, b, c)] == [7.0, 5.0, 6.0]


def test_square():
    x = tf.Variable(4.0)
    with tf.GradientTape() as tape:
        y = x**2
    assert y.numpy() == 16.0
    assert tape.gradient(y, x).numpy() == 8.0


def test_linear_model_has_the_closed_form_gradient():
    tf.random.set_seed(3)
    w = tf.Variable(tf.random.normal((4, 2)), name="w")
    b = tf.Variable(tf.zeros(2, dtype=tf.float32), name="b")
    x = [[1.0, 2.0, 3.0, 4.0]]
    with tf.GradientTape(persistent=True) as tape:
        y = x @ w + b
        loss = tf.reduce_mean(y**2)
    dl_dw, dl_db = tape.gradient(loss, [w, b])
    assert dl_dw.shape == (4, 2)
    assert dl_db.shape == (2,)
    expected = 2 * y.numpy() / y.numpy().size
    np.testing.assert_allclose(dl_dw.numpy(), np.transpose(x) @ expected, rtol=1e-6)
    np.testing.assert_allclose(dl_db.numpy(), expected[0], rtol=1e-6)
    by_name = tape.gradient(loss, {"w": w, "b": b})
    np.testing.assert_array_equal(by_name["b"].numpy(), dl_db.numpy())
    np.testing.assert_array_equal(by_name["w"].numpy(), dl_dw.numpy())


def test_dense_layer():
    layer = tf.keras.layers.Dense(2, activation="relu")
    x = tf.constant([[1.0, 2.0, 3.0]])
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_mean(y**2)
    kernel, bias = tape.gradient(loss, layer.trainable_variables)
    active = np.maximum(x.numpy() @ layer.kernel.numpy(), 0.0)
    np.testing.assert_allclose(bias.numpy(), active[0], rtol=1e-5)
    np.testing.assert_allclose(kernel.numpy(), x.numpy().T @ active, rtol=1e-5)
    assert [v.name for v in layer.trainable_variables] == [f"{layer.name}/kernel:0", f"{layer.name}/bias:0"]


def test_only_trainable_variables_are_watched():
    x1 = tf.Variable(5.0)
    x2 = tf.Variable(5.0, trainable=False)
    x3 = tf.add(x1, x2)
    x4 = tf.constant(5.0)
    with tf.GradientTape() as tape:
        y = x1**2 + x2**2 + x3**2 + x4**2
    gradients = tape.gradient(y, [x1, x2, x3, x4])
    assert gradients[0].numpy() == 10.0
    assert gradients[1:] == [None, None, None]


def test_watching_a_constant():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x**2
    assert tape.gradient(y, x).numpy() == 6.0


def test_choosing_what_is_watched():
    x0, x1 = tf.Variable(0.0), tf.Variable(10.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x1)
        y0 = tf.math.sin(x0)
        y1 = tf.nn.softplus(x1)
        total = tf.reduce_sum(y0 + y1)
    gradients = tape.gradient(total, {"x0": x0, "x1": x1})
    assert gradients["x0"] is None
    assert gradients["x1"].numpy() == pytest.approx(0.9999546, abs=1e-7)


@pytest.mark.parametrize("x", [1.0, -1.0])
def test_branches(x):
    x = tf.constant(x)
    v0, v1 = tf.Variable(2.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        result = v0 if x > 0.0 else v1**2
    dv0, dv1 = tape.gradient(result, [v0, v1])
    assert (dv0, dv1) == ((1.0, None) if x > 0.0 else (None, 4.0))
    assert tape.gradient(result, x) is None


@pytest.mark.parametrize("inside", [False, True])
def test_unconnected_source(inside):
    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = y * y
        if inside:
            assert tape.gradient(z, x) is None
    if not inside:
        assert tape.gradient(z, x) is None


def test_cube():
    x = tf.Variable(5.0)
    with tf.GradientTape() as tape:
        y = x**3
    assert tape.gradient(y, x).numpy() == pytest.approx(75.0)


def test_persistent_tape_and_intermediate():
    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert tape.gradient(z, x).numpy() == 108.0
    assert tape.gradient(y, x).numpy() == 6.0
    del tape


def test_sum_then_square():
    x = tf.ones((2, 2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x)
        z = tf.multiply(y, y)
    np.testing.assert_array_equal(tape.gradient(z, x).numpy(), np.full((2, 2), 8.0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), np.ones((2, 2)))


@pytest.mark.parametrize(("at", "first", "second"), [(3.0, 27.0, 18.0), (1.0, 3.0, 6.0)])
def test_nested_tapes(at, first, second):
    x = tf.Variable(at)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x * x * x
        dy_dx = inner.gradient(y, x)
    assert dy_dx.numpy() == first
    assert outer.gradient(dy_dx, x).numpy() == second


def test_fitting_a_line():
    xs = [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    ys = [-3.0, -1.0, 1.0, 3.0, 5.0, 7.0]
    slope, offset = tf.Variable(0.0), tf.Variable(0.0)
    for _ in range(500):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(slope * xs + offset - ys))
        d_slope, d_offset = tape.gradient(loss, [slope, offset])
        slope.assign_sub(0.05 * d_slope)
        offset.assign_sub(0.05 * d_offset)
    assert slope.numpy() == pytest.approx(2.0, abs=1e-3)
    assert offset.numpy() == pytest.approx(-1.0, abs=1e-3)


def test_train_step_of_a_model(rng):
    tf.random.set_seed(1)
    model = tf.keras.Sequential(
        [tf.keras.layers.Flatten(), tf.keras.layers.Dense(16, activation="relu"), tf.keras.layers.Dense(3)]
    )
    loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.02)
    accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    labels = rng.integers(0, 3, 60)
    images = (rng.normal(size=(60, 4, 4)) + 2 * labels[:, None, None]).astype(np.float32)

    def train_step(images, labels):
        with tf.GradientTape() as tape:
            predictions = model(images, training=True)
            loss = loss_object(labels, predictions)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        accuracy.update_state(labels, predictions)
        return loss

    losses = [float(train_step(images, labels)) for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]
    accuracy.reset_state()
    train_step(images, labels)
    assert accuracy.result() > 0.95


def test_controlling_what_flows():
    x, y = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y_sq = y**2
        z = x**2 + tf.stop_gradient(y_sq)
    assert tape.gradient(z, {"x": x, "y": y}) == {"x": 4.0, "y": None}

    with tf.GradientTape() as tape:
        x_sq = x * x
        with tape.stop_recording():
            y_sq = y * y
        z = x_sq + y_sq
    assert tape.gradient(z, {"x": x, "y": y}) == {"x": 4.0, "y": None}


def test_clipped_gradient():
    @tf.custom_gradient
    def clip_gradients(y):
        def backward(dy):
            return tf.clip_by_norm(dy, 0.5)

        return y, backward

    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        output = clip_gradients(v * v)
    assert tape.gradient(output, v).numpy() == 2.0


def test_input_gradient_regularization(rng):
    x = tf.constant(rng.normal(size=(7, 5)), dtype=tf.float32)
    layer = tf.keras.layers.Dense(10, activation="relu")
    with tf.GradientTape() as outer:
        with tf.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(x)
            y = layer(x)
            out = tf.reduce_sum(y**2)
        g1 = inner.gradient(out, x)
        g1_magnitude = tf.norm(g1)
    kernel, bias = outer.gradient(g1_magnitude, layer.trainable_variables)
    assert kernel.shape == (5, 10)
    assert bias.shape == (10,)
    assert np.all(np.isfinite(kernel.numpy()))
