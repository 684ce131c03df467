"""Long answers are read beside the committer: calls are taken meanwhile, and an answer is of one moment."""
import csv
import json
import pathlib
import select
import tempfile
import threading
import unittest

import shop
from server import Server

HORIZONS = "3,4,5,6,7,8,9,10"


def call(i):
    return {"type": "track", "messageId": f"m{i}", "userId": f"new{i}", "event": "Order Completed", "properties": {
        "order_id": f"n{i}", "revenue": 10, "currency": "GBP", "products": [{"product_id": "p1", "price": 10, "quantity": 1}]}}


class Reading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = pathlib.Path(cls.folder.name)
        cls.data = root / "shop"
        shop.run("simulate", "--customers", "300", "--seed", "5", "--out", root / "files", "--quiet")
        with open(root / "files" / "orders.csv", encoding="utf-8", newline="") as file:
            rows = sorted((row for row in csv.DictReader(file) if row["customer_id"]), key=lambda row: row["ordered_at"])
        for name, chosen in (("before.csv", rows[:-400]), ("after.csv", rows[-400:])):
            with open(root / name, "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows(chosen)
        shop.run("import", root / "before.csv", "--data", cls.data, "--quiet")
        shop.run("predict", "--data", cls.data, "--horizon", HORIZONS, "--folds", "1", "--quiet")
        shop.run("import", root / "after.csv", "--data", cls.data, "--quiet")
        cls.record = json.loads(shop.run("predictions", "record", "--data", cls.data, "--json", "--quiet").stdout)
        assert all(run["scored"] for run in cls.record["runs"]), cls.record
        cls.n_calls = 0

    def post(self, server, connection):
        Reading.n_calls += 1
        status, content, _ = server.ask("POST", "/v1/track", call(Reading.n_calls), connection=connection)
        self.assertEqual(status, 200, content)

    def test_calls_go_on(self):
        """Of the calls that are sent while the record is read, more than the one that could slip in before are answered."""
        with Server(self.data) as server:
            reading, sending = server.connect(), server.connect()
            best = 0
            for _ in range(8):
                reading.request("GET", "/v1/predictions/record")
                n = 0
                while not select.select([reading.sock], [], [], 0)[0]:
                    self.post(server, sending)
                    n += 1
                answer = reading.getresponse()
                self.assertEqual(answer.status, 200)
                self.assertEqual(len(json.loads(answer.read())["runs"]), len(self.record["runs"]))
                best = max(best, n - 1)  # the last may have come after the answer
                if best >= 3:
                    break
            self.assertGreaterEqual(best, 3)
            reading.close()
            sending.close()

    def test_of_one_moment(self):
        """What is answered while calls are committed is what was so at one moment; all of it in the end."""
        with Server(self.data) as server:
            stop = threading.Event()
            failed = []

            def send():
                connection = server.connect()
                try:
                    while not stop.is_set():
                        self.post(server, connection)
                except Exception as error:  # pylint: disable=broad-except
                    failed.append(error)
                connection.close()

            thread = threading.Thread(target=send)
            thread.start()
            try:
                for _ in range(3):
                    record = server.get("/v1/predictions/record")
                    for run, expected in zip(record["runs"], self.record["runs"]):
                        self.assertEqual(run["churn"]["predicted"], expected["churn"]["predicted"])
                        self.assertEqual(run["missing"], 0)
                    self.assertEqual(len(server.get("/v1/predictions")["runs"]), len(self.record["runs"]))
                    self.assertGreater(len(server.get("/v1/forecasts?by=product&horizon=2")), 0)
            finally:
                stop.set()
                thread.join()
            self.assertEqual(failed, [])
            # A command gets the store between two answers; the next answer waits until it is back.
            answers = []
            threads = [threading.Thread(target=lambda: answers.append(server.ask("GET", "/v1/predictions/record")[0]))
                       for _ in range(3)]
            for thread in threads:
                thread.start()
            self.assertEqual(shop.sql(self.data, "select count(*) from prediction_run")[0][0], len(self.record["runs"]))
            for thread in threads:
                thread.join()
            self.assertEqual(answers, [200, 200, 200])

    def test_stops_while_reading(self):
        with Server(self.data) as server:
            statuses = []

            def ask():
                try:
                    statuses.append(server.ask("GET", "/v1/predictions/record")[0])
                except OSError:
                    statuses.append(0)

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(statuses), 4)
        self.assertTrue(set(statuses) <= {0, 200, 503}, statuses)


if __name__ == "__main__":
    unittest.main()
