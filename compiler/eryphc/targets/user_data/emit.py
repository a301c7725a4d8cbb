"""Makes the files of the `user-data` target from its plan."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping

from eryphc.artifacts.file import ArtifactFile
from eryphc.artifacts.manifest import document_bytes
from eryphc.diagnostics.losses import report_losses
from eryphc.guest.encode import PLAIN
from eryphc.guest.platforms import report_of
from eryphc.targets.user_data.plan import UserDataPlan

USER_DATA = "user-data"
IN_BASE64 = "user-data.b64"
REPORT = "report.json"


def emit(plan: UserDataPlan) -> Mapping[str, ArtifactFile]:
    """The bytes that the guest reads, the same as one line of base64 where the platform's field
    wants that, and the report."""
    made = plan.payload
    data = made.encoded.data
    files = {
        USER_DATA: ArtifactFile(
            content=data, media_type=made.encoded.media_type, secret=plan.secret
        )
    }
    if made.platform.encodes(made.form):
        files[IN_BASE64] = ArtifactFile(
            content=b2a_base64(data, newline=False), media_type=PLAIN, secret=plan.secret
        )
    # Sizes tell how long a secret is.
    files[REPORT] = ArtifactFile(
        content=_report(plan), media_type="application/json", tells=plan.secret
    )
    return files


def _report(plan: UserDataPlan) -> bytes:
    report = report_of(plan.payload)
    report["losses"] = report_losses(plan.losses)
    if plan.fits:
        report["fits"] = dict(plan.fits)
    return document_bytes(report)
