"""Compiled rows of the fused CPU solver: one streaming pass over the cube per GAP iteration.

A row of the cube is projected, compared with the measurement, back-projected and blurred while it lies in the first-level
cache; the vertical blur follows `k` rows behind in a ring buffer, and residual rows wait in a second ring while bands that
are shifted down still need them. Cubes are kept as ``x[row, band, col]``. Formulas: :mod:`cassi_core.solvers.protocol`.

All functions release the interpreter lock; the caller runs one candidate, or a strip of its rows, per thread. Canvases are padded by the caller so
that every band lies inside them along the columns.
"""

from __future__ import annotations

import numba as nb
import numpy as np

jit = nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")

inlined = nb.njit(nogil=True, fastmath=True, error_model="numpy", forceinline=True)
_unsigned = np.uint64
FEW = 6
"""Taps a side up to which a line is blurred by formulas of its own."""
TILE = 64
"""Columns whose spectra are smoothed together: all bands of them lie in the first-level cache."""

# Rows are addressed inside whole arrays, never as slices: a slice costs a reference count, more than the row's arithmetic. The
# guards ``>= 0`` on offsets hold always; they tell the compiler that no index counts from the end, so that it vectorises the loop.


@inlined
def _add_row(source, masks, which, h, band, share, fraction, whole, out, at):  # type: ignore[no-untyped-def]
    """Add ``share * M . source[h, band]`` to canvas row ``out[at]``, split between the columns at `whole` and the next."""
    width = source.shape[2]
    first, second = share * (np.float32(1.0) - fraction), share * fraction
    if whole >= 0:
        for w in range(width):
            out[at, whole + w] += first * (masks[which, h, w] * source[h, band, w])
        if fraction != 0:
            for w in range(width):
                out[at, whole + 1 + w] += second * (masks[which, h, w] * source[h, band, w])


@jit
def project_row(x, masks, cols, col_fractions, rows, row_fractions, h, out, at):  # type: ignore[no-untyped-def]
    """Row ``h`` of ``A x`` into ``out[at]``."""
    height, bands = x.shape[0], x.shape[1]
    out[at, :] = 0
    for band in range(bands):
        which = band if masks.shape[0] > 1 else 0
        down = row_fractions[band]
        source = h - rows[band]
        if 0 <= source < height:
            share = np.float32(1.0) - down
            _add_row(x, masks, which, source, band, share, col_fractions[band], cols[band], out, at)
        if down != 0 and 0 <= source - 1 < height:
            _add_row(x, masks, which, source - 1, band, down, col_fractions[band], cols[band], out, at)


@jit
def _add_squares(masks, which, h, share, fraction, whole, out, at):  # type: ignore[no-untyped-def]
    """Add ``share * M^2`` of a mask row to canvas row ``out[at]``, split as in :func:`_add_row`."""
    first, second = share * (np.float32(1.0) - fraction), share * fraction
    if whole >= 0:
        for w in range(masks.shape[2]):
            out[at, whole + w] += first * (masks[which, h, w] * masks[which, h, w])
        if fraction != 0:
            for w in range(masks.shape[2]):
                out[at, whole + 1 + w] += second * (masks[which, h, w] * masks[which, h, w])


@jit
def inverse_normaliser(masks, height, bands, cols, col_fractions, rows, row_fractions, floor, out):  # type: ignore[no-untyped-def]
    """``1 / max(phi, floor)`` with ``phi = sum_l shift_l(M_l^2)`` on the canvas."""
    for h in range(height):
        out[h, :] = 0
        for band in range(bands):
            which = band if masks.shape[0] > 1 else 0
            down = row_fractions[band]
            source = h - rows[band]
            if 0 <= source < height:
                _add_squares(masks, which, source, np.float32(1.0) - down, col_fractions[band], cols[band], out, h)
            if down != 0 and 0 <= source - 1 < height:
                _add_squares(masks, which, source - 1, down, col_fractions[band], cols[band], out, h)
        for w in range(out.shape[1]):
            out[h, w] = np.float32(1.0) / max(out[h, w], floor)


@inlined
def _back_project(x, h, band, residuals, at, whole, fraction, share, masks, which, out, start):  # type: ignore[no-untyped-def]
    """``out[start:] = x[h, band] + share * M . shift^T(residuals[at])``."""
    width = x.shape[2]
    first, second = share * (np.float32(1.0) - fraction), share * fraction
    if whole >= 0 and start >= 0:
        if fraction == 0:
            for w in range(width):
                out[start + w] = x[h, band, w] + masks[which, h, w] * (first * residuals[at, whole + w])
        else:
            for w in range(width):
                light = first * residuals[at, whole + w] + second * residuals[at, whole + 1 + w]
                out[start + w] = x[h, band, w] + masks[which, h, w] * light


@inlined
def _back_project_more(residuals, at, whole, fraction, share, masks, which, h, out, start):  # type: ignore[no-untyped-def]
    """``out[start:] += share * M . shift^T(residuals[at])``: the share of a band that falls on the row below."""
    width = masks.shape[2]
    first, second = share * (np.float32(1.0) - fraction), share * fraction
    if whole >= 0 and start >= 0:
        for w in range(width):
            light = first * residuals[at, whole + w] + (
                second * residuals[at, whole + 1 + w] if second != 0 else np.float32(0.0)
            )
            out[start + w] += masks[which, h, w] * light


@inlined
def _blur_widely(line, taps, out):  # type: ignore[no-untyped-def]
    """Blur a line as :func:`_blur_columns` does, four pairs of taps at a time.

    Here a slice is worth its price: without one the compiler does not see that the lines are apart, and does not vectorise.
    """
    k, width = taps.shape[0] - 1, out.shape[0]
    centre, t0 = line[k : k + width], taps[0]
    for w in range(width):
        out[w] = t0 * centre[w]
    j = 1
    while j + 3 <= k:
        t1, t2, t3, t4 = taps[j], taps[j + 1], taps[j + 2], taps[j + 3]
        left, right = line[k - j - 3 :], line[k + j :]
        for w in range(width):
            inner = t1 * (left[w + 3] + right[w]) + t2 * (left[w + 2] + right[w + 1])
            out[w] += inner + t3 * (left[w + 1] + right[w + 2]) + t4 * (left[w] + right[w + 3])
        j += 4
    while j <= k:
        t1, left, right = taps[j], line[k - j :], line[k + j :]
        for w in range(width):
            out[w] += t1 * (left[w] + right[w])
        j += 1


@inlined
def _blur_columns(line, taps, out, slot, band):  # type: ignore[no-untyped-def]
    """Blur a line that carries ``k`` repeated edge pixels on either side into ``out[slot, band]``."""
    k = taps.shape[0] - 1
    width = out.shape[2]
    t0 = taps[0]
    if k == 0:
        for w in range(width):
            out[slot, band, w] = t0 * line[w]
        return
    t1 = taps[1]
    if k == 1:
        for w in range(width):
            out[slot, band, w] = t0 * line[w + 1] + t1 * (line[w] + line[w + 2])
        return
    t2 = taps[2]
    if k == 2:
        for w in range(width):
            out[slot, band, w] = t0 * line[w + 2] + t1 * (line[w + 1] + line[w + 3]) + t2 * (line[w] + line[w + 4])
        return
    t3 = taps[3]
    if k == 3:
        for w in range(width):
            inner = t0 * line[w + 3] + t1 * (line[w + 2] + line[w + 4])
            out[slot, band, w] = inner + t2 * (line[w + 1] + line[w + 5]) + t3 * (line[w] + line[w + 6])
        return
    if k > FEW:
        _blur_widely(line, taps, out[slot, band])
        return
    t4 = taps[4]
    t5 = taps[5] if k > 4 else np.float32(0.0)
    t6 = taps[6] if k > 5 else np.float32(0.0)
    # Unsigned, because these offsets are not known when this is compiled: see the note on indices above. Where there are fewer than
    # six taps a side the missing ones read the centre with weight zero.
    c = _unsigned(k)
    d5, d6 = _unsigned(5 if k > 4 else 0), _unsigned(6 if k > 5 else 0)
    one, two, three, four = _unsigned(1), _unsigned(2), _unsigned(3), _unsigned(4)
    for w in range(_unsigned(width)):
        at = c + w
        inner = t0 * line[at] + t1 * (line[at - one] + line[at + one]) + t2 * (line[at - two] + line[at + two])
        middle = t3 * (line[at - three] + line[at + three]) + t4 * (line[at - four] + line[at + four])
        out[slot, band, w] = inner + middle + t5 * (line[at - d5] + line[at + d5]) + t6 * (line[at - d6] + line[at + d6])


@inlined
def _smooth_bands(lines, factors, width, tile, out, slot):  # type: ignore[no-untyped-def]
    """``out[slot] = S x`` for a row of all bands ``x = lines[:bands * width]``, by substitutions with ``S^-1 = L D L^T``.

    `factors` are ``1 / D`` and the two diagonals of ``L`` below the main one, ``(3, bands)``. Works in tiles of columns: a band follows
    the one before at a distance known to the compiler, without which it does not vectorise; `tile` holds ``bands + 4`` lines, the two on
    either side zero, and `lines` goes on for a tile's width. Unsigned, see the note on indices above.
    """
    bands, count, none = factors.shape[1], _unsigned(TILE), np.float32(0.0)
    for left in range(0, width, TILE):
        for band in range(bands):
            source, to = _unsigned(band * width + left), _unsigned((band + 2) * TILE)
            first, second = factors[1, band], factors[2, band]
            for w in range(count):
                at = to + w
                tile[at] = lines[source + w] - first * tile[at - count] - second * tile[at - count - count]
        for band in range(bands - 1, -1, -1):
            to, scale = _unsigned((band + 2) * TILE), factors[0, band]
            first = factors[1, band + 1] if band + 1 < bands else none
            second = factors[2, band + 2] if band + 2 < bands else none
            for w in range(count):
                at = to + w
                tile[at] = scale * tile[at] - first * tile[at + count] - second * tile[at + count + count]
        inside = _unsigned(min(TILE, width - left))
        for band in range(bands):
            source, to = _unsigned((band + 2) * TILE), _unsigned(band * width + left)
            for w in range(inside):
                out[slot, to + w] = tile[source + w]


@inlined
def _find_rows(row, k, last, size, near):  # type: ignore[no-untyped-def]
    """Places of a row and its neighbours, edges repeated, in a ring of `size` rows: ``near = (row, row - 1, row + 1, row - 2, ...)``.

    Found once for all bands: the divisions take longer than blurring a line.
    """
    near[0] = row % size
    for j in range(1, k + 1):
        near[2 * j - 1] = max(row - j, 0) % size
        near[2 * j] = min(row + j, last) % size


@inlined
def _blur_rows(ring, band, taps, near, out, row):  # type: ignore[no-untyped-def]
    """``out[row, band]``: weighted sum of the lines ``ring[near, band]``, see :func:`_find_rows`."""
    k = taps.shape[0] - 1
    width = out.shape[2]
    c, t0, t1 = near[0], taps[0], taps[1]
    a1, b1 = near[1], near[2]
    if k == 1:
        for w in range(width):
            out[row, band, w] = t0 * ring[c, band, w] + t1 * (ring[a1, band, w] + ring[b1, band, w])
        return
    t2 = taps[2]
    a2, b2 = near[3], near[4]
    if k == 2:
        for w in range(width):
            inner = t0 * ring[c, band, w] + t1 * (ring[a1, band, w] + ring[b1, band, w])
            out[row, band, w] = inner + t2 * (ring[a2, band, w] + ring[b2, band, w])
        return
    t3 = taps[3]
    a3, b3 = near[5], near[6]
    for w in range(width):
        inner = t0 * ring[c, band, w] + t1 * (ring[a1, band, w] + ring[b1, band, w])
        outer = t2 * (ring[a2, band, w] + ring[b2, band, w]) + t3 * (ring[a3, band, w] + ring[b3, band, w])
        out[row, band, w] = inner + outer
    # Two pairs at a time: with many arrays in a loop the compiler gives up proving that they are apart, and does not vectorise it.
    for j in range(4, k + 1, 2):
        more = j < k
        t1, t2 = taps[j], taps[j + 1] if more else np.float32(0.0)
        a1, b1 = near[2 * j - 1], near[2 * j]
        a2, b2 = near[2 * j + 1] if more else a1, near[2 * j + 2] if more else b1
        for w in range(width):
            inner = t1 * (ring[a1, band, w] + ring[b1, band, w])
            out[row, band, w] += inner + t2 * (ring[a2, band, w] + ring[b2, band, w])


@jit
def start_cube(y, weight, inverse, masks, cols, col_fractions, rows, row_fractions, x):  # type: ignore[no-untyped-def]
    """``x_0 = A^T (w . y / phi)``."""
    height, bands, width = x.shape
    line = np.empty((1, y.shape[1]), np.float32)
    x[:] = 0
    for h in range(height):
        for w in range(y.shape[1]):
            line[0, w] = weight[h, w] * y[h, w] * inverse[h, w]
        for band in range(bands):
            which = band if masks.shape[0] > 1 else 0
            whole, fraction = cols[band], col_fractions[band]
            for below in range(2):
                share = row_fractions[band] if below else np.float32(1.0) - row_fractions[band]
                source = h - rows[band] - below
                if share != 0 and 0 <= source < height and whole >= 0:
                    first, second = share * (np.float32(1.0) - fraction), share * fraction
                    for w in range(width):
                        light = first * line[0, whole + w] + second * line[0, whole + 1 + w]
                        x[source, band, w] += masks[which, source, w] * light


@jit
def _scaled_residual(y, y1, weight, inverse, accelerated, h, out, at):  # type: ignore[no-untyped-def]
    """Turn ``A x`` in ``out[at]`` into the residual row that is back-projected; updates the accumulator in the accelerated form."""
    for w in range(out.shape[1]):
        seen = out[at, w]
        r = weight[h, w] * (y[h, w] - seen)
        if accelerated:
            y1[h, w] += r
            r = y1[h, w] - weight[h, w] * seen
        out[at, w] = r * inverse[h, w]


@jit
def gap_step(  # type: ignore[no-untyped-def]
    y, y1, weight, inverse, masks, cols, col_fractions, rows, row_fractions, taps, factors, accelerated, x
):
    """One GAP iteration with a blur as its denoiser, in place on ``x``; one tap ``[1]`` means no blur, no `factors` no smoothing of spectra."""
    height, bands, width = x.shape
    k = taps.shape[0] - 1
    size = 2 * k + 1
    lowest, highest = 0, 0
    for band in range(bands):
        furthest = rows[band] + (1 if row_fractions[band] != 0 else 0)
        lowest, highest = min(lowest, rows[band]), max(highest, furthest)
    waiting = highest - lowest + 1
    residuals = np.zeros((waiting, y.shape[1]), np.float32)
    ring = np.empty((size, bands, width), np.float32)
    smooth = factors.shape[1] > 0
    rows_of_bands = ring.reshape(size, bands * width)
    lines = np.zeros(bands * width + TILE if smooth else 0, np.float32)
    spectra = lines[: bands * width if smooth else 0].reshape(-1, 1, width)
    tile = np.zeros((bands + 4) * TILE, np.float32)
    line = np.empty(width + 2 * k, np.float32)
    near = np.empty(size, np.int64)
    for h in range(lowest, highest):
        if 0 <= h < height:
            project_row(x, masks, cols, col_fractions, rows, row_fractions, h, residuals, h % waiting)
            _scaled_residual(y, y1, weight, inverse, accelerated, h, residuals, h % waiting)
    for h in range(height + k):
        if h < height:
            new = h + highest
            if new < height:
                project_row(x, masks, cols, col_fractions, rows, row_fractions, new, residuals, new % waiting)
                _scaled_residual(y, y1, weight, inverse, accelerated, new, residuals, new % waiting)
            for band in range(bands):
                which = band if masks.shape[0] > 1 else 0
                whole, fraction, down = cols[band], col_fractions[band], row_fractions[band]
                at = h + rows[band]
                if 0 <= at < height:
                    share = np.float32(1.0) - down
                    _back_project(x, h, band, residuals, at % waiting, whole, fraction, share, masks, which, line, k)
                else:
                    for w in range(width):
                        line[k + w] = x[h, band, w]
                if down != 0 and 0 <= at + 1 < height:
                    _back_project_more(residuals, (at + 1) % waiting, whole, fraction, down, masks, which, h, line, k)
                for j in range(k):
                    line[j] = line[k]
                    line[k + width + j] = line[k + width - 1]
                if smooth:
                    _blur_columns(line, taps, spectra, band, 0)
                else:
                    _blur_columns(line, taps, ring, h % size, band)
            if smooth:
                _smooth_bands(lines, factors, width, tile, rows_of_bands, h % size)
        done = h - k
        if done >= 0:
            if k == 0:
                x[done] = ring[0]
            else:
                _find_rows(done, k, height - 1, size, near)
                for band in range(bands):
                    _blur_rows(ring, band, taps, near, x, done)


@jit
def residual_image(y, masks, cols, col_fractions, rows, row_fractions, x, out):  # type: ignore[no-untyped-def]
    """``y - A x`` for every canvas row."""
    for h in range(y.shape[0]):
        project_row(x, masks, cols, col_fractions, rows, row_fractions, h, out, h)
        for w in range(y.shape[1]):
            out[h, w] = y[h, w] - out[h, w]


@jit
def chambolle_band(x, band, strength, tau, n_iter, pr, pc, g):  # type: ignore[no-untyped-def]
    """Total-variation denoising of one band in place by Chambolle's dual iteration (Chambolle 2004, section 3).

    ``p <- (p + tau grad(div p - f/s)) / (1 + tau |grad(div p - f/s)|)``, result ``f - s div p``; `pr`, `pc`, `g` are buffers. The last row
    of `pr` and the last column of `pc` stay zero, so that ``div`` needs no other care at those edges.
    """
    height, width = x.shape[0], x.shape[2]
    pr[:] = 0
    pc[:] = 0
    one, inverse = np.float32(1.0), np.float32(1.0) / strength
    for _ in range(n_iter):
        for h in range(height):
            _divergence_row(pr, pc, h, g)
            for w in range(width):
                g[h, w] -= x[h, band, w] * inverse
        for h in range(height - 1):
            for w in range(width - 1):
                dr, dc = g[h + 1, w] - g[h, w], g[h, w + 1] - g[h, w]
                norm = one / (one + tau * np.sqrt(dr * dr + dc * dc))
                pr[h, w] = (pr[h, w] + tau * dr) * norm
                pc[h, w] = (pc[h, w] + tau * dc) * norm
            dr = g[h + 1, width - 1] - g[h, width - 1]
            pr[h, width - 1] = (pr[h, width - 1] + tau * dr) / (one + tau * abs(dr))
        for w in range(width - 1):
            dc = g[height - 1, w + 1] - g[height - 1, w]
            pc[height - 1, w] = (pc[height - 1, w] + tau * dc) / (one + tau * abs(dc))
    for h in range(height):
        _divergence_row(pr, pc, h, g)
        for w in range(width):
            x[h, band, w] -= strength * g[h, w]


@inlined
def _divergence_row(pr, pc, h, out):  # type: ignore[no-untyped-def]
    """Row ``h`` of the negative adjoint of the forward differences with zero at the last row and column."""
    width = out.shape[1]
    out[h, 0] = pr[h, 0] + pc[h, 0]
    for w in range(width - 1):
        out[h, w + 1] = pr[h, w + 1] + pc[h, w + 1] - pc[h, w]
    if h > 0:
        for w in range(width):
            out[h, w] -= pr[h - 1, w]
