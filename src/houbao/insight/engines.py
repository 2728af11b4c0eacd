"""Where questions over a lake run: DuckDB in this process, or Spark. Both are asked by the same Ibis expressions."""

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

EngineName = Literal["duckdb", "spark"]
Table = Any
"""An Ibis table."""

MASTER = "local[*]"
"""Where Spark runs unless HOUBAO_SPARK_MASTER says otherwise."""


AT_ONCE = 10_000


class EngineError(Exception):
    """An engine is not installed, or cannot be started here."""


class Engine(Protocol):
    """Reads files as tables and answers expressions over them."""

    name: EngineName

    def table(self, files: Sequence[Path]) -> Table:
        """The rows of Parquet files of one table."""
        ...

    def rows(self, question: Table) -> Iterator[dict[str, Any]]:
        """The answer, row by row as it is read: column → value."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def engine_of(name: EngineName) -> Engine:
    """The engine of that name. Raises EngineError."""
    return _DuckDB() if name == "duckdb" else _Spark()


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    """The rows of an Arrow table; few of them are held as Python's own values, which take ten times the room."""
    for batch in table.to_batches(max_chunksize=AT_ONCE):
        yield from batch.to_pylist()


class _DuckDB:
    name: EngineName = "duckdb"

    def __init__(self) -> None:
        try:
            import ibis

            self.connection = ibis.duckdb.connect()
        except ImportError as error:
            raise EngineError(
                f"the engine duckdb is not installed ({error}): pip install 'houbao[analytics]'"
            ) from None

    def table(self, files: Sequence[Path]) -> Table:
        return self.connection.read_parquet([str(file) for file in files], hive_partitioning=False)

    def rows(self, question: Table) -> Iterator[dict[str, Any]]:
        return _rows(self.connection.to_pyarrow(question))

    def close(self) -> None:
        self.connection.disconnect()


class _Spark:
    name: EngineName = "spark"

    def __init__(self) -> None:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        try:
            import ibis

            spark = import_module("pyspark.sql")
        except ImportError as error:
            raise EngineError(
                f"the engine spark is not installed ({error}): pip install 'houbao[spark]'; it needs Java 17"
            ) from None
        settings = {"spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC"}
        builder = spark.SparkSession.builder.appName("houbao").master(os.environ.get("HOUBAO_SPARK_MASTER", MASTER))
        for key, value in settings.items():
            builder = builder.config(key, value)
        try:
            self.session = builder.getOrCreate()
        except Exception as error:
            raise EngineError(f"Spark cannot be started: {error}; it needs Java 17") from error
        self.connection = ibis.pyspark.connect(self.session)
        self.tables = 0

    def table(self, files: Sequence[Path]) -> Table:
        self.tables += 1
        name = f"lake_{self.tables}"
        self.session.read.parquet(*(str(file) for file in files)).createOrReplaceTempView(name)
        return self.connection.table(name)

    def rows(self, question: Table) -> Iterator[dict[str, Any]]:
        return _rows(self.connection.to_pyarrow(question))

    def close(self) -> None:
        self.session.stop()
