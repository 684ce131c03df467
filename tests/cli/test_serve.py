"""The server: health, keys and roles, limits, TLS, the access log, and how it stops."""
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

import shop
from server import Server, basic, make_key


def check_system(server):
    assert server.get("/healthz") == {"status": "ok"}
    assert server.get("/readyz") == {"status": "ready"}
    document = server.get("/openapi.json")
    assert document["openapi"] == "3.1.0" and "/healthz" in document["paths"]
    assert "get" in document["paths"]["/metrics"]
    text = server.get("/metrics").decode()
    assert 'coterie_http_requests_total{method="GET",route="/healthz",status="2xx"} 1' in text, text
    assert "coterie_uptime_seconds" in text
    status, content, _ = server.ask("GET", "/nothing?email=jo@example.org")
    assert status == 404 and content["error"]["code"] == "not_found"
    status, content, headers = server.ask("DELETE", "/healthz")
    assert status == 405 and "GET" in headers["Allow"], headers
    status, content, _ = server.ask("HEAD", "/healthz")
    assert status == 200 and content == b""


def check_malformed(server):
    host, port = server.url.split("//")[1].split(":")
    for bad in (b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
                b"GET /" + b"z" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\xff\x16\x03\x01"):
        with socket.create_connection((host, int(port)), timeout=60) as raw:
            try:
                raw.sendall(bad)
                raw.shutdown(socket.SHUT_WR)
                answer = raw.recv(100)
            except OSError:  # the server has hung up already
                answer = b""
            assert answer == b"" or b" 4" in answer[:14], answer
    status, content, _ = server.ask("POST", "/healthz", body=b"x" * 200000)
    assert status in (405, 413), (status, content)
    assert server.get("/healthz") == {"status": "ok"}


def check_in_use(server, data):
    """A second server is told of the first; other commands borrow the store (test_serve_commands.py)."""
    done = shop.run("serve", "--listen", "127.0.0.1:0", "--data", data, "--quiet", status=74)
    assert server.url in done.stderr and "stop it" in done.stderr, done.stderr
    assert shop.value(data, "select 1") == 1


def test_open(scratch):
    """Without keys, on this machine alone."""
    data = os.path.join(scratch, "open")
    log = os.path.join(scratch, "access.jsonl")
    with Server(data, "--access-log", log) as server:
        check_system(server)
        check_malformed(server)
        check_in_use(server, data)
    assert not os.path.exists(os.path.join(data, "server.json"))
    with open(log) as file:
        lines = [json.loads(line) for line in file]
    assert any(line["route"] == "/healthz" and line["status"] == 200 and line["method"] == "GET" for line in lines)
    assert any(line["route"] is None and line["status"] == 404 for line in lines)
    with open(log) as file:
        assert "example.org" not in file.read()
    shop.run("sql", "select count(*) from event", "--data", data, "--quiet")


def test_keys(scratch):
    data = os.path.join(scratch, "keys")
    done = shop.run("serve", "--data", data, "--listen", "0.0.0.0:0", "--quiet", status=64)
    assert "keys create" in done.stderr, done.stderr
    keys = {role: make_key(data, role)["key"] for role in ("write", "server", "analyst", "admin")}
    with Server(data, "--rate", "1000") as server:
        assert server.get("/healthz") == {"status": "ok"}
        status, _, headers = server.ask("GET", "/metrics")
        assert status == 401 and headers["WWW-Authenticate"] == "Bearer"
        server.get("/metrics", status=401, key="cot_admin_wrong")
        server.get("/metrics", status=403, key=keys["write"])
        for role in ("server", "analyst", "admin"):
            server.get("/metrics", key=keys[role])
        server.get("/metrics", headers=basic(keys["admin"]))
        server.get("/metrics", headers=basic(keys["admin"], colon=False))
        for bad in ("Basic !!!", "Basic ", "Bearer ", "Digest x", "Basic " + "A" * 4000):
            server.get("/metrics", status=401, headers={"Authorization": bad})
        listed = json.loads(shop.run("keys", "list", "--data", data, "--json", "--quiet").stdout)["keys"]
        assert [key["role"] for key in listed] == ["write", "server", "analyst", "admin"]
        assert "sha256" not in listed[0]
        shop.run("keys", "revoke", listed[3]["id"], "--data", data, "--quiet")
        slow = make_key(data, "analyst", "--rate", "2")["key"]
        deadline = time.monotonic() + 30
        while server.ask("GET", "/metrics", key=keys["admin"])[0] != 401:
            assert time.monotonic() < deadline, "a revoked key is still taken"
        found = [server.ask("GET", "/metrics", key=slow) for _ in range(8)]
        refused = [answer for answer in found if answer[0] == 429]
        assert len(refused) >= 4, [answer[0] for answer in found]
        assert int(refused[0][2]["Retry-After"]) >= 1 and int(refused[0][2]["X-RateLimit-Reset"]) > 0
    shop.run("keys", "revoke", "key-none", "--data", data, "--quiet", status=65)
    shop.run("keys", "create", "--role", "king", "--data", data, "--quiet", status=64)
    with Server(data, "--listen", "0.0.0.0:0") as server:  # with keys it may
        assert server.url.startswith("http://0.0.0.0:")


def test_tls(scratch):
    data = os.path.join(scratch, "tls")
    key, cert = os.path.join(scratch, "key.pem"), os.path.join(scratch, "cert.pem")
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                           "-days", "2", "-subj", "/CN=localhost"], capture_output=True)
    assert made.returncode == 0, made.stderr
    with Server(data, "--tls-cert", cert, "--tls-key", key) as server:
        assert server.url.startswith("https://")
        assert server.get("/healthz") == {"status": "ok"}
    shop.run("serve", "--data", data, "--tls-cert", cert, "--quiet", status=64)
    shop.run("serve", "--data", data, "--tls-cert", cert, "--tls-key", "/nowhere", "--quiet", status=74)


def test_stop(scratch):
    """Either signal ends it with status 0, with connections open."""
    data = os.path.join(scratch, "stop")
    for how in (signal.SIGTERM, signal.SIGINT):
        server = Server(data)
        connection = server.connect()
        assert server.ask("GET", "/healthz", connection=connection)[0] == 200
        assert server.stop(how) == 0, server.errors
        connection.close()
    with Server(data, "--max-connections", "16") as server:
        idle = [server.connect() for _ in range(40)]
        for connection in idle:
            connection.connect()
        for connection in idle:
            connection.close()
        deadline = time.monotonic() + 30
        while True:
            try:
                assert server.get("/healthz") == {"status": "ok"}
                break
            except (http.client.HTTPException, OSError):
                assert time.monotonic() < deadline


def test_many_at_once(scratch):
    with Server(os.path.join(scratch, "many")) as server:
        failures = []

        def ask_often():
            try:
                connection = server.connect()
                for _ in range(100):
                    assert server.ask("GET", "/readyz", connection=connection)[0] == 200
                connection.close()
            except Exception as failure:  # noqa: BLE001 - reported by the main thread
                failures.append(failure)

        threads = [threading.Thread(target=ask_often) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        text = server.get("/metrics").decode()
        assert 'coterie_http_requests_total{method="GET",route="/readyz",status="2xx"} 800' in text


def main():
    with tempfile.TemporaryDirectory() as scratch:
        test_open(scratch)
        test_keys(scratch)
        test_tls(scratch)
        test_stop(scratch)
        test_many_at_once(scratch)


main()
