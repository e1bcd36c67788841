"""Progression."""

from pages.common.opening import open_page

open_page("Progression")
