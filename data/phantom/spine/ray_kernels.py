"""Path lengths through solid shapes along the rays of a film (compiled).

Every kernel adds to ``cortical`` and ``trabecular``: path lengths in patient mm (trabecular already weighted
by its relative density), float32 arrays of the whole image. Shapes are given as signed distance (negative
inside); between two samples on a ray the distance is taken as linear and the shell is integrated in closed
form, so thin shells do not alias however coarse the steps are. The steps of a kernel are compiled into it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# entries of a body's shape, see ``vertebra.body_shape``
(
    ANTERIOR, POSTERIOR, DEPTH, WIDTH, WAIST_A, WAIST_P, WAIST_S, CONCAVITY_U, CONCAVITY_L, SADDLE, LIP,
    SHELL, PLATE, KIDNEY, FLOOR, ROUGH, PLATE_U, PLATE_L, CORNER, PEDICLE,
) = range(20)  # fmt: skip


@njit(cache=True, fastmath=True)
def _shell_integral(s, shell):
    """Antiderivative of the shell's profile: 1 between -shell and 0, with 0.12 mm soft flanks."""
    if s >= 0.0:
        return 0.0
    if s <= -shell:
        return -shell
    return s


@njit(cache=True, fastmath=True)
def _core_integral(s, shell, rise, floor):
    """Antiderivative of the core's density: ``floor`` deep inside, 1 just under the shell."""
    if s >= -shell:
        return 0.0
    d = -s - shell
    return -(floor * d + (1.0 - floor) * rise * (1.0 - np.exp(-d / rise)))


@njit(cache=True, fastmath=True, forceinline=True)
def _window(within, pixel, ox, oy, x_low, x_high, y_low, y_high):
    """First row, end row, first column, end column of what lies between these detector mm, inside another."""
    r0 = max(within[0], int((y_low - oy) / pixel))
    r1 = min(within[1], int((y_high - oy) / pixel) + 1)
    c0 = max(within[2], int((x_low - ox) / pixel))
    c1 = min(within[3], int((x_high - ox) / pixel) + 1)
    return r0, r1, c0, c1


@njit(cache=True, fastmath=True, forceinline=True)
def _texture_at(texture, row, column):
    """A periodic texture at any place, in cells, linear between them."""
    size = texture.shape[0]
    i = int(np.floor(row))
    j = int(np.floor(column))
    u = row - i
    v = column - j
    i0 = i % size
    i1 = (i + 1) % size
    j0 = j % size
    j1 = (j + 1) % size
    return (1 - u) * ((1 - v) * texture[i0, j0] + v * texture[i0, j1]) + u * (
        (1 - v) * texture[i1, j0] + v * texture[i1, j1]
    )


@njit(cache=True, fastmath=True, forceinline=True)
def _wall(a, l, hn, shape, lesion):  # noqa: E741
    """Signed distance to the wall around the body, distance from its axis (1 on the wall), l over half width.

    hn: height over the half height there, -1 at the upper endplate and 1 at the lower.
    """
    hc = min(max(hn, -1.0), 1.0)
    hollow = 1.0 - hc * hc
    side = shape[WIDTH] - shape[WAIST_S] * hollow
    ln = abs(l) / side
    if a < 0:
        blend = min(max(0.5 + 1.25 * hn, 0.0), 1.0)
        keep = 1.0 - lesion[0, 4] * (1.0 - blend) - lesion[1, 4] * blend
        front = shape[DEPTH] - shape[WAIST_A] * hollow * keep
        if hc > 0.55:
            front += shape[LIP] * ((hc - 0.55) / 0.45) ** 2
        an = -a / front
        rho = np.sqrt(an * an + ln * ln)
        scale = (front * an * an + side * ln * ln) / max(rho * rho, 1e-6)
    else:
        back = shape[DEPTH] - shape[WAIST_P] * hollow
        inward = 1.0 - shape[KIDNEY] * max(0.0, 1.0 - (1.6 * ln) ** 2)
        an = a / (back * inward)
        q = an * an * an * an + ln * ln * ln * ln
        rho = np.sqrt(np.sqrt(q))
        scale = (back * an * an + side * ln * ln) / max(an * an + ln * ln, 1e-6)
    return (rho - 1.0) * scale, rho, ln


@njit(cache=True, fastmath=True, forceinline=True)
def _endplates(a, h, l, half, share, rho, ln, shape, relief):  # noqa: E741
    """Signed distance to the nearer endplate, fourth power of the distance from the axis, wave of the plate.

    half: half height there. share: 0 at the anterior wall, 1 at the posterior.
    """
    rr = min(rho, 1.0)
    r2 = rr * rr
    bowl = 1.0 - r2 * r2
    j = 0 if h < 0 else 1
    wave = 0.0
    if abs(h) > half - 5.5:
        wave = relief[j, 2] * np.sin(relief[j, 3] * a + relief[j, 4] * l + relief[j, 5])
        wave += relief[j, 6] * np.sin(relief[j, 7] * a + relief[j, 8] * l + relief[j, 9])
    uneven = (relief[j, 0] + relief[j, 1] * a / shape[DEPTH]) * l + wave
    top = -half + shape[CONCAVITY_U] * bowl - shape[SADDLE] * min(ln, 1.0) ** 3 * share + uneven
    low = half - shape[CONCAVITY_L] * bowl + uneven
    return max(top - h, h - low), r2 * r2, wave


@njit(cache=True, fastmath=True, forceinline=True)
def _rounded(a, wall, plate, shape):
    """Signed distance to the body: a rounded edge between wall and endplate."""
    edge = shape[CORNER] if a < 0 else shape[CORNER] + 1.2 * a / shape[DEPTH]
    if wall > -edge and plate > -edge:
        return np.sqrt((wall + edge) ** 2 + (plate + edge) ** 2) - edge
    return max(wall, plate)


@njit(cache=True, fastmath=True, forceinline=True)
def _thickness(a, h, hn, ln, r4, wave, is_plate, shape):
    """Thickness of the shell, mm."""
    if is_plate:  # the ring apophysis is thicker than the plate within it
        share = shape[PLATE_U] if h < 0 else shape[PLATE_L]
        return shape[PLATE] * share * (0.85 + 0.4 * r4) * (1.0 + 1.1 * wave)
    if a < 0:
        return shape[SHELL]
    # thin behind, and open where the pedicles leave the body
    away = ((hn + 0.38) / 0.55) ** 2 + ((ln - 0.62) / 0.42) ** 2
    return shape[SHELL] * (0.8 - shape[PEDICLE] * np.exp(-away * away))


@njit(cache=True, fastmath=True, forceinline=True)
def _between_samples(s, last, shell, floor):
    """Shares of shell and core, by density, of the way from the sample before (at ``last``) to this one."""
    ds = s - last
    if abs(ds) > 1e-5:
        dc = (_shell_integral(s, shell) - _shell_integral(last, shell)) / ds
        db = (_core_integral(s, shell, 2.5, floor) - _core_integral(last, shell, 2.5, floor)) / ds
    else:
        dc = 1.0 if s > -shell else 0.0
        db = 1.0 - dc
    return dc, db


@njit(cache=True, fastmath=True, forceinline=True)
def _corner_lesions(a, h, l, shape, lesion):  # noqa: E741
    """Share of bone that the lesions of the two anterior corners leave, and how much denser they make it."""
    keep = 1.0
    more = 0.0
    if a < 0.2 * shape[DEPTH]:
        for j in range(2):
            if lesion[j, 0] <= 0.0 and lesion[j, 5] <= 0.0:
                continue
            da = a + shape[DEPTH]
            dh = h + shape[ANTERIOR] * 0.5 if j == 0 else shape[ANTERIOR] * 0.5 - h
            dl = l - lesion[j, 3]
            if lesion[j, 0] > 0.0:
                wob = shape[ROUGH] * 0.16 * np.sin(1.9 * a + 2.3 * h + 0.7 * l + 3.0 * j)
                q = (
                    np.sqrt((da / lesion[j, 0]) ** 2 + (dh / lesion[j, 1]) ** 2 + (dl / lesion[j, 2]) ** 2)
                    + wob
                )
                if q < 1.15:
                    gone = min(max((1.15 - q) / 0.3, 0.0), 1.0)
                    keep *= 1.0 - gone
                elif q < 1.9:
                    more += 0.35 * (1.9 - q)
            if lesion[j, 5] > 0.0:
                z = (da * da + dh * dh) / (lesion[j, 6] ** 2)
                if z < 6.0:
                    more += lesion[j, 5] * np.exp(-z)
    return keep, more


@njit(cache=True, fastmath=True, forceinline=True)
def _through_body(du, dv, sx, sy, axes, shape, relief, lesion, steps):
    """What a ray meets, per mm of its length: cortex, core, core without sclerosis, core times a, times h.

    du, dv: where the ray passes the plane of the centre, mm. sx, sy: its slopes.
    """
    depth, width = shape[DEPTH], shape[WIDTH]
    dt = 2.0 * (width + 2.0) / steps
    cort, core, plain, core_a, core_h = 0.0, 0.0, 0.0, 0.0, 0.0
    last, last_plate = 1e9, False
    for k in range(steps + 1):
        t = -(width + 2.0) + k * dt
        x = du + t * sx
        y = dv + t * sy
        a = x * axes[0, 0] + y * axes[0, 1] + t * axes[0, 2]
        h = x * axes[1, 0] + y * axes[1, 1] + t * axes[1, 2]
        l = x * axes[2, 0] + y * axes[2, 1] + t * axes[2, 2]  # noqa: E741
        share = (a / depth + 1.0) * 0.5
        share = min(max(share, 0.0), 1.0)
        half = (shape[ANTERIOR] + (shape[POSTERIOR] - shape[ANTERIOR]) * share) * 0.5
        if abs(h) > half + 1.5 or abs(a) > depth + 2.5:
            last, last_plate = 1.0, False
            continue
        hn = h / half
        wall, rho, ln = _wall(a, l, hn, shape, lesion)
        plate, r4, wave = _endplates(a, h, l, half, share, rho, ln, shape, relief)
        s = _rounded(a, wall, plate, shape)
        is_plate = plate > wall
        if k > 0 and (s < 0.0 or last < 0.0):
            thick = _thickness(a, h, hn, ln, r4, wave, is_plate or last_plate, shape)
            dc, db = _between_samples(s, last, thick, shape[FLOOR])
            keep, more = _corner_lesions(a, h, l, shape, lesion)
            cort += dt * dc * keep
            gain = dt * db * keep * (1.0 + more)
            plain += dt * db * keep
            core += gain
            core_a += gain * a
            core_h += gain * h
        last, last_plate = s, is_plate
    return cort, core, plain, core_a, core_h


@njit(cache=True, fastmath=True)
def add_body(
    cortical, trabecular, pixel, ox, oy, cx, cy, axes, bx, by, mag, distance, shape, relief, lesion,
    texture, tex_step, tex_at, steps,
):  # fmt: skip
    """Add one vertebral body.

    ox, oy: detector mm of the centre of pixel (0, 0). shape: see ``vertebra.body_shape``. lesion: 2 rows
    (upper, lower anterior corner) of bite radius in a, in h, along l, offset along l, squaring, sclerosis,
    reach of sclerosis. relief: see ``vertebra.body_relief``. texture: periodic 2D field read in local (a, h),
    mean 0.
    """
    depth, width = shape[DEPTH], shape[WIDTH]
    tall = max(shape[ANTERIOR], shape[POSTERIOR]) / 2 + 2.5
    reach = np.hypot(depth + 2.5, tall) + 2.0
    tilted = width * (abs(axes[2, 0] - bx * axes[2, 2]) + abs(axes[2, 1] - by * axes[2, 2])) + 0.03 * width
    radius = (reach + tilted) * mag
    image = (0, cortical.shape[0], 0, cortical.shape[1])
    r0, r1, c0, c1 = _window(image, pixel, ox, oy, cx - radius, cx + radius, cy - radius, cy + radius)
    for r in range(r0, r1):
        dv = (oy + r * pixel - cy) / mag
        for c in range(c0, c1):
            du = (ox + c * pixel - cx) / mag
            a = du * axes[0, 0] + dv * axes[0, 1]
            h = du * axes[1, 0] + dv * axes[1, 1]
            if abs(a) > depth + 2.5 + tilted or abs(h) > tall + tilted:
                continue
            sx = bx + du / distance
            sy = by + dv / distance
            length = np.sqrt(1.0 + sx * sx + sy * sy)
            cort, core, plain, core_a, core_h = _through_body(
                du, dv, sx, sy, axes, shape, relief, lesion, steps
            )
            if cort > 0.0 or core > 0.0:
                if core > 0.0:
                    row = (core_h / core) / tex_step + tex_at[1]
                    column = (core_a / core) / tex_step + tex_at[0]
                    core *= 1.0 + _texture_at(texture, row, column) * np.sqrt(plain / core)
                cortical[r, c] += cort * length
                trabecular[r, c] += core * length


@njit(cache=True, fastmath=True)
def add_sheet(cortical, trabecular, pixel, ox, oy, p0, p1, front, mag, params):
    """Add new bone between two facing corners: a curved sheet along the rim, with marrow where it is thick
    enough for a cortex around it.

    p0, p1: detector mm of base and far corner. front: unit vector to anterior. params: reach from p0 (mm),
    half thickness at base and tip (mm), breadth (half, along the beam, mm), bulge (share of the distance),
    lean (mm of anterior offset per mm of length), density, radius of the rim, 1 for fused (no taper), wobble
    (mm) and its phase, depth of the root in the body (mm), cortex (mm).
    """
    reach, base, tip, breadth, bulge, lean, density, radius, fused, wobble, phase, root, shell = params
    rows, cols = cortical.shape
    dx, dy = p1[0] - p0[0], p1[1] - p0[1]
    gap = max(np.sqrt(dx * dx + dy * dy) / mag, 1e-3)
    ux, uy = dx / (gap * mag), dy / (gap * mag)
    # across: perpendicular to the line, to anterior
    ax, ay = -uy, ux
    if ax * front[0] + ay * front[1] < 0:
        ax, ay = uy, -ux
    room = (max(reach, gap) + 5.0) * mag
    mx, my = (p0[0] + p1[0]) / 2, (p0[1] + p1[1]) / 2
    r0 = max(0, int((my - room - oy) / pixel))
    r1 = min(rows, int((my + room - oy) / pixel) + 1)
    c0 = max(0, int((mx - room - ox) / pixel))
    c1 = min(cols, int((mx + room - ox) / pixel) + 1)
    slices = 17
    opening = 0.9 - 0.8 * root
    step = 2.0 * breadth / slices
    soft = 0.22
    for r in range(r0, r1):
        y = (oy + r * pixel - p0[1]) / mag
        for c in range(c0, c1):
            x = (ox + c * pixel - p0[0]) / mag
            along = x * ux + y * uy
            if along < -root - 2.3 or along > reach + root + 2.3:
                continue
            across = x * ax + y * ay
            total = 0.0
            marrow = 0.0
            for k in range(slices):
                l = -breadth + (k + 0.5) * step  # noqa: E741
                edge = 1.0 - (l / breadth) ** 2
                top = reach if fused > 0 else reach * (0.35 + 0.65 * edge)
                u = along / max(gap, 1e-3)
                u = min(max(u, 0.0), 1.0)
                mid = 4.0 * bulge * gap * u * (1.0 - u) + lean * max(along, 0.0) - l * l / (2.0 * radius)
                mid += wobble * np.sin(1.1 * along + phase + 0.12 * l)
                w = min(max(along / max(top, 1e-3), 0.0), 1.0)
                if fused > 0:
                    half = base + (tip - base) * 4.0 * u * (1.0 - u)
                    end = max(-root - along, along - reach - root)
                else:
                    half = base + (tip - base) * w
                    end = max(-root - along, along - top)
                # root sinks back into the body
                if along < 0:
                    mid -= 0.5 * along * along * 0.3
                elif fused > 0 and along > gap:
                    mid -= 0.15 * (along - gap) * (along - gap)
                half *= 1.0 + 0.9 * wobble * np.sin(0.8 * along + 2.1 * phase)
                side = abs(across - mid + 0.55 * half) - half
                d = max(side, end)
                if d < soft:
                    part = 1.0 if d < -soft else (soft - d) / (2 * soft)
                    # no cortex where the root opens into the body: its marrow runs on
                    open_end = 0.0
                    if along < opening:
                        open_end = min((opening - along) / 1.6, 1.0)
                    elif fused > 0 and along > gap - opening:
                        open_end = min((along - gap + opening) / 1.6, 1.0)
                    inner = min(max((-side - shell) / (2 * soft) + 0.5, 0.0), 1.0)
                    inner = max(inner, 0.75 * open_end) * part
                    total += (part - inner) * step * (0.35 + 0.65 * edge)
                    marrow += inner * step * (0.35 + 0.65 * edge)
            if total > 0:
                cortical[r, c] += total * density
            if marrow > 0:
                cortical[r, c] += 0.22 * marrow * density
                trabecular[r, c] += 1.5 * marrow * density


@njit(cache=True, fastmath=True, forceinline=True)
def _foot(x, y, ax, ay, ex, ey, q):
    """Share of a piece at which it is nearest to a point, and the square of the distance, detector mm.

    ax, ay: its start. ex, ey: its extent, of squared length q.
    """
    w = 0.0
    if q > 1e-9:
        w = min(max(((x - ax) * ex + (y - ay) * ey) / q, 0.0), 1.0)
    gx, gy = x - ax - w * ex, y - ay - w * ey
    return w, gx * gx + gy * gy


@njit(cache=True, fastmath=True, forceinline=True)
def _warped(warp, x, y):
    """Displacement of a point, mm."""
    wx = 0.0
    wy = 0.0
    for j in range(4):
        phase = warp[j, 0] * x + warp[j, 1] * y + warp[j, 2]
        wx += warp[j, 3] * np.sin(phase)
        wy += warp[j, 3] * np.cos(1.3 * phase + j)
    return wx, wy


@njit(cache=True, fastmath=True, forceinline=True)
def _tube_window(shape, pixel, ox, oy, path, mag):
    big = 0.0
    x_low, x_high, y_low, y_high = 1e9, -1e9, 1e9, -1e9
    for i in range(path.shape[0]):
        big = max(big, path[i, 2])
        x_low, x_high = min(x_low, path[i, 0]), max(x_high, path[i, 0])
        y_low, y_high = min(y_low, path[i, 1]), max(y_high, path[i, 1])
    room = (big + 2.0) * mag
    image = (0, shape[0], 0, shape[1])
    return _window(image, pixel, ox, oy, x_low - room, x_high + room, y_low - room, y_high + room)


@njit(cache=True, fastmath=True, forceinline=True)
def _find_near(near, radii, slopes, shift_x, shift_y, window, pixel, ox, oy, path, i, mag, warp):
    """Note distance, radius and slope where piece i is nearer than those before, in arrays of the window."""
    r0, c0 = window[0], window[2]
    ax, ay = path[i, 0], path[i, 1]
    ex, ey = path[i + 1, 0] - ax, path[i + 1, 1] - ay
    q = ex * ex + ey * ey
    width = (max(path[i, 2], path[i + 1, 2]) + 1.0) * mag + 1.5
    x_low, x_high = min(path[i, 0], path[i + 1, 0]), max(path[i, 0], path[i + 1, 0])
    y_low, y_high = min(path[i, 1], path[i + 1, 1]), max(path[i, 1], path[i + 1, 1])
    ra, rb, ca, cb = _window(
        window, pixel, ox, oy, x_low - width, x_high + width, y_low - width, y_high + width
    )
    for r in range(ra, rb):
        for c in range(ca, cb):
            x = ox + c * pixel
            y = oy + r * pixel
            w, square = _foot(x, y, ax, ay, ex, ey, q)
            if square > width * width:
                continue
            if shift_x[r - r0, c - c0] > 1e8:
                shift_x[r - r0, c - c0], shift_y[r - r0, c - c0] = _warped(warp, x, y)
            x += shift_x[r - r0, c - c0]
            y += shift_y[r - r0, c - c0]
            w, square = _foot(x, y, ax, ay, ex, ey, q)
            rad = path[i, 2] + w * (path[i + 1, 2] - path[i, 2])
            d = np.sqrt(square) / mag - rad
            if d < near[r - r0, c - c0]:
                near[r - r0, c - c0] = d
                radii[r - r0, c - c0] = rad
                slopes[r - r0, c - c0] = path[i, 3] + w * (path[i + 1, 3] - path[i, 3])


@njit(cache=True, fastmath=True)
def add_tube(cortical, trabecular, pixel, ox, oy, path, mag, shell, core, flat, warp):
    """Add a hollow tube along a polyline.

    path: rows of x, y (detector mm), radius (patient mm), slope (path length along the beam per unit length
    in the plane, so that a piece running along the beam is dense). core: density inside. flat: depth over
    radius. warp: 4 rows kx, ky, phase, amplitude (mm) of a smooth displacement that makes outlines irregular.
    """
    window = _tube_window(cortical.shape, pixel, ox, oy, path, mag)
    r0, r1, c0, c1 = window
    if r1 <= r0 or c1 <= c0:
        return
    near = np.full((r1 - r0, c1 - c0), np.float32(1e9))
    radii = np.zeros((r1 - r0, c1 - c0), np.float32)
    slopes = np.zeros((r1 - r0, c1 - c0), np.float32)
    shift_x = np.full((r1 - r0, c1 - c0), np.float32(1e9))  # not known yet
    shift_y = np.zeros((r1 - r0, c1 - c0), np.float32)
    for i in range(path.shape[0] - 1):
        _find_near(near, radii, slopes, shift_x, shift_y, window, pixel, ox, oy, path, i, mag, warp)
    for r in range(r0, r1):
        for c in range(c0, c1):
            best = near[r - r0, c - c0]
            if best < 0:
                radius = radii[r - r0, c - c0]
                slope = slopes[r - r0, c - c0]
                out = best + radius
                outer = np.sqrt(max(radius * radius - out * out, 0.0))
                hollow = max(radius - shell, 0.0)
                inner = np.sqrt(max(hollow * hollow - out * out, 0.0))
                cortical[r, c] += 2.0 * (outer - inner) * flat * slope
                trabecular[r, c] += 2.0 * inner * core * flat * slope


def trabecular_texture(seed: int, size: int = 512, step: float = 0.12) -> np.ndarray:
    """Periodic texture of mean 0 in local (h rows, a columns): mostly vertical struts of 0.3-0.8 mm, some
    horizontal ones, and a slow mottling. float32 (size, size); ``step`` mm a cell."""
    rng = np.random.default_rng(seed)
    fy = np.fft.fftfreq(size, step)[:, None]
    fx = np.fft.rfftfreq(size, step)[None, :]
    frequency = np.hypot(fx, fy) + 1e-6
    upright = np.exp(-((np.arctan2(np.abs(fy), fx) / 0.3) ** 2))
    lying = np.exp(-(((np.arctan2(np.abs(fy), fx) - np.pi / 2) / 0.35) ** 2))
    fine = frequency**-0.55 / (1 + (frequency / 0.85) ** 5) * (1 - np.exp(-((frequency / 0.16) ** 2)))
    slow = np.exp(-((frequency / 0.10) ** 2))
    field = np.zeros((size, size))
    for shape, share in ((fine * upright, 1.0), (fine * lying, 0.3), (fine, 0.5), (slow, 0.5)):
        noise = np.fft.rfft2(rng.standard_normal((size, size)))
        part = np.fft.irfft2(noise * shape, s=(size, size))
        field += share * part / part.std()
    return (field / field.std()).astype(np.float32)
