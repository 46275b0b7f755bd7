"""Clinical 3.5: the transverse colon under the two other policies; everything else stays as it is."""

from dataclasses import replace

import pytest

from tests.acceptance.registry import FOLFOX, SETTINGS, Answers, Patient, Registry, palliative

PARTS = {"proximal": "right", "distal": "left", "": None}


def registry(policy: str) -> Registry:
    """Return a primary in each part of the transverse colon, and one in the sigmoid."""
    stated = Registry(replace(SETTINGS, side_policy=policy))
    drug_exposure = palliative(FOLFOX, "2023-03-01")
    for part in PARTS:
        tumour = [{"topography": "C18.4", "transverse_part": part}]
        stated.add(f"transverse_{part}", tumour=tumour, drug_exposure=drug_exposure)
    stated.add("sigmoid", tumour=[{}], drug_exposure=drug_exposure)
    return stated


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return registry("split").run(tmp_path_factory.mktemp("split"))


@pytest.fixture(scope="module")
def excluded(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return registry("exclude").run(tmp_path_factory.mktemp("exclude"))


@pytest.mark.parametrize("part", PARTS)
def test_split_asks_the_part_of_the_transverse_colon(split: Answers, part: str) -> None:
    assert Patient(split, f"transverse_{part}").fact("side") == PARTS[part]
    assert Patient(split, "sigmoid").fact("side") == "left"


@pytest.mark.parametrize("part", PARTS)
def test_exclude_leaves_the_transverse_colon_without_a_side(excluded: Answers, part: str) -> None:
    assert Patient(excluded, f"transverse_{part}").fact("side") is None
    assert Patient(excluded, "sigmoid").fact("side") == "left"
