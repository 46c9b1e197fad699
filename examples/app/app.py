"""A web page that says which Python serves it."""

import sys

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello():
    return f"hello from {sys.prefix}\n"
