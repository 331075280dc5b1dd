import pytest

from experiments.secret_names import is_secret_name, is_secret_parameter


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "DB_PASSWORD_2",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "client-secret",
        "token",
        "accessToken",
        "tags.api_key",
        "+dataset.token",
        "apikey",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "AccountKey",
        "WANDB_API_KEY",
        "OPENAI_KEY",
        "credentials",
        "basic_auth",
        "tags.key",
        "tags.sig",
        "hydra.job.env_set.MLFLOW_TRACKING_TOKEN",
        "secret_value",
    ],
)
def test_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "optimizer.lr",
        "monkey",
        "augment.keypoints",
        "tokenizer",
        "tokens",
        "model.cls_token",
        "num_token",
        "sort_key",
        "rng_key",
        "key",
        "when.key",
        "model.signature",
        "signature",
        "author",
        "authors",
        "compass",
        "bypass",
        "passes",
        "secretary",
        "PWD",
        "OLDPWD",
        "keyboard",
        "trainer.batch_size",
        "",
        "=",
    ],
)
def test_name_of_anything_else_is_left_alone(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["key", "sig", "sas", "X-Amz-Signature", "api_key"])
def test_parameter_of_an_address_needs_no_more_than_a_short_name(name: str) -> None:
    assert is_secret_parameter(name)


@pytest.mark.parametrize(
    "name", ["page", "q", "monkey", "runs", "2", "viewStateShareKey"]
)
def test_other_parameters_of_an_address_are_shown(name: str) -> None:
    assert not is_secret_parameter(name)
