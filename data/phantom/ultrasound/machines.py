"""The simulated machines: how each scans, and how its screen looks. None is a real product."""

from __future__ import annotations

from dataclasses import dataclass

FIRST, SECOND = "first", "second"


@dataclass(frozen=True)
class Machine:
    """One machine with its preset for small joints.

    frequency: MHz of grey scale. cycles: length of the pulse. f_number: focal depth over aperture, the beam's
    width. focus, defocus: depth of the focus, and mm over which the beam widens from there.
    angles: degrees in which a picture is taken and averaged (compounding). smoothing: of the envelope, mm.
    gain, gain_spread: dB, of the preset and over people. tgc_spread: dB over the depth. dynamic_range: dB
    shown. gamma: of the grey map. noise: dB, of the electronics beside skin.
    width: of the probe, mm. depth: shown, mm, by kind of joint.
    doppler_gain, doppler_noise, doppler_cell, bloom: sensitivity, specks, size of a cell (mm) and spill (mm)
    of colour.
    screen: rows, columns. area: x0, y0, x1, y1 of the picture on it. look: of the furniture.
    colours: of the colour bar. jpeg: share of files that are lossy.
    """

    name: str
    maker: str
    model: str
    domain: str
    frequency: float
    cycles: float
    f_number: float
    focus: float
    defocus: float
    angles: tuple[float, ...]
    smoothing: float
    gain: float
    gain_spread: float
    tgc_spread: float
    dynamic_range: float
    gamma: float
    noise: float
    width: float
    depth: dict[str, float]
    doppler_gain: float
    doppler_noise: float
    doppler_cell: float
    bloom: float
    screen: tuple[int, int]
    area: tuple[int, int, int, int]
    look: str
    colours: str
    jpeg: float

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def device(self) -> str:
        """Maker and model, as the files give them."""
        return f"{self.maker} {self.model}"


MACHINES = (
    Machine(
        name="A", maker="Phantomworks", model="Sonar 7", domain=FIRST,
        frequency=13.0, cycles=2.2, f_number=2.0, focus=8.0, defocus=9.0, angles=(-8.0, 0.0, 8.0),
        smoothing=0.035, gain=0.0, gain_spread=3.2, tgc_spread=2.5, dynamic_range=62.0, gamma=0.95,
        noise=-66.0, width=30.0, depth={"MCP": 22.0, "PIP": 18.0, "DIP": 16.0, "WR": 26.0},
        doppler_gain=0.0, doppler_noise=0.5, doppler_cell=0.30, bloom=0.16,
        screen=(480, 640), area=(86, 66, 566, 390), look="plain", colours="fire", jpeg=0.4,
    ),
    Machine(
        name="B", maker="Nordlicht Imaging", model="Echo 18", domain=FIRST,
        frequency=17.0, cycles=2.0, f_number=1.6, focus=6.0, defocus=7.0, angles=(0.0,),
        smoothing=0.0, gain=2.0, gain_spread=3.8, tgc_spread=3.5, dynamic_range=54.0, gamma=1.15, noise=-60.0,
        width=24.0, depth={"MCP": 18.0, "PIP": 14.0, "DIP": 13.0, "WR": 20.0},
        doppler_gain=2.5, doppler_noise=0.85, doppler_cell=0.22, bloom=0.22,
        screen=(576, 768), area=(120, 84, 660, 498), look="header", colours="magenta", jpeg=0.6,
    ),
    Machine(
        name="C", maker="Suedbild", model="Linea 10", domain=SECOND,
        frequency=10.0, cycles=2.4, f_number=2.4, focus=10.0, defocus=10.0, angles=(-7.0, 0.0, 7.0),
        smoothing=0.04, gain=1.0, gain_spread=4.0, tgc_spread=4.5, dynamic_range=62.0, gamma=0.8, noise=-63.0,
        width=36.0, depth={"MCP": 28.0, "PIP": 24.0, "DIP": 20.0, "WR": 32.0},
        doppler_gain=-2.5, doppler_noise=0.7, doppler_cell=0.42, bloom=0.30,
        screen=(600, 800), area=(150, 70, 690, 502), look="side", colours="gold", jpeg=0.5,
    ),
)  # fmt: skip


def machines(domain: str) -> tuple[Machine, ...]:
    """The machines of a domain: two of ``first``, one of ``second``."""
    return tuple(one for one in MACHINES if one.domain == domain)
