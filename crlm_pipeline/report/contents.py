"""What stands on which page of the report, in the order of the navigation.

A new section is one entry in the page that it belongs to; each centre's page then shows it too, unless it returns None
there. A new page is one more line. A page with nothing to show is left out, and nothing leads to it.
"""

from typing import Final

from crlm_pipeline.report.page import MakeSection, Page
from crlm_pipeline.report.sections import (
    alluvial,
    biomarker,
    biomarkers,
    centres,
    cohort,
    comparison,
    completeness,
    concordance,
    conflicts,
    departures,
    glance,
    guidelines,
    indicator,
    indicators,
    methods,
    pathway,
    pathways,
    process_chart,
    quality,
    safety,
    shift,
    signals,
    survival,
    testing,
    trend,
    uptake,
)

PAGES: Final = (
    Page("index", "Overview", "", (glance.section, signals.section)),
    Page("cohort", "Who is in and who is not", "Patients", (cohort.section,)),
    Page("biomarkers", "Biomarkers", "Patients", (biomarkers.section,), biomarker.pages),
    Page("testing", "Tests in time", "Patients", (testing.section,)),
    Page("pathways", "Pathways", "Treatment", (pathways.section,), pathway.pages),
    Page("concordance", "Concordance", "Treatment", (concordance.section,)),
    Page("centres", "Centres compared", "Treatment", (centres.section, signals.tally)),
    Page("departures", "Departures", "Treatment", (departures.section,)),
    Page("safety", "Safety", "Treatment", (safety.section,)),
    Page("indicators", "Quality indicators", "Treatment", (indicators.section, process_chart.section), indicator.pages),
    Page("survival", "Survival", "Treatment", (survival.section,)),
    Page("comparison", "Guidelines compared", "Guidelines", (comparison.section, conflicts.section)),
    Page("editions", "Editions side by side", "Guidelines", (guidelines.section,)),
    Page("alluvial", "Recommended and given", "Guidelines", (alluvial.section,)),
    Page("uptake", "Uptake of changes", "Guidelines", (uptake.section,)),
    Page("quality", "Data quality", "Data", (quality.section, completeness.section, trend.section, shift.section)),
    Page("methods", "Methods", "Data", (methods.section,)),
)
# Lists the files behind all of these.
DOWNLOADS: Final = Page("data", "Downloads", "Data")

CENTRE_SECTIONS: Final[tuple[MakeSection, ...]] = tuple(section for page in PAGES for section in page.sections)
