"""The address that a server has."""

import asyncio
import socket

import pytest

from experiments.errors import ConfigError
from experiments.serving.server import holding_port, name_address


def test_a_port_that_another_program_has_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(
                ConfigError, match=rf"cannot be {port}: another[^$]*task\.port=0"
            ),
            holding_port("127.0.0.1", port),
        ):
            pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_told(host: str) -> None:
    with (
        pytest.raises(
            ConfigError, match=r"task\.host must be an address of this machine"
        ),
        holding_port(host, 0),
    ):
        pass


def test_nobody_gets_in_before_it_serves() -> None:
    with holding_port("127.0.0.1", 0) as place:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(place.getsockname(), timeout=5)
        assert name_address(place) == f"http://127.0.0.1:{place.getsockname()[1]}"


def test_an_open_server_is_named_as_this_machine_finds_it() -> None:
    with holding_port("0.0.0.0", 0) as place:
        assert name_address(place).startswith("http://127.0.0.1:")


def test_an_answer_waits_for_no_acknowledgement_of_its_client() -> None:
    """Else each takes 40 ms longer: Nagle's algorithm beside delayed ones."""

    async def serve(place: socket.socket) -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            client = writer.get_extra_info("socket")
            found.set_result(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(answer, sock=place):
            _, writer = await asyncio.open_connection(*place.getsockname())
            writer.close()
            return await found

    with holding_port("127.0.0.1", 0) as place:
        assert asyncio.run(serve(place))
