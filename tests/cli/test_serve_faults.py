"""A disk that stops working, from any write on; a data directory that can't be written to."""
import os
import shutil
import subprocess
import tempfile

import shop
from server import Server

LIBRARY = os.path.join(os.path.dirname(shop.COTERIE), "tests", "libcoterie_fault.so")
NOBODY = 65534


def send(server, i):
    calls = [{"type": "track", "userId": f"u{j % 9}", "event": f"event {i}-{j}", "messageId": f"{i}-{j}"} for j in range(20)]
    return server.ask("POST", "/v1/batch", {"batch": calls})


def check_store(data, acknowledged, unsure):
    found = dict(shop.sql(data, "select split_part(split_part(detail, ' ', 2), '-', 1)::int, count(*) from event group by all"))
    for i, n in found.items():
        assert n == 20 and (i in acknowledged or i in unsure), (i, n)
    assert set(acknowledged) <= set(found), (acknowledged, found)


def test_writes_that_fail(scratch):
    """From the Nth write on nothing can be written: senders are told, readers are served, nothing acknowledged is lost."""
    if not os.path.exists(LIBRARY):
        shop.skip(f"no {LIBRARY}: a build with sanitizers has none")
    begun = os.path.join(scratch, "begun")
    with Server(begun) as server:
        assert send(server, 0)[0] == 200
    n_refused = 0
    for at in (1, 2, 3, 5, 8, 12, 14, 17, 20, 25, 32, 45, 60, 90):
        data = os.path.join(scratch, f"at{at}")
        shutil.copytree(begun, data)
        acknowledged, unsure = {0}, set()
        try:
            server = Server(data, env={"LD_PRELOAD": LIBRARY, "COTERIE_FAULT": "write", "COTERIE_FAULT_AT": str(at),
                                       "COTERIE_FAULT_KEEP": "1"})
        except AssertionError as failure:  # it does not start, and says why
            assert "coterie" in str(failure) and data in str(failure), failure
            check_store(data, acknowledged, unsure)
            continue
        for i in range(1, 40):
            status, content, headers = send(server, i)
            if status == 200:
                acknowledged.add(i)
                continue
            unsure.add(i)
            assert status == 503 and int(headers["Retry-After"]) >= 1 and content["error"]["message"], (at, status, content)
            assert server.ask("GET", "/readyz")[0] == 503
            assert server.get("/v1/customers/u1")["customer_id"] == "u1"
            n_refused += 1
            break
        server.kill()
        check_store(data, acknowledged, unsure)
        with Server(data) as server:  # the disk works again
            for i in sorted(unsure):
                assert send(server, i)[0] == 200
            found = server.get("/v1/verify")
            assert found["equal"] and found["events"] == 20 * len(acknowledged | unsure), (at, found)
    assert n_refused >= 3, n_refused


def test_read_only(scratch):
    """It says which folder, and touches nothing."""
    data = os.path.join(scratch, "read-only")
    with Server(data) as server:
        assert send(server, 0)[0] == 200
    user = NOBODY if os.getuid() == 0 else None
    os.chmod(scratch, 0o755)
    for folder, _, names in os.walk(data):
        for name in names:
            os.chmod(os.path.join(folder, name), 0o444)
        os.chmod(folder, 0o555)
    before = {name: os.stat(os.path.join(data, name)).st_mtime_ns for name in os.listdir(data)}
    try:
        done = subprocess.run([shop.COTERIE, "serve", "--data", data, "--listen", "127.0.0.1:0", "--quiet"],
                              capture_output=True, text=True, timeout=60, user=user)
    except PermissionError:
        shop.skip("another user can't run the program here")
    finally:
        for folder, _, names in os.walk(data):
            os.chmod(folder, 0o755)
    assert done.returncode == 74, (done.returncode, done.stderr)
    assert data in done.stderr and "ermission" in done.stderr and "writ" in done.stderr, done.stderr
    assert before == {name: os.stat(os.path.join(data, name)).st_mtime_ns for name in os.listdir(data)}
    for name in before:
        if os.path.isfile(os.path.join(data, name)):
            os.chmod(os.path.join(data, name), 0o644)
    with Server(data) as server:
        assert server.get("/v1/customers/u1")["events"] > 0


def main():
    with tempfile.TemporaryDirectory() as scratch:
        test_read_only(scratch)
        test_writes_that_fail(scratch)


main()
