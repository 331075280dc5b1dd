"""Commands as processes that have the libraries already.

Half of what a short run of `run.py` costs is importing TensorFlow, Keras, MLflow and
the rest. Here one interpreter imports them, and each command is a fork: a process of
its own, which is read, signalled, killed and waited for like any other. What an
interpreter does at its start, PYTHONPATH and `sitecustomize` included, is done in the
fork. How a command imports the libraries, and reads the config files of the default
job, is not seen this way: tests of that start a new one.

It stays for what it saves: the imports take 8.5 s of CPU, and a run of one step 2.5 s
in place of 10.8 s. `tests/faults` and `tests/test_secrets.py` start 27 commands, and
`tests/hostile`, `tests/records`, `tests/docs` and `tests/test_run.py` about a
hundred more.
"""

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import inspect
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36
_MOST_BYTES = 1 << 20
_status: list[Any] = []


def start_command(
    args: list[str], *, cold: bool = False, **options: Any
) -> subprocess.Popen[Any]:
    """Starts a script as `subprocess.Popen` would; it reads nothing, and hears Ctrl-C.

    Args:
        args: The interpreter, the script, or `-c` and code, and its arguments.
        cold: Start a new interpreter.
        options: `cwd`, `env`, `stdout`, `stderr`, `text` and `start_new_session`.
    """
    if cold or sys.platform != "linux":
        return subprocess.Popen(args, preexec_fn=_hear_ctrl_c, **options)
    return _Forked(args, **options)


def run_to_the_end(
    args: list[str], *, cold: bool = False, timeout: float | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Runs a command as `subprocess.run` would, and returns what it printed.

    Args:
        args: The interpreter, the script, or `-c` and code, and its arguments.
        cold: Start a new interpreter.
        timeout: Seconds, after which it is killed.
        options: `cwd` and `env`.
    """
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with start_command(args, cold=cold, **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(args, process.returncode, output, errors)


def _hear_ctrl_c() -> None:
    """A shell's background jobs ignore it, and so would their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _Forked(subprocess.Popen[Any]):
    """A process that another one forks, and that is a child of this one even so."""

    def _execute_child(self, *arguments: Any) -> None:
        given = inspect.signature(super()._execute_child).bind(*arguments).arguments
        request = {
            "args": given["args"],
            "cwd": str(given["cwd"] or Path.cwd()),
            "env": dict(given["env"] or os.environ),
            "new_session": given["start_new_session"],
        }
        output, errors = given["c2pwrite"], given["errwrite"]
        files = [1 if output == -1 else output, 2 if errors == -1 else errors]
        adopt = ctypes.CDLL(None).prctl
        adopt(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(_server(), [json.dumps(request).encode()], files)
            self.pid = int(_server().recv(_MOST_BYTES))
        finally:
            adopt(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[end] for end in pipes))


def share_config_files(replace: Any) -> None:
    """Lets every command of this process read each file and merge each choice once.

    Args:
        replace: Sets an attribute, for as long as this shall hold.
    """
    from experiments.command.composing.loader import Loader, ReadOnce

    read: dict[Any, Any] = {}
    lists: dict[Any, Any] = {}
    merged: dict[Any, Any] = {}
    folders, loader = ReadOnce.__init__, Loader.__init__

    @functools.wraps(folders)
    def share_read(self: Any, *given: Any, **named: Any) -> None:
        folders(self, *given, **named)
        self._read, self.lists = read, lists

    @functools.wraps(loader)
    def share_merged(self: Any, *given: Any, **named: Any) -> None:
        loader(self, *given, **named)
        self._merged = merged

    replace(ReadOnce, "__init__", share_read)
    replace(Loader, "__init__", share_merged)


@cache
def _server() -> socket.socket:
    """Starts the interpreter that is forked; it ends when this process does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    atexit.register(process.wait)
    atexit.register(ours.close)  # comes first
    return ours


def _serve(connection: socket.socket) -> None:
    """Forks for each request; returns in the forks only."""
    while True:
        data, files, _, _ = socket.recv_fds(connection, _MOST_BYTES, 2)
        if not data:
            os._exit(0)
        reading, writing = os.pipe()
        between = os.fork()
        if between == 0:
            # What this one forks is adopted by who asked for it, once this one ends.
            if (command := os.fork()) == 0:
                os.close(reading)
                os.close(writing)
                connection.close()
                _become(files, **json.loads(data))
                return
            os.write(writing, str(command).encode())
            os._exit(0)
        os.waitpid(between, 0)
        connection.send(os.read(reading, _MOST_BYTES))
        for file in (reading, writing, *files):
            os.close(file)


def _become(
    files: list[int], args: list[str], cwd: str, env: dict[str, str], new_session: bool
) -> None:
    """Makes this process what a new interpreter is before it reads its script."""
    if new_session:
        os.setsid()
    for number, file in enumerate(files, start=1):
        os.dup2(file, number)
        os.close(file)
    _hear_ctrl_c()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.orig_argv = args
    sys.argv = args[1:]
    added = [path for path in env.get("PYTHONPATH", "").split(os.pathsep) if path]
    is_code = sys.argv[0] == "-c"
    sys.path[:1] = ["" if is_code else str(Path(sys.argv[0]).resolve().parent), *added]
    if added:
        sys.modules.pop("sitecustomize", None)
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module("sitecustomize")


def _run_script() -> None:
    """Runs it as the main module, which is what a process that it spawns looks for."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    if sys.argv[0] == "-c":
        code = compile(sys.argv.pop(1), "<string>", "exec")
    else:
        path = Path(sys.argv[0]).absolute()
        main.__file__ = str(path)
        code = compile(path.read_bytes(), path, "exec")
    try:
        exec(code, vars(main))
    except SystemExit as end:
        _status.append(end.code)
        raise


def _leave() -> None:
    """Ends a fork after all else that is done at its end.

    Else the interpreter would take the libraries apart, and the pages that they are on
    would all be copied for it.
    """
    if _status and isinstance(_status[0], int):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_status[0])


def _import_libraries() -> None:
    import experiments
    from experiments.imports import without_collection, without_package
    from experiments.runtime.chatter import without_chatter
    from experiments.tracking.store.mlflow_import import import_mlflow

    with without_collection(), without_package("jax"), without_chatter("Start"):
        importlib.import_module("keras")
        importlib.import_module("matplotlib.pyplot")
        import_mlflow()
        importlib.import_module("mlflow.keras")
        importlib.import_module("mlflow.pyfunc")
        importlib.import_module("mlflow.store.tracking.sqlalchemy_workspace_store")
        importlib.import_module("hydra.main")
        for module in pkgutil.walk_packages(experiments.__path__, "experiments."):
            importlib.import_module(module.name)
    from experiments.command.plan import check_command_line
    from experiments.tracking.surroundings.environment import describe_environment

    describe_environment()  # reads the metadata of all installed packages
    share_config_files(setattr)
    check_command_line((), config_dir=Path(__file__).parents[1] / "conf")
    gc.freeze()  # pages that no collection writes to stay shared


if __name__ == "__main__":
    atexit.register(_leave)  # what comes first is called last
    _import_libraries()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    _run_script()
