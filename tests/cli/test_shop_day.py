"""A shop's day is that of its own time zone: every command names it, --as-of takes it, the report shows it."""
import json
import os
import tempfile
import unittest

import browser
import shop

# The last order is in the evening of 30 June in New York, and on 1 July in UTC.
ORDERS = "order_id,customer_id,date,amount\n" + "".join(
    f"{i},c{i % 50},2025-{1 + i % 6:02d}-{1 + i % 28:02d} 12:00:00,{10 + i % 9}.00\n" for i in range(300)
) + "last,c1,2025-06-30 23:30:00,9.00\n"
DAY = "2025-06-30"


class ShopDay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = os.path.join(cls.folder.name, "shop")
        cls.page = os.path.join(cls.folder.name, "report.html")
        orders = os.path.join(cls.folder.name, "orders.csv")
        with open(orders, "w", encoding="utf-8") as file:
            file.write(ORDERS)
        shop.run("import", orders, "--time-zone", "America/New_York", "--data", cls.data, "--quiet")
        shop.run("segment", "--data", cls.data, "--quiet")
        shop.run("segment", "--data", cls.data, "--quiet", "--seed", 2)
        shop.run("report", "--data", cls.data, "--quiet", "--out", cls.page)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def said(self, *arguments):
        return shop.run(*arguments, "--data", self.data, "--quiet").stdout

    def test_every_command_names_it(self):
        csv = os.path.join(self.folder.name, "features.csv")
        for command in (["features", "list"], ["features", "show", "recency_days"], ["features", "export", "--out", csv],
                        ["rfm"], ["customer", "show", "c1"], ["segment", "history"], ["segment", "diff"],
                        ["predict", "--horizon", 30], ["predictions", "record"], ["segment"]):
            said = self.said(*command)
            self.assertIn(DAY, said, command)
            self.assertNotIn("2025-07-01", said.split("Last events")[0], command)

    def test_it_stands_beside_the_moment(self):
        for command in (["features", "list"], ["rfm"], ["customer", "show", "c1"], ["predict", "--horizon", 30, "--no-keep"],
                        ["backtest", "--horizon", 30], ["report"]):
            document = json.loads(self.said(*command, "--json"))
            self.assertEqual((document["as_of"], document["as_of_day"]), ("2025-07-01T03:59:59.999Z", DAY), command)

    def test_as_of_takes_it(self):
        default = json.loads(self.said("rfm", "--json"))
        self.assertEqual(json.loads(self.said("rfm", "--json", "--as-of", default["as_of_day"])), default)

    @unittest.skipUnless(browser.find(), "skipped: no chromium here")
    def test_the_report_shows_it(self):
        with browser.Page(browser.find()) as page:
            page.open(self.page, 1280)
            self.assertIn("As of 30 June 2025", page.evaluate("document.querySelector('#period').textContent"))
            weeks = page.evaluate("[...document.querySelectorAll('#demand-chart text')].map((t) => t.textContent)"
                                  ".filter((t) => / 2025$/.test(t))")
            self.assertIn("6 Jan 2025", weeks)  # a Monday


if __name__ == "__main__":
    unittest.main()
