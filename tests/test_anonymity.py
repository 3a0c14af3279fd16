"""Anonymised exports: the plan of the original, and no name of the original anywhere in the bytes."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from html import unescape
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName

import planner
from planner.anonymity.kinds import kind_of
from planner.anonymity.leaks import leaks
from planner.anonymity.ledger import Ledger
from planner.anonymity.names import Name, is_sought, parts_of
from planner.anonymity.search import Search
from planner.anonymity.vocabulary import headings, is_harmless
from planner.errors import InputError
from planner.readers.sandbox import load
from planner.samples import sample
from tests.conftest import examples
from tests.test_cli import run
from tests.test_readers_rvtools import HOST, vm

SAMPLES = ("small_company", "medium_estate", "rvtools_800")
OTHERS = ("kubev2v_example1", "mjvincent_rvtools-small-complete", "neil1taylor_test-rvtools")
FIGURES = ["vcpus", "memory_gib", "storage_gib", "cpu_ghz_used", "memory_gib_used"]


def book(path: Path, **sheets: list[dict]) -> Path:
    """A workbook with these sheets, each a list of rows."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        page = made.create_sheet(name.replace("_", " "))
        headings = list(dict.fromkeys(heading for row in rows for heading in row))
        page.append(headings)
        for row in rows:
            page.append([row.get(heading) for heading in headings])
    made.save(path)
    return path


def key_of(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def surrogates(done: planner.Anonymised) -> dict[str, str]:
    return {row["original"]: row["surrogate"] for row in key_of(done.key)}


def unpacked(data: bytes) -> bytes:
    """Every byte of a file, archives unpacked, with the names of their parts."""
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return b"\n".join(part.encode() + b"\n" + unpacked(archive.read(part)) for part in archive.namelist())


def found_in(data: bytes, words: list[str]) -> list[str]:
    """Which words stand in the unpacked bytes, whatever their case, escaped or not, in UTF-8 or UTF-16."""
    raw = unpacked(data)
    plain = raw.decode("utf-8", errors="replace")
    texts = [text.casefold() for text in (plain, unescape(plain))]
    texts.append(raw.decode("utf-16-le", errors="ignore").casefold())
    return [word for word in words if any(word.casefold() in text for text in texts)]


def anonymised(source: Path, folder: Path, **options) -> planner.Anonymised:
    return planner.anonymise(source, folder / f"out{source.suffix or '.zip'}", **options)


def assert_same_figures(first: planner.Inventory, second: planner.Inventory) -> None:
    for one, two in ((first.workloads, second.workloads), (first.left_out, second.left_out)):
        assert len(one) == len(two)
        assert one[FIGURES].sum().tolist() == two[FIGURES].sum().tolist()
        for column in ("state", "count"):
            assert one[column].tolist() == two[column].tolist()
        assert all(was == now for was, now in zip(one["os"], two["os"], strict=True) if is_harmless(was, "os"))
        for column in ("name", "pool", "host", "application", "os"):
            assert one[column].factorize()[0].tolist() == two[column].factorize()[0].tolist(), column
    assert first.hosts[["cores", "memory_gib"]].values.tolist() == second.hosts[["cores", "memory_gib"]].values.tolist()
    assert first.host_models["cores"].tolist() == second.host_models["cores"].tolist()
    assert list(first.shared_storage_gib.values()) == list(second.shared_storage_gib.values())
    assert first.notes["kind"].tolist() == second.notes["kind"].tolist()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_keeps_its_figures_and_its_plan(name, tmp_path):
    done = anonymised(sample(name), tmp_path)
    before, after = planner.read(sample(name)), planner.read(done.path)
    assert_same_figures(before, after)
    one, two = (planner.solve(planner.Problem.build(given), time_limit=30) for given in (before, after))
    assert (one.hosts_used, one.bound.value) == (two.hosts_used, two.bound.value)


@pytest.mark.parametrize("name", SAMPLES)
def test_no_name_of_a_sample_stands_in_the_bytes(name, tmp_path):
    done = anonymised(sample(name), tmp_path)
    telling = [text for text in surrogates(done) if len(text) > 2 and is_sought(text) and not is_harmless(text)]
    assert len(telling) >= {"small_company": 1, "medium_estate": 100, "rvtools_800": 3900}[name]
    raw = unescape(unpacked(done.path.read_bytes()).decode("utf-8")).casefold()
    pieces = "\n".join({piece for part in raw.split("<") for piece in part.split('"')})
    assert [text for text in telling if text.casefold() in pieces] == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_real_export_keeps_its_figures(name, shared_rvtools, tmp_path):
    source = shared_rvtools / f"{name}.xlsx"
    done = anonymised(source, tmp_path)
    assert_same_figures(planner.read(source), planner.read(done.path))
    telling = [text for text in surrogates(done) if len(text) > 2 and is_sought(text) and not is_harmless(text)]
    assert telling
    assert found_in(done.path.read_bytes(), telling) == []


def nasty(path: Path) -> list[str]:
    """An export with secrets in every corner of its container; the secrets."""
    book(
        path,
        vInfo=[
            vm("acme-web", Path="[Acme Store] acme-web_1/acme-web_1.vmx", Owner="j.doe@acme.test", Phone=4930123456789)
            | {"Primary IP Address": "10.46.29.190", "Contract": 4711, "Powerstate": "poweredOn", "Weight": 12.5},
            vm("acme-web-2", Annotation='Ask Jürgen <Müller> & "Söhne"', Host="ESX01"),
            vm("Grüße-服务器", **{"OS according to the VMware Tools": "Microsoft Windows Server 2019 (64-bit)"}),
            vm("Windows Server", **{"OS according to the VMware Tools": "Acme Linux 7"}),
            vm("x") | {"VM": 59},
            vm("x") | {"VM": 1234567},
        ],
        vHost=[HOST | {"Vendor": "Dell Inc.", "Model": "PowerEdge R640", "Serial number": "CZJ0456789"}],
        Acme_contacts=[{"Who": "Jane Roe", "Tel": "+49 30 1234"}],
    )
    made = openpyxl.load_workbook(path)
    made.properties.creator, made.properties.title = "Acme Holding", "Estate of Acme"
    made.defined_names["AcmeRange"] = DefinedName("AcmeRange", attr_text="vInfo!$A$1")
    made["vInfo"]["A2"].comment = Comment("Call Jane Roe", "Jane Roe")
    made["vInfo"]["A2"].hyperlink = "https://intranet.acme.test/"
    made["vInfo"].oddHeader.center.text = "Acme confidential"
    made["Acme contacts"].sheet_state = "hidden"
    made.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/externalLinks/externalLink1.xml", "<x>//acme-files/prices.xlsx</x>")
        archive.writestr("customXml/item1.xml", "<x>acme-secret</x>")
        archive.writestr("xl/media/image1.png", b"\x89PNG acme-logo")
    return [
        "acme", "jürgen", "müller", "söhne", "grüße", "服务器", "jane", "roe", "intranet", "confidential", "doe",
        "czj0456789", "10.46.29.190", "4930123456789", "1234567", "4711", "contacts", "weight", "contract",
    ]  # fmt: skip


def test_nothing_hides_in_the_container(tmp_path):
    source = tmp_path / "acme.xlsx"
    secrets = nasty(source)
    assert len(found_in(source.read_bytes(), secrets)) == len(secrets)
    done = anonymised(source, tmp_path)
    assert found_in(done.path.read_bytes(), secrets) == []
    assert_same_figures(planner.read(source), planner.read(done.path))
    made = openpyxl.load_workbook(done.path)
    assert made.sheetnames == ["vInfo", "vHost", "Sheet 1"]
    assert (made.properties.creator or "", made.properties.title) == ("", None)


@pytest.mark.parametrize(
    "shape", ["zyxw", "Windows Zyxw", "db-zyxw-01", "zyxw7.corp.test", "[zyxw] zyxw/zyxw.vmx", "a@zyxw.test"]
)
def test_a_text_that_no_list_knows_stays_in_no_column(shape, tmp_path):
    by_sheet: dict[str, dict] = {}
    for sheet, heading in headings():
        by_sheet.setdefault(sheet or "Servers", {})[heading] = shape
    source = tmp_path / "all.xlsx"
    book(source, **{sheet: [row] for sheet, row in by_sheet.items()})
    done = anonymised(source, tmp_path)
    assert load(done.path).sheets["vHost"].rows[0] == load(source).sheets["vHost"].rows[0]
    assert found_in(done.path.read_bytes(), ["zyxw"]) == []


def test_what_planning_needs_stays(tmp_path):
    source = tmp_path / "acme.xlsx"
    nasty(source)
    done = anonymised(source, tmp_path)
    info, host = load(done.path).sheets["vInfo"].rows, load(done.path).sheets["vHost"].rows
    rows = [dict(zip(info[0], row, strict=False)) for row in info[1:]]
    assert [row["VM"] for row in rows] == [f"vm-000{number}" for number in range(1, 7)]
    assert rows[0]["Path"] == "[datastore-01] vm-0001_1/vm-0001_1.vmx"
    assert (rows[0]["Host"], rows[1]["Host"]) == ("host-01", "Host-01")
    assert rows[2]["OS according to the VMware Tools"] == "Microsoft Windows Server 2019 (64-bit)"
    assert rows[3]["OS according to the VMware Tools"] == "linux system-01"
    assert rows[0]["Custom 3"] == 12.5
    kept = dict(zip(host[0], host[1], strict=False))
    assert (kept["Vendor"], kept["Model"], kept["Host"]) == ("Dell Inc.", "PowerEdge R640", "host-01")


def test_names_that_are_part_of_surrogates_and_of_each_other(tmp_path):
    names = ["vm", "vm-", "vm-0001", "vm-1", "vm-10", "host", "guest", "00000000-0000", "host-01", "domain", "example"]
    source = book(tmp_path / "rv.xlsx", vInfo=[vm(name, Host="vm-0001") for name in names], vHost=[HOST])
    done = anonymised(source, tmp_path)
    found = [row[0] for row in load(done.path).sheets["vInfo"].rows[1:]]
    assert len(set(found)) == len(names)
    held = [name for name in names if len(name) > 2 and any(name in text.casefold() for text in found)]
    assert held == []


def test_names_that_every_workbook_holds_are_no_leaks(tmp_path):
    names = [
        "worksheets", "Office Theme", "inlineStr", "Calibri", "Sheet 1", "vInfo", "VM", "A1", "true", "anti-affinity",
        "=1+1", "<b>", "a&b", "_x000D_", "ﬁle", "İstanbul", "ΣΊΣΥΦΟΣ", "ẞ", "2000-01-01", "1e5", "x" * 300,
    ]  # fmt: skip
    rules = [{"VM": "VM", "Cluster rule name(s)": "Anti-Affinity of VM"}]
    source = book(tmp_path / "rv.xlsx", vInfo=[vm(name, Cluster=name) for name in names], vCPU=rules, vHost=[HOST])
    done = anonymised(source, tmp_path)
    assert_same_figures(planner.read(source), planner.read(done.path))
    assert load(done.path).sheets["vCPU"].rows[1][1].startswith("anti-affinity rule-")


def test_a_host_called_like_a_model_hides_the_model(tmp_path):
    source = book(
        tmp_path / "rv.xlsx", vInfo=[vm("R640")], vHost=[HOST | {"Vendor": "Dell", "Model": "PowerEdge R640"}]
    )
    done = anonymised(source, tmp_path)
    assert found_in(done.path.read_bytes(), ["R640"]) == []
    assert "Dell" in load(done.path).sheets["vHost"].rows[1]


def test_joins_hold(tmp_path):
    stores = [{"Name": "DS 1", "Type": "VMFS", "Accessible": "True", "Capacity MiB": 1024.0, "Hosts": "esx01, esx02"}]
    hosts = [HOST | {"Cluster": "c"}, HOST | {"Host": "esx02", "Cluster": "c"}]
    disks = [{"VM": "a", "VM UUID": "uuid of a", "Capacity MiB": 2048.0, "Path": "[DS 1] a/a.vmdk"}]
    source = book(tmp_path / "rv.xlsx", vInfo=[vm("a"), vm("b")], vHost=hosts, vDisk=disks, vDatastore=stores)
    done = anonymised(source, tmp_path)
    assert_same_figures(planner.read(source), planner.read(done.path))
    assert planner.read(done.path).shared_storage_gib == {"cluster-1": 1.0}


def test_rules_select_what_they_selected(tmp_path):
    workloads = [
        {"Name": name, "vCPUs": 2, "Memory (GiB)": 4, "Application": "Erp Acme", "Count": count, "Pin": pin}
        for name, count, pin in (("sql-a", 1, None), ("sql-b", 1, None), ("web", 3, "acme-h*"), ("Fw", 1, "acme-h1"))
    ]
    rules = [
        {"Rule": "KeepApart", "Workloads": "sql-*, web-1", "At most": 1},
        {"Rule": "KeepTogether", "Workloads": "web-*"},
        {"Rule": "Forbid", "Workloads": "fw", "Hosts": "ACME-H3"},
        {"Rule": "Limit", "Workloads": "application:erp*", "Most hosts": 3},
        {"Rule": "Cap", "Hosts": "tag:gold", "Most workloads": 4},
    ]
    hosts = [{"Name": f"acme-h{n}", "Cores": 16, "Memory (GiB)": 64, "Tags": "gold, acme"} for n in (1, 2, 3)]
    source = book(tmp_path / "own.xlsx", Workloads=workloads, Hosts=hosts, Rules=rules)
    done = anonymised(source, tmp_path)
    one, two = (planner.Problem.build(planner.read(path), policy="raw") for path in (source, done.path))
    assert [type(rule) for rule in one.rules] == [type(rule) for rule in two.rules]
    who = surrogates(done)
    assert two.rules[0].workloads == (who["sql-a"], who["sql-b"], f"{who['web']}-1")
    assert two.rules[1].workloads == (f"{who['web']}-*",)
    assert two.rules[3].workloads == (f"application:{who['Erp Acme']}",)
    assert two.rules[4].hosts == ("tag:gold",)
    assert planner.solve(one, time_limit=5).hosts_used == planner.solve(two, time_limit=5).hosts_used == 3
    assert found_in(done.path.read_bytes(), ["acme", "sql", "erp"]) == []


def test_a_csv_keeps_its_form(tmp_path):
    text = (
        'VM;Powerstate;CPUs;Memory;Provisioned MB;Note\n\nweb "a";poweredOn;2;4096;"206,057";a\nb;poweredOff;1;10;5;x\n'
    )
    source = tmp_path / "vinfo.csv"
    source.write_text(text, encoding="utf-8")
    done = anonymised(source, tmp_path)
    assert done.path.read_text(encoding="utf-8").splitlines() == [
        "VM;Powerstate;CPUs;Memory;Provisioned MB;Custom 1",
        "",
        "vm-0001;poweredOn;2;4096;206,057;text-000001",
        "vm-0002;poweredOff;1;10;5;text-000002",
    ]


def test_a_folder_shares_one_key(tmp_path):
    folder = tmp_path / "acme export"
    folder.mkdir()
    (folder / "RVTools_tabvInfo.csv").write_text("VM,Powerstate,CPUs,Memory,Host\nweb,poweredOn,1,1,esx1\n")
    (folder / "RVTools_tabvHost.csv").write_text("Host,Cluster,# CPU\nesx1,web,2\n")
    (folder / "acme notes.csv").write_text("VM,Remark\nWEB,secret\n")
    (folder / "acme.pdf").write_bytes(b"%PDF acme")
    done = planner.anonymise(folder, tmp_path / "out.zip")
    with zipfile.ZipFile(done.path) as archive:
        parts = {name: archive.read(name).decode().split() for name in archive.namelist()}
    assert parts["RVTools_tabvInfo.csv"][1] == "vm-0001,poweredOn,1,1,host-01"
    assert parts["RVTools_tabvHost.csv"][2] == "host-01,vm-0001,2"
    assert parts["file-01.csv"][2] == "Vm-0001,text-000001"
    assert len(parts) == 3
    assert found_in(done.path.read_bytes(), ["acme", "secret", "web"]) == []


def test_a_document_keeps_its_structure(tmp_path):
    record = {
        "type": "qemu", "vmid": 100, "name": "acme-web", "node": "pve-acme", "status": "running", "maxmem": 17179869184,
        "tags": "acme;gold", "metadata": {"labels": {"acme/role": "db"}, "name": "acme-web"}, "disks": [1, 2.5, None],
    }  # fmt: skip
    source = tmp_path / "list.json"
    source.write_text(json.dumps({"data": [record]}))
    done = anonymised(source, tmp_path)
    (found,) = json.loads(done.path.read_text())["data"]
    assert found["metadata"] == {"labels": {"Custom 1": "text-000001"}, "name": "vm-0001"}
    assert (found["type"], found["maxmem"], found["status"], found["disks"]) == (
        "qemu", 17179869184, "running", [1, 2.5, None],
    )  # fmt: skip
    assert (found["name"], found["node"], found["tags"]) == ("vm-0001", "host-01", "tag-01, gold")
    assert found_in(done.path.read_bytes(), ["acme"]) == []


def test_series_follow_their_machines(tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "use.csv").write_text("time,acme-web,acme-no-1\n2026-01-01T00:00,12345678,0.5\n")
    (folder / "vms.csv").write_text("Name,vCPUs,Memory (GiB)\nacme-no-1,1,2\nacme-web,3,4\n")
    done = planner.anonymise(folder, tmp_path / "out.zip")
    with zipfile.ZipFile(done.path) as archive:
        use, vms = (archive.read(name).decode().split() for name in archive.namelist())
    assert use == ["time,vm-0001,vm-0002", "2026-01-01T00:00,12345678,0.5"]
    assert vms[-2:] == ["vm-0002,1,2", "vm-0001,3,4"]


def test_a_document_of_many_levels_is_refused(tmp_path):
    source = tmp_path / "deep.json"
    source.write_text('{"data": [{"name": "web", "disks": ' + "[" * 300 + "]" * 300 + "}]}")
    with pytest.raises(InputError, match="more than 200 levels"):
        anonymised(source, tmp_path)


@pytest.mark.parametrize(
    ("kind", "text", "parts"),
    [
        ("address", "10.1.2.3, fe80::1", (Name("ip", "10.1.2.3"), ", ", Name("ip6", "fe80::1"))),
        ("address", "00:50:56:AA:00:01", (Name("mac", "00:50:56:AA:00:01"),)),
        ("host", "10.1.2.3:902", (Name("ip", "10.1.2.3"), ":902")),
        ("text", "a.b@corp.example", (Name("user", "a.b"), "@", Name("domain", "corp.example"))),
        ("vm", "vCLS-4c4c", ("vCLS-", Name("vm", "vCLS-4c4c"))),
        ("vm", "NTNX-AB12-A-CVM", ("NTNX-", Name("vm", "NTNX-AB12-A-CVM"), "-CVM")),
        ("rule", "DB Anti-Affinity", ("anti-affinity ", Name("rule", "DB Anti-Affinity"))),
        ("folder", "/DC/Resources", ("/", Name("folder", "DC"), "/", "Resources")),
        ("mount", "C:\\", ("C:", "\\")),
        ("mount", "/var/acme", ("/", "var", "/", Name("directory", "acme"))),
        ("path", "a/b-000001-delta.vmdk", (Name("vm", "a"), "/", Name("vm", "b"), "-000001-delta.vmdk")),
        ("text", "2024-01-31 08:00", ("2024-01-31 08:00",)),
        ("text", "-4930123456", (Name("text", "-4930123456"),)),
    ],
)  # fmt: skip
def test_cells_are_taken_apart(kind, text, parts):
    assert parts_of(kind, text, {"a", "b"}) == parts


@pytest.mark.parametrize(
    ("heading", "sheet", "kind"),
    [
        ("Storage (GiB)", "Workloads", "value"),
        ("Storage", "", "value"),
        ("Free % ", "vPartition", "value"),
        ("Provisioned Memory (MiB)", "VMs", "value"),
        ("*Server name", "", "vm"),
        ("vInfoVMName", "vInfo", "vm"),
        ("Name", "Host models", "model"),
        ("Hosts", "Rules", "hosts"),
        ("type", "", "value"),
        ("machine", "", "vm"),
        ("Migration wave", "vInfo", None),
    ],
)
def test_kinds_of_columns(heading, sheet, kind):
    assert kind_of(heading, sheet) == kind


def test_a_name_that_would_be_left_is_refused_and_nothing_is_written(tmp_path, monkeypatch):
    source = book(tmp_path / "rv.xlsx", vInfo=[vm("acme-web")])
    monkeypatch.setattr(Ledger, "of", lambda self, kind, cell: cell)
    with pytest.raises(InputError, match=r"found 'acme-web' of the original in 'acme-web'.*nothing was written"):
        anonymised(source, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rv.xlsx"]


@pytest.mark.parametrize(
    "data",
    [
        b"VM\nx acme-web y\n",
        "VM\nACME-WEB\n".encode("utf-16-le"),
        b'{"a": {"acme\\u002dweb": 1}}',
    ],
)
def test_leaks_are_found_however_they_are_written(data):
    assert [text for text, _ in leaks("x.json" if data[:1] == b"{" else "x.csv", data, ["acme-web"])] == ["acme-web"]


@pytest.mark.parametrize(
    "part", ["docProps/custom.xml", "xl/comments1.xml", "customXml/item1.xml", "xl/media/image1.png"]
)
def test_leaks_are_found_in_every_part_of_a_container(part, tmp_path):
    done = anonymised(book(tmp_path / "rv.xlsx", vInfo=[vm("web")]), tmp_path)
    assert leaks("x.xlsx", done.path.read_bytes(), ["a & b"]) == []
    with zipfile.ZipFile(done.path, "a") as archive:
        archive.writestr(part, "<x>A &amp; B</x>" if part.endswith("xml") else "a & b")
    assert [text for text, _ in leaks("x.xlsx", done.path.read_bytes(), ["a & b"])] == ["a & b"]


def test_places_are_guarded(tmp_path):
    source = book(tmp_path / "rv.xlsx", vInfo=[vm("web")])
    with pytest.raises(InputError, match="the source itself"):
        planner.anonymise(source, source, overwrite=True)
    with pytest.raises(InputError, match=r"found suffix '.csv', expected '.xlsx'"):
        planner.anonymise(source, tmp_path / "out.csv")
    with pytest.raises(InputError, match="expected two"):
        planner.anonymise(source, tmp_path / "out.xlsx", key=tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="does not exist"):
        planner.anonymise(source, tmp_path / "none" / "out.xlsx")
    done = planner.anonymise(source, tmp_path / "out.xlsx")
    assert done.key.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="stands there already"):
        planner.anonymise(source, tmp_path / "out.xlsx")
    first = done.path.read_bytes()
    assert planner.anonymise(source, tmp_path / "out.xlsx", overwrite=True).path.read_bytes() == first


def test_the_command_says_that_the_key_stays_at_home(tmp_path):
    source = book(tmp_path / "rv.xlsx", vInfo=[vm("acme-web")])
    out = run("anonymise", source, "-o", tmp_path / "out.xlsx").stdout
    assert "keep it at home" in out
    assert "acme-web" in (tmp_path / "out-key.csv").read_text()
    assert "ask to overwrite" in run("anonymise", source, "-o", tmp_path / "out.xlsx", code=2).stderr


NAMES = st.lists(
    st.text(st.sampled_from("aAbB01-_. é服vmhost"), min_size=1, max_size=8)
    .map(lambda text: " ".join(text.split()))
    .filter(bool),
    min_size=1,
    max_size=30,
    unique=True,
)


@examples(100)
@given(names=NAMES, kinds=st.lists(st.sampled_from(["vm", "host", "cluster", "text", "uuid"]), min_size=1))
def test_law_the_same_name_has_the_same_surrogate_and_another_another(names, kinds):
    ledger = Ledger()
    for name in names:
        for kind in kinds:
            ledger.enter(kind, name)
    ledger.close()
    for kind in kinds:
        written = [ledger.of(kind, name) for name in names]
        assert len(set(written)) == len(names)
    rows = ledger.surrogates.rows()
    assert len({surrogate for _, _, surrogate in rows}) == len({original for _, original, _ in rows}) == len(rows)
    for _, one, first in rows:
        for _, two, second in rows:
            assert (one.casefold() == two.casefold()) == (first.casefold() == second.casefold())
    sought = [original.casefold() for _, original, _ in rows if len(original) > 2 and is_sought(original)]
    assert not [1 for _, _, surrogate in rows for original in sought if original in surrogate.casefold()]


@examples(100)
@given(sought=st.lists(st.text("abc", min_size=1, max_size=8)), text=st.text("abc", max_size=40))
def test_law_a_search_finds_what_stands_there(sought, text):
    found = {text[begin:end] for begin, end in Search(sought).hits(text)}
    assert found == {word for word in sought if len(word) > 2 and word in text}


@examples(25)
@given(names=NAMES)
def test_law_a_table_of_any_names_keeps_its_figures(names, tmp_path_factory):
    folder = tmp_path_factory.mktemp("law")
    source = folder / "own.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["Name", "vCPUs", "Memory (GiB)"], *([name, 2, 4] for name in names)])
    done = planner.anonymise(source, folder / "out.csv")
    assert len(planner.read(done.path).workloads) == len(planner.read(source).workloads) == len(names)
