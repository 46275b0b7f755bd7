"""What moved since the last published run: which verdicts are given more or less often, and by what. No counts."""

from typing import Final

from crlm_pipeline.disclosure import plain
from crlm_pipeline.report.fragments import Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words

_HEADINGS: Final = {
    "guideline": "Series",
    "setting": "Setting",
    "verdict": "Verdict",
    "moved": "Given now",
    "by_data": "Moved by the data",
    "by_edition": "Moved by an edition",
    "by_code": "Moved by code or settings",
}


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the verdicts whose share left its limits, on the registry's pages alone; None after a first run."""
    shifts = registry.shifts
    if centre is not None or shifts.is_empty():
        return None
    beyond = shifts.filter("is_beyond")
    told = beyond.filter("is_told")
    sentence = (
        f"Of {shifts.height} shares of verdicts, compared with the run {shifts['run_id_before'][0]} that was published "
        f"before, {beyond.height or 'none'} left the limits of chance."
    )
    blocks: list[Table | str] = []
    if not told.is_empty():
        words = told.select(in_words("guideline"), in_words("setting"), in_words("verdict"), *list(_HEADINGS)[3:])
        caption = "Verdicts whose share left its limits, and which way each cause moved it."
        blocks.append(table(plain("verdict_shift", words), _HEADINGS, caption, text=tuple(_HEADINGS)[1:]))
    if hidden := beyond.height - told.height:
        blocks.append(f"Of so few decisions that nothing is told of them: {hidden}.")
    if differs := shifts["differs"][0].to_list():
        blocks.append(f"The two runs differ in: {', '.join(differs)}.")
    return Section("shift", "Since the last published run", sentence, tuple(blocks))
