"""Path lengths through tubular bones along the rays of a film (compiled).

A bone is a signed distance (negative inside) in local mm: ``u`` from base to head, ``v`` to the ulnar (or
fibular) side, ``w`` to the palm (or sole). Between two samples on a ray the distance is linear and the shell
is integrated in closed form. Several bones given together are one bone grown together: no cortex between.
The steps of a kernel are compiled into it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# columns of a bone's table along u: half width, half depth, how much wider the palmar half is, offset of the
# axis in v and w (mm), cortical shell (mm), density of the core
A, B, K, OV, OW, SHELL, CORE = range(7)
# parameters of a bone
(
    LENGTH, BALL, HEAD_DV, HEAD_EA, HEAD_DW, HEAD_EB, NOTCH, HEAD_PLATE,
    BASE_CV, BASE_CW, RIDGE, SLANT, BASE_PLATE, ROUND, PIT,
) = range(15)  # fmt: skip
PARAMETERS = 15
MARGIN = 2.5  # mm beyond both ends that the table covers
# columns of a bite: centre u, v, w, radii u, v, w, sclerosis around it, phase of its ragged edge
BITE = 8


@njit(cache=True, fastmath=True, inline="always")
def _shell_part(s, shell):
    """Antiderivative of the shell: 1 between -shell and 0."""
    if s >= 0.0:
        return 0.0
    if s <= -shell:
        return -shell
    return s


@njit(cache=True, fastmath=True, inline="always")
def _core_part(s, shell):
    if s >= -shell:
        return 0.0
    return s + shell


@njit(cache=True, fastmath=True)
def _distance(tables, p, n, u, v, w):
    """Signed distance, shell, density of the core and whether an articular plate is nearest."""
    rows = tables.shape[1]
    length = p[n, LENGTH]
    x = (u + MARGIN) / (length + 2 * MARGIN) * (rows - 1)
    x = min(max(x, 0.0), rows - 1.001)
    i = int(x)
    f = x - i
    a = tables[n, i, A] * (1 - f) + tables[n, i + 1, A] * f
    b = tables[n, i, B] * (1 - f) + tables[n, i + 1, B] * f
    k = tables[n, i, K] * (1 - f) + tables[n, i + 1, K] * f
    vv = v - (tables[n, i, OV] * (1 - f) + tables[n, i + 1, OV] * f)
    ww = w - (tables[n, i, OW] * (1 - f) + tables[n, i + 1, OW] * f)
    shell = tables[n, i, SHELL] * (1 - f) + tables[n, i + 1, SHELL] * f
    core = tables[n, i, CORE] * (1 - f) + tables[n, i + 1, CORE] * f
    wn = min(max(ww / b, -1.5), 1.5)
    ak = a * (1.0 + k * wn)
    if p[n, PIT] > 0.0:  # the hollow at both sides of the head
        g = (u - length + 0.98 * p[n, HEAD_EA]) / (0.52 * p[n, HEAD_EA])
        if abs(g) < 2.5 and abs(wn) < 1.0:
            deep = np.exp(-g * g) * (1.0 - wn * wn * wn * wn)
            ak *= 1.0 - p[n, PIT] * deep
            shell += 2.6 * p[n, PIT] * deep
    vn = vv / ak
    q = vn * vn + wn * wn
    rho = np.sqrt(q)
    mean = (ak * vn * vn + b * wn * wn) / max(q, 1e-6)
    side = (rho - 1.0) * mean
    va = min(abs(vn), 1.2)
    wa = min(abs(wn), 1.2)
    # head
    if p[n, BALL] > 0.5:
        d = p[n, HEAD_DV]
        c = length - d
        if u > c:
            e = (u - c) / d
            g = vv / p[n, HEAD_EA]
            h = ww / p[n, HEAD_EB]
            r = np.sqrt(e * e + g * g + h * h)
            head = (r - 1.0) * (d * e * e + p[n, HEAD_EA] * g * g + p[n, HEAD_EB] * h * h) / max(r * r, 1e-6)
        else:
            grow = 1.0 + (c - u) / 9.0
            head = -3.0
            if grow < 1.5:
                g = vv / (p[n, HEAD_EA] * grow)
                h = ww / (p[n, HEAD_EB] * grow)
                r = np.sqrt(g * g + h * h)
                head = (r - 1.0) * p[n, HEAD_EA] * grow
    else:
        g = min(abs(vv) / p[n, HEAD_EA], 0.98)
        h = min(abs(ww) / p[n, HEAD_EB], 0.98)
        tip = length - p[n, HEAD_DV] * (1 - np.sqrt(1 - g * g)) - p[n, HEAD_DW] * (1 - np.sqrt(1 - h * h))
        tip -= p[n, NOTCH] * np.exp(-((vn / 0.33) ** 2))
        head = (u - tip) * 0.85
    # base
    bottom = p[n, BASE_CV] * (1 - va * va) + p[n, BASE_CW] * (1 - wa * wa)
    bottom += p[n, SLANT] * vn - p[n, RIDGE] * np.exp(-((vn / 0.35) ** 2))
    base = (bottom - u) * 0.9
    cap = max(head, base)
    edge = p[n, ROUND]
    if side > -edge and cap > -edge:
        s = np.sqrt((side + edge) ** 2 + (cap + edge) ** 2) - edge
    else:
        s = max(side, cap)
    plate = 0.0
    if cap > side + 0.1:
        plate = p[n, HEAD_PLATE] if head > base else p[n, BASE_PLATE]
    if plate > 0.0:
        shell = plate
    return s, shell, core


@njit(cache=True, fastmath=True, forceinline=True)
def _window(image, pixel, origins, axes, magnification, parameters, reach):
    """First row, end row, first column, end column of the pixels that the bones can lie on."""
    rows, cols = image.shape
    x_low, x_high, y_low, y_high = 1e9, -1e9, 1e9, -1e9
    for i in range(origins.shape[0]):
        length = parameters[i, LENGTH]
        for e in (-1.0, length + 1.0):
            x = origins[i, 0] + magnification * e * axes[i, 0, 0]
            y = origins[i, 1] + magnification * e * axes[i, 0, 1]
            room = magnification * reach
            x_low, x_high = min(x_low, x - room), max(x_high, x + room)
            y_low, y_high = min(y_low, y - room), max(y_high, y + room)
    r0, r1 = max(0, int(y_low / pixel)), min(rows, int(y_high / pixel) + 2)
    c0, c1 = max(0, int(x_low / pixel)), min(cols, int(x_high / pixel) + 2)
    return r0, r1, c0, c1


@njit(cache=True, fastmath=True, forceinline=True)
def _span_of_bones(x0, y0, origins, axes, magnification, parameters, rooms):
    """Depths t between which a ray can be in bone, the first above the last where it never is."""
    first, final = 1e9, -1e9
    for i in range(origins.shape[0]):
        dx = (x0 - origins[i, 0]) / magnification
        dy = (y0 - origins[i, 1]) / magnification
        norm = axes[i, 0, 0] ** 2 + axes[i, 0, 1] ** 2
        e = (dx * axes[i, 0, 0] + dy * axes[i, 0, 1]) / norm
        length = parameters[i, LENGTH]
        lean = 9.0 * abs(axes[i, 0, 2])
        if e < -1.5 - lean or e > length + 1.5 + lean:
            continue
        e = min(max(e, 0.0), length)
        x = (e + MARGIN) / (length + 2 * MARGIN) * (rooms.shape[1] - 1)
        j = int(x + 0.5)
        gx, gy = dx - e * axes[i, 0, 0], dy - e * axes[i, 0, 1]
        g = gx * gx + gy * gy
        if g < rooms[i, j, 0] * rooms[i, j, 0]:
            middle = origins[i, 2] + e * axes[i, 0, 2]
            first = min(first, middle - rooms[i, j, 1])
            final = max(final, middle + rooms[i, j, 1])
    return first, final


@njit(cache=True, fastmath=True, forceinline=True)
def _span_with_bridges(x0, y0, first, final, bridges, magnification):
    """The same depths, wider where the ray can be in new bone between the bones."""
    for j in range(bridges.shape[0]):
        ax, ay = bridges[j, 0], bridges[j, 1]
        lx, ly = bridges[j, 3] - ax, bridges[j, 4] - ay
        f = ((x0 - ax) * lx + (y0 - ay) * ly) / max(lx * lx + ly * ly, 1e-6)
        f = min(max(f, 0.0), 1.0)
        gx, gy = x0 - ax - f * lx, y0 - ay - f * ly
        wide = (max(bridges[j, 6], bridges[j, 7]) + 1.0) * magnification
        if gx * gx + gy * gy < wide * wide:
            middle = bridges[j, 2] + f * (bridges[j, 5] - bridges[j, 2])
            first, final = min(first, middle - wide), max(final, middle + wide)
    return first, final


@njit(cache=True, fastmath=True, forceinline=True)
def _bitten(i, u, v, w, bites, owners, gone, more):
    """Share of bone that the erosions of bone i take, and the sclerosis around them, if more than so far."""
    for j in range(bites.shape[0]):
        if owners[j] != i:
            continue
        eu = (u - bites[j, 0]) / bites[j, 3]
        ev = (v - bites[j, 1]) / bites[j, 4]
        ew = (w - bites[j, 2]) / bites[j, 5]
        q = eu * eu + ev * ev + ew * ew
        if q < 2.9:
            ph = bites[j, 7]
            q = (
                np.sqrt(q)
                + 0.10 * np.sin(2.3 * u + 1.7 * v + ph) * np.sin(1.9 * w + 2.1 * v - ph)
                + 0.05 * np.sin(5.1 * u - 3.7 * v + 2 * ph)
            )
            gone = max(gone, min(max((1.12 - q) / 0.22, 0.0), 1.0))
            if q < 1.6:
                more = max(more, bites[j, 6] * (1.6 - max(q, 1.0)) / 0.6)
    return gone, more


@njit(cache=True, fastmath=True, forceinline=True)
def _local(i, x0, y0, t, beam, origins, axes, magnification):
    """A place on the ray as u, v, w of bone i."""
    x = (x0 - origins[i, 0]) / magnification + t * beam[0]
    y = (y0 - origins[i, 1]) / magnification + t * beam[1]
    z = t - origins[i, 2]
    u = x * axes[i, 0, 0] + y * axes[i, 0, 1] + z * axes[i, 0, 2]
    v = x * axes[i, 1, 0] + y * axes[i, 1, 1] + z * axes[i, 1, 2]
    w = x * axes[i, 2, 0] + y * axes[i, 2, 1] + z * axes[i, 2, 2]
    return u, v, w


@njit(cache=True, fastmath=True, forceinline=True)
def _with_bridges(x0, y0, t, beam, magnification, bridges, s, shell, density):
    """Signed distance, shell and density with the new bone between the bones: a smooth union."""
    for j in range(bridges.shape[0]):
        ax, ay, az = bridges[j, 0], bridges[j, 1], bridges[j, 2]
        lx, ly, lz = bridges[j, 3] - ax, bridges[j, 4] - ay, bridges[j, 5] - az
        px = (x0 - ax) / magnification + t * beam[0]
        py = (y0 - ay) / magnification + t * beam[1]
        pz = t - az
        lx, ly = lx / magnification, ly / magnification
        f = (px * lx + py * ly + pz * lz) / max(lx * lx + ly * ly + lz * lz, 1e-6)
        f = min(max(f, 0.0), 1.0)
        qx, qy, qz = px - f * lx, py - f * ly, (pz - f * lz) * 1.25
        si = np.sqrt(qx * qx + qy * qy + qz * qz) - bridges[j, 6] - f * (bridges[j, 7] - bridges[j, 6])
        if si < s + 1.6:
            h = min(max(0.5 + 0.5 * (s - si) / 1.6, 0.0), 1.0)
            s = s * (1 - h) + si * h - 1.6 * h * (1 - h)
            shell = shell * (1 - h) + 0.55 * h
            density = max(density * (1 - h) + 0.8 * h, density * 0.9)
    return s, shell, density


@njit(cache=True, fastmath=True, forceinline=True)
def _between_samples(s, last, thick, dt):
    """Shares of shell and core of the way from the sample before (at ``last``) to this one, dt mm apart."""
    ds = s - last
    if abs(ds) > 1e-4 and abs(ds) < 50:
        lower = min(max(last, -50.0), 50.0)
        dc = (_shell_part(s, thick) - _shell_part(lower, thick)) / (s - lower)
        db = (_core_part(s, thick) - _core_part(lower, thick)) / (s - lower)
    elif abs(ds) >= 50:
        inner = min(s, last)
        part = min(-inner / dt, 1.0)
        dc = min(part, thick / dt)
        db = max(part - dc, 0.0)
    else:
        dc = 1.0 if s > -thick else 0.0
        db = 1.0 - dc
    return dc, db


@njit(cache=True, fastmath=True, forceinline=True)
def _texture_at(texture, row, column):
    """A periodic texture at any place, in cells, linear between them."""
    size = texture.shape[0]
    i, j = int(np.floor(row)), int(np.floor(column))
    u, v = row - i, column - j
    i0, i1 = i % size, (i + 1) % size
    j0, j1 = j % size, (j + 1) % size
    return (1 - u) * ((1 - v) * texture[i0, j0] + v * texture[i0, j1]) + u * (
        (1 - v) * texture[i1, j0] + v * texture[i1, j1]
    )


@njit(cache=True, fastmath=True, forceinline=True)
def _through_bones(
    x0, y0, first, final, beam, origins, axes, magnification, tables, parameters, bites, owners, bridges,
    step_mm,
):  # fmt: skip
    """What a ray meets between two depths: cortex and core (mm, by density), core times u and v of bone 0."""
    steps = int(np.ceil((final - first) / step_mm))
    dt = (final - first) / steps
    cort, core, core_u, core_v = 0.0, 0.0, 0.0, 0.0
    last, last_shell = 1.0, 0.3
    for k in range(steps + 1):
        t = first + k * dt
        s, shell, density, u0, v0, gone, more = 1e9, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(origins.shape[0]):
            u, v, w = _local(i, x0, y0, t, beam, origins, axes, magnification)
            if i == 0:
                u0, v0 = u, v
            if u < -MARGIN or u > parameters[i, LENGTH] + MARGIN:
                continue
            si, ti, di = _distance(tables, parameters, i, u, v, w)
            if si < s:
                s, shell, density = si, ti, di
            if si < 0.7:
                gone, more = _bitten(i, u, v, w, bites, owners, gone, more)
        s, shell, density = _with_bridges(x0, y0, t, beam, magnification, bridges, s, shell, density)
        if k > 0 and (s < 0.0 or last < 0.0):
            dc, db = _between_samples(s, last, 0.5 * (shell + last_shell), dt)
            cort += dt * dc * (1 - gone)
            gain = dt * db * (1 - gone) * density * (1 + more)
            core += gain
            core_u += gain * u0
            core_v += gain * v0
        last, last_shell = s, shell
    return cort, core, core_u, core_v


@njit(cache=True, fastmath=True)
def add_bones(
    cortical, trabecular, pixel, origins, axes, beam, magnification, tables, parameters, bites, owners,
    bridges, texture, step, at, rooms, step_mm, reach,
):  # fmt: skip
    """Add one bone, or several grown together.

    cortical, trabecular: float32 images of path lengths in mm (trabecular weighted by relative density).
    pixel: mm. origins (n, 3): detector mm of each base (x, y) and its depth t. axes (n, 3, 3): rows u, v, w.
    beam (2,): slopes of the ray. tables (n, rows, 7), parameters (n, 15). bites (m, 8) with owners (m,).
    bridges (k, 8): two ends x, y, t and radii of new bone between. texture: periodic, mean 0, cells of
    ``step`` mm, read at ``at``. rooms (n, rows, 2): by row of the table, mm around the axis that bone can lie
    across the film, and along the ray. step_mm: length of a step. reach: the largest room across.
    """
    r0, r1, c0, c1 = _window(cortical, pixel, origins, axes, magnification, parameters, reach)
    stretch = np.sqrt(1 + beam[0] ** 2 + beam[1] ** 2)
    for r in range(r0, r1):
        y0 = (r + 0.5) * pixel
        for c in range(c0, c1):
            x0 = (c + 0.5) * pixel
            first, final = _span_of_bones(x0, y0, origins, axes, magnification, parameters, rooms)
            first, final = _span_with_bridges(x0, y0, first, final, bridges, magnification)
            if final <= first:
                continue
            cort, core, core_u, core_v = _through_bones(
                x0, y0, first, final, beam, origins, axes, magnification, tables, parameters, bites, owners,
                bridges, step_mm,
            )  # fmt: skip
            if core > 0.0:
                row = (core_u / core) / (1.5 * step) + at[0]
                column = (core_v / core) / step + at[1]
                value = _texture_at(texture, row, column)
                value *= min(np.sqrt(4.5 / max(core, 0.8)), 1.45)  # fewer layers, less averaging
                core *= max(1.0 + value, 0.15)
                cort *= 1.0 + 0.30 * value
            if cort > 0.0 or core > 0.0:
                cortical[r, c] += cort * stretch
                trabecular[r, c] += core * stretch


@njit(cache=True, fastmath=True)
def add_flesh(square, pixel, pieces):
    """Add soft tissue: sum of the cubed squares of half thicknesses of tapered pieces (a smooth union).

    square: float32 image. pieces (n, 8): x, y, radius at both ends (mm), half depth over radius at both ends.
    """
    rows, cols = square.shape
    for i in range(pieces.shape[0]):
        ax, ay, ra, bx, by, rb, fa, fb = pieces[i]
        room = max(ra, rb)
        r0 = max(0, int((min(ay, by) - room) / pixel))
        r1 = min(rows, int((max(ay, by) + room) / pixel) + 2)
        c0 = max(0, int((min(ax, bx) - room) / pixel))
        c1 = min(cols, int((max(ax, bx) + room) / pixel) + 2)
        lx, ly = bx - ax, by - ay
        q = max(lx * lx + ly * ly, 1e-6)
        for r in range(r0, r1):
            y = (r + 0.5) * pixel
            for c in range(c0, c1):
                x = (c + 0.5) * pixel
                f = ((x - ax) * lx + (y - ay) * ly) / q
                f = min(max(f, 0.0), 1.0)
                gx, gy = x - ax - f * lx, y - ay - f * ly
                rad = ra + f * (rb - ra)
                flat = fa + f * (fb - fa)
                inside = rad * rad - gx * gx - gy * gy
                if inside > 0:
                    value = inside * flat * flat
                    square[r, c] += value * value * value
