"""What a run depends on: PostgreSQL, OpenBao, and a network of its own between them and the run.

Where network namespaces are not permitted the run reaches the servers over the loopback, and says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[3]
for place in ("postgres", "vault"):  # the plugins' own starters of servers
    sys.path.insert(0, str(ROOT / "plugins" / f"kindling-plugin-{place}" / "tests"))
from openbao import OpenBao  # noqa: E402  # found through the lines above
from server import DATABASE, PASSWORD, USER, PostgresServer  # noqa: E402  # the same

KEPT = "prepared"


class Network:
    """A namespace whose only way out is one cable; `cut` pulls it.

    Args:
        is_wanted: False for the loopback.

    Attributes:
        is_own: Whether there is such a namespace; else `host` is the loopback and nothing can be cut.
        host: The servers' address, as seen from both sides.
    """

    def __init__(self, *, is_wanted: bool = True) -> None:
        self.is_own = False
        self.host = "127.0.0.1"
        self._name = f"kdl{os.getpid()}"
        if not is_wanted or shutil.which("ip") is None or os.geteuid() != 0:
            return
        for number in range(1, 250):
            net = f"10.213.{number}"
            if f" {net}." not in self._ip("addr").stdout:
                break
        self.is_own = all(self._ip(*words.split()).returncode == 0 for words in self._script(net))
        if self.is_own:
            self.host = f"{net}.1"
        else:
            self.close()

    def _script(self, net: str) -> tuple[str, ...]:
        name = self._name
        return (
            f"netns add {name}",
            f"link add {name} type veth peer name eth0 netns {name}",
            f"addr add {net}.1/24 dev {name}",
            f"link set {name} up",
            f"-n {name} addr add {net}.2/24 dev eth0",
            f"-n {name} link set eth0 up",
            f"-n {name} link set lo up",
        )

    @staticmethod
    def _ip(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)

    def inside(self, command: list[str]) -> list[str]:
        """Return a command that runs another one inside; the process is the other one's."""
        return ["ip", "netns", "exec", self._name, *command] if self.is_own else command

    def cut(self) -> None:
        self._ip("link", "set", self._name, "down")

    def mend(self) -> None:
        self._ip("link", "set", self._name, "up")

    def close(self) -> None:
        if shutil.which("ip"):
            self._ip("link", "del", self._name)
            self._ip("netns", "del", self._name)


class World:
    """The servers, and the database as it was when it was kept.

    Args:
        is_isolated: Whether runs reach them through a network of their own, where that is permitted.
    """

    def __init__(self, *, is_isolated: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kchaos", dir="/tmp"))
        self.network = Network(is_wanted=is_isolated)
        self.postgres = PostgresServer(self.network.host)
        (self.folder / "bao").mkdir()
        self.bao = OpenBao(self.folder / "bao", host=self.network.host).start()
        self.bao.mount("secret")
        self.bao.put("secret", "shop/db", {"login": f"{USER}:{PASSWORD}"})
        self.bao.put("secret", "shop/tax", {"rate": "7"})

    def sql(self, text: str, database: str = DATABASE) -> list[tuple[object, ...]]:
        """Run statements as a superuser over the socket."""
        uri = f"postgresql:///{database}?host={self.postgres.folder}&port={self.postgres.port}&user={USER}"
        with psycopg.connect(uri, autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def keep(self) -> None:
        """Keep the database as it is now."""
        self._copy(DATABASE, KEPT)

    def restore(self) -> None:
        """Make the database again what it was when it was kept."""
        self._copy(KEPT, DATABASE)

    def _copy(self, source: str, target: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)", "postgres")
        self.sql(f"ALTER DATABASE {source} ALLOW_CONNECTIONS true", "postgres")
        self.sql(f"CREATE DATABASE {target} TEMPLATE {source}", "postgres")

    def sessions(self) -> int:
        """Count connections of Kindling."""
        found = self.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kindling'")
        return int(str(found[0][0]))

    def close(self) -> None:
        self.bao.stop()
        self.postgres.close()
        self.network.close()
        shutil.rmtree(self.folder, ignore_errors=True)
