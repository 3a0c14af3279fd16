"""The browser app: page order and nothing else. Start it with `planner app` or `streamlit run app.py`."""

from __future__ import annotations

from pathlib import Path

from planner.web import assumptions, frame, inventory_page, progress, result, source

frame.begin()
job = frame.current_job()
busy = job is not None and not job.finished
chosen = source.show(Path(__file__).resolve().parent / "data", job)
if chosen is not None:
    inventory_page.show(chosen)
    assumptions.show(chosen, job, busy=busy)
if busy:
    progress.show(job)
elif job is not None:
    result.show(job)
