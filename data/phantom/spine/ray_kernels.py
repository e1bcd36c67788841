"""Path lengths through solid shapes along the rays of a film (compiled).

Every kernel adds to ``cortical`` and ``trabecular``: path lengths in patient mm (trabecular already
weighted by
its relative density), float32 arrays of the whole image. Shapes are given as signed distance (negative
inside);
between two samples on a ray the distance is taken as linear and the shell is integrated in closed form,
so thin
shells do not alias however coarse the steps are.
"""

from __future__ import annotations

import numpy as np
from numba import njit


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


@njit(cache=True, fastmath=True)
def add_body(
    cortical, trabecular, pixel, ox, oy, cx, cy, axes, bx, by, mag, distance, shape, relief, lesion,
    texture, tex_step, tex_at,
    steps,
):  # fmt: skip
    """Add one vertebral body.

    ox, oy: detector mm of the centre of pixel (0, 0). shape: see ``render.body_shape``. lesion: 2 rows
    (upper,
    lower anterior corner) of bite radius in a, in h, along l, offset along l, squaring, sclerosis, reach of
    sclerosis. relief: see ``render.body_relief``. texture: periodic 2D field read in local (a, h), mean 0.
    """
    anterior, posterior, depth, width = shape[0], shape[1], shape[2], shape[3]
    waist_a, waist_p, waist_s = shape[4], shape[5], shape[6]
    conc_u, conc_l, saddle, lip = shape[7], shape[8], shape[9], shape[10]
    shell, plate, kidney, floor, rough = shape[11], shape[12], shape[13], shape[14], shape[15]
    corner, pedicle = shape[18], shape[19]
    rows, cols = cortical.shape
    reach = np.hypot(depth + 2.5, max(anterior, posterior) / 2 + 2.5) + 2.0
    tilted = width * (abs(axes[2, 0] - bx * axes[2, 2]) + abs(axes[2, 1] - by * axes[2, 2])) + 0.03 * width
    radius = (reach + tilted) * mag
    r0 = max(0, int((cy - radius - oy) / pixel))
    r1 = min(rows, int((cy + radius - oy) / pixel) + 1)
    c0 = max(0, int((cx - radius - ox) / pixel))
    c1 = min(cols, int((cx + radius - ox) / pixel) + 1)
    dt = 2.0 * (width + 2.0) / steps
    n_tex = texture.shape[0]
    for r in range(r0, r1):
        dv = (oy + r * pixel - cy) / mag
        for c in range(c0, c1):
            du = (ox + c * pixel - cx) / mag
            a = du * axes[0, 0] + dv * axes[0, 1]
            h = du * axes[1, 0] + dv * axes[1, 1]
            if abs(a) > depth + 2.5 + tilted or abs(h) > max(anterior, posterior) / 2 + 2.5 + tilted:
                continue
            sx = bx + du / distance
            sy = by + dv / distance
            length = np.sqrt(1.0 + sx * sx + sy * sy)
            cort = 0.0
            core = 0.0
            last = 1e9
            last_plate = False
            fa = 0.0
            fh = 0.0
            weight = 0.0
            plain = 0.0
            for k in range(steps + 1):
                t = -(width + 2.0) + k * dt
                x = du + t * sx
                y = dv + t * sy
                a = x * axes[0, 0] + y * axes[0, 1] + t * axes[0, 2]
                h = x * axes[1, 0] + y * axes[1, 1] + t * axes[1, 2]
                l = x * axes[2, 0] + y * axes[2, 1] + t * axes[2, 2]  # noqa: E741
                share = (a / depth + 1.0) * 0.5
                share = min(max(share, 0.0), 1.0)
                half = (anterior + (posterior - anterior) * share) * 0.5
                if abs(h) > half + 1.5 or abs(a) > depth + 2.5:
                    last = 1.0
                    last_plate = False
                    continue
                hn = h / half
                hc = min(max(hn, -1.0), 1.0)
                hollow = 1.0 - hc * hc
                side = width - waist_s * hollow
                ln = abs(l) / side
                if a < 0:
                    blend = min(max(0.5 + 1.25 * hn, 0.0), 1.0)
                    keep = 1.0 - lesion[0, 4] * (1.0 - blend) - lesion[1, 4] * blend
                    front = depth - waist_a * hollow * keep
                    if hc > 0.55:
                        front += lip * ((hc - 0.55) / 0.45) ** 2
                    an = -a / front
                    rho = np.sqrt(an * an + ln * ln)
                    scale = (front * an * an + side * ln * ln) / max(rho * rho, 1e-6)
                else:
                    back = depth - waist_p * hollow
                    inward = 1.0 - kidney * max(0.0, 1.0 - (1.6 * ln) ** 2)
                    an = a / (back * inward)
                    q = an * an * an * an + ln * ln * ln * ln
                    rho = np.sqrt(np.sqrt(q))
                    scale = (back * an * an + side * ln * ln) / max(an * an + ln * ln, 1e-6)
                sw = (rho - 1.0) * scale
                rr = min(rho, 1.0)
                r2 = rr * rr
                bowl = 1.0 - r2 * r2
                j = 0 if h < 0 else 1
                wave = 0.0
                if abs(h) > half - 5.5:
                    wave = relief[j, 2] * np.sin(relief[j, 3] * a + relief[j, 4] * l + relief[j, 5])
                    wave += relief[j, 6] * np.sin(relief[j, 7] * a + relief[j, 8] * l + relief[j, 9])
                uneven = (relief[j, 0] + relief[j, 1] * a / depth) * l + wave
                top = -half + conc_u * bowl - saddle * min(ln, 1.0) ** 3 * share + uneven
                low = half - conc_l * bowl + uneven
                sc = max(top - h, h - low)
                # a rounded edge between wall and plate
                edge = corner if a < 0 else corner + 1.2 * a / depth
                if sw > -edge and sc > -edge:
                    s = np.sqrt((sw + edge) ** 2 + (sc + edge) ** 2) - edge
                else:
                    s = max(sw, sc)
                is_plate = sc > sw
                if k > 0 and (s < 0.0 or last < 0.0):
                    if is_plate or last_plate:  # the ring apophysis is thicker than the plate within it
                        thick = plate * shape[16 + j] * (0.85 + 0.4 * r2 * r2) * (1.0 + 1.1 * wave)
                    elif a < 0:
                        thick = shell
                    else:  # thin behind, and open where the pedicles leave the body
                        away = ((hn + 0.38) / 0.55) ** 2 + ((ln - 0.62) / 0.42) ** 2
                        thick = shell * (0.8 - pedicle * np.exp(-away * away))
                    ds = s - last
                    if abs(ds) > 1e-5:
                        dc = (_shell_integral(s, thick) - _shell_integral(last, thick)) / ds
                        db = (
                            _core_integral(s, thick, 2.5, floor) - _core_integral(last, thick, 2.5, floor)
                        ) / ds
                    else:
                        dc = 1.0 if s > -thick else 0.0
                        db = 1.0 - dc
                    # lesions of the two anterior corners
                    keep = 1.0
                    more = 0.0
                    if a < 0.2 * depth:
                        for j in range(2):
                            if lesion[j, 0] <= 0.0 and lesion[j, 5] <= 0.0:
                                continue
                            da = a + depth + (0.0 if j == 0 else -lip * 0.0)
                            dh = h + anterior * 0.5 if j == 0 else anterior * 0.5 - h
                            dl = l - lesion[j, 3]
                            if lesion[j, 0] > 0.0:
                                wob = rough * 0.16 * np.sin(1.9 * a + 2.3 * h + 0.7 * l + 3.0 * j)
                                q = (
                                    np.sqrt(
                                        (da / lesion[j, 0]) ** 2
                                        + (dh / lesion[j, 1]) ** 2
                                        + (dl / lesion[j, 2]) ** 2
                                    )
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
                    cort += dt * dc * keep
                    gain = dt * db * keep * (1.0 + more)
                    plain += dt * db * keep
                    core += gain
                    fa += gain * a
                    fh += gain * h
                    weight += gain
                last = s
                last_plate = is_plate
            if cort > 0.0 or core > 0.0:
                if weight > 0.0:
                    ta = (fa / weight) / tex_step + tex_at[0]
                    th = (fh / weight) / tex_step + tex_at[1]
                    ia = int(np.floor(ta))
                    ih = int(np.floor(th))
                    ua = ta - ia
                    uh = th - ih
                    i0 = ih % n_tex
                    i1 = (ih + 1) % n_tex
                    j0 = ia % n_tex
                    j1 = (ia + 1) % n_tex
                    value = (1 - uh) * ((1 - ua) * texture[i0, j0] + ua * texture[i0, j1]) + uh * (
                        (1 - ua) * texture[i1, j0] + ua * texture[i1, j1]
                    )
                    core *= 1.0 + value * np.sqrt(plain / weight)
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


@njit(cache=True, fastmath=True)
def add_tube(cortical, trabecular, pixel, ox, oy, path, mag, shell, core, flat, warp):
    """Add a hollow tube along a polyline.

    path: rows of x, y (detector mm), radius (patient mm), slope (path length along the beam per unit
    length in
    the plane, so that a piece running along the beam is dense). core: density inside. flat: depth over
    radius.
    warp: 4 rows kx, ky, phase, amplitude (mm) of a smooth displacement that makes outlines irregular.
    """
    rows, cols = cortical.shape
    n = path.shape[0]
    big = 0.0
    for i in range(n):
        big = max(big, path[i, 2])
    room = (big + 2.0) * mag
    x_low, x_high, y_low, y_high = 1e9, -1e9, 1e9, -1e9
    for i in range(n):
        x_low, x_high = min(x_low, path[i, 0]), max(x_high, path[i, 0])
        y_low, y_high = min(y_low, path[i, 1]), max(y_high, path[i, 1])
    r0 = max(0, int((y_low - room - oy) / pixel))
    r1 = min(rows, int((y_high + room - oy) / pixel) + 1)
    c0 = max(0, int((x_low - room - ox) / pixel))
    c1 = min(cols, int((x_high + room - ox) / pixel) + 1)
    if r1 <= r0 or c1 <= c0:
        return
    near = np.full((r1 - r0, c1 - c0), np.float32(1e9))
    radii = np.zeros((r1 - r0, c1 - c0), np.float32)
    slopes = np.zeros((r1 - r0, c1 - c0), np.float32)
    shift_x = np.full((r1 - r0, c1 - c0), np.float32(1e9))
    shift_y = np.zeros((r1 - r0, c1 - c0), np.float32)
    for i in range(n - 1):
        ex, ey = path[i + 1, 0] - path[i, 0], path[i + 1, 1] - path[i, 1]
        q = ex * ex + ey * ey
        width = (max(path[i, 2], path[i + 1, 2]) + 1.0) * mag + 1.5
        ra = max(r0, int((min(path[i, 1], path[i + 1, 1]) - width - oy) / pixel))
        rb = min(r1, int((max(path[i, 1], path[i + 1, 1]) + width - oy) / pixel) + 1)
        ca = max(c0, int((min(path[i, 0], path[i + 1, 0]) - width - ox) / pixel))
        cb = min(c1, int((max(path[i, 0], path[i + 1, 0]) + width - ox) / pixel) + 1)
        for r in range(ra, rb):
            for c in range(ca, cb):
                x = ox + c * pixel
                y = oy + r * pixel
                w = 0.0
                if q > 1e-9:
                    w = min(max(((x - path[i, 0]) * ex + (y - path[i, 1]) * ey) / q, 0.0), 1.0)
                gx, gy = x - path[i, 0] - w * ex, y - path[i, 1] - w * ey
                if gx * gx + gy * gy > width * width:
                    continue
                if shift_x[r - r0, c - c0] > 1e8:
                    wx = 0.0
                    wy = 0.0
                    for j in range(4):
                        phase = warp[j, 0] * x + warp[j, 1] * y + warp[j, 2]
                        wx += warp[j, 3] * np.sin(phase)
                        wy += warp[j, 3] * np.cos(1.3 * phase + j)
                    shift_x[r - r0, c - c0] = wx
                    shift_y[r - r0, c - c0] = wy
                x += shift_x[r - r0, c - c0]
                y += shift_y[r - r0, c - c0]
                w = 0.0
                if q > 1e-9:
                    w = ((x - path[i, 0]) * ex + (y - path[i, 1]) * ey) / q
                    w = min(max(w, 0.0), 1.0)
                gx, gy = x - path[i, 0] - w * ex, y - path[i, 1] - w * ey
                rad = path[i, 2] + w * (path[i + 1, 2] - path[i, 2])
                d = np.sqrt(gx * gx + gy * gy) / mag - rad
                if d < near[r - r0, c - c0]:
                    near[r - r0, c - c0] = d
                    radii[r - r0, c - c0] = rad
                    slopes[r - r0, c - c0] = path[i, 3] + w * (path[i + 1, 3] - path[i, 3])
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
