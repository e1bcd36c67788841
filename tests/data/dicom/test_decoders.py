"""The fastest decoder is asked first, and gives what the others give."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.pixels import get_decoder
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless

from data.dicom.decoders import decoder_of
from tests.helpers.small_films import as_bytes, film


def encoded(pixels: np.ndarray, *, bits: int, **settings: object) -> pydicom.Dataset:
    dataset = pydicom.dcmread(io.BytesIO(as_bytes(film(pixels, bits=bits))))
    dataset.compress(JPEGLSNearLossless if settings else JPEGLSLossless, **settings)
    return dataset


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("settings", [{}, {"jls_error": 2}], ids=["lossless", "near lossless"])
def test_jpeg_ls_is_read_by_charls_with_the_values_of_gdcm(bits: int, settings: dict[str, object]) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    pixels = np.random.default_rng(bits).integers(0, 1 << bits, (48, 40)).astype(kind)
    dataset = encoded(pixels, bits=bits, **settings)
    decoder = decoder_of(dataset.file_meta.TransferSyntaxUID)
    assert next(iter(decoder._available)) == "pyjpegls"
    first = decoder.as_array(dataset)[0]
    np.testing.assert_array_equal(first, decoder.as_array(dataset, decoding_plugin="gdcm")[0])
    assert int(np.abs(first.astype(int) - pixels).max()) <= settings.get("jls_error", 0)


def test_every_decoder_is_still_asked() -> None:
    for syntax in (JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless):
        assert "gdcm" in decoder_of(syntax).available_plugins
        assert decoder_of(syntax) is get_decoder(syntax)


def test_where_the_first_decoder_fails_the_next_one_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = encoded(np.arange(2048, dtype=np.uint16).reshape(32, 64), bits=12)
    decoder = decoder_of(JPEGLSLossless)
    whole = decoder.as_array(dataset)[0]

    def fails(*_: object) -> bytearray:
        raise ValueError("no")

    monkeypatch.setitem(decoder._available, "pyjpegls", fails)
    np.testing.assert_array_equal(decoder.as_array(dataset)[0], whole)


def test_a_syntax_without_decoder_is_named() -> None:
    for syntax in (UID("1.2.3"), ExplicitVRLittleEndian + ".77"):
        with pytest.raises(NotImplementedError):
            decoder_of(UID(syntax))
