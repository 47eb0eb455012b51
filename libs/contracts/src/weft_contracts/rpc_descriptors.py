"""From a generated service interface to its protobuf descriptor."""

import importlib
from functools import cache
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass


@cache
def describe(interface: type) -> ServiceDescriptor:
    """`weft_contracts.rpc.auth.Access` is described by service `Access` in `weft_contracts.pb.auth_pb2`."""
    name = interface.__module__.rpartition(".")[2]
    module = importlib.import_module(f"weft_contracts.pb.{name}_pb2")
    service: ServiceDescriptor = module.DESCRIPTOR.services_by_name[interface.__name__]
    return service


def request_class(method: MethodDescriptor) -> Any:
    return GetMessageClass(method.input_type)


def answer_class(method: MethodDescriptor) -> Any:
    return GetMessageClass(method.output_type)
