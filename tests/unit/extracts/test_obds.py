"""oBDS-RKI XML, written here by hand: patients, tumours, courses, follow-up, and what is noticed."""

from datetime import date
from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import validate
from tests.unit.extracts.files import checks, read, table

NAMESPACE = ' xmlns="http://www.basisdatensatz.de/oBDS/XML"'


def dated(name: str, day: str, precision: str = "T") -> str:
    return f'<{name} Datumsgenauigkeit="{precision}">{day}</{name}>'


def diagnosis(
    icd: str = "C18.7", site: str = "C18.7", day: str = "2020-05-15", precision: str = "T", inner: str = ""
) -> str:
    topography = f"<Primaertumor_Topographie_ICD_O><Code>{site}</Code></Primaertumor_Topographie_ICD_O>" if site else ""
    return (
        f"<Primaerdiagnose>{dated('Diagnosedatum', day, precision)}"
        f"<Primaertumor_ICD><Code>{icd}</Code></Primaertumor_ICD>{topography}{inner}</Primaerdiagnose>"
    )


def tumour(primary: str | None = None, *parts: str, tumour_id: str = "t1") -> str:
    return f'<Tumor Tumor_ID="{tumour_id}">{diagnosis() if primary is None else primary}{"".join(parts)}</Tumor>'


def patient(*tumours: str, sex: str = "W", dead: str = "N", birth: str = "M", patient_id: str = "p1") -> str:
    return (
        f'<Patient Patient_ID="{patient_id}"><Patienten_Stammdaten><Geschlecht>{sex}</Geschlecht>'
        f"{dated('Geburtsdatum', '1950-06-15', birth)}<Vitalstatus><Verstorben>{dead}</Verstorben>"
        f"{dated('Datum_Vitalstatus', '2023-02-07', 'E')}</Vitalstatus></Patienten_Stammdaten>"
        f"<Menge_Tumor>{''.join(tumours or [tumour()])}</Menge_Tumor></Patient>"
    )


def document(*patients: str, root: str = "oBDS_RKI", xmlns: str = NAMESPACE) -> str:
    return (
        f'<{root} Schema_Version="3.0.0.8a_RKI"{xmlns}><Lieferregister Register_ID="13"/>'
        f"<Menge_Patient>{''.join(patients)}</Menge_Patient></{root}>"
    )


def extract(folder: Path, *patients: str) -> Extract:
    return read(folder, {"delivery.xml": document(*patients)})


def course(*substances: str, day: str = "2020-08-15", precision: str = "T", intention: str = "P", place: str = "O",
           days: str = "60", protocol: str = "") -> str:  # fmt: skip
    listed = "".join(f"<Substanz>{substance}</Substanz>" for substance in substances)
    return (
        f"<Menge_SYST><SYST>{dated('Datum_Beginn_SYST', day, precision)}<Intention>{intention}</Intention>"
        f"<Stellung_OP>{place}</Stellung_OP>{protocol}"
        f"{f'<Menge_Substanz>{listed}</Menge_Substanz>' if listed else ''}"
        f"<Anzahl_Tage_SYST_Dauer>{days}</Anzahl_Tage_SYST_Dauer></SYST></Menge_SYST>"
    )


def named(name: str) -> str:
    return f"<Bezeichnung>{name}</Bezeichnung>"


def sites(*codes: str) -> str:
    inner = "".join(f"<Fernmetastase><Lokalisation>{code}</Lokalisation></Fernmetastase>" for code in codes)
    return f"<Menge_FM>{inner}</Menge_FM>"


def follow_up(day: str, state: str = "X", metastases: str = "", precision: str = "T") -> str:
    return (
        f"<Menge_Folgeereignis><Folgeereignis>{dated('Datum_Folgeereignis', day, precision)}"
        f"<Gesamtbeurteilung_Tumorstatus>{state}</Gesamtbeurteilung_Tumorstatus>{metastases}</Folgeereignis>"
        "</Menge_Folgeereignis>"
    )


def exposures(folder: Path, *courses: str) -> list[tuple[object, ...]]:
    rows = table(extract(folder, patient(tumour(None, *courses))), "drug_exposure")
    return rows.select("drug", "atc", "start_date", "end_date", "intent").rows()


@pytest.mark.parametrize(("root", "xmlns"), [("oBDS_RKI", NAMESPACE), ("OBDS_RKI", "")])
def test_the_root_is_known_as_the_schema_and_as_the_sample_write_it(tmp_path: Path, root: str, xmlns: str) -> None:
    found = read(tmp_path, {"x.dat.xml": document(patient(), root=root, xmlns=xmlns)})
    assert [(file.format, file.row_count, file.unmapped_count) for file in found.files] == [("obds", 2, 0)]


def test_another_root_is_no_registry(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No registry format"):
        read(tmp_path, {"x.xml": document(patient(), root="oBDS")})


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"x\.xml: The XML is cut off"):
        read(tmp_path, {"x.xml": document(patient())[:-20]})


def test_a_patient_is_read(tmp_path: Path) -> None:
    assert table(extract(tmp_path, patient(dead="J")), "patient").to_dicts() == [
        {
            "source_row": 1,
            "patient_id": "p1",
            "centre_id": "13",
            "country": "DE",
            "birth_year": "1950",
            "sex": "female",
            "vital_status": "dead",
            "last_contact_date": "2023-02-07",
            "death_date": "2023-02-07",
        }
    ]


@pytest.mark.parametrize(("code", "sex"), [("M", "male"), ("W", "female"), ("D", "other"), ("X", None), ("U", None)])
def test_sex_by_its_code(tmp_path: Path, code: str, sex: str | None) -> None:
    assert table(extract(tmp_path, patient(sex=code)), "patient")["sex"].item() == sex


def test_a_birth_whose_year_is_estimated_is_unknown(tmp_path: Path) -> None:
    assert table(extract(tmp_path, patient(birth="V")), "patient")["birth_year"].item() is None


@pytest.mark.parametrize(
    ("precision", "day"), [("E", "2020-05-15"), ("T", "2020-05"), ("M", "2020"), ("V", None), ("?", None)]
)
def test_a_date_is_as_exact_as_it_says(tmp_path: Path, precision: str, day: str | None) -> None:
    found = extract(tmp_path, patient(tumour(diagnosis(precision=precision))))
    assert table(found, "tumour")["diagnosis_date"].item() == day


def test_a_tumour_is_read_and_pathology_goes_before_the_clinic(tmp_path: Path) -> None:
    inner = (
        "<cTNM><T>2</T><N>1b</N><M>1a</M></cTNM><pTNM><T>4a</T><N>X</N><M>X</M></pTNM>"
        "<Histologie><Morphologie_ICD_O><Code>8140/3</Code></Morphologie_ICD_O><LK_befallen>2</LK_befallen></Histologie>"
    )
    assert table(extract(tmp_path, patient(tumour(diagnosis(inner=inner)))), "tumour").to_dicts() == [
        {
            "source_row": 1,
            "topography": "C18.7",
            "patient_id": "p1",
            "tumour_id": "t1",
            "diagnosis_date": "2020-05",
            "morphology": "8140/3",
            "t_category": "T4a",
            "n_category": "N1b",
            "m_category": "M1a",
            "nodes_positive": "2",
        }
    ]


def test_the_diagnosis_decides_what_is_colorectal(tmp_path: Path) -> None:
    elsewhere = tumour(diagnosis("C50.1", "C18.2"))
    contradicted = tumour(diagnosis("C19", "C50.1"), tumour_id="t2")
    without_site = tumour(diagnosis("C20", ""), tumour_id="t3")
    found = extract(tmp_path, patient(elsewhere, contradicted, without_site))
    assert table(found, "tumour").select("tumour_id", "topography").rows() == [("t2", "C19.9"), ("t3", "C20.9")]
    assert checks(found) == ["not_colorectal", "site_contradicts_diagnosis"]


def test_nothing_below_a_tumour_elsewhere_is_read(tmp_path: Path) -> None:
    inner = f"<Modul_Darm><RASMutation>M</RASMutation></Modul_Darm>{sites('HEP')}"
    elsewhere = tumour(
        diagnosis("C50.1", "C50.1", inner=inner), course(named("Cetuximab")), follow_up("2021-01-15", "P")
    )
    found = extract(tmp_path, patient(elsewhere))
    assert {part.table_name: part.frame.height for part in found.tables if part.frame.height} == {"patient": 1}
    assert checks(found) == ["no_colorectal_tumour", "not_colorectal", "ras_outside_colorectal"]


@pytest.mark.parametrize(
    ("code", "result", "reason"),
    [("W", "not_detected", None), ("M", "indeterminate", None), ("U", "indeterminate", "not_recorded"),
     ("N", "indeterminate", "not_done")],
)  # fmt: skip
def test_ras_tells_neither_gene_nor_codons(tmp_path: Path, code: str, result: str, reason: str | None) -> None:
    inner = f"<Modul_Darm><RASMutation>{code}</RASMutation></Modul_Darm>"
    found = extract(tmp_path, patient(tumour(diagnosis(inner=inner))))
    rows = table(found, "biomarker")
    assert "region_tested" not in rows.columns
    assert rows.select("analyte", "result", "missing_reason", "registry_code").rows() == [
        ("kras", result, reason, code),
        ("nras", result, reason, code),
    ]
    assert ("ras_gene_unknown" in checks(found)) == (code == "M")


def test_metastases_at_diagnosis_make_a_work_up(tmp_path: Path) -> None:
    found = extract(tmp_path, patient(tumour(diagnosis(inner=sites("HEP", "LYM", "SKI")))))
    assert table(found, "assessment").to_dicts() == [
        {
            "source_row": 1,
            "patient_id": "p1",
            "assessment_date": "2020-05",
            "first_metastasis_date": "2020-05",
            "mets_diagnosis_date": "2020-05",
            "mets_sites": "distant_nodes;liver;other",
        }
    ]


def test_new_metastases_add_to_the_earlier_ones(tmp_path: Path) -> None:
    later = follow_up("2021-03-15", metastases=sites("HEP"))
    found = extract(tmp_path, patient(tumour(diagnosis(inner=sites("PUL")), later)))
    columns = ("assessment_date", "first_metastasis_date", "mets_diagnosis_date", "mets_sites")
    assert table(found, "assessment").select(columns).rows() == [
        ("2020-05", "2020-05", None, "lung"),
        ("2021-03", "2020-05", "2021-03", "liver;lung"),
    ]
    assert found.files[0].unmapped_count == 0


def test_one_day_makes_one_work_up_of_all_its_tumours(tmp_path: Path) -> None:
    first, second = tumour(diagnosis(inner=sites("HEP"))), tumour(diagnosis(inner=sites("PUL")), tumour_id="t2")
    assert table(extract(tmp_path, patient(first, second)), "assessment")["mets_sites"].to_list() == ["liver;lung"]


def test_substances_are_read_by_name_or_code(tmp_path: Path) -> None:
    found = exposures(tmp_path, course(named("Irinotecan"), "<ATC><Code>L01FE01</Code></ATC>"))
    assert found == [
        ("Irinotecan", None, "2020-08", "2020-10", "palliative"),
        ("L01FE01", "L01FE01", "2020-08", "2020-10", "palliative"),
    ]


@pytest.mark.parametrize(
    ("protocol", "drugs"),
    [
        ("<Protokoll><Bezeichnung>FOLFOX 6</Bezeichnung></Protokoll>", ["fluorouracil", "oxaliplatin"]),
        ("<Protokoll><Bezeichnung>mFOLFOX6</Bezeichnung></Protokoll>", ["fluorouracil", "oxaliplatin"]),
        ("<Protokoll><Protokollschluessel><Code>FOLFIRI + Bevacizumab</Code></Protokollschluessel></Protokoll>",
         ["fluorouracil", "irinotecan", "Bevacizumab"]),
        ("<Protokoll><Bezeichnung>XELOX</Bezeichnung></Protokoll>", ["capecitabine", "oxaliplatin"]),
        ("<Protokoll><Bezeichnung>R-ICE</Bezeichnung></Protokoll>", ["R-ICE"]),
    ],
)  # fmt: skip
def test_a_protocol_stands_for_its_substances_where_none_is_named(
    tmp_path: Path, protocol: str, drugs: list[str]
) -> None:
    assert [row[0] for row in exposures(tmp_path / "a", course(protocol=protocol))] == drugs
    assert [row[0] for row in exposures(tmp_path / "b", course(named("X"), protocol=protocol))] == ["X"]


@pytest.mark.parametrize(
    ("intention", "place", "intent"),
    [("P", "A", "palliative"), ("K", "A", "adjuvant"), ("K", "N", "perioperative"), ("K", "O", "curative"),
     ("S", "A", None), ("X", "O", None)],
)  # fmt: skip
def test_intent_by_intention_and_place(tmp_path: Path, intention: str, place: str, intent: str | None) -> None:
    (row,) = exposures(tmp_path, course(named("Capecitabin"), intention=intention, place=place))
    assert row[-1] == intent


def test_an_end_is_no_more_exact_than_its_start(tmp_path: Path) -> None:
    exact = exposures(tmp_path / "a", course(named("X"), precision="E", days="20"))
    by_year = exposures(tmp_path / "b", course(named("X"), precision="M", days="200"))
    open_end = exposures(tmp_path / "c", course(named("X"), days=""))
    assert [rows[0][2:4] for rows in (exact, by_year, open_end)] == [
        ("2020-08-15", "2020-09-04"), ("2020", "2021"), ("2020-08", None),
    ]  # fmt: skip


@pytest.mark.parametrize("days", ["-1", "20201399", "1e400", "many"])
def test_an_impossible_duration_is_unknown(tmp_path: Path, days: str) -> None:
    assert exposures(tmp_path, course(named("X"), days=days))[0][3] is None


def test_a_course_without_a_year_or_a_drug_makes_no_row_and_is_noticed(tmp_path: Path) -> None:
    found = extract(tmp_path, patient(tumour(None, course(named("X"), precision="V"), course())))
    assert table(found, "drug_exposure").is_empty()
    assert checks(found) == ["date_estimated", "drug_not_named"]
    assert found.files[0].unmapped_count == 2


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("V", "complete_response"), ("R", "complete_response"), ("T", "partial_response"), ("K", "stable_disease"),
     ("B", "stable_disease"), ("P", "progression"), ("Y", "progression")],
)  # fmt: skip
def test_follow_up_by_its_code(tmp_path: Path, code: str, outcome: str) -> None:
    found = table(extract(tmp_path, patient(tumour(None, follow_up("2021-01-15", code)))), "outcome")
    assert found.select("outcome_date", "outcome").rows() == [("2021-01", outcome)]


@pytest.mark.parametrize("code", ["D", "U", "X"])
def test_a_follow_up_without_a_judgement_makes_no_outcome(tmp_path: Path, code: str) -> None:
    found = extract(tmp_path, patient(tumour(None, follow_up("2021-01-15", code))))
    assert table(found, "outcome").is_empty()


def test_radioembolisation_is_the_only_radiation_that_makes_a_procedure(tmp_path: Path) -> None:
    def radiation(kind: str) -> str:
        day = dated("Datum_Beginn_Bestrahlung", "2021-06-15")
        return f"<Bestrahlung>{day}<Applikationsart>{kind}</Applikationsart></Bestrahlung>"

    sirt = radiation("<Metabolisch><Metabolisch_Typ>SIRT</Metabolisch_Typ></Metabolisch>")
    stereotactic = radiation("<Perkutan><Stereotaktisch>ST</Stereotaktisch></Perkutan>")
    both = f"<Menge_ST><ST><Menge_Bestrahlung>{sirt}{stereotactic}</Menge_Bestrahlung></ST></Menge_ST>"
    found = extract(tmp_path, patient(tumour(None, both)))
    assert table(found, "procedure").select("procedure_date", "procedure").rows() == [("2021-06", "sirt")]
    assert checks(found) == ["radiation_not_mapped"]


def test_operations_are_noticed(tmp_path: Path) -> None:
    operation = f"{dated('Datum_OP', '2020-06-15')}<Menge_OPS><OPS><Code>5-455</Code></OPS></Menge_OPS>"
    found = extract(tmp_path, patient(tumour(None, f"<Menge_OP><OP>{operation}</OP></Menge_OP>")))
    assert checks(found) == ["surgery_not_mapped"]
    assert found.files[0].unmapped_count == 1


def test_an_accepted_delivery_balances(tmp_path: Path) -> None:
    inner = f"<Modul_Darm><RASMutation>W</RASMutation></Modul_Darm>{sites('HEP')}"
    whole = tumour(diagnosis(inner=inner), course(named("Bevacizumab")), follow_up("2021-01-15", "P"))
    found = validate(extract(tmp_path, patient(whole)), today=date(2026, 11, 23))
    assert found.rejected_row.is_empty()
    assert {name: frame.height for name, frame in found.tables.items() if frame.height} == {
        "patient": 1, "tumour": 1, "assessment": 1, "biomarker": 2, "drug_exposure": 1, "outcome": 1,
    }  # fmt: skip
