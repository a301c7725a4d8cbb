"""What tests of the genes share with those of the compiler: real readers and a real PowerShell."""

from __future__ import annotations

from guest.conftest import cloudbase_init_python as cloudbase_init_python
from guest.conftest import read_as_windows as read_as_windows
from stdlib.conftest import pslite as pslite
