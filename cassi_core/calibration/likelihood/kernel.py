"""Compiled arithmetic of one patch: masks of all bands at their exact place, covariance of the picture, log likelihood, score, information.

Runs without the interpreter's lock on a range of patches; patches do not depend on each other. Formulas: the package's docstring.
"""

from __future__ import annotations

import numba as nb
import numpy as np

SHARED = 16
"""dx, dy, theta, scale_x, scale_y, slope, curve, alpha, blur (variance, px^2), smear (square of its length, px^2), terms of the optics (px at the edge)."""
COLUMNS = 24
"""Derivatives of the masks: the shared ones, the light polynomials, those that change along the columns, and zeros up to a whole vector register."""
ROUNDING = 1e-5
"""Share of its variance by which a pixel of the model scatters: single precision of the covariance."""
TILTED_SCALES = 2
"""The smallest scales of the scene feel that the dispersion axis tilts one band against the next."""


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def invert(matrix, factor):  # type: ignore[no-untyped-def]
    """Inverse in place and log determinant of a positive definite matrix by Cholesky; infinity where it is none. `factor`: workspace."""
    size = matrix.shape[0]
    log_determinant = 0.0
    factor[:] = 0
    for i in range(size):
        for j in range(i):
            s = 0.0
            for k in range(j):
                s += matrix[i, k] * matrix[j, k]
            matrix[i, j] = (matrix[i, j] - s) / matrix[j, j]
        s = 0.0
        for k in range(i):
            s += matrix[i, k] * matrix[i, k]
        d = matrix[i, i] - s
        if not d > 0:
            return np.inf
        matrix[i, i] = np.sqrt(d)
        log_determinant += 2 * np.log(matrix[i, i])
    for i in range(size):
        for k in range(i):
            f = matrix[i, k]
            for j in range(k + 1):
                factor[i, j] -= f * factor[k, j]
        factor[i, i] = 1.0
        g = 1 / matrix[i, i]
        for j in range(i + 1):
            factor[i, j] *= g
    matrix[:] = 0
    for k in range(size):
        for i in range(k + 1):
            f = factor[k, i]
            for j in range(i + 1):
                matrix[i, j] += f * factor[k, j]
    for i in range(size):
        for j in range(i):
            matrix[j, i] = matrix[i, j]
    return log_determinant


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def patch_masks(  # type: ignore[no-untyped-def]
    spline,
    fill,
    p,
    held,
    s_nom,
    place,
    centre,
    edge_px,
    light,
    trend,
    polynomials,
    trends,
    row0,
    col0,
    height,
    width,
    field,
    brightness,
    amplitude,
    masks,
    slopes,
    known,
    unknown,
):
    """Masks of all bands at the pixels of a patch `(P, L)`, times the light expected there, and their derivatives `(P, L, COLUMNS)`.

    `known[i]` is the energy of the light that reaches pixel i through known parts of the mask, `unknown[i]` through parts that are not
    known: beyond the picture of the mask, or where the field of a band ends within the pixel. What counts as unknown, and where in the
    scene the amplitude is read, is decided at the parameters `held`, so that the likelihood is smooth.
    """
    rows, cols = spline.shape
    bands, terms = s_nom.shape[0], polynomials.shape[1]
    rad = np.pi / 180
    ct, st, ca, sa = np.cos(p[2] * rad), np.sin(p[2] * rad), np.cos(p[7] * rad), np.sin(p[7] * rad)
    ct0, st0, ca0, sa0 = np.cos(held[2] * rad), np.sin(held[2] * rad), np.cos(held[7] * rad), np.sin(held[7] * rad)
    cy, cx = (rows - 1) / 2, (field - 1) / 2
    bow = 1 / (edge_px * edge_px)
    edge = 1 + np.sqrt(max(held[9], 0.0))
    for i in range(height * width):
        row, col = row0 + i % height, col0 + i // height
        known[i] = 0
        unknown[i] = 0
        inverse = 1 / brightness[row, col]
        right, down = col - centre[1], row - centre[0]
        cubic = (right * right + down * down) * bow / edge_px
        col1, row1 = col - held[12] * cubic * right, row - held[12] * cubic * down
        col2, row2 = col - p[12] * cubic * right, row - p[12] * cubic * down
        for b in range(bands):
            bend = b * (b - (bands - 1))
            s0 = s_nom[b] + held[5] * b + held[6] * bend
            u0, v0 = col1 - s0 * ca0, row1 - s0 * sa0
            inside = min((u0 + 0.5) / edge + 0.5, (field - 0.5 - u0) / edge + 0.5)
            inside = min(max(inside, 0.0), 1.0)
            for a in range(COLUMNS):
                slopes[i, b, a] = 0
            masks[i, b] = 0
            if inside <= 0:
                continue
            iu = min(max(int(u0 + 0.5), 0), field - 1)
            iv = min(max(int(v0 + 0.5), 0), rows - 1)
            side = 2 * (iu - cx) / field
            g = amplitude[iv, iu] * inverse * light[b] * np.exp(side * trend[b])
            x0, y0 = (u0 - cx) / (1 + held[3]), (v0 - cy) / (1 + held[4])
            c0, r0 = ct0 * x0 - st0 * y0 - held[0] + cx, st0 * x0 + ct0 * y0 - held[1] + cy
            seen = r0 >= 0 and c0 >= 0 and r0 <= rows - 1 and c0 <= cols - 1
            near = min(abs(u0 + 0.5), abs(u0 - field + 0.5)) < 0.5 * edge + 0.5
            if near or not seen:
                unknown[i] += g * g
            g *= inside
            known[i] += g * g
            if not seen:
                masks[i, b] = fill * g
                for a in range(terms):
                    slopes[i, b, SHARED + a] = masks[i, b] * polynomials[b, a]
                for a in range(trends):
                    slopes[i, b, SHARED + terms + a] = masks[i, b] * side * polynomials[b, a]
                continue
            s = s_nom[b] + p[5] * b + p[6] * bend
            w = place[b]
            x1, y1 = col2 - s * ca - cx, row2 - s * sa - cy
            smaller = 1 - (p[10] + p[11] * w) * w / edge_px
            bent = (p[13] * x1 * x1 + p[14] * x1 * y1 + p[15] * y1 * y1) * bow
            x, y = x1 * smaller / (1 + p[3]), (y1 * smaller - bent) / (1 + p[4])
            mc = min(max(ct * x - st * y - p[0] + cx, 0.0), cols - 1.0)
            mr = min(max(st * x + ct * y - p[1] + cy, 0.0), rows - 1.0)
            ir, ic = min(int(mr), rows - 2), min(int(mc), cols - 2)
            t, q = mc - ic, mr - ir
            rest, e = 1 - t, 1 - q
            j0, j3 = abs(ic - 1), ic + 2 if ic + 2 < cols else 2 * (cols - 1) - ic - 2
            k0, k3 = abs(ir - 1), ir + 2 if ir + 2 < rows else 2 * (rows - 1) - ir - 2
            value, gr, gc, down2, right2 = 0.0, 0.0, 0.0, 0.0, 0.0
            for n in range(4):
                if n == 0:
                    k, v, dv, cv = k0, e * e * e / 6, -e * e / 2, e
                elif n == 1:
                    k, v, dv, cv = ir, (4 - q * q * (6 - 3 * q)) / 6, q * (3 * q - 4) / 2, 3 * q - 2
                elif n == 2:
                    k, v, dv, cv = ir + 1, (4 - e * e * (6 - 3 * e)) / 6, -e * (3 * e - 4) / 2, 3 * e - 2
                else:
                    k, v, dv, cv = k3, q * q * q / 6, q * q / 2, q
                f0, f1, f2, f3 = spline[k, j0], spline[k, ic], spline[k, ic + 1], spline[k, j3]
                f = (
                    rest * rest * rest / 6 * f0
                    + (4 - t * t * (6 - 3 * t)) / 6 * f1
                    + (4 - rest * rest * (6 - 3 * rest)) / 6 * f2
                    + t * t * t / 6 * f3
                )
                value += v * f
                gr += dv * f
                down2 += cv * f
                gc += v * (-rest * rest / 2 * f0 + t * (3 * t - 4) / 2 * f1 - rest * (3 * rest - 4) / 2 * f2 + t * t / 2 * f3)
                right2 += v * (rest * f0 + (3 * t - 2) * f1 + (3 * rest - 2) * f2 + t * f3)
            masks[i, b] = g * value
            gr, gc = g * gr, g * gc
            # Slopes along the two directions of the mask before it is turned.
            gx, gy = (gc * ct + gr * st) / (1 + p[3]), (gr * ct - gc * st) / (1 + p[4])
            slopes[i, b, 0] = -gc
            slopes[i, b, 1] = -gr
            slopes[i, b, 2] = rad * (gr * (ct * x - st * y) - gc * (st * x + ct * y))
            slopes[i, b, 3] = -gx * x
            slopes[i, b, 4] = -gy * y
            hx = smaller * gx - gy * (2 * p[13] * x1 + p[14] * y1) * bow
            hy = smaller * gy - gy * (p[14] * x1 + 2 * p[15] * y1) * bow
            travel = -(hx * ca + hy * sa)
            slopes[i, b, 5] = travel * b
            slopes[i, b, 6] = travel * bend
            slopes[i, b, 7] = rad * s * (hx * sa - hy * ca)
            # A Gaussian blur spreads like heat; a box of length s has the variance s^2/12.
            slopes[i, b, 8] = 0.5 * g * (down2 + right2)
            slopes[i, b, 9] = g * right2 / 24
            larger = -(gx * x1 + gy * y1) / edge_px
            slopes[i, b, 10] = larger * w
            slopes[i, b, 11] = larger * w * w
            slopes[i, b, 12] = -cubic * (hx * right + hy * down)
            slopes[i, b, 13] = -gy * x1 * x1 * bow
            slopes[i, b, 14] = -gy * x1 * y1 * bow
            slopes[i, b, 15] = -gy * y1 * y1 * bow
            for a in range(terms):
                slopes[i, b, SHARED + a] = masks[i, b] * polynomials[b, a]
            for a in range(trends):
                slopes[i, b, SHARED + terms + a] = masks[i, b] * side * polynomials[b, a]


@nb.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def evaluate_patches(  # type: ignore[no-untyped-def]
    first,
    last,
    spline,
    fill,
    mean_square,
    p,
    held,
    s_nom,
    place,
    centre,
    edge_px,
    drift,
    light,
    trend,
    polynomials,
    trends,
    rows,
    cols,
    height,
    width,
    field,
    picture,
    brightness,
    amplitude,
    smooth,
    bad,
    noise,
    scene_energy,
    unknown_weight,
    alias,
    kernels,
    row_kernels,
    inverse_squares,
    nuisance,
    information,
    freedom,
    scores,
    infos,
    likelihoods,
    misfits,
):
    """Log likelihood, score `(N, K)` and average information `(N, K, K)` of patches `first .. last-1`.

    `K`: COLUMNS derivatives of the masks, then (with `nuisance`) the logarithms of the scene's weights and of two noises.
    `kernels` ``(S, T, 2 width - 1, L, L)``: covariance between bands at a column distance, per scale and per kind of spectrum;
    `row_kernels` ``(S, height)``; `inverse_squares` ``(S,)``: 1/scale^2, 0 for the scale that is larger than a patch.
    """
    pixels, bands = height * width, s_nom.shape[0]
    scales, kinds = kernels.shape[0], kernels.shape[1]
    count = COLUMNS + (scales * kinds + 2 if nuisance else 0)
    masks = np.zeros((pixels, bands), np.float32)
    slopes = np.zeros((pixels, bands, COLUMNS), np.float32)
    known, unknown = np.zeros(pixels), np.zeros(pixels)
    scene = np.empty((pixels, pixels, bands), np.float32)
    matrix, factor = np.empty((pixels, pixels)), np.empty((pixels, pixels))
    parts = np.empty((scales * kinds if nuisance else 1, pixels, pixels), np.float32)
    tilted = TILTED_SCALES
    across = np.zeros((scales, kinds, 2 * width - 1, pixels, bands), np.float32)
    moved = np.zeros((tilted, 2 * width - 1, pixels, bands), np.float32)
    total, tilt = np.zeros((scales, bands), np.float32), np.zeros((scales, bands), np.float32)
    drifting, spare, line = (
        np.empty((pixels, bands), np.float32),
        np.empty((pixels, bands), np.float32),
        np.empty(bands, np.float32),
    )
    y, u, n0, n1, weight = np.empty(pixels), np.empty(pixels), np.empty(pixels), np.empty(pixels), np.empty(pixels)
    z = np.empty((pixels, count), np.float32)
    filtered = np.empty((pixels, count), np.float32)
    q, h = np.empty(bands, np.float32), np.empty(bands, np.float32)
    du, product = np.empty((bands, COLUMNS), np.float32), np.empty((pixels, COLUMNS), np.float32)
    for n in range(first, last):
        patch_masks(
            spline, fill, p, held, s_nom, place, centre, edge_px, light, trend, polynomials, trends, rows[n], cols[n], height, width, field, brightness, amplitude,
            masks, slopes, known, unknown,
        )  # fmt: skip
        for i in range(pixels):
            r, c = rows[n] + i % height, cols[n] + i // height
            inverse = 1 / brightness[r, c]
            y[i] = picture[r, c] * inverse
            n0[i] = noise[0] * inverse * inverse
            n1[i] = noise[1] * smooth[r, c] * inverse * inverse
            weight[i] = np.sqrt(scene_energy * known[i])
            unknown[i] = unknown_weight * scene_energy * mean_square * unknown[i] + (1e4 if bad[r, c] else 0.0)
        for j in range(pixels):
            for b in range(bands):
                drifting[j, b] = masks[j, b] * drift[b]
        for at in range(2 * width - 1):
            # Pixels j of the columns from which a pixel at this distance lies in the patch.
            j0, j1 = max(0, width - 1 - at) * height, min(width, 2 * width - 1 - at) * height
            for s in range(scales):
                if inverse_squares[s] == 0 and at > 0:
                    continue  # the same at every distance
                if inverse_squares[s] == 0:
                    j0, j1 = 0, pixels
                for t in range(kinds):
                    np.dot(masks[j0:j1], kernels[s, t, at], across[s, t, at, j0:j1])
                if s < tilted:
                    np.dot(drifting[j0:j1], kernels[s, 0, at], moved[s, at, j0:j1])
                    if kinds > 1:
                        np.dot(drifting[j0:j1], kernels[s, 1, at], spare[j0:j1])
                        for j in range(j0, j1):
                            for b in range(bands):
                                moved[s, at, j, b] += spare[j, b]
        for j in range(pixels):
            rj, cj = j % height, j // height
            for c in range(width):
                at = c - cj + width - 1
                for s in range(scales):
                    from_at = at if inverse_squares[s] > 0 else 0
                    for b in range(bands):
                        total[s, b] = across[s, 0, from_at, j, b]
                    for t in range(1, kinds):
                        for b in range(bands):
                            total[s, b] += across[s, t, from_at, j, b]
                    if s < tilted:
                        # The dispersion axis tilts the scene of one band against the next: first order of the row kernel's shift.
                        for b in range(bands):
                            tilt[s, b] = (drift[b] * total[s, b] - moved[s, at, j, b]) * inverse_squares[s]
                for r in range(height):
                    i, d, distance = c * height + r, abs(r - rj), np.float32(r - rj)
                    for b in range(bands):
                        line[b] = 0
                    for s in range(scales):
                        f = row_kernels[s, d]
                        if s < tilted:
                            g = f * distance
                            for b in range(bands):
                                line[b] += f * total[s, b] + g * tilt[s, b]
                        else:
                            for b in range(bands):
                                line[b] += f * total[s, b]
                        if nuisance:
                            from_at = at if inverse_squares[s] > 0 else 0
                            for t in range(kinds):
                                e = np.float32(0.0)
                                for b in range(bands):
                                    e += masks[i, b] * across[s, t, from_at, j, b]
                                parts[s * kinds + t, i, j] = e * f
                    e = np.float32(0.0)
                    for b in range(bands):
                        scene[i, j, b] = line[b]
                        e += masks[i, b] * line[b]
                    matrix[i, j] = e
        for i in range(pixels):
            for j in range(pixels):
                matrix[i, j] += weight[i] * weight[j] * alias[abs(i % height - j % height), abs(i // height - j // height)]
        for i in range(pixels):
            for j in range(i):
                matrix[i, j] = 0.5 * (matrix[i, j] + matrix[j, i])
                matrix[j, i] = matrix[i, j]
            matrix[i, i] = matrix[i, i] * (1 + ROUNDING) + n0[i] + n1[i] + unknown[i]
        log_determinant = invert(matrix, factor)
        for a in range(scores.shape[1]):
            scores[n, a] = 0
        infos[n] = 0
        if not np.isfinite(log_determinant):
            likelihoods[n], misfits[n] = -1e6, np.nan
            continue
        misfit = 0.0
        for i in range(pixels):
            e = 0.0  # type: ignore[assignment]
            for j in range(pixels):
                e += matrix[i, j] * y[j]
            u[i] = e
            misfit += e * y[i]
        if not misfit > 0:
            likelihoods[n], misfits[n] = -1e6, np.nan
            continue
        share = (freedom + pixels) / (freedom + misfit)
        misfits[n] = misfit
        likelihoods[n] = -0.5 * ((freedom + pixels) * np.log(1 + misfit / freedom) + log_determinant)
        z[:] = 0
        for i in range(pixels):
            q[:] = 0
            h[:] = 0
            for j in range(pixels):
                f, g = np.float32(u[j]), np.float32(matrix[i, j])
                for b in range(bands):
                    q[b] += f * scene[i, j, b]
                    h[b] += g * scene[i, j, b]
            f = np.float32(u[i])
            for b in range(bands):
                g, e = np.float32(share) * f * q[b] - h[b], q[b]
                for a in range(COLUMNS):
                    d = slopes[i, b, a]
                    scores[n, a] += d * g
                    z[i, a] += d * e
                    du[b, a] = d * f
            if information:
                np.dot(scene[i], du, product)
                for k in range(pixels):
                    for a in range(COLUMNS):
                        z[k, a] += product[k, a]
        if nuisance:
            for s in range(scales * kinds):
                t1 = 0.0
                for i in range(pixels):
                    e = 0.0  # type: ignore[assignment]
                    for j in range(pixels):
                        e += parts[s, i, j] * u[j]
                        t1 -= parts[s, i, j] * matrix[i, j]
                    t1 += share * e * u[i]
                    z[i, COLUMNS + s] = e
                scores[n, COLUMNS + s] = 0.5 * t1
            for i in range(pixels):
                z[i, count - 2], z[i, count - 1] = n0[i] * u[i], n1[i] * u[i]
                e = 0.5 * (share * u[i] * u[i] - matrix[i, i])
                scores[n, count - 2] += n0[i] * e
                scores[n, count - 1] += n1[i] * e
        if not information:
            continue
        filtered[:] = 0
        for i in range(pixels):
            for j in range(pixels):
                f = np.float32(matrix[i, j])
                for a in range(count):
                    filtered[i, a] += f * z[j, a]
        for i in range(pixels):
            for a in range(count):
                f = filtered[i, a] * np.float32(0.5 * share)
                for other in range(count):
                    infos[n, a, other] += f * z[i, other]
