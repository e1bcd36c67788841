"""Home: what this study is, what it is not, and the three ways in."""

import streamlit as st

from pages.common.home import journeys, what_this_is, what_this_is_not
from pages.common.page import open_page

page = open_page("Home")
st.title("Sharpline")
what_this_is_not(page)
what_this_is(page)
journeys(page)
