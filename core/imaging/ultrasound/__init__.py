"""What is what in an ultrasound picture: echoes, colour-coded flow, and what the machine draws around them.

A machine sends a picture of its screen: the scan, and furniture (text, scales, logos, bars of the colours,
outlines of boxes). A network must see the scan alone, or it learns the machine.
"""

from core.domain import ScanArea
from core.imaging.ultrasound.areas import scan_area, scans_box
from core.imaging.ultrasound.colours import colour_pixels
from core.imaging.ultrasound.drawn import furniture
from core.imaging.ultrasound.flow import flow, mode_by_colour
from core.imaging.ultrasound.marks import Orientation, orientation
from core.imaging.ultrasound.pictures import for_network, pictures_for_network

__all__ = [
    "Orientation",
    "ScanArea",
    "colour_pixels",
    "flow",
    "for_network",
    "furniture",
    "mode_by_colour",
    "orientation",
    "pictures_for_network",
    "scan_area",
    "scans_box",
]
