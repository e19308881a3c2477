"""Files that are there whole or not at all."""

import fcntl

import pytest

from engine.files import sweep_parts, write_atomically


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.png"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_atomically(path, b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_what_a_killed_process_left_is_swept_away_and_what_is_being_written_stays(tmp_path):
    left, held = tmp_path / ".a.png.01.part", tmp_path / ".b.png.02.part"
    for path in (left, held, tmp_path / "c.png"):
        path.write_bytes(b"half")
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.png.02.part", "c.png"]


def test_a_part_lies_where_it_is_swept_until_it_is_whole(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr("engine.files.os.fsync", lambda _: seen.append(list(parts.iterdir())))
    parts = tmp_path / "parts"
    write_atomically(tmp_path / "a.png", b"new", parts)
    assert [path.parent for path in seen[0]] == [parts]
    assert list(parts.iterdir()) == []
    assert (tmp_path / "a.png").read_bytes() == b"new"
