"""SAS tables: numbers, missing values, dates, formats, encodings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from data.tables.files import notes_of, number_column, read_table, text_column
from data.tables.formats.options import TableOptions
from tests.helpers.paths import REFERENCE
from tests.helpers.table_files import write_transport


def transport(tmp_path, table, formats=None):
    path = tmp_path / "t.xpt"
    write_transport(path, table, formats)
    return path


def test_numbers_text_and_missing_values(tmp_path):
    path = transport(
        tmp_path, {"USUBJID": ["007", "A-02", ""], "AVAL": [1.5, "A", 0], "CHG": [None, "_", -3]}
    )
    frame = read_table(path)
    assert text_column(frame, "USUBJID").fillna("").tolist() == ["007", "A-02", ""]
    np.testing.assert_array_equal(number_column(frame, "AVAL")[0], [1.5, np.nan, 0])
    np.testing.assert_array_equal(number_column(frame, "CHG")[0], [np.nan, np.nan, -3])


def test_formats_of_dates_and_zeros_are_kept(tmp_path):
    table = {"ADT": [19724, None], "ADTM": [1704190463, 0], "ID": [7, 12345], "N": [7, 8]}
    formats = {"ADT": ("DATE", 9), "ADTM": ("DATETIME", 20), "ID": ("Z", 4), "N": ("BEST", 8)}
    frame = read_table(transport(tmp_path, table, formats))
    assert frame.loc[1].tolist() == ["2014-01-01", "2014-01-01T10:14:23", "0007", 7]
    assert (frame.loc[2, "ADTM"], frame.loc[2, "ID"]) == ("1960-01-01T00:00:00", "12345")


def test_codes_whose_labels_lie_elsewhere_are_noted(tmp_path):
    frame = read_table(transport(tmp_path, {"ARM": [1, 2]}, {"ARM": ("TRTFMT", 8)}))
    assert notes_of(frame) == ["columns with codes whose labels are not in the file: ARM (TRTFMT)"]


def test_text_is_utf_8_or_what_is_named(tmp_path):
    assert read_table(transport(tmp_path, {"A": ["Mü"], "N": [1]}))["A"][1] == "Mü"
    path = transport(tmp_path, {"A": ["Mü".encode("cp1252")], "N": [1]})
    assert read_table(path)["A"][1] == "Mü"
    assert "read as cp1252" in notes_of(read_table(path))[0]
    path = transport(tmp_path, {"A": ["Łü".encode("cp1250")], "N": [1]})
    frame = read_table(path, TableOptions(encoding="cp1250"))
    assert (frame["A"][1], notes_of(frame)) == ("Łü", [])


def test_second_data_set_is_refused_by_name(tmp_path):
    path = transport(tmp_path, {"A": [1]})
    content = path.read_bytes()
    path.write_bytes(content + content[240:])
    with pytest.raises(InputError, match="holds the data sets TABLE, TABLE; one is needed"):
        read_table(path)


def test_version_8_is_named(tmp_path):
    path = tmp_path / "t.xpt"
    path.write_bytes(b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!".ljust(80) + bytes(400))
    with pytest.raises(InputError, match="transport file of version 8; version 5 is read"):
        read_table(path)


def test_dates_of_a_sas7bdat_file_become_text():
    frame = read_table(REFERENCE / "sas" / "datetime.sas7bdat")
    assert frame.loc[2].tolist() == [
        "2014-01-01T10:14:23",
        "2014-01-01",
        "2014-01-01",
        "2014-01-01",
        "10:14:23",
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.integers(-10_000, 10_000)), min_size=1)
)
def test_any_number_comes_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("xpt") / "t.xpt"
    write_transport(path, {"KEY": [f"k{at}" for at in range(len(values))], "N": values})
    numbers = number_column(read_table(path), "N")[0]
    wanted = [np.nan if value is None else 0 if abs(value) < 1e-60 else float(value) for value in values]
    np.testing.assert_allclose(numbers, wanted, rtol=1e-14)


def test_cut_file_is_refused(tmp_path):
    path = transport(tmp_path, {"A": [f"name {at}" for at in range(50)], "N": list(range(50))})
    path.write_bytes(path.read_bytes()[:-110])
    with pytest.raises(InputError, match="may be corrupted"):
        read_table(path)
