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
