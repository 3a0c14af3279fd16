"""Where the estate comes from: an upload or one of the samples."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

import planner
from planner.jobs import Job
from planner.readers import read
from planner.readers.mapping import Mapping
from planner.web import frame, mapping

log = logging.getLogger(__name__)

SAMPLES = {
    "small_company.xlsx": "Small company: one physical server per service",
    "medium_estate.xlsx": "Medium estate: a planning workbook",
    "rvtools_800.xlsx": "RVTools export: 800 virtual machines",
}
TYPES = ["xlsx", "xlsm", "csv", "tsv", "json", "zip"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """An inventory that was read, and what it was read from; `key` changes whenever that changes."""

    key: str
    label: str
    inventory: planner.Inventory


def show(samples: Path, job: Job | None) -> Chosen | None:
    """The part of the page where a file is chosen; what was read from it, None where there is nothing (good) yet."""
    st.subheader("1. Your estate")
    left, right = st.columns([3, 2], gap="large")
    uploads = left.file_uploader(
        "Exports of RVTools, Live Optics, Nutanix, clouds and others, or a spreadsheet of your own",
        type=TYPES,
        accept_multiple_files=True,
        key="upload",
        help="Several files are read as one estate, every machine once; tabs of one export may come as a .zip. Hosts "
        "and host models may stand on sheets or in files of their own.",
    )
    there = [name for name in SAMPLES if (samples / name).is_file()]
    sample = right.selectbox(
        "or a sample", there, index=None, format_func=SAMPLES.get, key="sample", placeholder="Choose a sample"
    )
    right.caption("An upload goes before a sample. Remove the upload to see the sample.")
    if uploads:
        key = "+".join(upload.file_id for upload in uploads)
        return _read(key, " + ".join(upload.name for upload in uploads), uploads)
    if sample is not None:
        return _read(sample, SAMPLES[sample], [samples / sample])
    if job is not None:
        return Chosen(key=job.token, label="the estate of the plan below", inventory=job.problem.inventory)
    st.info("Upload a file or choose a sample to begin.")
    return None


def _read(key: str, label: str, sources: list) -> Chosen | None:
    """What the sources hold; a file that cannot be read leaves the rest of the page as it is.

    Where columns had to be guessed, a box shows them, and what is corrected there is read.
    """
    found = _once("read", key, label, sources)
    told = mapping.show(key, sources, found)
    if told is not None:
        key = f"{key} {told.to_toml()}"
        found = _once("read_mapped", key, label, sources, told)
    if isinstance(found, planner.InputError):
        frame.show_error(str(found), found.details)
        return None
    return Chosen(key=key, label=label, inventory=found)


def _once(
    name: str, key: str, label: str, sources: list, told: Mapping | None = None
) -> planner.Inventory | planner.InputError:
    """What reading gives, kept in the session under a name until the key changes."""
    if st.session_state.get(f"{name}_key") != key:
        st.session_state.pop(name, None)
        with st.spinner("Reading ..."):
            line = st.empty()
            try:
                source = sources if len(sources) > 1 else sources[0]
                found: planner.Inventory | planner.InputError = read(
                    source, mapping=told, on_rows=lambda *so_far: line.caption(_progress(*so_far))
                )
            except planner.InputError as error:
                found = error
            except Exception as error:
                # The reader's defect, not the page's: the plan that stands below must stay within reach.
                log.exception("reading %s failed", label)
                found = planner.InputError(
                    f"{label}: cannot be read because of a defect of this program ({type(error).__name__}); "
                    "the log has the details"
                )
            line.empty()
        st.session_state[name], st.session_state[f"{name}_key"] = found, key
    return st.session_state[name]


def _progress(file: str, sheet: str, rows: int) -> str:
    """How far reading is, for long exports."""
    return frame.as_text(f"{file}{sheet and ', ' + sheet}: {rows:,} rows")
