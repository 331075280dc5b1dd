"""Attacks by whole commands, up to the end of their job if it comes to that."""

from pathlib import Path

import pytest

from tests.hostile.folders import make_folder, read_canaries
from tests.hostile.grammar import SECRET
from tests.hostile.whole import check_end, run_guarded
from tests.tiny import TINY

_JOB = [*TINY, "debug=one_step", "gpu=cpu", "tracking=off"]
_TOUCH = 'command:"touch ../canary/new"'


@pytest.mark.parametrize(
    "words",
    [
        [
            f"+callbacks.x={{_target_:experiments.launch.command_line.os.system,{_TOUCH}}}"
        ],
        ["+callbacks.x={_target_:experiments.launch.command_line.sys.exit,status:0}"],
        [
            "+callbacks.x={_target_:experiments.jobs.running.os.remove,path:../canary/kept}"
        ],
        ["+callbacks.x={_target_:keras.callbacks.os.remove,path:../canary/kept}"],
        [f"hydra.launcher={{_target_:os.system,{_TOUCH}}}", "-m", "seed=1,2"],
        [f"+hydra.callbacks.x={{_target_:os.system,{_TOUCH}}}"],
        [f"+hydra.job_logging.handlers.x={{'()':os.system,{_TOUCH}}}"],
        ["--config-dir", "given/conf", "hydra/job_logging=call"],
        ["--config-dir", "given/conf", "+experiment=wide"],
        ["--config-dir", "given/conf", "experiment=wide"],
        ["--config-dir", "given/conf", "task=call"],
        ["--config-dir", "given/conf", "tracking=tag"],
        ["-m", "seed=range(0,100000)"],
        ["dataset.decode_threads=100000000"],
        ["model.width=1000000000000"],
        ["output_dir=/dev/null"],
        ["dataset=folder", "dataset.path=given/images"],
        ["dataset=folder", "dataset.path=given/fifo"],
        ["dataset=mnist", "dataset.path=given/fifo"],
        ["tracking=server", f"tracking.uri=http://h.invalid/?token={SECRET}"],
    ],
    ids=lambda words: " ".join(words)[:70],
)
def test_attack_is_refused_in_a_sentence_and_leaves_no_trace(
    tmp_path: Path, words: list[str]
) -> None:
    make_folder(tmp_path)
    for name in ("given", "shared"):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "work" / name).symlink_to(tmp_path / name)
    before = read_canaries(tmp_path)

    done = run_guarded(tmp_path, [*_JOB, *words])

    check_end(done, tmp_path)
    assert done.returncode in (1, 2)
    assert read_canaries(tmp_path) == before
    assert SECRET not in done.stdout + done.stderr
    written = (tmp_path / "work").glob("outputs/**/*")
    assert all(SECRET.encode() not in p.read_bytes() for p in written if p.is_file())
