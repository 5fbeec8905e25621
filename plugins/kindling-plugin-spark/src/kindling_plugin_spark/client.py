"""pyspark's Connect client, made ready for one session. The only module that knows its private parts."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from kindling.errors import EngineLostError, KindlingError, PluginError
from kindling.hooks.platform import FrameApi
from kindling_plugin_spark.endpoint import Endpoint
from kindling_plugin_spark.messages import refused_setting
from kindling_plugin_spark.servers import Server

HELLO_KEY = "spark.sql.session.timeZone"


def missing() -> tuple[str, ...]:
    """Return the packages that Connect needs beside pyspark and that are not installed."""
    return tuple(name for name in ("grpc", "grpc_status", "google.rpc") if not _is_there(name))


def check(missing: Sequence[str]) -> None:
    """Refuse an installation without what Connect needs.

    Raises:
        PluginError: KDL-INFRA-324.
    """
    if missing:
        raise PluginError(
            "KDL-INFRA-324",
            "Spark Connect lacks its client libraries",
            why=f"there is no {', '.join(missing)}",
            hint="pip install 'kindling-plugin-spark[connect]'",
        )


def frames() -> FrameApi:
    """Return the modules of pipe code on Connect."""
    from pyspark.sql import types
    from pyspark.sql.connect import functions
    from pyspark.sql.connect.window import Window

    return FrameApi(functions, Window, types)


def frame_class() -> type:
    """Return the class of Connect's frames."""
    from pyspark.sql.connect.dataframe import DataFrame

    return DataFrame


def opened(server: Server, wire: Any) -> Any:  # noqa: ANN401  # untyped pyspark, and a Wire
    """Return a new Connect session; no request is sent yet."""
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession

    from kindling_plugin_spark.wire import Patience

    endpoint: Endpoint = server.endpoint
    builder = DefaultChannelBuilder(str(endpoint))
    for name, value in endpoint.parameters.items():
        builder.set(name, value)
    builder.add_interceptor(wire)
    spark = SparkSession(connection=builder)
    client = spark.client
    client.set_retry_policies([Patience(wire)])
    if server.is_own:
        # Reattaching costs three more requests an execution, and repairs connections that do not
        # break on the loopback interface; compressing costs two more a session.
        client.disable_reattachable_execute()
        client._plan_compression_threshold = -1  # noqa: SLF001  # pyspark 4.2
        client._plan_compression_algorithm = "NONE"  # noqa: SLF001  # pyspark 4.2
    # Its exit handler sends a request, and waits where nobody answers.
    atexit.unregister(client._on_exit)  # noqa: SLF001  # pyspark 4.2
    # pyspark makes a session active only where none is, even if that one is stopped already.
    SparkSession._active_session.session = spark  # noqa: SLF001  # pyspark 4.2
    return spark


def forget(spark: Any) -> None:  # noqa: ANN401  # untyped pyspark
    """Close a session's channel, and let it be nobody's active session."""
    from pyspark.sql.connect.session import SparkSession

    spark.client.close()
    active = SparkSession._active_session  # noqa: SLF001  # pyspark 4.2
    if getattr(active, "session", None) is spark:
        active.session = None
    if SparkSession._default_session is spark:  # noqa: SLF001  # pyspark 4.2
        SparkSession._default_session = None  # noqa: SLF001  # pyspark 4.2


def greet(spark: Any, server: Server, limit_s: float) -> None:  # noqa: ANN401  # untyped pyspark
    """Send one harmless request, once.

    Raises:
        EngineLostError: KDL-INFRA-321, nobody answers in time, or something that is no Spark Connect.
        RunError: KDL-INFRA-322, the credentials are refused.
    """
    import grpc

    from kindling_plugin_spark.wire import REFUSED, refused

    client = spark.client
    request = client._config_request_with_metadata()  # noqa: SLF001  # pyspark 4.2
    request.operation.get_option.keys.append(HELLO_KEY)
    try:
        client._stub.Config(request, metadata=client._builder.metadata(), timeout=limit_s)  # noqa: SLF001  # pyspark 4.2
    except grpc.RpcError as error:
        if error.code() in REFUSED:
            raise refused(str(server.endpoint)) from None
        late = error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        raise EngineLostError(
            "KDL-INFRA-321",
            f"the Spark Connect server {str(server.endpoint)!r} cannot be reached",
            why=f"no answer within {limit_s:g} s" if late else _short(str(error.details())),
            hint="check `url` of [platform.spark], that the server runs, and whether it wants use_ssl=true",
        ) from None


def configure(spark: Any, settings: Mapping[str, str]) -> None:  # noqa: ANN401  # untyped pyspark
    """Set a session's settings in one request.

    Raises:
        ConfigError: KDL-INFRA-323, the server lets no session change one of them.
    """
    from pyspark.sql.connect import proto

    pairs = [proto.KeyValue(key=key, value=value) for key, value in settings.items()]
    try:
        spark.client.config(proto.ConfigRequest.Operation(set=proto.ConfigRequest.Set(pairs=pairs)))
    except KindlingError:
        raise
    except Exception as error:
        raise refused_setting(settings, error) from error


def running(spark: Any) -> int:  # noqa: ANN401  # untyped pyspark
    """Return how many operations of a session the server still works on; 0 where it cannot tell."""
    from pyspark.sql.connect import proto

    state = proto.GetStatusResponse.OperationStatus.OperationState
    busy = (state.OPERATION_STATE_RUNNING, state.OPERATION_STATE_TERMINATING)
    found = spark.client._get_operation_statuses()  # noqa: SLF001  # not public in pyspark 4.2
    return sum(status.state in busy for status in found.operation_statuses)


def _short(details: str) -> str:
    return details.rpartition("last error: ")[2].removeprefix("UNKNOWN: ") or "it does not answer"


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False
