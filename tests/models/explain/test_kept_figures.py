"""Figures of maps that are kept for a second run are those of the same code."""

from models import cards
from models.explain import report


def test_a_change_of_a_systems_own_sources_gives_a_new_place(tmp_path, monkeypatch):
    own = tmp_path / "score" / "explain"
    own.mkdir(parents=True)
    (tmp_path / "explain").mkdir()
    (own / "maps.py").write_text("ROWS = 160\n")
    monkeypatch.setattr(report, "MODELS", tmp_path)
    monkeypatch.setattr(cards, "read_card", lambda system, size: {})
    monkeypatch.setattr(cards, "weights_hash", lambda card: "same")
    before = report._folder("score", "demo", {})
    assert report._folder("score", "demo", {}) == before
    (own / "maps.py").write_text("ROWS = 96\n")
    assert report._folder("score", "demo", {}) != before
