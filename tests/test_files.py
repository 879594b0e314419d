"""A file is written whole or not at all, and never twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wallet_site import chain_state, files
from wallet_site.management.commands import up


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_whole_and_its_owners_alone(tmp_path):
    path = tmp_path / "secret_key"

    files.create(path, b"0123")

    assert path.read_bytes() == b"0123"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["secret_key"]


def test_a_file_that_holds_something_stays(tmp_path):
    path = tmp_path / "secret_key"
    path.write_bytes(b"first")

    files.create(path, b"second")

    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["secret_key"]


def test_an_empty_file_counts_as_missing(tmp_path):
    path = tmp_path / "secret_key"
    path.touch(mode=0o644)

    files.create(path, b"0123")

    assert path.read_bytes() == b"0123"
    assert path.stat().st_mode & 0o777 == 0o600


def test_one_that_appears_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    path = tmp_path / "secret_key"
    link = os.link

    def another_is_faster(source, target):
        path.write_bytes(b"first")
        link(source, target)

    monkeypatch.setattr(os, "link", another_is_faster)
    files.create(path, b"second")

    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["secret_key"]


def test_a_write_that_is_cut_short_leaves_nothing(tmp_path, monkeypatch):
    def disk_is_full(_descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", disk_is_full)
    with pytest.raises(OSError, match="no space left"):
        files.create(tmp_path / "secret_key", b"0123")

    assert names(tmp_path) == []


def test_a_file_system_without_links_does_as_well(tmp_path, monkeypatch):
    def no_links(_source, _target):
        raise PermissionError("operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    files.create(tmp_path / "secret_key", b"0123")

    assert names(tmp_path) == ["secret_key"]


def test_the_sites_key_is_made_once(tmp_path, settings):
    settings.SECRET_KEY_PATH = tmp_path / "secret_key"
    settings.SECRET_KEY_PATH.touch()

    up._write_secret_key()
    first = settings.SECRET_KEY_PATH.read_text()
    up._write_secret_key()

    assert len(first) == 64
    assert settings.SECRET_KEY_PATH.read_text() == first


def test_a_copy_of_the_chain_that_was_cut_short_is_made_anew(
    tmp_path, settings, monkeypatch
):
    base = tmp_path / "base.json"
    base.write_text("whole")
    monkeypatch.setattr(chain_state, "base_state", lambda *, report: base)
    settings.VAR_DIR = tmp_path
    state = tmp_path / "devchain" / "state.json"
    state.parent.mkdir()
    state.touch()

    assert chain_state.saved_state(report=lambda _line: None) == state
    assert state.read_text() == "whole"

    state.write_text("the person's own")
    chain_state.saved_state(report=lambda _line: None)

    assert state.read_text() == "the person's own"
    assert names(state.parent) == ["state.json"]
