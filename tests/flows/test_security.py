"""What keeps patients' values and the token in: who can read the files, which ways lead out, what a page links to."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from extract.client import Client
from extract.connection import Patience
from extract.exports import snapshot_of
from flows.check import problems_of
from flows.command_line import application
from flows.schemas import schemas
from metadata.errors import OutsideError, StudyError
from metadata.study import Study
from tests.flows.conftest import ROOT, TOKEN
from tests.flows.test_other_sources_page import write
from tests.validation.small_study import enrol, records, study
from validation.queries.files import write_csv
from validation.queries.history import followed, read_previous
from validation.queries.listing import query_listing
from validation.queries.page import write_page

PRODUCT = ("adam", "extract", "flows", "metadata", "publish", "reports", "sdtm", "validation")
UNSAFE = r"verify(?:_ssl)?\s*=\s*False|CERT_NONE|_create_unverified_context|check_hostname\s*=\s*False"


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[str]:
    """A server on this machine whose certificate no authority has signed."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    plain = serialization.NoEncryption()
    content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "server.pem").write_bytes(content + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = http.server.HTTPServer(("127.0.0.1", 0), Refused)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


class Refused(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        raise AssertionError("a server that is not trusted was sent a request")


def test_a_server_whose_certificate_is_not_trusted_gets_nothing(self_signed: str) -> None:
    with pytest.raises(OutsideError, match=r"the certificate of .* is not trusted"):
        Client(self_signed, TOKEN, Patience(2, 2, 1, 0.01, 0)).structure()


def test_nothing_switches_the_check_of_certificates_off() -> None:
    paths = [path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")]
    assert len(paths) > 300
    assert [path for path in paths if re.search(UNSAFE, path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "address", ["http://redcap.example.org/", "http://10.0.0.7/redcap/", "http://127.0.0.1.nip.io/"]
)
def test_another_machine_is_spoken_to_by_https_alone(address: str) -> None:
    with pytest.raises(OutsideError, match="without encryption: give its https:// address"):
        Client(address, TOKEN)


def test_no_option_and_no_file_takes_a_token() -> None:
    group = typer.main.get_command(application)
    options = {
        option.lower()
        for command in group.commands.values()  # type: ignore[attr-defined]
        if command.name != "sandbox"  # which makes tokens, and reads no REDCap
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert len(options) > 30
    assert not [option for option in options if "token" in option or "secret" in option or "password" in option]
    named = set(re.findall(r'"([a-z_]*(?:token|secret|password)[a-z_]*)": ', str(schemas()).replace("'", '"')))
    assert named == {"token_variable", "token_block"}


def test_a_token_in_study_yaml_is_refused_and_not_shown(tmp_path: Path) -> None:
    folder = write(tmp_path / "parts")
    text = (folder / "study.yaml").read_text("utf-8")
    secret = "ABCDEF" + TOKEN[6:]
    for key in ("token_variable", "url_variable"):
        (folder / "study.yaml").write_text(text.replace("redcap: {", f"redcap: {{{key}: {secret}, "), "utf-8")
        [problem] = [found for found in problems_of(str(folder)) if found.severity == "error"]
        assert "is the name of an environment variable" in problem.message
        assert secret not in str(problem)


@pytest.mark.parametrize(
    "file", ["../outside.csv", "/etc/hostname.csv", "sources/../../outside.csv", "sources/link.csv"]
)
def test_a_file_of_study_yaml_is_in_the_studys_folder(tmp_path: Path, file: str) -> None:
    folder = write(tmp_path / "parts")
    (tmp_path / "outside.csv").write_text((folder / "sources" / "central.csv").read_text("utf-8"), "utf-8")
    (folder / "sources" / "link.csv").symlink_to(tmp_path / "outside.csv")
    text = (folder / "study.yaml").read_text("utf-8")
    (folder / "study.yaml").write_text(text.replace("sources/central.csv", file), "utf-8")
    found = [problem.message for problem in problems_of(str(folder))]
    assert f"'{file}' leads out of the study's folder: the files of a study are in it" in found
    with pytest.raises(StudyError, match="leads out of the study's folder"):
        snapshot_of(Study.open(folder), folder / "redcap", tmp_path / "snapshots")
    assert not list((tmp_path / "snapshots").rglob("*.csv"))


@pytest.mark.parametrize("key", ["answers", "terminology", "coding", "ranges", "mapping"])
def test_no_other_file_of_a_study_is_outside_it(tmp_path: Path, key: str) -> None:
    folder = write(tmp_path / "parts")
    (tmp_path / "x.csv").write_text("term,AEDECOD\nBad headache,Headache\n", "utf-8")
    changes = {
        "answers": ("study.yaml", "redcap: {", "redcap: {answers: ../x.csv, "),
        "terminology": ("study.yaml", "cutoff:", "terminology: {sdtm_ct: ../x.csv}\ncutoff:"),
        "coding": ("sdtm/ae.yaml", "coding.csv", "../x.csv"),
        "ranges": ("sdtm/lb.yaml", "domain: LB", "domain: LB\nranges: {file: ../x.csv, laboratory: LBNAM}"),
    }
    if key == "mapping":
        (tmp_path / "ae.yaml").write_text((folder / "sdtm" / "ae.yaml").read_text("utf-8"), "utf-8")
        (folder / "sdtm" / "ae.yaml").unlink()
        (folder / "sdtm" / "ae.yaml").symlink_to(tmp_path / "ae.yaml")
    else:
        file, old, new = changes[key]
        (folder / file).write_text((folder / file).read_text("utf-8").replace(old, new), "utf-8")
    assert any("leads out of the study's folder" in problem.message for problem in problems_of(str(folder)))


def test_snapshots_and_listings_are_their_owners_alone(tmp_path: Path, command: Callable[..., object]) -> None:
    folder = write(tmp_path / "parts")
    command("run", folder, "--source", folder / "redcap", "--until", "queries", "--out", tmp_path / "out" / "queries")
    held = list((tmp_path / "out" / "snapshots" / "parts").rglob("*"))
    listings = [path for path in (tmp_path / "out" / "queries").rglob("*") if path.is_file()]
    assert len(listings) > 3
    assert any(path.name == "central.received.csv" for path in held)
    for path in [*held, *listings]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_values_of_identifiers_are_in_no_file_that_a_run_leaves(tmp_path: Path, command: Callable[..., object]) -> None:
    folder = write(tmp_path / "parts")
    text = (folder / "redcap" / "dictionary.csv").read_text("utf-8")
    wide = [f"{line},{'y' if line.startswith('hb,') else ''}" for line in text.splitlines()[1:]]
    (folder / "redcap" / "dictionary.csv").write_text(
        "\n".join([f"{text.splitlines()[0]},identifier", *wide]) + "\n", "utf-8"
    )
    table = folder / "redcap" / "records.csv"
    table.write_text(table.read_text("utf-8").replace(",134,", ",x7731x,"), "utf-8")
    command("run", folder, "--source", folder / "redcap", "--until", "queries", "--out", tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert "(identifier)" in (tmp_path / "out" / "queries.csv").read_text("utf-8")
    assert [path for path in files if b"x7731x" in path.read_bytes()] == []


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example"])
def test_a_page_links_to_the_web_alone(tmp_path: Path, link: str) -> None:
    made, data = study(tmp_path), records(enrol(sex="9"))
    listing = followed(made, data, query_listing(made, data), "2001-12-31").assign(link=link)
    write_page(made, data.project, listing, tmp_path / "queries.html", "2001-12-31")
    assert link not in (tmp_path / "queries.html").read_text("utf-8")
    write_csv(listing, tmp_path / "queries.csv")
    assert read_previous(made, tmp_path / "queries.csv")["link"].tolist() == [""]


def test_the_address_of_a_server_in_study_yaml_is_one_of_the_web(tmp_path: Path) -> None:
    folder = write(tmp_path / "parts")
    text = (folder / "study.yaml").read_text("utf-8")
    (folder / "study.yaml").write_text(text.replace("https://redcap.example.org/", "javascript:alert(1)//"), "utf-8")
    assert any("an address that begins with https://" in problem.message for problem in problems_of(str(folder)))
