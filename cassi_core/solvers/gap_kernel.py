"""Compiled rows of the fused CPU solver: one streaming pass over the cube per GAP iteration.

A row of the cube is projected, compared with the measurement, back-projected and blurred while it lies in the first-level
cache; the vertical blur follows `k` rows behind in a ring buffer, and residual rows wait in a second ring while bands that
are shifted down still need them. Cubes are kept as ``x[row, band, col]``. Formulas: :mod:`cassi_core.solvers.protocol`.

All functions release the interpreter lock; the caller runs one candidate per thread. Canvases are padded by the caller so
that every band lies inside them along the columns.
"""

from __future__ import annotations

import numba as nb
import numpy as np

jit = nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")


@jit
def _add_row(source, mask, whole, fraction, share, out):  # type: ignore[no-untyped-def]
    """Add ``share`` times one coded row of a band to a canvas row, split between two columns."""
    width = source.shape[0]
    first = share * (np.float32(1.0) - fraction)
    for w in range(width):
        out[whole + w] += first * (mask[w] * source[w])
    if fraction != 0:
        second = share * fraction
        for w in range(width):
            out[whole + w + 1] += second * (mask[w] * source[w])


@jit
def project_row(x, masks, cols, col_fractions, rows, row_fractions, h, out):  # type: ignore[no-untyped-def]
    """Row ``h`` of ``A x``."""
    height, bands = x.shape[0], x.shape[1]
    out[:] = 0
    for band in range(bands):
        mask = masks[band if masks.shape[0] > 1 else 0]
        down = row_fractions[band]
        source = h - rows[band]
        if 0 <= source < height:
            share = np.float32(1.0) - down
            _add_row(x[source, band], mask[source], cols[band], col_fractions[band], share, out)
        if down != 0 and 0 <= source - 1 < height:
            _add_row(x[source - 1, band], mask[source - 1], cols[band], col_fractions[band], down, out)


@jit
def inverse_normaliser(masks, height, bands, cols, col_fractions, rows, row_fractions, floor, out):  # type: ignore[no-untyped-def]
    """``1 / max(phi, floor)`` with ``phi = sum_l shift_l(M_l^2)`` on the canvas."""
    for h in range(height):
        out[h, :] = 0
        for band in range(bands):
            mask = masks[band if masks.shape[0] > 1 else 0]
            down = row_fractions[band]
            source = h - rows[band]
            if 0 <= source < height:
                share = np.float32(1.0) - down
                _add_row(mask[source], mask[source], cols[band], col_fractions[band], share, out[h])
            if down != 0 and 0 <= source - 1 < height:
                _add_row(mask[source - 1], mask[source - 1], cols[band], col_fractions[band], down, out[h])
        for w in range(out.shape[1]):
            out[h, w] = np.float32(1.0) / max(out[h, w], floor)


@jit
def _gather(residual, whole, fraction, share, mask, out):  # type: ignore[no-untyped-def]
    """Add ``share * M . shift^T(residual)`` of one canvas row to ``out``."""
    width = out.shape[0]
    first, second = share * (np.float32(1.0) - fraction), share * fraction
    if fraction == 0:
        for w in range(width):
            out[w] += mask[w] * (first * residual[whole + w])
    else:
        for w in range(width):
            out[w] += mask[w] * (first * residual[whole + w] + second * residual[whole + w + 1])


@jit
def _blur_columns(line, taps, out):  # type: ignore[no-untyped-def]
    """Blur a line that carries ``k`` repeated edge pixels on either side; up to three taps a side in one pass."""
    k = taps.shape[0] - 1
    width = out.shape[0]
    t0 = taps[0]
    if k == 0:
        for w in range(width):
            out[w] = t0 * line[w]
    elif k == 1:
        t1 = taps[1]
        for w in range(width):
            out[w] = t0 * line[w + 1] + t1 * (line[w] + line[w + 2])
    elif k == 2:
        t1, t2 = taps[1], taps[2]
        for w in range(width):
            out[w] = t0 * line[w + 2] + t1 * (line[w + 1] + line[w + 3]) + t2 * (line[w] + line[w + 4])
    else:
        for w in range(width):
            out[w] = t0 * line[k + w]
        for j in range(1, k, 2):
            t1, t2 = taps[j], taps[j + 1]
            for w in range(width):
                inner = line[k + w - j] + line[k + w + j]
                out[w] += t1 * inner + t2 * (line[k + w - j - 1] + line[k + w + j + 1])
        if k % 2 == 1:
            tap = taps[k]
            for w in range(width):
                out[w] += tap * (line[w] + line[w + 2 * k])


@jit
def _add_pairs(below, above, tap, below2, above2, tap2, out):  # type: ignore[no-untyped-def]
    """``out += tap (below + above) + tap2 (below2 + above2)``: two pairs of lines in one pass."""
    for w in range(out.shape[0]):
        out[w] += tap * (below[w] + above[w]) + tap2 * (below2[w] + above2[w])


@jit
def _start_pairs(centre, tap0, below, above, tap, out):  # type: ignore[no-untyped-def]
    """``out = tap0 centre + tap (below + above)``."""
    for w in range(out.shape[0]):
        out[w] = tap0 * centre[w] + tap * (below[w] + above[w])


@jit
def _blur_bands(row, taps, scratch):  # type: ignore[no-untyped-def]
    """Blur ``row[band, col]`` along the bands in place, edges repeated."""
    k = taps.shape[0] - 1
    bands = row.shape[0]
    last = bands - 1
    for band in range(bands):
        out = scratch[band]
        _start_pairs(row[band], taps[0], row[max(band - 1, 0)], row[min(band + 1, last)], taps[1], out)
        for j in range(2, k + 1, 2):
            n = j + 1 if j + 1 <= k else j
            second = taps[n] if n > j else np.float32(0.0)
            below, above = row[max(band - j, 0)], row[min(band + j, last)]
            _add_pairs(below, above, taps[j], row[max(band - n, 0)], row[min(band + n, last)], second, out)
    row[:, :] = scratch


@jit
def _blur_rows(ring, taps, row, last, out):  # type: ignore[no-untyped-def]
    """Write row ``row`` of the vertically blurred cube from the ring of horizontally blurred rows."""
    k = taps.shape[0] - 1
    size = 2 * k + 1
    bands = out.shape[0]
    if k == 0:
        out[:, :] = ring[0]
        return
    centre, above, below = ring[row % size], ring[max(row - 1, 0) % size], ring[min(row + 1, last) % size]
    for band in range(bands):
        _start_pairs(centre[band], taps[0], above[band], below[band], taps[1], out[band])
    for j in range(2, k + 1, 2):
        n = j + 1 if j + 1 <= k else j
        second = taps[n] if n > j else np.float32(0.0)
        above, below = ring[max(row - j, 0) % size], ring[min(row + j, last) % size]
        above2, below2 = ring[max(row - n, 0) % size], ring[min(row + n, last) % size]
        for band in range(bands):
            _add_pairs(above[band], below[band], taps[j], above2[band], below2[band], second, out[band])


@jit
def start_cube(y, weight, inverse, masks, cols, col_fractions, rows, row_fractions, x):  # type: ignore[no-untyped-def]
    """``x_0 = A^T (w . y / phi)``."""
    height, bands = x.shape[0], x.shape[1]
    line = np.empty(y.shape[1], np.float32)
    x[:] = 0
    for h in range(height):
        for w in range(y.shape[1]):
            line[w] = weight[h, w] * y[h, w] * inverse[h, w]
        for band in range(bands):
            mask = masks[band if masks.shape[0] > 1 else 0]
            down = row_fractions[band]
            source = h - rows[band]
            if 0 <= source < height:
                share = np.float32(1.0) - down
                _gather(line, cols[band], col_fractions[band], share, mask[source], x[source, band])
            if down != 0 and 0 <= source - 1 < height:
                _gather(line, cols[band], col_fractions[band], down, mask[source - 1], x[source - 1, band])


@jit
def _scaled_residual(y, y1, weight, inverse, accelerated, h, line, out):  # type: ignore[no-untyped-def]
    """The residual row that is back-projected; `line` holds ``A x``. Updates the accumulator in the accelerated form."""
    for w in range(out.shape[0]):
        r = weight[h, w] * (y[h, w] - line[w])
        if accelerated:
            y1[h, w] += r
            r = y1[h, w] - weight[h, w] * line[w]
        out[w] = r * inverse[h, w]


@jit
def gap_step(  # type: ignore[no-untyped-def]
    y, y1, weight, inverse, masks, cols, col_fractions, rows, row_fractions, taps, band_taps, accelerated, x
):
    """One GAP iteration with the Gaussian denoiser, in place on ``x``; one tap ``[1]`` means no blur."""
    height, bands, width = x.shape
    k = taps.shape[0] - 1
    size = 2 * k + 1
    lowest, highest = 0, 0
    for band in range(bands):
        reach = rows[band] + (1 if row_fractions[band] != 0 else 0)
        lowest, highest = min(lowest, rows[band]), max(highest, reach)
    waiting = highest - lowest + 1
    residuals = np.zeros((waiting, y.shape[1]), np.float32)
    ring = np.empty((size, bands, width), np.float32)
    scratch = np.empty((bands, width), np.float32)
    projected = np.empty(y.shape[1], np.float32)
    padded = np.empty(width + 2 * k, np.float32)
    for h in range(lowest, highest):
        if 0 <= h < height:
            project_row(x, masks, cols, col_fractions, rows, row_fractions, h, projected)
            _scaled_residual(y, y1, weight, inverse, accelerated, h, projected, residuals[h % waiting])
    for h in range(height + k):
        if h < height:
            new = h + highest
            if new < height:
                project_row(x, masks, cols, col_fractions, rows, row_fractions, new, projected)
                _scaled_residual(y, y1, weight, inverse, accelerated, new, projected, residuals[new % waiting])
            slot = ring[h % size]
            for band in range(bands):
                mask = masks[band if masks.shape[0] > 1 else 0]
                line = padded[k : k + width]
                line[:] = x[h, band]
                down = row_fractions[band]
                at = h + rows[band]
                if 0 <= at < height:
                    share = np.float32(1.0) - down
                    _gather(residuals[at % waiting], cols[band], col_fractions[band], share, mask[h], line)
                if down != 0 and 0 <= at + 1 < height:
                    _gather(residuals[(at + 1) % waiting], cols[band], col_fractions[band], down, mask[h], line)
                for j in range(k):
                    padded[j] = padded[k]
                    padded[k + width + j] = padded[k + width - 1]
                _blur_columns(padded, taps, slot[band])
            if band_taps.shape[0] > 1:
                _blur_bands(slot, band_taps, scratch)
        done = h - k
        if done >= 0:
            _blur_rows(ring, taps, done, height - 1, x[done])


@jit
def residual_image(y, masks, cols, col_fractions, rows, row_fractions, x, out):  # type: ignore[no-untyped-def]
    """``y - A x`` for every canvas row."""
    line = np.empty(y.shape[1], np.float32)
    for h in range(y.shape[0]):
        project_row(x, masks, cols, col_fractions, rows, row_fractions, h, line)
        for w in range(y.shape[1]):
            out[h, w] = y[h, w] - line[w]


@jit
def chambolle_band(x, band, strength, tau, n_iter, pr, pc, g):  # type: ignore[no-untyped-def]
    """Total-variation denoising of one band in place by Chambolle's dual iteration (Chambolle 2004, section 3).

    ``p <- (p + tau grad(div p - f/s)) / (1 + tau |grad(div p - f/s)|)``, result ``f - s div p``; `pr`, `pc`, `g` are buffers.
    """
    height, width = x.shape[0], x.shape[2]
    pr[:] = 0
    pc[:] = 0
    inverse = np.float32(1.0) / strength
    for _ in range(n_iter):
        _divergence(pr, pc, g)
        for h in range(height):
            for w in range(width):
                g[h, w] -= x[h, band, w] * inverse
        for h in range(height):
            for w in range(width):
                dr = g[h + 1, w] - g[h, w] if h + 1 < height else np.float32(0.0)
                dc = g[h, w + 1] - g[h, w] if w + 1 < width else np.float32(0.0)
                norm = np.float32(1.0) / (np.float32(1.0) + tau * np.sqrt(dr * dr + dc * dc))
                pr[h, w] = (pr[h, w] + tau * dr) * norm
                pc[h, w] = (pc[h, w] + tau * dc) * norm
    _divergence(pr, pc, g)
    for h in range(height):
        for w in range(width):
            x[h, band, w] -= strength * g[h, w]


@jit
def _divergence(pr, pc, out):  # type: ignore[no-untyped-def]
    """Negative adjoint of the forward differences with zero at the last row and column."""
    height, width = out.shape
    for h in range(height):
        for w in range(width):
            value = np.float32(0.0)
            if h + 1 < height:
                value += pr[h, w]
            if h > 0:
                value -= pr[h - 1, w]
            if w + 1 < width:
                value += pc[h, w]
            if w > 0:
                value -= pc[h, w - 1]
            out[h, w] = value
