"""Pages of centres as PDF, from the very files of the report: the style sheet's rules for paper do the rest."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from crlm_pipeline.errors import UsageError
from crlm_pipeline.owner_only import owner_only

EVERY: Final = "all"


def write_pdfs(folder: Path, codes: Sequence[str]) -> Iterator[Path]:
    """Write the page of each centre (its code; "all" for every one) of the report in `folder` as PDF beside it.

    Yield each file when it is there. Raises `UsageError` for a centre without a page, and where WeasyPrint or the
    system's Pango, which it draws text with, is missing.
    """
    pages = {path.stem.removeprefix("centre-"): path for path in sorted(folder.glob("centre-*.html"))}
    wanted = list(pages) if EVERY in codes else list(dict.fromkeys(codes))
    if unknown := [code for code in wanted if code not in pages]:
        known = f"one of {', '.join(pages)}" if pages else "none: the registry has no centre"
        raise UsageError(f"--pdf {unknown[0]}: no centre of the report has this code. Expected {known}, or {EVERY}.")
    weasyprint = _weasyprint()
    for code in wanted:
        target = pages[code].with_suffix(".pdf")
        html = weasyprint.HTML(string=pages[code].read_text(encoding="utf-8"), url_fetcher=_nothing)
        with owner_only():
            html.write_pdf(target, pdf_variant="pdf/ua-1")
        yield target


def _weasyprint() -> Any:
    try:
        import weasyprint  # noqa: PLC0415  # an extra
    except ImportError as error:
        message = "--pdf needs WeasyPrint, which is not installed. Install the extra: pip install 'crlm-pipeline[pdf]'."
        raise UsageError(message) from error
    except OSError as error:
        message = (
            "--pdf: WeasyPrint does not find the system's Pango, which it draws text with. Install Pango 1.44 or later "
            "(Debian: libpango-1.0-0 and libpangoft2-1.0-0), or print the page from a browser."
        )
        raise UsageError(message) from error
    return weasyprint


def _nothing(url: str, *_: object, **__: object) -> dict[str, Any]:
    """Refuse to fetch: a page holds all that it needs."""
    raise ValueError(f"the report asks for nothing, but its page names {url}")
