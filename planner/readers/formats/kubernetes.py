"""Kubernetes: ``kubectl get pods,nodes -A -o json``; pods by their requests, nodes by what they allocate."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.readers.exports import Journal, Part, only_headings
from planner.readers.machines import workloads_of
from planner.readers.owned import hosts_of
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables
from planner.schema import Origin
from planner.units import GIB_PER_UNIT, counted

FORMAT = "Kubernetes"
SHEETS = ()
FINISHED = ("Succeeded", "Failed")
BOUND_TO_NODES = ("DaemonSet", "Node")
"""Kinds of owners whose pods run on each node, or on this one, whatever a plan says."""

POD_HEADINGS = {
    "name": "metadata.name",
    "vm_uuid": "metadata.uid",
    "host": "spec.nodeName",
    "application": "metadata.labels",
    "vcpus": "requests.cpu",
    "memory_gib": "requests.memory",
    "storage_gib": "requests.ephemeral-storage",
}
NODE_HEADINGS = {
    "name": "metadata.name",
    "cores": "allocatable.cpu",
    "memory_gib": "allocatable.memory",
    "storage_gib": "allocatable.ephemeral-storage",
    "max_workloads": "allocatable.pods",
    "maintenance": "spec.unschedulable",
}

UNTOLD = {"vcpus": (0.1, "100m"), "memory_gib": (200 * GIB_PER_UNIT["mib"], "200Mi")}
"""What a pod without a request is taken to need, and how Kubernetes writes it: defaults that its scheduler scores with.

Source: kubernetes/kubernetes, pkg/scheduler/util, DefaultMilliCPURequest and DefaultMemoryRequest.
"""

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkKMGTPE]?i?)")
_SUFFIX = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
RESOURCES = {"cpu": "vcpus", "memory": "memory_gib", "ephemeral-storage": "storage_gib"}
"""Resource of a request and the column that it becomes."""

_CONTAINER = {"restartPolicy": "", "resources": {"requests": {}}}
_SHAPES = {
    "Pod": {
        "metadata.name": "",
        "metadata.namespace": "",
        "metadata.uid": "",
        "metadata.labels": {},
        "metadata.ownerReferences": [{"kind": ""}],
        "spec.nodeName": "",
        "spec.containers": [_CONTAINER],
        "spec.initContainers": [_CONTAINER],
        "spec.overhead": {},
        "status.phase": "",
    },
    "Node": {"metadata.name": "", "status.allocatable": {}, "spec.taints": [{"effect": ""}]},
}
"""What the fields that are read look like: a text, an object with these fields, or a list of such."""


def quantity(text: object) -> float:
    """A Kubernetes quantity as a number of cores or bytes.

    >>> quantity("500m"), quantity("1Gi"), quantity("1e3"), quantity(2)
    (0.5, 1073741824.0, 1000.0, 2.0)

    Raises
    ------
    ValueError
        It is none.
    """
    found = _QUANTITY.fullmatch(str(text).strip())
    if found is None or found[2] not in _SUFFIX:
        raise ValueError(f"found {text!r}, expected a quantity such as 500m or 1Gi")
    return float(found[1]) * _SUFFIX[found[2]]


def recognises(workbook: Workbook) -> bool:
    """Whether it is a JSON list of objects with kind and metadata."""
    return workbook.kind == "json" and {"kind", "metadata.name"} <= set(only_headings(workbook, ()))


def parse(workbook: Workbook) -> Tables:
    """The pods by what they request, and the nodes by what they allocate, less what runs on each of them anyway.

    Raises
    ------
    InputError
        No pod at all, or quantities that are none (all of them are told).
    """
    journal = Journal(file=workbook.file)
    sheet = workbook.only
    heads = sheet.rows[0]
    records = [dict(zip(heads, row, strict=False)) for row in sheet.rows[1:]]
    numbered = list(zip(sheet.row_numbers[1:], records, strict=True))
    for row, record in numbered:
        wrong = _misfits(record, _SHAPES.get(str(record.get("kind")), {}), f"{workbook.file}, record {row}")
        journal.findings.extend(wrong)
    journal.close()
    pods = [_pod(row, record, journal) for row, record in numbered if record.get("kind") == "Pod"]
    nodes = [_node(row, record, journal) for row, record in numbered if record.get("kind") == "Node"]
    journal.close()
    if not pods:
        raise InputError(f"{workbook.file}: found no pod, expected the output of kubectl get pods,nodes -A -o json")
    others = len(records) - len(pods) - len(nodes)
    if others:
        journal.note("ignored", f"{counted(others, 'object')} that are neither pods nor nodes", count=others)
    ended = [pod for pod in pods if pod["ended"]]
    bound = [pod for pod in pods if pod["bound"] and not pod["ended"]]
    tables = replace(journal.tables(FORMAT), any_size=True)
    free = _part([pod for pod in pods if not (pod["bound"] or pod["ended"])], POD_HEADINGS, journal)
    tables.put("workloads", *workloads_of(_with_needs(free, journal), journal))
    if nodes:
        hosts = _part(_less(nodes, bound), NODE_HEADINGS, journal)
        tables.put("hosts", *hosts_of(hosts, journal))
    if ended:
        message = f"{counted(len(ended), 'pod')} that ended"
        journal.note("dropped", message, row=ended[0]["row"], subject=ended[0]["name"], count=len(ended))
    if bound:
        message = f"{counted(len(bound), 'pod')} of DaemonSets or of a node itself: taken off what their nodes allocate"
        journal.note("dropped", message, row=bound[0]["row"], subject=bound[0]["name"], count=len(bound))
    return tables


def _misfits(value: object, shape: object, where: str) -> list[str]:
    """A finding for each part of a record that has another shape; what is not there has any."""
    if value is None:
        return []
    if not isinstance(value, type(shape)):
        expected = {str: "a text", dict: "an object", list: "a list"}[type(shape)]
        return [f"{where}: found {str(value)[:60]!r}, expected {expected}"]
    if isinstance(shape, dict):
        parts = [(value.get(name), inner, f"{where}, {name}") for name, inner in shape.items()]
    else:
        parts = [(one, shape[0], where) for one in value] if isinstance(shape, list) else []
    return [finding for part in parts for finding in _misfits(*part)]


def _pod(row: int, record: dict, journal: Journal) -> dict:
    """One pod: the larger of its containers together and of what starts before them; and its overhead."""
    containers, first = record.get("spec.containers") or [], record.get("spec.initContainers") or []
    overhead = record.get("spec.overhead") or {}
    name = record.get("metadata.name")
    found = {
        "row": row,
        "name": f"{record.get('metadata.namespace') or 'default'}/{name}" if name else "",
        "vm_uuid": record.get("metadata.uid") or "",
        "host": record.get("spec.nodeName") or "",
        "ended": record.get("status.phase") in FINISHED,
        "application": (record.get("metadata.labels") or {}).get("app.kubernetes.io/name", ""),
    }
    owners = {one.get("kind") for one in record.get("metadata.ownerReferences") or []}
    found["bound"] = bool(owners & set(BOUND_TO_NODES))
    for resource, column in RESOURCES.items():
        where = f"{journal.file}, record {row}, pod {found['name']}, {resource}"
        largest, beside = 0.0, 0.0
        for one in first:
            asked = _request(one, resource, where, journal)
            # What is always restarted runs beside all that starts after it.
            beside += asked if one.get("restartPolicy") == "Always" else 0.0
            largest = max(largest, beside if one.get("restartPolicy") == "Always" else beside + asked)
        together = beside + sum(_request(one, resource, where, journal) for one in containers)
        extra = _amount(overhead[resource], resource, where, journal) if resource in overhead else 0.0
        found[column] = max(together, largest) + extra
    return found


def _node(row: int, record: dict, journal: Journal) -> dict:
    allocated = record.get("status.allocatable") or {}
    name = record.get("metadata.name") or ""
    taints = {one.get("effect") for one in record.get("spec.taints") or []}
    amounts = {
        resource: _amount(
            allocated[resource], resource, f"{journal.file}, record {row}, node {name}, {resource}", journal
        )
        for resource in (*RESOURCES, "pods")
        if resource in allocated
    }
    return {
        "row": row,
        "name": name,
        "cores": amounts.get("cpu", np.nan),
        "memory_gib": amounts.get("memory", np.nan),
        "storage_gib": amounts.get("ephemeral-storage", np.nan),
        "max_workloads": amounts.get("pods", np.nan),
        "maintenance": bool(record.get("spec.unschedulable")) or bool(taints & {"NoSchedule", "NoExecute"}),
    }


def _request(container: dict, resource: str, where: str, journal: Journal) -> float:
    requests = (container.get("resources") or {}).get("requests") or {}
    return _amount(requests[resource], resource, where, journal) if resource in requests else 0.0


def _amount(text: object, resource: str, where: str, journal: Journal) -> float:
    """Cores, GiB or pods; a finding where the text is no quantity."""
    try:
        found = quantity(text)
    except ValueError as error:
        journal.findings.append(f"{where}: {error}")
        return 0.0
    if not 0 <= found < np.inf:
        journal.findings.append(f"{where}: found {text!r}, expected a quantity from 0 up")
    return found * GIB_PER_UNIT["b"] if resource in ("memory", "ephemeral-storage") else found


def _less(nodes: list[dict], bound: list[dict]) -> list[dict]:
    """Nodes without what pods take that run there whatever a plan says."""
    taken: dict[str, list[dict]] = {}
    for pod in bound:
        taken.setdefault(pod["host"], []).append(pod)
    found = []
    for node in nodes:
        own = taken.get(node["name"], [])
        found.append(
            node
            | {
                "cores": node["cores"] - sum(pod["vcpus"] for pod in own),
                "memory_gib": node["memory_gib"] - sum(pod["memory_gib"] for pod in own),
                "storage_gib": node["storage_gib"] - sum(pod["storage_gib"] for pod in own),
                "max_workloads": node["max_workloads"] - len(own),
            }
        )
    return found


def _with_needs(pods: Part, journal: Journal) -> Part:
    """Pods with what the scheduler takes them to need where they ask for nothing, each column of it noted once."""
    for column, (amount, written) in UNTOLD.items():
        asked = pods.frame[column]
        message = f"without a request ({pods.origin.heading(column)}): taken as {written}, as the scheduler does"
        _note_untold(pods, column, message, journal)
        pods = pods.plus(column, asked.where(asked > 0, amount))
    message = "without a request for storage: read as 0; volumes do not stand in the list of pods"
    _note_untold(pods, "storage_gib", message, journal)
    return pods


def _note_untold(pods: Part, column: str, message: str, journal: Journal) -> None:
    untold = np.flatnonzero(~(pods.frame[column] > 0))
    if len(untold):
        first = int(untold[0])
        where = {"row": pods.origin.row(first), "column": pods.origin.heading(column)}
        text = f"{counted(len(untold), 'pod')} {message}; such as {pods.frame['name'].iloc[first]!r}"
        journal.note("guessed", text, **where, count=len(untold))


def _part(rows: list[dict], headings: dict[str, str], journal: Journal) -> Part:
    frame = pd.DataFrame(rows, columns=["row", *headings])
    origin = Origin(file=journal.file, rows=frame["row"].to_numpy(dtype=int), headings=headings)
    return Part(frame=frame.drop(columns="row"), origin=origin)
