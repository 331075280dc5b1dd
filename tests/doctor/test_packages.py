"""Packages are held against the requirements, as pip reads them."""

from importlib.metadata import PackageNotFoundError

import pytest

from experiments.doctor.packages import check_packages, check_python

REQUIRED = [
    "keras<3.16,>=3.15.1",
    "numpy<3,>=2",
    'jax<0.11,>=0.10; extra == "jax"',
    'pywin32>=1; sys_platform == "win32"',
]


def check(**versions):
    def read(name):
        if name not in versions:
            raise PackageNotFoundError(name)
        return versions[name]

    return list(check_packages(REQUIRED, read))


def test_all_that_fit_are_one_line():
    (only,) = check(keras="3.15.3", numpy="2.4.0", jax="0.10.2")
    assert (only.level, only.told) == (
        "ok",
        "3 packages of the versions that were tried",
    )


def test_another_version_is_an_error_with_the_command_that_mends_it():
    wrong, rest = check(keras="3.14.0", numpy="2.4.0")
    assert wrong.level == "error"
    assert wrong.told == "keras is 3.14.0, and keras<3.16,>=3.15.1 is needed"
    assert wrong.advice.endswith("install 'keras<3.16,>=3.15.1'")
    assert rest.told.startswith("1 package ")


def test_an_extra_may_be_absent_and_is_no_error_where_it_is_old():
    assert [one.level for one in check(keras="3.15.1", numpy="2.1")] == ["ok"]
    old, _ = check(keras="3.15.1", numpy="2.1", jax="0.4")
    assert old.level == "warning"


def test_an_absent_package_is_an_error():
    absent, _ = check(keras="3.15.1")
    assert absent.told == "numpy is not installed, and numpy<3,>=2 is needed"


@pytest.mark.parametrize(
    ("version", "level"), [((3, 12, 1), "ok"), ((3, 14, 0), "error")]
)
def test_python_is_one_that_the_wheels_are_for(version, level):
    assert check_python(version, ">=3.11,<3.14").level == level


def test_this_very_environment_is_as_it_was_built():
    assert {one.level for one in [check_python(), *check_packages()]} == {"ok"}
