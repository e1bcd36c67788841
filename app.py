"""Home: what this study is, what it is not, and the three ways in."""

import streamlit as st

from pages.common.home import journeys, what_this_is, what_this_is_not
from pages.common.page import open_page, shelf_of
from pages.common.views.saved import on_home

page = open_page("Home")
st.title("Sharpline")
what_this_is_not(page)
what_this_is(page)
journeys(page)
on_home(shelf_of(page))
