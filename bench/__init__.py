"""What is measured; bench/README.md has the commands and the figures.

Each module runs as ``python -m bench.NAME``. Importing the package gives the process
settings of its own before Django reads any, so that no bench touches a running site.
"""

from __future__ import annotations

import django

from bench import environment

environment.enter()
django.setup()
