"""The report on a small shop: its numbers are those that SQL gives, its page fetches nothing and draws without a word."""
import csv
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402
from clock import LIBRARY, Clock  # noqa: E402

COTERIE = os.environ["COTERIE"]
CHROMIUM = browser.find()


def run(*arguments):
    return subprocess.run([COTERIE, *arguments], capture_output=True, text=True, timeout=300)


def good(*arguments):
    done = run(*arguments)
    assert done.returncode == 0, f"coterie {' '.join(arguments)}: {done.stderr}"
    return done.stdout


COMMANDS = re.findall(r"^  (\S+)", good("help"), re.MULTILINE)


def write_orders(path):
    """Three kinds of customers over 14 months, some lines without a customer, some refunds, one hostile product."""
    rng = random.Random(7)
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["order_id", "customer_id", "order_date", "product_id", "product_name", "quantity", "unit_price",
                      "country"])
        order = 0
        for customer in range(240):
            n_orders, price, first, last = [(14, 40, 0, 13), (5, 9, 6, 13), (2, 15, 0, 4)][customer % 3]
            for _ in range(max(1, round(rng.gauss(n_orders, n_orders / 4)))):
                order += 1
                month = rng.randint(first, last)
                date = f"{2023 + month // 12}-{month % 12 + 1:02}-{rng.randint(1, 28):02} 1{rng.randint(0, 9)}:30:00"
                for _ in range(rng.randint(1, 3)):
                    item = rng.randint(1, 30)
                    name = "</script><img src=x onerror=alert(1)>" if item == 1 else f"Thing {item}"
                    out.writerow([f"O{order}", "" if rng.random() < 0.05 else f"C{customer}", date, f"P{item}", name,
                                  -1 if rng.random() < 0.04 else rng.randint(1, 4),
                                  f"{price * rng.uniform(.5, 1.5):.2f}", rng.choice(["Germany", "France", "</b>&amp;"])])


class Tags(HTMLParser):
    """What a page opens, what it refers to, and its data block."""

    def __init__(self):
        super().__init__()
        self.open, self.references, self.data, self.in_data = [], [], "", False

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.open.append(tag)
        self.references += [value for name, value in attributes.items() if name in ("src", "href", "action", "data")]
        self.in_data = attributes.get("id") == "data"

    def handle_endtag(self, tag):
        self.in_data = False

    def handle_data(self, text):
        if self.in_data:
            self.data += text


class Shop(unittest.TestCase):
    """A shop of its own for each class of tests; n_segments: of each segmentation that it gets before its report."""

    n_segments = ()

    @classmethod
    def setUpClass(cls):
        if cls is Shop:
            raise unittest.SkipTest("has no tests of its own")
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = os.path.join(cls.folder.name, "shop")
        cls.page = os.path.join(cls.folder.name, "report.html")
        orders = os.path.join(cls.folder.name, "orders.csv")
        write_orders(orders)
        good("import", orders, "--data", cls.data, "--quiet")
        for n in cls.n_segments:
            good("segment", "--k", n, "--data", cls.data, "--quiet")
        cls.prepare()
        cls.printed = good("report", "--out", cls.page, "--data", cls.data, "--quiet")
        cls.report = json.loads(good("report", "--json", "--data", cls.data, "--quiet"))
        with open(cls.page, encoding="utf-8") as file:
            cls.text = file.read()

    @classmethod
    def prepare(cls):
        """What happens before the report."""

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def sql(self, query):
        rows = json.loads(good("sql", query, "--json", "--data", self.data, "--quiet"))["rows"]
        return list(rows[0].values()) if len(rows) == 1 else [list(row.values()) for row in rows]

    def check_drawing(self, sections):
        n_cards = len(self.report["segments"]["segments"]) if self.report["segments"] else 0
        with browser.Page(CHROMIUM) as page:
            for width, scheme, media in ((1400, "light", ""), (1400, "dark", ""), (390, "light", ""), (800, "light", "print")):
                with self.subTest(width=width, scheme=scheme, media=media):
                    page.open(self.page, width, scheme, media)
                    self.assertEqual(page.complaints(), [])
                    self.assertEqual([url for url in page.requests() if not url.startswith(("file:", "data:"))], [])
                    self.assertEqual(page.evaluate("[...document.querySelectorAll('main > section')].map((s) => s.id)"),
                                     sections)
                    self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), width)
                    self.assertEqual(page.evaluate("document.querySelectorAll('.card').length"), n_cards)
                    self.assertEqual(page.evaluate("document.querySelector('#tiles .figure').textContent"),
                                     f"{self.report['headline']['customers']:,}")
                    self.assertIsNone(re.search(r"undefined|NaN|\[object", page.evaluate("document.querySelector('main').innerText")))
                    self.assertEqual(page.evaluate("document.querySelectorAll('[role=img]:not([aria-label])').length"), 0)
                    self.assertEqual(page.evaluate("document.images.length"), 0)


class Report(Shop):
    def test_headline_is_what_sql_says(self):
        lines = "event where node_id is not null and superseded_at is null and kind in (1, 2)"
        gross, refunds, orders, buyers, customers = self.sql(
            "select sum(amount_minor) filter (kind = 1) / 100, sum(amount_minor) filter (kind = 2) / 100,"
            " count(distinct (node_id, order_key)) filter (kind = 1), count(distinct node_id) filter (kind = 1),"
            f" count(distinct node_id) from {lines}")
        headline = self.report["headline"]
        self.assertAlmostEqual(headline["gross"], gross, places=6)
        self.assertAlmostEqual(headline["refunds"], refunds, places=6)
        self.assertAlmostEqual(headline["revenue"], gross + refunds, places=6)
        self.assertLess(refunds, 0)
        self.assertEqual([headline["orders"], headline["buyers"], headline["customers"]], [orders, buyers, customers])
        self.assertAlmostEqual(headline["average_order"], gross / orders, places=6)
        lost, lost_revenue = self.sql("select count(*), sum(amount_minor) / 100 from event where node_id is null"
                                      " and superseded_at is null and kind in (1, 2)")
        self.assertGreater(lost, 0)
        self.assertEqual(headline["unassigned"]["lines"], lost)
        self.assertAlmostEqual(headline["unassigned"]["revenue"], lost_revenue, places=6)

    def test_months_are_what_sql_says(self):
        months = self.sql("select strftime(occurred_at, '%Y-%m') m, sum(amount_minor) / 100,"
                          " count(distinct node_id) filter (kind = 1) from event where node_id is not null"
                          " and superseded_at is null and kind in (1, 2) group by 1 order by 1")
        self.assertEqual([m["month"] for m in self.report["months"]], [m[0] for m in months])
        for mine, (_, revenue, customers) in zip(self.report["months"], months):
            self.assertAlmostEqual(mine["revenue"], revenue, places=6)
            self.assertEqual(mine["customers"], customers)

    def test_cohorts_are_what_sql_says(self):
        rows = self.sql("with o as (select distinct node_id, date_trunc('month', occurred_at) m from event where kind = 1"
                        " and node_id is not null and superseded_at is null), f as (select node_id, min(m) began from o"
                        " group by 1) select strftime(began, '%Y-%m'), datediff('month', began, m), count(*) from o"
                        " join f using (node_id) group by all order by all")
        mine = {(row["month"], since): n for row in self.report["cohorts"]["rows"]
                for since, n in enumerate(row["active"]) if n}
        self.assertEqual(mine, {(month, since): n for month, since, n in rows})

    def test_concentration_is_what_sql_says(self):
        concentration = self.report["concentration"]
        share = self.sql("with c as (select greatest(sum(amount_minor), 0) r, row_number() over (order by"
                         " greatest(sum(amount_minor), 0) desc) i, count(*) over () n from event where node_id is not"
                         " null and superseded_at is null and kind in (1, 2) group by node_id)"
                         " select sum(r) filter (i <= ceil(n / 10)) / sum(r) from c")[0]
        self.assertAlmostEqual(concentration["top"][1]["revenue_share"], share, places=9)
        self.assertEqual(concentration["curve"][0], [0, 0])
        self.assertEqual(concentration["curve"][100], [1, 1])

    def test_rfm_counts_every_buyer_once(self):
        rfm = self.report["rfm"]
        buyers = sum(cell["customers"] for cell in rfm["grid"])
        self.assertEqual(buyers, sum(group["customers"] for group in rfm["groups"]))
        self.assertEqual(buyers, self.report["headline"]["buyers"])

    def test_sources_are_what_import_said(self):
        sources = self.report["provenance"]
        self.assertEqual(sources["imports"][0]["file"], "orders.csv")
        totals = sources["totals"]
        self.assertEqual(totals["rows_read"],
                         totals["rows_accepted"] + totals["rows_duplicate"] + totals["rows_quarantined"])

    def test_demand_goes_on_from_what_sql_says(self):
        demand = self.report["demand"]
        units = dict(self.sql("select strftime(date_trunc('week', occurred_at), '%Y-%m-%d'), sum(abs(quantity)) from event"
                              " where kind = 1 and superseded_at is null group by 1"))
        given_back = self.sql("select coalesce(sum(abs(quantity)), 0) from event where kind = 2")[0]
        self.assertGreater(len(demand["past"]), 40)
        off = sum(units[step["start"]] - step["value"] for step in demand["past"])
        self.assertTrue(0 <= off <= given_back, (off, given_back))
        self.assertEqual(demand["every"], "week")
        self.assertEqual(len(demand["series"]), 12)  # the shop, ten products, the others
        for step in range(4):
            products = sum(row["mean"][step] for row in demand["series"][1:])
            self.assertAlmostEqual(products, demand["series"][0]["mean"][step], places=6)

    def test_quality_is_there_without_examples(self):
        self.assertIsInstance(self.report["quality"]["findings"], list)
        self.assertFalse(any("examples" in finding for finding in self.report["quality"]["findings"]))

    def test_the_page_parses_and_refers_to_nothing_outside(self):
        tags = Tags()
        tags.feed(self.text)
        self.assertEqual(json.loads(tags.data), self.report)
        self.assertEqual([r for r in tags.references if not r.startswith(("#", "data:"))], [])
        self.assertEqual(tags.open.count("script"), 3)
        self.assertNotIn("iframe", tags.open)
        self.assertNotIn("img", tags.open)
        self.assertIsNone(re.search(r"@import|url\(\s*['\"]?https?:", self.text.split("</style>")[0]))
        self.assertIn("default-src 'none'", self.text)
        self.assertLess(len(self.text), 5_000_000)

    def test_the_same_shop_gives_the_same_bytes(self):
        again = os.path.join(self.folder.name, "again.html")
        good("report", "--out", again, "--data", self.data, "--quiet", "--threads", "1")
        with open(again, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.text)

    def test_the_command_says_what_it_did(self):
        self.assertIn(self.page, self.printed)
        self.assertEqual(run("report", "--run", "99", "--data", self.data).returncode, 65)
        self.assertEqual(run("report", "--out", "/nowhere/at/all.html", "--data", self.data).returncode, 74)
        self.assertEqual(run("report", "--data", os.path.join(self.folder.name, "none")).returncode, 65)

    def test_without_segments_it_says_which_command_makes_them(self):
        self.assertIsNone(self.report["segments"])
        self.assertIsNone(self.report["map"])
        self.assertIsNone(self.report["history"])
        self.assertIsNone(self.report["rfm"]["cross"])

    @unittest.skipUnless(CHROMIUM, "skipped: no chromium here")
    def test_it_draws_without_complaint_or_request(self):
        self.check_drawing(["headline", "segments", "rfm", "cohorts", "concentration", "demand", "quality", "provenance"])


@unittest.skipUnless("segment" in COMMANDS, "skipped: this coterie has no segment")
class ReportOfSegments(Shop):
    n_segments = ("3", "2")
    has_days = os.path.exists(LIBRARY)

    @classmethod
    def prepare(cls):
        """A server sees two midnights."""
        if not cls.has_days:
            return
        clock = Clock(os.path.join(cls.folder.name, "offset"))
        with clock.serve(cls.data) as server:
            name = "%3Cb%3E%26amp%3B"
            assert server.ask("PUT", f"/v1/segments/{name}", {"rule": "did(order_line)"})[0] == 200
            while server.get("/v1/segments/learned")["waiting"] > 0:
                pass
            clock.set(2 * 24 * 3600 * 1000)
            while server.ask("GET", f"/v1/segments/{name}/history")[0] != 200:
                pass

    def test_days_are_those_of_the_server(self):
        if not self.has_days:
            self.assertIsNone(self.report["days"])
            return
        by_rule, *learned = self.report["days"]["segments"]
        self.assertEqual(by_rule["name"], "<b>&amp;")
        self.assertEqual([day["entered"] for day in by_rule["days"]], [None, 0])
        self.assertEqual({s["segment_id"] for s in learned}, {s["id"] for s in self.report["segments"]["segments"]})

    def test_segments_are_those_of_the_run(self):
        segments = self.report["segments"]
        self.assertEqual(segments["run"], 2)
        sizes = dict(self.sql("select segment_id, count(*) from segment_member where run_id = 2 group by 1"))
        self.assertEqual({s["id"]: s["size"] for s in segments["segments"]}, sizes)
        self.assertEqual(len(self.report["history"]["runs"]), 2)
        first = json.loads(good("report", "--json", "--run", "1", "--data", self.data, "--quiet"))
        self.assertEqual(first["segments"]["run"], 1)
        points = self.report["map"]["points"]
        self.assertTrue(0 < len(points) <= 4000)
        self.assertTrue(any(value is not None for point in points for value in point[3:]))

    def test_rfm_is_crossed_with_them(self):
        cross = self.report["rfm"]["cross"]
        self.assertEqual(sum(map(sum, cross["counts"])), sum(s["size"] for s in self.report["segments"]["segments"]))

    @unittest.skipUnless(CHROMIUM, "skipped: no chromium here")
    def test_it_draws_without_complaint_or_request(self):
        self.check_drawing(["headline", "segments", "contrasts", "map", "tree", "evidence", "rfm", "cohorts",
                            "concentration", "history", *(["days"] if self.has_days else []), "demand", "quality",
                            "provenance"])


if __name__ == "__main__":
    if "import" not in COMMANDS:
        print("skipped: this coterie has no import")
        sys.exit(77)
    unittest.main()
