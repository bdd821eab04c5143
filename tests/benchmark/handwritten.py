"""What an expert writes by hand for one network, as fast as NumPy goes without changing the
arithmetic: straight-line code, buffers made once, the cheap form of each call.

Cheap forms: 0-d arrays instead of Python numbers, `np.dot` with `out`, a bias gradient as ones·g,
all parameters as views of one vector so that the optimizer needs one call an operation, nothing
computed that no parameter needs; a single number is never written in place, which costs NumPy three
times as much. With a single sample the bias gradient is the delta itself.
Each function gives `train(n)`, which makes n steps and returns the loss before each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Train = Callable[[int], list[float]]


def zero_d(value: float) -> Array:
    return np.array(value)


def flat(
    shapes: list[tuple[int, ...]], values: list[Array] | None = None
) -> tuple[Array, list[Array]]:
    """One vector and a view of it for each shape."""
    vector = np.zeros(sum(int(np.prod(shape)) for shape in shapes))
    views, first = [], 0
    for i, shape in enumerate(shapes):
        size = int(np.prod(shape))
        views.append(vector[first : first + size].reshape(shape))
        first += size
        if values is not None:
            views[-1][...] = values[i]
    return vector, views


def tanh_one_sample(x: Array, t: Array, values: list[Array], rate: float) -> Train:
    """2-4-4-1, tanh after every layer, one sample, mean squared error, gradient descent."""
    shapes = [value.shape for value in values]
    w, (w1, b1, w2, b2, w3, b3) = flat(shapes, values)
    g, (gw1, gb1, gw2, gb2, gw3, gb3) = flat(shapes)
    w1t, w2t, w3t = w1.T, w2.T, w3.T
    b1, b2, b3 = b1.reshape(1, -1), b2.reshape(1, -1), b3.reshape(1, -1)
    d1, d2, d3 = gb1.reshape(1, -1), gb2.reshape(1, -1), gb3.reshape(1, -1)
    d1t, d2t, d3t = d1.T, d2.T, d3.T
    a1, a2, a3 = np.zeros((1, 4)), np.zeros((1, 4)), np.zeros((1, 1))
    s1, s2, s3 = np.zeros((1, 4)), np.zeros((1, 4)), np.zeros((1, 1))
    e, e3, r3 = np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 1))
    e_flat, loss, s = e.reshape(-1), np.zeros(()), np.zeros_like(w)
    one, two, lr = zero_d(1.0), zero_d(2.0), zero_d(rate)
    dot, add, subtract, multiply, tanh = np.dot, np.add, np.subtract, np.multiply, np.tanh

    def train(n: int) -> list[float]:
        losses = []
        for _ in range(n):
            dot(x, w1t, a1)
            add(a1, b1, a1)
            tanh(a1, a1)
            dot(a1, w2t, a2)
            add(a2, b2, a2)
            tanh(a2, a2)
            dot(a2, w3t, a3)
            add(a3, b3, s3)
            tanh(s3, a3)
            subtract(a3, t, e)
            dot(e_flat, e_flat, loss)
            losses.append(float(loss))
            multiply(e, two, e3)
            multiply(a3, a3, s3)
            subtract(one, s3, r3)
            multiply(e3, r3, d3)
            dot(d3t, a2, gw3)
            multiply(a2, a2, s2)
            subtract(one, s2, s2)
            dot(d3, w3, d2)
            multiply(d2, s2, d2)
            dot(d2t, a1, gw2)
            multiply(a1, a1, s1)
            subtract(one, s1, s1)
            dot(d2, w2, d1)
            multiply(d1, s1, d1)
            dot(d1t, x, gw1)
            multiply(g, lr, s)
            subtract(w, s, w)
        return losses

    return train


def tanh_sigmoid_batch(x: Array, t: Array, values: list[Array], rate: float) -> Train:
    """2-4-2-1, tanh, tanh, sigmoid, a batch, mean squared error, gradient descent."""
    batch, shapes = len(x), [value.shape for value in values]
    w, (w1, b1, w2, b2, w3, b3) = flat(shapes, values)
    g, (gw1, gb1, gw2, gb2, gw3, gb3) = flat(shapes)
    w1t, w2t, w3t = w1.T, w2.T, w3.T
    a1, a2, a3 = np.zeros((batch, 4)), np.zeros((batch, 2)), np.zeros((batch, 1))
    d1, d2, d3 = np.zeros((batch, 4)), np.zeros((batch, 2)), np.zeros((batch, 1))
    s1, s2, s3 = np.zeros((batch, 4)), np.zeros((batch, 2)), np.zeros((batch, 1))
    d1t, d2t, d3t = d1.T, d2.T, d3.T
    e = np.zeros((batch, 1))
    e_flat, s, ones = e.reshape(-1), np.zeros_like(w), np.ones(batch)
    loss, total = np.zeros(()), np.zeros(())
    one, lr = zero_d(1.0), zero_d(rate)
    share, twice = zero_d(1.0 / batch), zero_d(2.0 / batch)
    dot, add, subtract, multiply, tanh = np.dot, np.add, np.subtract, np.multiply, np.tanh
    negative, exp, reciprocal = np.negative, np.exp, np.reciprocal

    def train(n: int) -> list[float]:
        losses = []
        for _ in range(n):
            dot(x, w1t, a1)
            add(a1, b1, a1)
            tanh(a1, a1)
            dot(a1, w2t, a2)
            add(a2, b2, a2)
            tanh(a2, a2)
            dot(a2, w3t, a3)
            add(a3, b3, a3)
            negative(a3, a3)
            exp(a3, a3)
            add(a3, one, a3)
            reciprocal(a3, a3)
            subtract(a3, t, e)
            dot(e_flat, e_flat, total)
            multiply(total, share, loss)
            losses.append(float(loss))
            multiply(e, twice, e)
            subtract(one, a3, s3)
            multiply(s3, a3, s3)
            multiply(e, s3, d3)
            dot(d3t, a2, gw3)
            dot(ones, d3, gb3)
            multiply(a2, a2, s2)
            subtract(one, s2, s2)
            dot(d3, w3, d2)
            multiply(d2, s2, d2)
            dot(d2t, a1, gw2)
            dot(ones, d2, gb2)
            multiply(a1, a1, s1)
            subtract(one, s1, s1)
            dot(d2, w2, d1)
            multiply(d1, s1, d1)
            dot(d1t, x, gw1)
            dot(ones, d1, gb1)
            multiply(g, lr, s)
            subtract(w, s, w)
        return losses

    return train


def relu_adam(x: Array, t: Array, values: list[Array], rate: float) -> Train:
    """10-64-1, ReLU, a batch, mean squared error, Adam with both bias corrections folded in."""
    batch, shapes = len(x), [value.shape for value in values]
    w, (w1, b1, w2, b2) = flat(shapes, values)
    g, (gw1, gb1, gw2, gb2) = flat(shapes)
    w1t, w2t = w1.T, w2.T
    z1, a1, a2 = np.zeros((batch, 64)), np.zeros((batch, 64)), np.zeros((batch, 1))
    d1, d2, s1 = np.zeros((batch, 64)), np.zeros((batch, 1)), np.zeros((batch, 64))
    d1t, d2t, d2_flat = d1.T, d2.T, d2.reshape(-1)
    loss, total, s, ones = np.zeros(()), np.zeros(()), np.zeros_like(w), np.ones(batch)
    m, v = np.zeros_like(w), np.zeros_like(w)
    zero, zeros = zero_d(0.0), np.zeros((batch, 64))
    share, twice = zero_d(1.0 / batch), zero_d(2.0 / batch)
    beta1, beta2, rest1, rest2 = zero_d(0.9), zero_d(0.999), zero_d(1 - 0.9), zero_d(1 - 0.999)
    size, eps = zero_d(0.0), zero_d(0.0)
    dot, add, subtract, multiply = np.dot, np.add, np.subtract, np.multiply
    maximum, greater, sqrt, divide = np.maximum, np.greater, np.sqrt, np.divide
    steps = 0

    def train(n: int) -> list[float]:
        nonlocal steps
        losses = []
        for step in range(steps + 1, steps + n + 1):
            root = (1 - 0.999**step) ** 0.5
            size[()] = rate * root / (1 - 0.9**step)
            eps[()] = 1e-8 * root
            dot(x, w1t, z1)
            add(z1, b1, z1)
            maximum(z1, zeros, out=a1)
            dot(a1, w2t, a2)
            add(a2, b2, a2)
            subtract(a2, t, d2)
            dot(d2_flat, d2_flat, total)
            multiply(total, share, loss)
            losses.append(float(loss))
            multiply(d2, twice, d2)
            dot(d2t, a1, gw2)
            dot(ones, d2, gb2)
            greater(z1, zero, s1)
            dot(d2, w2, d1)
            multiply(d1, s1, d1)
            dot(d1t, x, gw1)
            dot(ones, d1, gb1)
            multiply(g, rest1, s)
            multiply(m, beta1, m)
            add(m, s, m)
            multiply(g, g, s)
            multiply(s, rest2, s)
            multiply(v, beta2, v)
            add(v, s, v)
            sqrt(v, s)
            add(s, eps, s)
            divide(m, s, s)
            multiply(s, size, s)
            subtract(w, s, w)
        steps += n
        return losses

    return train
