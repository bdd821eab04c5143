"""Networks of layers as an expert writes them by hand in NumPy: straight-line code, buffers made
once, few and large products, the batch innermost where images are moved.

Each function gives `train(n)`, which makes n steps and returns the loss before each. `w` holds the
parameters by name, and is trained in place.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.benchmark.handwritten import Array, Train, flat

RATE = 0.05
BLOCK = 8192  # entries that stay in the cache while Adam makes its passes over them


def cross_entropy(rows: int, classes: int, targets: Array) -> Callable[[Array], float]:
    """Turns logits into their gradient in place; gives the loss."""
    every, top, total = np.arange(rows), np.empty((rows, 1)), np.empty((rows, 1))
    shares, picked = np.empty((rows, classes)), np.empty(rows)

    def step(z: Array) -> float:
        np.maximum.reduce(z, axis=1, keepdims=True, out=top)
        np.subtract(z, top, z)
        np.exp(z, shares)
        np.add.reduce(shares, axis=1, keepdims=True, out=total)
        picked[:] = z[every, targets]
        loss = float((np.log(total).sum() - picked.sum()) / rows)
        np.divide(shares, total, z)
        z[every, targets] -= 1.0
        np.multiply(z, 1.0 / rows, z)
        return loss

    return step


def mlp(x: Array, t: Array, w: dict[str, Array], adam: float = 0.0) -> Train:
    """784-256-128-10, ReLU, cross-entropy; gradient descent, or Adam with that rate."""
    n, values = len(x), list(w.values())
    shapes = [value.shape for value in values]
    p, (w1, b1, w2, b2, w3, b3) = flat(shapes, values)
    g, (gw1, gb1, gw2, gb2, gw3, gb3) = flat(shapes)
    a1, a2, z = (np.empty((n, len(b))) for b in (b1, b2, b3))
    d1, d2 = np.empty_like(a1), np.empty_like(a2)
    mask1, mask2 = np.empty(a1.shape, bool), np.empty(a2.shape, bool)
    s, m, v = np.empty(BLOCK), np.zeros_like(p), np.zeros_like(p)
    ones, entropy, zero, rate = np.ones(n), cross_entropy(n, len(b3), t), np.array(0.0), RATE
    blocks = [slice(i, i + BLOCK) for i in range(0, p.size, BLOCK)]
    parts = [(p[i], g[i], m[i], v[i], s[: p[i].size]) for i in blocks]
    beta1, beta2, rest1, rest2 = (np.array(x) for x in (0.9, 0.999, 1 - 0.9, 1 - 0.999))
    dot, add, multiply, subtract, sqrt = np.dot, np.add, np.multiply, np.subtract, np.sqrt
    steps = 0

    def descend() -> None:
        for w, g, _, _, s in parts:
            multiply(g, rate, s)
            subtract(w, s, w)

    def follow() -> None:
        root = (1 - 0.999**steps) ** 0.5
        size, eps = np.array(adam * root / (1 - 0.9**steps)), np.array(1e-8 * root)
        for w, g, m, v, s in parts:
            multiply(g, rest1, s)
            multiply(m, beta1, m)
            add(m, s, m)
            multiply(g, g, s)
            multiply(s, rest2, s)
            multiply(v, beta2, v)
            add(v, s, v)
            sqrt(v, s)
            add(s, eps, s)
            np.divide(m, s, s)
            multiply(s, size, s)
            subtract(w, s, w)

    def train(count: int) -> list[float]:
        nonlocal steps
        losses = []
        for _ in range(count):
            steps += 1
            dot(x, w1.T, a1)
            add(a1, b1, a1)
            np.maximum(a1, zero, out=a1)
            dot(a1, w2.T, a2)
            add(a2, b2, a2)
            np.maximum(a2, zero, out=a2)
            dot(a2, w3.T, z)
            add(z, b3, z)
            losses.append(entropy(z))
            dot(z.T, a2, gw3)
            dot(ones, z, gb3)
            dot(z, w3, d2)
            np.greater(a2, zero, mask2)
            multiply(d2, mask2, d2)
            dot(d2.T, a1, gw2)
            dot(ones, d2, gb2)
            dot(d2, w2, d1)
            np.greater(a1, zero, mask1)
            multiply(d1, mask1, d1)
            dot(d1.T, x, gw1)
            dot(ones, d1, gb1)
            (follow if adam else descend)()
        return losses

    return train


def cnn(x: Array, t: Array, w: dict[str, Array]) -> Train:
    """Batch-last: every array is (channels, height, width, batch)."""
    n = len(x)
    k1, b1, k2, b2 = (w[f"{i}.{p}"] for i in (0, 3) for p in ("weight", "bias"))
    w3, b3 = w["7.weight"], w["7.bias"]
    grads = [np.empty_like(p) for p in (k1, b1, k2, b2, w3, b3)]
    gk1, gb1, gk2, gb2, gw3, gb3 = grads
    pad1, pad2 = np.zeros((1, 30, 30, n)), np.zeros((8, 16, 16, n))
    cols1, cols2 = np.empty((9, 28 * 28 * n)), np.empty((72, 14 * 14 * n))
    view = np.lib.stride_tricks.sliding_window_view
    win1 = view(pad1, (3, 3), axis=(1, 2)).transpose(0, 4, 5, 1, 2, 3)
    win2 = view(pad2, (3, 3), axis=(1, 2)).transpose(0, 4, 5, 1, 2, 3)
    a1, a2 = np.empty((8, 28, 28, n)), np.empty((16, 14, 14, n))
    p1, p2 = pad2[:, 1:15, 1:15], np.empty((16, 7, 7, n))
    d1, d2, dp1, dp2 = (np.empty(a.shape) for a in (a1, a2, p1, p2))
    dcols2, f, z = np.empty_like(cols2), np.empty((n, 784)), np.empty((n, 10))
    ones1, ones2, ones = np.ones(28 * 28 * n), np.ones(14 * 14 * n), np.ones(n)
    masks = [np.empty(p.shape, bool) for p in (p1, p2)]
    rests, halves = [np.empty(p.shape) for p in (p1, p2)], [np.empty(p.shape) for p in (p1, p2)]
    big = [np.empty(a.shape, bool) for a in (a1, a2)]
    entropy, zero = cross_entropy(n, 10, t), np.array(0.0)
    lasts = np.ascontiguousarray(np.moveaxis(x, 0, -1))

    def taps(a: Array) -> list[Array]:
        return [a[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]

    def pool(a: Array, out: Array, half: Array) -> None:
        q = taps(a)
        np.maximum(q[0], q[1], out=half)
        np.maximum(q[2], q[3], out=out)
        np.maximum(out, half, out=out)

    def unpool(a: Array, p: Array, g: Array, d: Array, mask: Array, rest: Array) -> None:
        before = g
        for q, into in zip(taps(a)[:3], taps(d)[:3], strict=True):
            np.equal(q, p, mask)
            np.multiply(before, mask, into)
            np.subtract(before, into, rest)
            before = rest
        np.copyto(taps(d)[3], before)

    def train(count: int) -> list[float]:
        losses = []
        for _ in range(count):
            np.copyto(pad1[:, 1:29, 1:29], lasts)
            np.copyto(cols1.reshape(win1.shape), win1)
            y = a1.reshape(8, -1)
            np.dot(k1.reshape(8, 9), cols1, y)
            np.add(y, b1[:, None], y)
            np.maximum(a1, zero, out=a1)
            pool(a1, p1, halves[0])
            np.copyto(cols2.reshape(win2.shape), win2)
            y = a2.reshape(16, -1)
            np.dot(k2.reshape(16, 72), cols2, y)
            np.add(y, b2[:, None], y)
            np.maximum(a2, zero, out=a2)
            pool(a2, p2, halves[1])
            flat = p2.reshape(784, n)
            np.dot(flat.T, w3.T, z)
            np.add(z, b3, z)
            losses.append(entropy(z))
            np.dot(z.T, flat.T, gw3)
            np.dot(ones, z, gb3)
            np.dot(z, w3, f)
            np.copyto(dp2.reshape(784, n), f.T)
            unpool(a2, p2, dp2, d2, masks[1], rests[1])
            np.greater(a2, zero, big[1])
            np.multiply(d2, big[1], d2)
            g = d2.reshape(16, -1)
            np.dot(g, cols2.T, gk2.reshape(16, 72))
            np.dot(g, ones2, gb2)
            np.dot(k2.reshape(16, 72).T, g, dcols2)
            parts = dcols2.reshape(8, 3, 3, 14, 14, n)
            np.copyto(dp1, parts[:, 1, 1])
            for i in range(3):
                for j in range(3):
                    if (i, j) != (1, 1):
                        r, c = (
                            slice(max(0, i - 1), 14 + min(0, i - 1)),
                            slice(max(0, j - 1), 14 + min(0, j - 1)),
                        )
                        u, v = (
                            slice(max(0, 1 - i), 14 + min(0, 1 - i)),
                            slice(max(0, 1 - j), 14 + min(0, 1 - j)),
                        )
                        np.add(dp1[:, r, c], parts[:, i, j, u, v], dp1[:, r, c])
            unpool(a1, p1, dp1, d1, masks[0], rests[0])
            np.greater(a1, zero, big[0])
            np.multiply(d1, big[0], d1)
            g = d1.reshape(8, -1)
            np.dot(g, cols1.T, gk1.reshape(8, 9))
            np.dot(g, ones1, gb1)
            for p, grad in zip((k1, b1, k2, b2, w3, b3), grads, strict=True):
                np.multiply(grad, RATE, grad)
                np.subtract(p, grad, p)
        return losses

    return train


def rnn(x: Array, t: Array, w: dict[str, Array]) -> Train:
    """The products with the inputs of all steps are one; so are the weights' gradients."""
    n, steps, width = x.shape
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    wi, wh, bi, bh = (w[f"0.{name}"] for name in names)
    wo, bo = w["1.weight"], w["1.bias"]
    size = len(wh)
    rows = np.ascontiguousarray(x.swapaxes(0, 1)).reshape(-1, width)
    h = np.zeros((steps + 1, n, size))
    u, d = np.empty((steps * n, size)), np.empty((steps, n, size))
    flat, before, later = d.reshape(-1, size), h[:-1].reshape(-1, size), h[1:]
    each, s, dh, z = (
        u.reshape(steps, n, size),
        np.empty((n, size)),
        np.empty((n, size)),
        np.empty((n, 1)),
    )
    gi, gh, gb, go, gbo = (np.empty_like(p) for p in (wi, wh, bi, wo, bo))
    ones, many, one, both = np.ones(n), np.ones(steps * n), np.array(1.0), np.empty(size)
    dot, add, multiply, subtract, tanh = np.dot, np.add, np.multiply, np.subtract, np.tanh

    def train(count: int) -> list[float]:
        losses = []
        for _ in range(count):
            dot(rows, wi.T, u)
            add(bi, bh, both)
            add(u, both, u)
            for i in range(steps):
                dot(h[i], wh.T, s)
                add(s, each[i], s)
                tanh(s, later[i])
            dot(h[-1], wo.T, z)
            add(z, bo, z)
            subtract(z, t, z)
            losses.append(float(np.dot(z[:, 0], z[:, 0])) / n)
            multiply(z, 2.0 / n, z)
            dot(z.T, h[-1], go)
            dot(ones, z, gbo)
            dot(z, wo, dh)
            for i in range(steps - 1, -1, -1):
                multiply(later[i], later[i], s)
                subtract(one, s, s)
                multiply(dh, s, d[i])
                dot(d[i], wh, dh)
            dot(flat.T, rows, gi)
            dot(flat.T, before, gh)
            dot(many, flat, gb)
            for p, grad in ((wi, gi), (wh, gh), (bi, gb), (bh, gb), (wo, go), (bo, gbo)):
                subtract(p, grad * RATE, p)
        return losses

    return train


def attention(x: Array, t: Array, w: dict[str, Array]) -> Train:
    """One head, then a ReLU layer and classes, all for every step."""
    n, steps, width = x.shape
    win, bin_, wo, bo = (
        w[f"0.{k}"] for k in ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
    )
    w1, b1, w2, b2 = w["1.weight"], w["1.bias"], w["3.weight"], w["3.bias"]
    parameters = (win, bin_, wo, bo, w1, b1, w2, b2)
    grads = [np.empty_like(p) for p in parameters]
    gwin, gbin, gwo, gbo, gw1, gb1, gw2, gb2 = grads
    rows, many = x.reshape(-1, width), n * steps
    qkv, dqkv = np.empty((many, 3 * width)), np.empty((many, 3 * width))
    q, k, v = (qkv.reshape(n, steps, 3, width)[:, :, i] for i in range(3))
    dq, dk, dv = (dqkv.reshape(n, steps, 3, width)[:, :, i] for i in range(3))
    s, ds = np.empty((n, steps, steps)), np.empty((n, steps, steps))
    top = np.empty((n, steps, 1))
    c, dc = np.empty((n, steps, width)), np.empty((n, steps, width))
    o, do = np.empty((many, width)), np.empty((many, width))
    a, da, z = np.empty((many, len(w1))), np.empty((many, len(w1))), np.empty((many, len(w2)))
    mask, ones, root = np.empty(a.shape, bool), np.ones(many), np.array(width**-0.5)
    entropy, zero = cross_entropy(many, len(w2), t.reshape(-1)), np.array(0.0)
    dot, add, multiply, matmul = np.dot, np.add, np.multiply, np.matmul

    def train(count: int) -> list[float]:
        losses = []
        for _ in range(count):
            dot(rows, win.T, qkv)
            add(qkv, bin_, qkv)
            matmul(q, k.swapaxes(1, 2), s)
            multiply(s, root, s)
            np.maximum.reduce(s, axis=2, keepdims=True, out=top)
            np.subtract(s, top, s)
            np.exp(s, s)
            np.add.reduce(s, axis=2, keepdims=True, out=top)
            np.divide(s, top, s)
            matmul(s, v, c)
            dot(c.reshape(many, width), wo.T, o)
            add(o, bo, o)
            dot(o, w1.T, a)
            add(a, b1, a)
            np.maximum(a, zero, out=a)
            dot(a, w2.T, z)
            add(z, b2, z)
            losses.append(entropy(z))
            dot(z.T, a, gw2)
            dot(ones, z, gb2)
            dot(z, w2, da)
            np.greater(a, zero, mask)
            multiply(da, mask, da)
            dot(da.T, o, gw1)
            dot(ones, da, gb1)
            dot(da, w1, do)
            dot(do.T, c.reshape(many, width), gwo)
            dot(ones, do, gbo)
            dot(do, wo, dc.reshape(many, width))
            matmul(s.swapaxes(1, 2), dc, dv)
            matmul(dc, v.swapaxes(1, 2), ds)
            multiply(ds, s, ds)
            np.add.reduce(ds, axis=2, keepdims=True, out=top)
            multiply(s, top, s)
            np.subtract(ds, s, ds)
            multiply(ds, root, ds)
            matmul(ds, k, dq)
            matmul(ds.swapaxes(1, 2), q, dk)
            dot(dqkv.T, rows, gwin)
            dot(ones, dqkv, gbin)
            for p, grad in zip(parameters, grads, strict=True):
                multiply(grad, RATE, grad)
                np.subtract(p, grad, p)
        return losses

    return train
