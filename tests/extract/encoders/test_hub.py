"""What is said when the hub does not give a checkpoint."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import CheckpointError
from extract.encoders.checkpoint import Places

COMMIT = "0" * 40


class Gate(BaseHTTPRequestHandler):
    """Answers as the hub does where a licence was not accepted."""

    def do_GET(self):
        self.send_response(403)
        self.send_header("X-Error-Code", "GatedRepo")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *words):
        pass


@pytest.fixture
def gate(monkeypatch, tmp_path):
    """Give the address of a hub that refuses."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Gate) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        yield address
        server.shutdown()


def test_a_gated_checkpoint_says_how_to_be_let_in(gate, tmp_path):
    weights = Places({"dinov3": f"who/gated@{COMMIT}"}, tmp_path).find("dinov3", None)
    told = f"accept the licence on {gate}/who/gated, then hf auth login; or copy its folder here"
    with pytest.raises(CheckpointError, match=told):
        weights.fetched()


def test_a_folder_that_is_not_there_is_said_before_the_hub(gate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = f"^--weights dinov3=w/nope: there is no such folder, {tmp_path}/w/nope; taken for a hub"
    with pytest.raises(CheckpointError, match=told):
        Places({"dinov3": "w/nope"}, tmp_path).find("dinov3", None)
