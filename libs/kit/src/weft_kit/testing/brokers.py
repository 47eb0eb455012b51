"""RabbitMQ and Mosquitto as processes of this machine, as the servers of `weft_kit.testing.servers` are."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from weft_kit.testing.servers import LOOPBACK, ServerProcess, program

_RABBIT: Final = "/usr/lib/rabbitmq/bin"
"""Its program in PATH takes no other user than its own."""


class RabbitMq(ServerProcess):
    """One node that speaks AMQP 0-9-1 and 1.0 on the same port; user and password are `guest`."""

    @property
    def port(self) -> int:
        return self._port("amqp")

    def _environment(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"weft{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._port("distribution")),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "environment"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            # without a shell around it that a signal would end alone
            "RABBITMQ_ALLOW_INPUT": "1",
            # `pid` knows it by the folder
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-noinput +S 1:1 -folder {self.folder}",
            "ERL_EPMD_PORT": str(self._port("epmd")),
            "ERL_EPMD_ADDRESS": LOOPBACK,
        }

    def _prepare(self) -> None:
        (self.folder / "plugins").write_text("[rabbitmq_amqp1_0].\n")

    def _command(self) -> Sequence[str]:
        settings = (f"{name}={value}" for name, value in self._environment().items())
        return ["env", *settings, program("rabbitmq-server", _RABBIT)]

    def _ready(self) -> bool:
        return b"Server startup complete" in (self.folder / "server.log").read_bytes()

    def kill(self) -> None:
        super().kill()
        # the daemon that its nodes register with outlives them
        if epmd := shutil.which("epmd"):
            command = [epmd, "-port", str(self._port("epmd")), "-kill"]
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own command


class Mosquitto(ServerProcess):
    """MQTT, and MQTT by WebSockets on a port of its own. `users`: passwords by name; without any, everyone may
    come in."""

    def __init__(self, folder: Path, users: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self._users = users or {}

    @property
    def port(self) -> int:
        return self._port("mqtt")

    @property
    def websocket_port(self) -> int:
        return self._port("websocket")

    def _prepare(self) -> None:
        lines = [f"listener {self.port} {LOOPBACK}", f"listener {self.websocket_port} {LOOPBACK}"]
        lines += ["protocol websockets", f"allow_anonymous {'false' if self._users else 'true'}"]
        if os.getuid() == 0:
            lines.append("user root")
        if self._users:
            passwords = self.folder / "passwords"
            passwords.write_text("".join(f"{name}:{word}\n" for name, word in self._users.items()))
            command = ["mosquitto_passwd", "-U", str(passwords)]
            subprocess.run(command, check=True)  # noqa: S603 - our own command
            lines.append(f"password_file {passwords}")
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def _command(self) -> Sequence[str]:
        return [program("mosquitto"), "-c", str(self.folder / "mosquitto.conf")]

    def _ready(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.websocket_port), timeout=1).close()
        except OSError:
            return False
        return True
