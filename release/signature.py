"""Signatures by a person's own SSH key, made and checked by OpenSSH's ssh-keygen; keys never pass through here."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from metadata.errors import OutsideError, UsageError
from release.log import LogRecord

NAMESPACE = "approval@redcap-cdisc"
"""A signature made for something else, such as a Git commit, is none here."""
PROGRAM = "ssh-keygen"
SIGNER = "signer"


def sign(statement: bytes, key: Path) -> str:
    """Return the signature of a statement by a private key, or by a public one whose private key the agent has.

    ssh-keygen asks for a passphrase on the terminal. Raises UsageError for a key that cannot sign, OutsideError.
    """
    if not key.is_file():
        raise UsageError(f"--key {key}: there is no such file; give your private key, such as ~/.ssh/id_ed25519")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement"
        path.write_bytes(statement)
        done = _run(["-Y", "sign", "-q", "-f", str(key), "-n", NAMESPACE, str(path)], b"")
        made = path.with_name("statement.sig")
        if done.returncode or not made.is_file():
            raise UsageError(f"ssh-keygen could not sign with {key}: {_said(done)}")
        return made.read_text("ascii")


def is_signed(record: LogRecord, key: str) -> bool:
    """Return True if a record's signature is by this public key over this record's statement; raises OutsideError."""
    if not record.signature or not key:
        return False
    with tempfile.TemporaryDirectory() as folder:
        allowed, signature = Path(folder) / "allowed_signers", Path(folder) / "signature"
        kind, body = key.split()[:2]
        allowed.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {kind} {body}\n', "ascii")
        signature.write_text(record.signature, "utf-8")
        where = ["-f", str(allowed), "-I", SIGNER, "-n", NAMESPACE, "-s", str(signature)]
        return _run(["-Y", "verify", "-q", *where], record.statement).returncode == 0


def _run(arguments: list[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run([PROGRAM, *arguments], input=given, capture_output=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise OutsideError(
            f"{PROGRAM} of OpenSSH (8.2 or newer) is not installed; signatures are made and checked by it"
        ) from None
    except OSError as error:
        raise OutsideError(f"{PROGRAM} cannot be run: {error.strerror}") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it did not say why"
