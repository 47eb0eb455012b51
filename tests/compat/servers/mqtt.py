"""MQTT: what is published, by Mosquitto."""

import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from weft_kit.testing.brokers import Mosquitto

from tests.compat.cases.build import Case, named, node
from tests.compat.servers.served import HOST, Served, asked, chain, told

MESSAGES = "http://messages.invalid"
"""Answers with the messages that came."""


class _Listener:
    """Hears all. What was published before `messages` is called is among them: a mark of its own, that went around
    twice, came after it."""

    def __init__(self, port: int) -> None:
        self._heard: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect(HOST, port)
        self._client.loop_start()
        self._client.subscribe("#", 2)
        if not ready.wait(30):
            raise TimeoutError("The broker took no subscription")

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        with self._changed:
            said = {"topic": message.topic, "text": message.payload.decode(), "qos": message.qos}
            self._heard.append({**said, "retain": message.retain})
            self._changed.notify_all()

    def messages(self) -> dict[str, Any]:
        for _ in range(2):
            mark = uuid.uuid4().hex
            self._client.publish("mark", mark)
            with self._changed:
                if not self._changed.wait_for(lambda: any(each["text"] == mark for each in self._heard), 30):  # noqa: B023
                    raise TimeoutError("The broker forwards nothing")
        with self._changed:
            return {"messages": [each for each in self._heard if each["topic"] != "mark"]}

    def forget(self) -> None:
        self.messages()
        with self._changed:
            self._heard.clear()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    server = Mosquitto(folder / "mosquitto")
    server.start()
    listener = _Listener(server.port)
    secret = {
        "protocol": "mqtt",
        "host": HOST,
        "port": server.port,
        "username": "",
        "password": "",
        "clientId": "",
    }
    try:
        with told(listener.messages) as address:
            yield Served({"mqtt": secret}, listener.forget, {MESSAGES: address})
    finally:
        listener.close()
        server.kill()


def cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    seen = node("Seen", "httpRequest", 4.2, {"url": MESSAGES, "options": {}}, 3, executeOnce=True)

    def add(name: str, parameters: Mapping[str, Any], on_error: str = "continueRegularOutput") -> None:
        published = asked("mqtt", "mqtt", 1, parameters, onError=on_error)
        found[name] = chain(
            published, seen, rows=[{"n": 1, "t": "Zoë"}, {"n": 2, "o": {"a": [1]}, "t": None}]
        )

    add("items", {"topic": "a/b"})
    add("text", {"topic": "a/b", "sendInputData": False, "message": "=Hi {{ $json.n }} é"})
    add("empty text", {"topic": "a/b", "sendInputData": False, "message": ""})
    add("object as text", {"topic": "a/b", "sendInputData": False, "message": "={{ $json.o }}"})
    add("number as text", {"topic": "a/b", "sendInputData": False, "message": "={{ $json.n }}"})
    add("topic by expression", {"topic": "=a/{{ $json.n }}"})
    add("wildcard", {"topic": "a/#"})
    for name, options in named({"1": {"qos": 1}, "2": {"qos": 2}}):
        add(f"qos {name}", {"topic": "a", "options": options})
    return found
