"""Real data: every line is accounted for, folders import without options, a second time changes nothing."""
import gzip
import os
import tempfile
import unittest

from shop import dataset, fingerprints, import_json, sql, value, write


def totals(document):
    keys = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")
    return {key: sum(file[key] for file in document["files"]) for key in keys}


class OnlineRetail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = dataset("online_retail")
        cls.scratch = tempfile.TemporaryDirectory()
        cls.data = os.path.join(cls.scratch.name, "shop")
        cls.first = import_json(cls.data, cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_every_line_is_accounted_for(self):
        self.assertEqual(len(self.first["files"]), 1)
        self.assertEqual(self.first["files"][0]["kind"], "orders")
        self.assertEqual(self.first["files"][0]["rows_read"], 541909)
        self.assertEqual(self.first["files"][0]["rows_duplicate"], 0)
        self.assertEqual(self.first["customers"], 4372)
        self.assertEqual(self.first["base_currency"], "GBP")
        lines = value(self.data, "select count(*) from event where node_id is null") + value(
            self.data, "select count(*) from quarantine where json_extract_string(raw, '$.CustomerID') is null")
        self.assertEqual(lines, 135080)

    def test_equal_lines_within_the_file_stay(self):
        hashes, rows = sql(self.data, "select count(distinct row_hash), count(row_hash) from event")[0]
        self.assertGreaterEqual(rows - hashes, 5000)

    def test_giving_it_again_changes_nothing(self):
        before = fingerprints(self.data)
        again = import_json(self.data, self.folder)
        self.assertEqual(again["files"][0]["rows_duplicate"], 541909)
        self.assertTrue(again["files"][0]["unchanged"])
        self.assertEqual(fingerprints(self.data), before)

        # Under another name, compressed otherwise and with one line more, every line is compared.
        with gzip.open(os.path.join(self.folder, "online_retail.csv.gz"), "rb") as file:
            text = file.read()
        last = text.rstrip(b"\n").rsplit(b"\n", 1)[1]
        longer = write(self.scratch.name, "other.csv", text.rstrip(b"\n") + b"\n" + last + b"\n")
        overlap = import_json(self.data, longer)["files"][0]
        self.assertEqual((overlap["rows_read"], overlap["rows_accepted"], overlap["rows_duplicate"]),
                         (541910, 1, 541909))
        self.assertFalse(overlap["unchanged"])
        after = fingerprints(self.data)
        self.assertEqual(after["event"][0], before["event"][0] + 1)
        for table in before:
            if table != "event":
                self.assertEqual(after[table], before[table], table)


class Folders(unittest.TestCase):
    """name: (rows read in all, customers, kinds of its files)"""
    EXPECTED = {
        "adventureworks": (18148 + 293 + 56046, 18148, {"customers", "products", "orders"}),
        "cdnow": (None, None, None),
        "completejourney": (75000 + 360535 + 92331 + 116204 + 6589 + 27 + 2102 + 801, None,
                            {"orders", "promotions", "products", "coupons", "campaigns", "responses", "customers"}),
        "marketing_campaign": (2240, 2240, None),
        "retail_transactions_response": (125000 + 6884, 6889, {"orders", "responses"}),
    }

    def check(self, name):
        folder = dataset(name)
        rows, customers, kinds = self.EXPECTED[name]
        with tempfile.TemporaryDirectory() as scratch:
            data = os.path.join(scratch, "shop")
            first = import_json(data, folder)
            self.assertEqual(first["failed"], [])
            total = totals(first)
            if rows is not None:
                self.assertEqual(total["rows_read"], rows)
            if customers is not None:
                self.assertEqual(first["customers"], customers)
            if kinds is not None:
                self.assertLessEqual({file["kind"] for file in first["files"]}, kinds)
            self.assertLess(total["rows_quarantined"], 0.01 * total["rows_read"])
            before = fingerprints(data)
            again = import_json(data, folder)
            self.assertEqual(totals(again)["rows_duplicate"], total["rows_read"])
            self.assertEqual(totals(again)["rows_accepted"], 0)
            self.assertEqual(fingerprints(data), before)
        return first

    def test_adventureworks(self):
        first = self.check("adventureworks")
        order = [file["kind"] for file in first["files"]]
        self.assertEqual(order, ["products", "customers", "orders", "orders", "orders"])

    def test_cdnow(self):
        self.check("cdnow")

    def test_completejourney(self):
        self.check("completejourney")

    def test_marketing_campaign(self):
        self.check("marketing_campaign")

    def test_retail_transactions_response(self):
        self.check("retail_transactions_response")


if __name__ == "__main__":
    dataset("online_retail")
    unittest.main()
