"""The image of a seed as pycdlib makes it: the definition that `iso.nocloud_image` is held to."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

from pycdlib import PyCdlib

from artifacts.iso_dates import pin_dates
from eryphc.artifacts.iso import refuse_unwritable


def reference_iso(files: Mapping[str, bytes], *, label: str = "cidata", epoch: int) -> bytes:
    """The bytes that `nocloud_image` gives, by pycdlib's public interface. Raises `IsoError`."""
    refuse_unwritable(files, label)
    image = PyCdlib()
    image.new(
        interchange_level=3,
        joliet=3,
        rock_ridge="1.09",
        vol_ident=label,
        app_ident_str="eryphc",
    )
    width = max(3, len(str(len(files) - 1)))
    for index, name in enumerate(sorted(files)):
        image.add_fp(
            BytesIO(files[name]),
            len(files[name]),
            f"/F{index:0{width}d}.;1",
            rr_name=name,
            joliet_path=f"/{name}",
            file_mode=0o100444,
        )
    written = BytesIO()
    image.write_fp(written)
    image.close()
    return pin_dates(written.getvalue(), epoch)
