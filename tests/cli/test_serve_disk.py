"""A disk that takes no more: senders are told to come again, nothing acknowledged is lost, nothing of it is there twice."""
import os
import signal
import tempfile

import shop
from server import Server


def send(server, i):
    calls = [{"type": "track", "userId": f"u{j % 50}", "event": f"event {i}-{j} " + "x" * 200, "messageId": f"{i}-{j}"}
             for j in range(200)]
    return server.ask("POST", "/v1/batch", {"batch": calls})


def main():
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        with Server(data) as server:
            assert send(server, 0)[0] == 200
        size = max(os.path.getsize(os.path.join(data, name)) for name in os.listdir(data))
        server = Server(data, max_file_size=size + 1_000_000)
        acknowledged = {0}
        for i in range(1, 400):
            status, content, headers = send(server, i)
            if status != 200:
                break
            acknowledged.add(i)
        assert status == 503 and int(headers["Retry-After"]) >= 1, (status, content)
        assert content["error"]["message"], content
        assert server.ask("GET", "/readyz")[0] == 503
        assert server.get("/healthz") == {"status": "ok"}
        assert server.get("/v1/customers/u1")["customer_id"] == "u1"  # reads go on
        assert send(server, i)[0] == 503
        server.stop(signal.SIGTERM)
        with Server(data) as server:  # there is room again: what was refused comes once more
            assert send(server, i)[0] == 200
            acknowledged.add(i)
        found = dict(shop.sql(data, "select split_part(split_part(detail, ' ', 2), '-', 1)::int, count(*) from event group by all"))
        assert found == {i: 200 for i in acknowledged}, found


main()
