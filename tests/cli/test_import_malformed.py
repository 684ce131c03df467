"""Files that are wrong in every way: each is refused with words or has its bad rows put aside; never a crash, a hang,
or a row that is lost."""
import gzip
import json
import os
import tempfile
import unittest

from shop import import_json, run, sql, value, write

HEADER = "order_id,customer_id,order_date,product_id,quantity,amount\n"
GOOD = "O1,C1,2025-01-31,P1,1,9.50\nO2,C2,2025-02-01,P2,2,19.00\n"


class Malformed(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.data = os.path.join(self.scratch.name, "shop")

    def tearDown(self):
        self.scratch.cleanup()

    def file(self, name, text):
        return write(self.scratch.name, name, text)

    def refused(self, path, *words):
        """The file is refused with status 65, named, and nothing of it stays."""
        done = run("import", path, "--data", self.data, "--quiet", status=65)
        self.assertIn(os.path.basename(path), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(done.stdout, "")
        if os.path.exists(os.path.join(self.data, "coterie.duckdb")):
            for table in ("event", "node", "item", "quarantine", "import_run", "source"):
                self.assertEqual(value(self.data, f"select count(*) from {table}"), 0, table)

    def taken(self, path, accepted, quarantined, *options):
        file = import_json(self.data, path, *options)["files"][0]
        self.assertEqual((file["rows_accepted"], file["rows_quarantined"]), (accepted, quarantined), file)
        return file

    def test_truncated_gzip(self):
        rows = "".join(f"O{i},C{i % 99},2025-01-{1 + i % 28:02},P{i * 7919 % 1000},1,{i}.50\n" for i in range(50000))
        whole = gzip.compress((HEADER + rows).encode())
        self.refused(self.file("orders.csv.gz", whole[: len(whole) * 2 // 3]))
        damaged = bytearray(whole)
        damaged[len(whole) // 2] ^= 0xFF
        self.refused(self.file("damaged.csv.gz", bytes(damaged)))

    def test_binary(self):
        self.refused(self.file("orders.csv", bytes(range(256)) * 100))
        self.refused(self.file("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(1000)))
        self.refused(self.file("empty.csv", b""))
        self.refused(self.file("orders.parquet", b"PAR1" + b"\0" * 100))

    def test_wrong_header(self):
        self.refused(self.file("what.csv", "colour,taste\nred,sweet\nblue,sour\n"), "colour")

    def test_a_million_columns(self):
        names = ",".join(f"c{i}" for i in range(1000000))
        self.refused(self.file("wide.csv", names + "\n" + ",".join(["1"] * 1000000) + "\n"))

    def test_numbers_that_are_none(self):
        rows = "".join(f"O{i},C1,2025-01-31,P1,1,{number}\n"
                       for i, number in enumerate(["NaN", "1e308", "-1e308", "inf", "abc", "99999999999999999999"]))
        self.taken(self.file("orders.csv", HEADER + GOOD + rows), 2, 6)
        for line, code, reason in sql(self.data, "select line, code, reason from quarantine order by line"):
            self.assertGreaterEqual(line, 4)
            self.assertTrue(code)
            self.assertTrue(reason)

    def test_dates_that_are_none(self):
        rows = "".join(f"O{i},C1,{date},P1,1,5\n"
                       for i, date in enumerate(["0000-01-01", "9999-12-31", "2025-02-30", "yesterday", ""]))
        self.taken(self.file("orders.csv", HEADER + GOOD + rows), 2, 5)
        self.assertEqual(value(self.data, "select max(occurred_at)::varchar from event"), "2025-02-01 00:00:00")

    def test_embedded_nul(self):
        text = (HEADER + GOOD).encode() + b"O3,C\0003,2025-02-01,P3,1,5.00\n"
        file = import_json(self.data, self.file("orders.csv", text))["files"][0]
        self.assertEqual(file["rows_read"], 3)
        self.assertGreaterEqual(file["rows_accepted"], 2)

    def test_crlf_and_quoted_newlines(self):
        header = "order_id,customer_id,order_date,product_id,product_name,quantity,amount"
        rows = [header, 'O1,C1,2025-01-31,P1,"A thing\r\nof two lines, ""quoted""",1,9.50', "O2,C2,2025-02-01,P2,Plain,1,3.00",
                "O3,C3,bad date,P2,Plain,1,3.00"]
        self.taken(self.file("orders.csv", "\r\n".join(rows) + "\r\n"), 2, 1)
        self.assertEqual(value(self.data, "select max(name) from item_fact where name like 'A thing%'").replace("\r", ""),
                         'A thing\nof two lines, "quoted"')
        self.assertEqual(value(self.data, "select line from quarantine"), 5)

    def test_ragged_rows(self):
        rows = GOOD + "O3,C3\n" + "O4,C4,2025-02-03,P4,1,2.00,and,more,cells\n" + "O5,C5,2025-02-04,P5,1,2.50\n"
        file = import_json(self.data, self.file("orders.csv", HEADER + rows))["files"][0]
        self.assertEqual(file["rows_read"], 5)
        self.assertGreaterEqual(file["rows_accepted"], 3)
        self.assertGreaterEqual(file["rows_quarantined"], 1)

    def test_latin_1_utf_16_and_bom(self):
        header = "order_id,customer_id,order_date,product_id,product_name,quantity,amount\n"
        row = "O1,C1,2025-01-31,P1,Käse,1,9.50\n"
        for name, encoding in (("latin.csv", "latin-1"), ("utf16.csv", "utf-16"), ("bom.csv", "utf-8-sig")):
            data = os.path.join(self.scratch.name, encoding)
            import_json(data, write(self.scratch.name, name, header + row, encoding))
            self.assertEqual(value(data, "select max(name) from item_fact"), "Käse", encoding)

    def test_ambiguous_dates_are_refused_and_an_option_decides(self):
        path = self.file("orders.csv", HEADER +
                         "O1,C1,03/04/2025,P1,1,9.50\nO2,C1,05/06/2025,P1,1,9.50\n")
        self.refused(path, "--date-order", "order_date")
        self.taken(path, 2, 0, "--date-order", "dmy")
        self.assertEqual(value(self.data, "select min(occurred_at)::varchar from event"), "2025-04-03 00:00:00")

    def test_a_folder_goes_on_without_the_bad_file(self):
        folder = os.path.join(self.scratch.name, "files")
        os.mkdir(folder)
        write(folder, "bad.csv", bytes(range(256)) * 10)
        write(folder, "orders.csv", HEADER + GOOD)
        write(folder, "README.md", "no data")
        done = run("import", folder, "--data", self.data, "--json", "--quiet", status=65)
        document = json.loads(done.stdout)
        self.assertEqual([os.path.basename(file["path"]) for file in document["failed"]], ["bad.csv"])
        self.assertEqual([os.path.basename(path) for path in document["skipped"]], ["README.md"])
        self.assertEqual(document["files"][0]["rows_accepted"], 2)
        self.assertIn("1 file could not be used", done.stderr)

    def test_several_named_files_stop_before_anything(self):
        bad = self.file("bad.csv", bytes(range(256)) * 10)
        good = self.file("orders.csv", HEADER + GOOD)
        run("import", good, bad, "--data", self.data, "--quiet", status=65)
        self.assertFalse(os.path.exists(os.path.join(self.data, "coterie.duckdb")))

    def test_wrong_options(self):
        good = self.file("orders.csv", HEADER + GOOD)
        for option in (("--currency", "XXQ"), ("--time-zone", "Mars/Base"), ("--kind", "dreams"), ("--as", "dreams"),
                       ("--date-order", "ymd"), ("--decimal", "semicolon"), ("--delimiter", "ab"), ("--map", "x"),
                       ("--map", "amount=dreams"), ("--map", "no_such_column=amount"), ("--header", "maybe")):
            done = run("import", good, "--data", self.data, "--quiet", *option, status=64)
            self.assertTrue(done.stderr)
        run("import", os.path.join(self.scratch.name, "nowhere.csv"), "--data", self.data, status=74)


if __name__ == "__main__":
    unittest.main()
