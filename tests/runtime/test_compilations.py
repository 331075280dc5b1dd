import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.runtime.compilations import _identify_cpu, keep_compilations


@pytest.fixture
def jax_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What a JAX that is not there is told."""
    told: dict[str, Any] = {}
    config = SimpleNamespace(update=told.__setitem__)
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(config=config))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    return told


def test_jax_finds_what_earlier_processes_have_compiled(
    jax_config: dict[str, Any], tmp_path: Path
) -> None:
    keep_compilations(True)
    folder = Path(jax_config["jax_compilation_cache_dir"])
    assert folder.is_dir()
    assert folder.parent == tmp_path / "experiments"
    assert jax_config["jax_compilation_cache_max_size"] == 2 * 2**30
    keep_compilations(True)
    assert jax_config["jax_compilation_cache_dir"] == str(folder)
    keep_compilations(False)
    assert jax_config["jax_compilation_cache_dir"] is None


def test_other_cpus_do_not_share_what_is_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = _identify_cpu()
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "flags : of another\n")
    assert _identify_cpu() != here


def test_cache_that_cannot_be_written_is_a_warning(
    jax_config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "experiments").write_text("no folder")
    keep_compilations(True)
    assert jax_config["jax_compilation_cache_dir"] is None
    assert "JAX compiles everything anew" in caplog.text


def test_without_a_cache_nothing_is_written_or_said(
    jax_config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "experiments").write_text("no folder")
    keep_compilations(False)
    assert jax_config["jax_compilation_cache_dir"] is None
    assert not caplog.records


def test_cache_that_the_environment_names_is_left_alone(
    jax_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/elsewhere")
    keep_compilations(True)
    assert jax_config == {}
