"""Small STIR stacks with a bright patch, for what is trained on stacks and needs no anatomy."""

import numpy as np

from models.sparcc.rendered import Stack


def small_stack(patient="P1", view="lumbar", patch=(2, 3), seed=0, spacing=(1.0, 1.0)):
    """Six noisy slices of 40 x 30 mm with one body; on slices ``patch`` a bright corner of it is oedema."""
    rng = np.random.default_rng([seed, len(patient), sum(map(ord, patient + view))])
    rows, columns = round(40 / spacing[0]), round(30 / spacing[1])
    stir = rng.normal(100, 8, (6, rows, columns))
    down, across = np.indices((rows, columns)) * np.array(spacing)[:, None, None]
    body = (np.abs(down - 20) < 10) & (np.abs(across - 15) < 9)
    oedema = np.zeros(stir.shape, np.uint8)
    for frame in patch:
        oedema[frame, body & (np.abs(down - 14) < 3) & (np.abs(across - 10) < 3)] = 1
    stir[oedema > 0] += 150
    structures = np.broadcast_to(np.where(body, 20, 0), stir.shape).astype(np.uint8)
    return Stack(
        patient, view, "first", "STIR", "", stir.clip(0).astype(np.uint16),
        (200 - stir * 0.3).clip(0).astype(np.uint16), oedema, structures, spacing,
        ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)), tuple((-3.5 * place, 0.0, 0.0) for place in range(6)),
    )  # fmt: skip
