"""Licences: what a product costs on a host or for a workload, by the rule of each of its editions.

The units that an edition asks for of a host::

    core         sum over its sockets of max(cores of the socket, least_per_socket), at least least_per_host
    socket       its sockets
    socket pair  its sockets in twos, rounded up
    host         1

and of a workload 1, or its vCPUs, at least `least_per_workload`. Units come in packs of `pack`, so the sum is rounded
up to those, and count `factor` each. A price is for `units` of them, once or a year, and for at least `least_per_order`
of them in all, where hosts need any.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

import numpy as np
import pandas as pd

from planner import catalogue, settings
from planner.errors import InputError, did_you_mean

Metric = Literal["core", "socket", "socket pair", "host", "workload", "vcpu"]
TAKEN = (
    *("hardware", "energy", "maintenance", "administration", "rack space", "migration", "disposal", "resale", "total"),
    *("host", "model", "pool", "decision"),
)
"""Items and columns of the tables of costs, after which no product may be called."""
OF_A_WORKLOAD = ("workload", "vcpu")
"""Metrics that count what a workload has; the others count what a host has."""


@dataclass(frozen=True, kw_only=True)
class Licence:
    """One edition of a product, and its rule.

    Parameters
    ----------
    product, edition : str
        Of the editions of a product the cheapest is taken, host by host: one for all its workloads there.
    per : {"core", "socket", "socket pair", "host", "workload", "vcpu"}
        What is counted.
    price : float or None
        Money for `units` of what is counted; None is missing, and named as such wherever it would have counted.
    units : float
        So many units for the price.
    currency : str
        "" for the currency of all other prices.
    yearly : bool
        Whether the price is paid every year, as for subscriptions, or once.
    pack : int
        Units are sold in packs of so many.
    least_per_socket, least_per_host, least_per_workload : int
        Units that are counted at least.
    least_per_order : int
        Units that are paid for at least in all; for the one edition of a product that hosts need whatever they carry.
    factor : float
        Licences that one unit needs, such as Oracle's core factor.
    covers : int or None
        Workloads that licensing a host once covers, and for every further such number it is licensed once more; None
        covers any number.
    workloads : tuple of str
        Which workloads need the product, as patterns of rules; none where every host in use needs it.
    reach : bool
        Whether every host in use needs it on which such a workload may run, and not only where it does.
    source : str
        Where rule and price are from.
    estimate : bool
        Whether the price is an estimate.

    Examples
    --------
    Windows Server Standard covers two workloads each time all cores of a host are licensed:

    >>> standard = Licence(product="windows-server", edition="standard", per="core", price=1070, units=16, pack=2,
    ...                    least_per_socket=8, least_per_host=16, covers=2, workloads=("os:*windows server*",))
    >>> float(standard.of_host(cores=32, sockets=2)), standard.times(5)
    (2140.0, 3)
    """

    product: str
    edition: str
    per: Metric
    price: float | None
    units: float = 1.0
    currency: str = ""
    yearly: bool = False
    pack: int = 1
    least_per_socket: int = 0
    least_per_host: int = 0
    least_per_workload: int = 0
    least_per_order: int = 0
    factor: float = 1.0
    covers: int | None = None
    workloads: tuple[str, ...] = ()
    reach: bool = False
    source: str = "given"
    estimate: bool = False

    def __post_init__(self):
        where = f"licence {self.product!r} {self.edition!r}"
        for name in ("product", "edition"):
            if not (isinstance(getattr(self, name), str) and getattr(self, name).strip()):
                raise InputError(f"{where}: found no {name}, expected its name")
        if self.product in TAKEN:
            raise InputError(
                f"{where}: found product {self.product!r}, which costs have already, expected another name such as "
                f"'{self.product} contract'"
            )
        if self.per not in get_args(Metric):
            raise InputError(f"{where} per: found {self.per!r}{did_you_mean(str(self.per), get_args(Metric))}")
        given = (self.workloads,) if isinstance(self.workloads, str) else tuple(self.workloads)
        object.__setattr__(self, "workloads", given)
        settings.require(self.price, f"{where} price", 0, 1e9, blank=True)
        settings.require(self.units, f"{where} units", 1e-6, 1e6)
        settings.require(self.factor, f"{where} factor", 0, 100)
        for name in ("pack", "least_per_socket", "least_per_host", "least_per_workload", "least_per_order"):
            object.__setattr__(self, name, _whole(getattr(self, name), f"{where} {name}", int(name == "pack")))
        for name in ("yearly", "reach", "estimate"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{where} {name}: found {getattr(self, name)!r}, expected true or false")
        if self.covers is not None:
            object.__setattr__(self, "covers", _whole(self.covers, f"{where} covers", 1))
        self._require_sense(where)

    def _require_sense(self, where: str) -> None:
        if not self.workloads and (self.is_of_workload or self.covers is not None or self.reach):
            raise InputError(
                f"{where}: found no workloads, expected patterns such as 'os:*windows server*': without them every "
                "host in use needs the product, whatever it carries"
            )
        if self.is_of_workload and (self.covers is not None or self.reach):
            raise InputError(f"{where}: found per {self.per!r} with covers or reach, expected neither: it is no host's")
        if self.reach and self.covers is not None:
            raise InputError(f"{where}: found reach with covers, expected one of them")
        if self.least_per_order and self.workloads and not self.reach:
            raise InputError(
                f"{where}: found least_per_order for workloads {', '.join(self.workloads)}, expected a product that "
                "every host in use needs, or one with reach"
            )

    @property
    def is_of_workload(self) -> bool:
        """Whether workloads are licensed and not hosts."""
        return self.per in OF_A_WORKLOAD

    @property
    def unit_price(self) -> float:
        """Money for one unit; NaN where the price is missing."""
        return np.nan if self.price is None else self.price * self.factor / self.units

    def units_of_host(self, cores: np.ndarray | float, sockets: np.ndarray | float) -> np.ndarray:
        """Units that a host needs to be licensed once, before `factor`; sockets as they are known.

        Examples
        --------
        VMware counts at least 16 cores per CPU: two hosts of 2 x 8 and 2 x 24 cores need 80 (Broadcom KB 313548).

        >>> vmware = Licence(product="vmware-vcf", edition="subscription", per="core", price=350, least_per_socket=16)
        >>> vmware.units_of_host(np.array([16, 48]), np.array([2, 2])).sum()
        np.float64(80.0)

        RHEL for Virtual Datacenters counts pairs of sockets (Red Hat article 2071683):

        >>> vdc = Licence(product="rhel", edition="vdc", per="socket pair", price=4000, workloads=("os:*red hat*",))
        >>> vdc.units_of_host(np.array([32, 64, 96]), np.array([1, 2, 4])).tolist()
        [1.0, 1.0, 2.0]
        """
        cores, sockets = np.asarray(cores, dtype=float), np.maximum(np.asarray(sockets, dtype=float), 1)
        counted = {
            "core": np.maximum(np.maximum(np.ceil(cores), self.least_per_socket * sockets), self.least_per_host),
            "socket": sockets,
            "socket pair": np.ceil(sockets / 2),
            "host": np.ones_like(sockets),
        }[self.per]
        return np.ceil(counted / self.pack) * self.pack

    def units_of_workload(self, vcpus: np.ndarray | float) -> np.ndarray:
        """Units that a workload needs.

        Examples
        --------
        SQL Server counts at least 4 cores for each virtual machine, in packs of 2:

        >>> sql = Licence(product="sql-server", edition="standard", per="vcpu", price=3945, units=2, pack=2,
        ...               least_per_workload=4, workloads=("tag:sql",))
        >>> sql.units_of_workload(np.array([2, 4, 5])).tolist(), sql.of_workload(2).tolist()
        ([4.0, 4.0, 6.0], 7890.0)
        """
        vcpus = np.asarray(vcpus, dtype=float)
        counted = np.ceil(vcpus) if self.per == "vcpu" else np.ones_like(vcpus)
        return np.ceil(np.maximum(counted, self.least_per_workload) / self.pack) * self.pack

    def of_host(self, cores: np.ndarray | float, sockets: np.ndarray | float) -> np.ndarray:
        """Money for licensing a host once.

        Examples
        --------
        Oracle asks for every core, each counted half (soft partitioning: of every host that the database may reach):

        >>> oracle = Licence(product="oracle-database", edition="enterprise", per="core", price=47500, factor=0.5,
        ...                  workloads=("tag:oracle",), reach=True)
        >>> float(oracle.of_host(cores=24, sockets=2))
        570000.0
        """
        return self.units_of_host(cores, sockets) * self.unit_price

    def of_workload(self, vcpus: np.ndarray | float) -> np.ndarray:
        """Money for licensing a workload."""
        return self.units_of_workload(vcpus) * self.unit_price

    def times(self, workloads: int) -> int:
        """How often a host is licensed that carries so many workloads which need the product.

        Examples
        --------
        Beyond ten Windows workloads on a host Datacenter at 6 200 is cheaper than Standard at 1 070 for 16 cores:

        >>> standard = Licence(product="w", edition="standard", per="core", price=1070, units=16, covers=2,
        ...                    workloads=("os:w*",))
        >>> [standard.times(n) * 1070 < 6200 for n in (10, 11)]
        [True, False]
        """
        if self.workloads and not workloads:
            return 0
        return 1 if self.covers is None else -(-workloads // self.covers)


def _whole(value: float, name: str, least: int) -> int:
    settings.require(value, name, least, 1_000_000)
    if value != int(value):
        raise InputError(f"{name}: found {value!r}, expected a whole number")
    return int(value)


def from_catalogue(product: str) -> tuple[Licence, ...]:
    """The editions of a product that the catalogue has.

    Raises
    ------
    InputError
        A product that the catalogue does not have.

    Examples
    --------
    >>> [licence.edition for licence in from_catalogue("windows-server")]
    ['standard', 'datacenter']
    """
    rows = catalogue.table("licences")
    own = rows[rows["product"] == product]
    if own.empty:
        raise InputError(f"licences: found product {product!r}{did_you_mean(str(product), rows['product'].unique())}")
    return tuple(_from_row(row) for row in own.to_dict("records"))


def _from_row(row: dict) -> Licence:
    known = {field.name: row[field.name] for field in fields(Licence)}
    known |= {name: None if pd.isna(known[name]) else known[name] for name in ("price", "covers")}
    known |= {name: known[name] == "yes" for name in ("yearly", "reach", "estimate")}
    return Licence(**known | {"workloads": tuple(filter(None, str(row["workloads"]).split("|")))})


def licences_of(given: object) -> tuple[Licence, ...]:
    """Licences from what somebody gave: a `Licence`, a table of its fields, the name of a product, or a list of these.

    A table without `per` changes what the catalogue has of a product, or of one edition of it.

    Raises
    ------
    InputError
        Something else, a product that the catalogue does not have, or an edition that stands twice.

    Examples
    --------
    >>> [licence.product for licence in licences_of(["windows-server", "vmware-vvf"])]
    ['windows-server', 'windows-server', 'vmware-vvf']
    >>> licences_of({"product": "vmware-vvf", "price": 190, "least_per_order": 72})[0].least_per_socket
    16
    """
    found: list[Licence] = []
    for number, one in enumerate(given if isinstance(given, list | tuple) else (given,), start=1):
        if isinstance(one, Licence):
            found.append(one)
        elif isinstance(one, str):
            found += from_catalogue(one)
        elif isinstance(one, dict) and "per" not in one and "product" in one:
            found += _changed(one, f"licences, entry {number}")
        elif isinstance(one, dict):
            found.append(settings.from_dict(Licence, one, f"licences, entry {number}"))
        else:
            raise InputError(f"licences, entry {number}: found {one!r}, expected a product's name or a table")
    keys = [(licence.product, licence.edition) for licence in found]
    twice = next((key for position, key in enumerate(keys) if key in keys[:position]), None)
    if twice is not None:
        raise InputError(f"licences: found {' '.join(twice)!r} twice, expected each edition of a product once")
    _require_alike(found)
    return tuple(found)


def _changed(given: dict, where: str) -> list[Licence]:
    """The editions of a product of the catalogue with some of their fields changed."""
    editions = from_catalogue(given["product"])
    edition = given.get("edition")
    named = [one for one in editions if edition in (None, one.edition)]
    if not named:
        names = [one.edition for one in editions]
        raise InputError(
            f"{where}: found edition {edition!r} of {given['product']!r}{did_you_mean(str(edition), names)}, or give "
            "`per` and the rest of the rule for an edition of your own"
        )
    source = {} if "price" not in given or "source" in given else {"source": "given", "estimate": False}
    return [settings.from_dict(Licence, to_dicts([one])[0] | given | source, where) for one in named]


def _require_alike(licences: Iterable[Licence]) -> None:
    """Editions of a product are for the same workloads, since one is taken in place of another."""
    first: dict[str, Licence] = {}
    licences = list(licences)
    for licence in licences:
        if licence.least_per_order and sum(one.product == licence.product for one in licences) > 1:
            raise InputError(
                f"licences: found least_per_order for {licence.product!r} {licence.edition!r} beside other editions of "
                "the product, expected one edition"
            )
        other = first.setdefault(licence.product, licence)
        if licence.workloads != other.workloads or licence.reach != other.reach:
            raise InputError(
                f"licences: found {licence.product!r} {licence.edition!r} for {', '.join(licence.workloads) or 'all'}, "
                f"expected the workloads of {other.edition!r}, {', '.join(other.workloads) or 'all'}: the editions of "
                "a product stand in for each other"
            )


def to_toml(licences: Iterable[Licence]) -> str:
    """Licences as TOML text that `from_toml` reads; "" where there are none."""
    rows = to_dicts(licences)
    return settings.to_toml({"licences": rows}) if rows else ""


def from_toml(text: str, where: str) -> tuple[Licence, ...]:
    """Licences from TOML text with one ``[[licences]]`` table each."""
    return licences_of(settings.parse_toml(text, where).get("licences", []))


def to_dicts(licences: Iterable[Licence]) -> list[dict]:
    """Licences as plain dictionaries, for TOML and JSON; what is as by default is left out."""
    default = {field.name: field.default for field in fields(Licence)}
    rows = []
    for licence in licences:
        row = {name: value for name, value in asdict(licence).items() if value != default[name] or name == "price"}
        row["price"] = settings.MISSING if licence.price is None else licence.price
        rows.append({name: list(value) if isinstance(value, tuple) else value for name, value in row.items()})
    return rows
