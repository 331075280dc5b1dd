import os
from typing import Any

import joblib
import pytest
from omegaconf import OmegaConf

from experiments.command.hydra_node.launcher import describe_launch


@pytest.mark.parametrize(
    ("target", "here"),
    [
        ("hydra._internal.core_plugins.basic_launcher.BasicLauncher", True),
        ("hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher", True),
        ("hydra_plugins.hydra_submitit_launcher.launcher.LocalLauncher", True),
        (
            "hydra_plugins.hydra_submitit_launcher.launcher.SlurmLauncher",
            False,
        ),
        ("hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher", False),
    ],
)
def test_folders_of_a_cluster_are_not_those_of_this_machine(
    target: str, here: bool
) -> None:
    config = OmegaConf.create({"hydra": {"launcher": {"_target_": target}}})
    launch = describe_launch(config)
    assert launch.is_here is here
    assert launch.target == target


PLUGINS = "hydra_plugins.hydra_"
BASIC = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
JOBLIB = f"{PLUGINS}joblib_launcher.joblib_launcher.JoblibLauncher"
LOCAL = f"{PLUGINS}submitit_launcher.submitit_launcher.LocalLauncher"
SLURM = f"{PLUGINS}submitit_launcher.submitit_launcher.SlurmLauncher"
RAY = f"{PLUGINS}ray_launcher.ray_launcher.RayLauncher"


@pytest.mark.parametrize(
    ("launcher", "jobs", "most"),
    [
        ({"_target_": BASIC}, 5, 1),
        ({"_target_": JOBLIB, "n_jobs": 3}, 5, 3),
        ({"_target_": JOBLIB, "n_jobs": 8}, 5, 5),
        ({"_target_": JOBLIB, "n_jobs": -1}, 1, 1),
        ({"_target_": JOBLIB, "n_jobs": -1}, 10**6, joblib.cpu_count()),
        ({"_target_": JOBLIB, "n_jobs": None}, 5, 1),
        ({"_target_": LOCAL}, 10**6, os.cpu_count()),
        ({"_target_": SLURM, "array_parallelism": 4}, 100, 4),
        ({"_target_": SLURM, "array_parallelism": 256}, 100, 100),
        ({"_target_": RAY}, 100, 100),
    ],
)
def test_as_many_jobs_run_at_a_time_as_the_launcher_says(
    launcher: dict[str, Any], jobs: int, most: int
) -> None:
    launch = describe_launch(OmegaConf.create({"hydra": {"launcher": launcher}}))
    assert launch.side_by_side(jobs) == most
