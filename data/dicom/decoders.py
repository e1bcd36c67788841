"""Which decoder reads the pixels of a transfer syntax: the fastest of those that give the same values."""

from __future__ import annotations

from functools import lru_cache

from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import UID, JPEGLSLossless, JPEGLSNearLossless

# CharLS by itself takes 0.6 of the time that it takes inside GDCM, which pydicom asks first
_FIRST = {JPEGLSLossless: "pyjpegls", JPEGLSNearLossless: "pyjpegls"}
_OTHERS = ("gdcm", "pylibjpeg")


@lru_cache(maxsize=64)
def decoder_of(syntax: UID) -> Decoder:
    """pydicom's decoder of a transfer syntax; the others are asked where the first one fails.

    Raises NotImplementedError where there is none.
    """
    decoder = get_decoder(syntax)
    if _FIRST.get(syntax) in decoder.available_plugins:
        for name in _OTHERS:  # pydicom asks them in the order in which they came
            decoder.remove_plugin(name)
            decoder.add_plugin(name, (f"pydicom.pixels.decoders.{name}", "_decode_frame"))
    return decoder
