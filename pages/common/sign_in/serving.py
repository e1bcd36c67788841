"""The dashboard as ``sharpline serve`` runs it: the app behind the gate, and no word to other hosts."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit import net_util

from pages.common.sign_in.gate import Gate

# Streamlit asks a public service for this machine's address to compare it with a foreign origin; the gate has
# refused that origin by then, and nothing is asked outside in any case.
net_util.get_external_ip = lambda: None
net_util.get_internal_ip = lambda: None

app = st.App(Path(__file__).resolve().parents[3] / "app.py", middleware=[Middleware(Gate)])
