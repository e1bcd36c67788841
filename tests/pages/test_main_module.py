"""A page that ran in one test is not the main module of the next: worker processes would run it."""

import sys

import pytest

seen = []


@pytest.mark.parametrize("time", ["first", "second"])
def test_page_leaves_the_main_module_alone(open_app, time):
    seen.append(sys.modules["__main__"])
    open_app()
    assert sys.modules["__main__"] is not seen[0]
    assert all(module is seen[0] for module in seen)
