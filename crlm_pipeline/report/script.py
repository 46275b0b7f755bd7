"""The script of every page, and the hash by which its security policy knows it."""

import base64
import hashlib
from typing import NamedTuple

from crlm_pipeline.resources import template_folder


class Script(NamedTuple):
    """A script and the policy that allows it and nothing else to run."""

    text: str
    policy: str


def script_of_pages() -> Script:
    """Return the script that is inlined in each page. Nothing else may run there, and nothing may be loaded."""
    text = (template_folder() / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    allowed = f"script-src 'sha256-{digest}'"
    return Script(
        text, f"default-src 'none'; style-src 'unsafe-inline'; {allowed}; base-uri 'none'; form-action 'none'"
    )
