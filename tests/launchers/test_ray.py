"""A Ray on this machine, and one of two nodes of which one dies."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.launchers.conftest import SEARCH, Sweep, continuations, results

pytest.importorskip("hydra_plugins.hydra_ray_launcher.ray_launcher")
pytestmark = [
    pytest.mark.slow,
    # Ray's own threads and sockets; none of it is the project's.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
LAUNCHER = "hydra/launcher=ray"


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of two nodes that run one trial each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    cluster.shutdown()


def test_search_runs_on_a_ray_of_its_own(sweep: Callable[..., Sweep]) -> None:
    search = sweep(*SEARCH, LAUNCHER, "trainer.epochs=2")
    done = search.finish()
    assert done.returncode == 0, done.stderr
    assert [trial.state for trial in search.trials] == ["complete", "complete"]


def test_jobs_of_a_sweep_run_on_a_ray_of_their_own(sweep: Callable[..., Sweep]) -> None:
    jobs = sweep("seed=1,2", LAUNCHER, "debug=one_step")
    done = jobs.finish()
    assert done.returncode == 0, done.stderr
    assert {job["status"] for job in results(jobs).values()} == {"FINISHED"}
    assert len(results(jobs)) == 2


@pytest.mark.parametrize(
    ("retries", "attempts"),
    [
        pytest.param("3", 1, id="Ray starts it again"),
        pytest.param("0", 2, id="the search does"),
    ],
)
def test_death_of_a_node_loses_nothing(
    cluster: Any, sweep: Callable[..., Sweep], retries: str, attempts: int
) -> None:
    search = sweep(
        *SEARCH,
        LAUNCHER,
        f"hydra.launcher.ray.init.address='{cluster.address}'",
        f"+hydra.launcher.ray.remote.max_retries={retries}",
        "trainer.epochs=60",
    )
    process = search.start()
    names = ("optimizer.lr_0.001", "optimizer.lr_0.01")
    folders = [search.wait_for_checkpoint(name) for name in names]
    cluster.remove_node(cluster.second, allow_graceful=False)
    done = search.finish(process)
    assert done.returncode == 0, done.stderr
    outcomes = [trial.outcome for trial in search.trials]
    assert [outcome.epochs for outcome in outcomes] == [60, 60]
    assert sorted(outcome.attempts for outcome in outcomes) == [1, attempts]
    assert sum(continuations(folder) for folder in folders) == 1
