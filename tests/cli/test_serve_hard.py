"""A server under hardship: 10,000 connections that hardly say anything, a database file that is damaged."""
import os
import resource
import shutil
import socket
import subprocess
import tempfile
from urllib.parse import urlsplit

import shop
from server import Server

N_SLOW = 10000


def test_slow_connections(scratch):
    """Senders that stop in the middle of a head cost a connection each, and nobody else's answer."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < N_SLOW + 500:
        shop.skip(f"{N_SLOW} connections need more open files than this system allows ({hard})")
    resource.setrlimit(resource.RLIMIT_NOFILE, (N_SLOW + 500, hard))
    data = os.path.join(scratch, "slow")
    with Server(data, "--max-connections", str(N_SLOW + 100), "--idle-timeout", "600") as server:
        host = urlsplit(server.url)
        slow = []
        for i in range(N_SLOW):
            one = socket.create_connection((host.hostname, host.port), timeout=60)
            one.sendall(b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Le" if i % 2 else b"G")
            slow.append(one)
        connection = server.connect()
        for i in range(50):
            status, content, _ = server.ask("POST", "/v1/track", {"userId": "u1", "event": "x", "messageId": str(i)},
                                            connection=connection)
            assert status == 200, content
        assert server.get("/v1/customers/u1")["events"] == 50
        with open(f"/proc/{server.process.pid}/status") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        assert resident < 1_500_000, f"{resident} KB for {N_SLOW} connections"
        # One of them goes on at last, and is answered.
        slow[1].sendall(b"ngth: 41\r\n\r\n" + b'{"userId":"u1","event":"late","a":"12345"}'[:41])
        assert slow[1].recv(64).startswith(b"HTTP/1.1 "), "no answer"
        for one in slow:
            one.close()
    assert shop.value(data, "select count(*) from event") >= 50


def test_damaged_file(scratch):
    """It does not start on a file that is none or has lost its head, says which, and leaves it as it was."""
    good = os.path.join(scratch, "good")
    with Server(good) as server:
        server.post("/v1/track", {"userId": "u1", "event": "x", "messageId": "1"})
    path = os.path.join(good, "coterie.duckdb")
    with open(path, "rb") as file:
        whole = file.read()
    for name, content in (("text", b"no database\n" * 2000), ("head", b"\0" * 4096 + whole[4096:]), ("empty", b"x")):
        data = os.path.join(scratch, name)
        shutil.copytree(good, data)
        with open(os.path.join(data, "coterie.duckdb"), "wb") as file:
            file.write(content)
        done = subprocess.run([shop.COTERIE, "serve", "--data", data, "--listen", "127.0.0.1:0", "--quiet"], capture_output=True,
                              text=True, timeout=60)
        assert done.returncode in (65, 74) and "coterie.duckdb" in done.stderr, (name, done.returncode, done.stderr)
        with open(os.path.join(data, "coterie.duckdb"), "rb") as file:
            assert file.read() == content, name


def main():
    with tempfile.TemporaryDirectory() as scratch:
        test_damaged_file(scratch)
        test_slow_connections(scratch)


main()
