"""A service in a process of its own: `python serving.py FOLDER` says its address and a key and serves until SIGTERM."""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import uvicorn

from kb.app import create_app
from kb.audience import Audience
from kb.bootstrap import Service
from kb.cli.serving import listen, url_of
from kb.person import SYSTEM, Role
from kb.settings import Settings
from kb.solve.access import add_person
from tests.api.conftest import UNHURRIED
from tests.faults.conftest import toy


def main(folder: Path) -> None:
    service = Service(Settings(**UNHURRIED | {"data_dir": folder, "_env_file": None}), encoder=toy())
    key = folder / "key"
    if not key.exists():
        key.write_text(add_person(service.db, SYSTEM, "publisher", Audience.INTERNAL, roles=[Role.PUBLISHER])[1])
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(service), log_level="error"))
    threading.Thread(target=_tell, args=(server, f"{url_of(listener)} {key.read_text()}"), daemon=True).start()
    server.run(sockets=[listener])


def _tell(server: uvicorn.Server, line: str) -> None:
    while not server.started:
        threading.Event().wait(0.02)
    print(line, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
