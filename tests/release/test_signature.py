"""Whose word a pack is: its signature holds for this certificate and this key, and for nothing else."""

import json
import stat

import pytest
from support.errors import refused
from support.release_world import ARM, loads, rehash

from lib.cli import release as command
from lib.release import certificate, pack, signature, verify
from lib.release.candidate import Candidate


@pytest.fixture
def key(tmp_path):
    signature.new_key(tmp_path / "holder.pem")
    return tmp_path / "holder.pem"


@pytest.fixture
def signed(world, key):
    return pack.pack(Candidate(world.run, ARM), key=signature.private_key(key))


def run(*arguments: object) -> int:
    return verify.main([str(argument) for argument in arguments])


def test_a_signed_pack_is_verified_with_the_holders_key_and_with_none(signed, key, capsys):
    public = key.with_name("holder.pem.pub")
    assert run(signed, "--key", public) == 0
    printed = capsys.readouterr().out
    assert "signed: by the key that was given" in printed and signature.signer(signed) in printed
    assert run(signed) == 0 and "ask its owner" in capsys.readouterr().out
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and "PRIVATE" not in public.read_text()


def test_another_key_and_no_signature_are_wrong_where_a_key_is_asked_for(signed, key, tmp_path, capsys):
    other = signature.new_key(tmp_path / "other.pem")
    assert run(signed, "--key", other) == 1 and "by another key" in capsys.readouterr().out
    (signed / certificate.SIGNATURE).unlink()
    assert run(signed) == 0
    capsys.readouterr()
    assert run(signed, "--key", key.with_name("holder.pem.pub")) == 1
    assert "WRONG  the pack is not signed" in capsys.readouterr().out


def test_a_certificate_that_was_changed_and_hashed_again_is_not_the_one_that_was_signed(signed):
    whole = loads(signed / certificate.NAME)
    rehash(signed, whole | {"run": "other"})
    with refused("release.signature_wrong", name=certificate.SIGNATURE):
        signature.signer(signed)


@pytest.mark.parametrize("change", [{"signature": "0" * 128}, {"signature": "xx"}, {"algorithm": "none"}, {"more": 1}])
def test_a_forged_or_odd_signature_is_refused(signed, change):
    path = signed / certificate.SIGNATURE
    path.write_text(json.dumps(loads(path) | change))
    with refused("release.signature_wrong"):
        signature.signer(signed)


def test_what_is_no_key_is_refused_and_a_key_is_not_overwritten(tmp_path, key):
    with refused("release.key_exists"):
        signature.new_key(key)
    for content in (b"", b"-----BEGIN PRIVATE KEY-----", key.with_name("holder.pem.pub").read_bytes()):
        (tmp_path / "none").write_bytes(content)
        with refused("release.no_key", name="none"):
            signature.private_key(tmp_path / "none")


def test_the_command_makes_a_key_and_signs(world, tmp_path, capsys):
    assert command.main(["--new-key", str(tmp_path / "mine.pem")]) == 0
    assert "mine.pem.pub" in capsys.readouterr().out
    assert command.main([ARM, "--sign", str(tmp_path / "mine.pem")]) == 0
    assert (world.pack / certificate.SIGNATURE).is_file()
    with pytest.raises(SystemExit):
        command.main([])
