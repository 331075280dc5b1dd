import pytest

from experiments.config.kinds.addresses import check_web_address

HINT = "Set a variable instead."


def find_problem(address: str) -> str | None:
    problems = list(check_web_address("tracking.uri", address, hint=HINT))
    assert len(problems) <= 1
    return str(problems[0]) if problems else None


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:5000",
        "https://mlflow.example.org/team/a",
        "http://localhost",
        "http://my_host-1:1",
        "http://h:65535/",
        "http://[::1]:5000",
        "http://[2001:db8::1]/a",
        "https://bücher.example/mlflow",
        "https://example.org./a%20b",
        "HTTP://HOST",
    ],
)
def test_address_of_a_server_is_accepted(address: str) -> None:
    assert find_problem(address) is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "must start with http:// or https://"),
        ("notaurl", "must start with"),
        ("h:5000", "must start with"),
        ("ftp://h", "must start with"),
        ("file:///tmp", "must start with"),
        ("http:/h", "host"),
        ("http://", "host"),
        ("http:///a", "host"),
        ("http://:5000", "host"),
        ("http://-a", "host"),
        ("http://a..b", "host"),
        ("http://999.1.1.1", "host"),
        ("http://1.2.3", "host"),
        ("http://a,b", "host"),
        (f"http://{'a' * 64}", "host"),
        (f"http://{'.'.join(['a' * 60] * 5)}", "host"),
        ("http://h:99999", "1 to 65535"),
        ("http://h:0", "1 to 65535"),
        ("http://h:-1", "1 to 65535"),
        ("http://h:a", "1 to 65535"),
        ("http://h:", "1 to 65535"),
        ("http://[::1", "must name a host"),
        ("http://[zz]", "must name a host"),
        ("http://h/a b", "blanks"),
        ("http://h\n", "control characters"),
        ("http://h/\x7f", "control characters"),
        ("http:\\\\h", "backslashes"),
        ("http://h/%zz", "%XX"),
        ("http://h/é", "%XX"),
    ],
)
def test_what_is_no_address_is_told_with_an_example(address: str, words: str) -> None:
    problem = find_problem(address)
    assert problem is not None
    assert words in problem
    assert problem.endswith("https://mlflow.example.org.")
    assert repr(address) in problem


@pytest.mark.parametrize(
    "address",
    [
        "http://me:Kx7qCanary@h",
        "http://Kx7qCanary@h",
        "http://h/?token=Kx7qCanary",
        "http://h/#token=Kx7qCanary",
        "http://h/?",
    ],
)
def test_secret_is_refused_with_another_way_and_not_repeated(address: str) -> None:
    problem = find_problem(address)
    assert problem is not None
    assert problem.endswith(HINT)
    assert "Canary" not in problem
