"""A table whose click opens something, its height, and what its columns are called."""

import pandas as pd
import pytest

from pages.common import clickable_table as tables
from pages.common import shown_table
from pages.common.shown_table import column_labels

ROWS = pd.DataFrame({"subject": ["P1", "P2"], "body_part": ["hand", "foot"], "change": [1.0, -0.5]})


@pytest.fixture
def drawn(monkeypatch):
    """Every call of ``st.dataframe``, and a session state."""
    calls, state = [], {}
    monkeypatch.setattr(tables.st, "dataframe", lambda rows, **options: calls.append(options))
    monkeypatch.setattr(tables.st, "session_state", state)
    return calls, state


def click(state, key, *cells):
    state[key] = {"selection": {"cells": list(cells)}}


def test_click_gives_the_place_of_the_row_and_the_column(drawn):
    calls, state = drawn
    clicked = []
    tables.clickable_table(ROWS, "t", lambda row, column: clicked.append((row, column)), height=90)
    click(state, "t", (1, "change"))
    calls[0]["on_select"]()
    assert clicked == [(1, "change")] and calls[0]["height"] == 90


def test_click_that_leaves_no_cell_does_nothing(drawn):
    calls, state = drawn
    tables.clickable_table(ROWS, "t", lambda row, column: pytest.fail("nothing was clicked"))
    click(state, "t")
    calls[0]["on_select"]()


def test_clicked_row_comes_back_once(drawn):
    calls, state = drawn
    assert tables.clicked_row(ROWS, "t") is None
    click(state, "t", (1, "subject"))
    calls[0]["on_select"]()
    assert tables.clicked_row(ROWS, "t") == {"subject": "P2", "body_part": "foot", "change": -0.5}
    assert tables.clicked_row(ROWS, "t") is None


def test_row_of_a_longer_table_than_the_one_now_is_no_click(drawn):
    calls, state = drawn
    tables.clicked_row(ROWS, "t")
    click(state, "t", (1, "subject"))
    calls[0]["on_select"]()
    assert tables.clicked_row(ROWS.head(1), "t") is None


def test_labels_of_the_caller_win(drawn):
    calls, _ = drawn
    tables.clickable_table(ROWS, "t", print, column_config={"subject": "who"})
    assert calls[0]["column_config"] == {"subject": "who", "body_part": "body part"}


def test_columns_are_called_as_on_the_page():
    rows = pd.DataFrame(columns=["subject", "happened_at", "read_mode", "site"])
    assert column_labels(rows) == {
        "subject": "patient",
        "happened_at": "time (UTC)",
        "read_mode": "read mode",
    }


def test_height_shows_all_rows_up_to_a_limit():
    assert tables.height_for(ROWS, 400) == 38 + 2 * 35
    assert tables.height_for(ROWS.head(0), 400) == 38 + 35
    assert tables.height_for(pd.concat([ROWS] * 50), 400) == 400


@pytest.mark.parametrize("count", [0, 1, tables.FEW, tables.FEW + 1, 60])
def test_a_list_shows_every_row_or_says_how_many_there_are(drawn, monkeypatch, count):
    _, state = drawn
    switches = []
    monkeypatch.setattr(tables.st, "toggle", lambda label, key: switches.append((label, key)))
    rows = pd.DataFrame({"site": [f"S{place}" for place in range(count)]})
    shown = tables.first_rows(rows, "all")
    tables.all_rows(rows, "all", "sites")
    assert tables.height_for(shown) == tables.HEAD_HEIGHT + tables.ROW_HEIGHT * max(len(shown), 1)
    if count <= tables.FEW:
        assert len(shown) == count and not switches
        return
    assert len(shown) == tables.FEW
    assert switches == [(f"Show all {count} sites", "all")]
    state["all"] = True
    assert len(tables.first_rows(rows, "all")) == count


def test_the_first_column_of_a_wide_table_stays_in_sight(monkeypatch):
    shown = {}
    monkeypatch.setattr(shown_table.st, "dataframe", lambda rows, **options: shown.update(options))
    rows = pd.DataFrame([range(9)], columns=["subject", *"abcdefgh"])
    shown_table.show_table(rows)
    assert shown["column_config"]["subject"] == {"label": "patient", "pinned": True}
    shown_table.show_table(rows, column_config={"subject": {"label": "who", "width": 60}})
    assert shown["column_config"]["subject"] == {"label": "who", "width": 60, "pinned": True}
    shown_table.show_table(rows.drop(columns="h"))
    assert shown["column_config"] == {"subject": "patient"}
