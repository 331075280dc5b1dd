"""What is kept from slowing imports down, and is back afterwards."""

import gc
import importlib
import sys
import threading

import pytest

from experiments.imports import without_collection, without_package


def test_a_package_is_absent_for_a_while_unless_it_is_imported() -> None:
    sys.modules.pop("antigravity", None)
    with without_package("antigravity"), without_package("json"):
        import json

        assert json is sys.modules["json"]
        with pytest.raises(ImportError):
            importlib.import_module("antigravity")
    assert "antigravity" not in sys.modules
    assert "json" in sys.modules


def test_collector_is_paused_until_the_last_one_is_done() -> None:
    assert gc.isenabled()
    with without_collection():
        assert not gc.isenabled()
        with without_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_collector_is_back_when_two_threads_have_imported() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        with without_collection():
            begun.set()
            ended.wait(10)

    thread = threading.Thread(target=work)
    with without_collection():
        thread.start()
        begun.wait(10)
    ended.set()
    thread.join()
    assert gc.isenabled()
