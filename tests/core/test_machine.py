"""What is said of a machine: limits of groups, folders, and nothing left behind."""

import os

import pytest

from core.machine import cpu_quota, machine_checks, memory_limit


def by_name(checks):
    return {check.what: check for check in checks}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_this_machine_can_be_described(tmp_path):
    found = by_name(machine_checks(tmp_path / "cache", tmp_path / "runs"))
    assert found["python"].state == "OK"
    assert {"cpus", "memory", "shared memory", "open files", "texts"} <= set(found)
    assert "MB/s written and synced" in found["cache folder"].found
    assert all(check.remedy for check in found.values() if check.state != "OK")


def test_looking_at_a_folder_leaves_nothing_in_it(tmp_path):
    machine_checks(tmp_path / "not" / "there", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_fails_with_its_option(tmp_path):
    (tmp_path / "cache").write_text("")
    found = by_name(machine_checks(tmp_path / "cache" / "below", tmp_path))["cache folder"]
    assert found.state == "FAIL"
    assert "is a file" in found.found
    assert "--cache DIR" in found.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_fails(tmp_path):
    tmp_path.chmod(0o500)
    assert by_name(machine_checks(tmp_path, tmp_path))["cache folder"].state == "FAIL"


@pytest.mark.parametrize(
    ("files", "mine", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, "0::/\n", 1.5),
        ({"cpu.max": "max 100000\n"}, "0::/\n", None),
        ({"box/cpu.max": "50000 100000\n"}, "0::/box\n", 0.5),
        ({"cpu/box/cpu.cfs_quota_us": "200000", "cpu/box/cpu.cfs_period_us": "100000"},
         "1:cpu:/box\n", 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "1:cpu:/\n", None),
        ({}, "", None),
    ],
)  # fmt: skip
def test_a_quota_of_cpus_is_read_in_both_versions_of_groups(files, mine, quota, tmp_path):
    write(tmp_path / "mine", mine)
    for name, text in files.items():
        write(tmp_path / "root" / name, text)
    assert cpu_quota(tmp_path / "root", tmp_path / "mine") == quota


@pytest.mark.parametrize(
    ("files", "mine", "limit"),
    [
        ({"memory.max": "1073741824\n"}, "0::/\n", 1 << 30),
        ({"memory.max": "max\n"}, "0::/\n", None),
        ({"memory/box/memory.limit_in_bytes": "1073741824"}, "4:memory:/box\n", 1 << 30),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, "4:memory:/\n", None),
    ],
)
def test_a_limit_of_memory_is_read_in_both_versions_of_groups(files, mine, limit, tmp_path):
    write(tmp_path / "mine", mine)
    for name, text in files.items():
        write(tmp_path / "root" / name, text)
    assert memory_limit(tmp_path / "root", tmp_path / "mine") == limit
