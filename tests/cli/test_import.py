"""What an import means: people, money, refunds, versions, the quarantine and its replay, dry runs, erased people."""
import json
import os
import tempfile
import unittest

from shop import fingerprints, import_json, run, sql, value, write

ORDERS = "order_id,customer_id,email,order_date,product_id,quantity,amount,currency\n"


def quarantine(data, *arguments):
    return json.loads(run("quarantine", *arguments, "--data", data, "--json", "--quiet").stdout)


class Import(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.data = os.path.join(self.scratch.name, "shop")
        self.folder = os.path.join(self.scratch.name, "files")
        os.mkdir(self.folder)

    def tearDown(self):
        self.scratch.cleanup()

    def file(self, name, text):
        return write(self.folder, name, text)

    def test_guest_orders_join_by_email(self):
        orders = self.file("orders.csv", ORDERS +
                           "O1,C1,jo@shop.example,2025-01-01,P1,1,5.00,EUR\n"
                           "O2,,JO@Shop.example ,2025-01-02,P1,1,6.00,EUR\n"
                           "O3,,guest@shop.example,2025-01-03,P1,1,7.00,EUR\n"
                           "O4,,,2025-01-04,P1,1,8.00,EUR\n")
        first = import_json(self.data, orders)
        self.assertEqual((first["customers"], first["orders"]), (2, 4))
        self.assertEqual(value(self.data, "select count(*) from link"), 1)
        self.assertEqual(value(self.data, "select count(*) from event where node_id is null"), 1)
        # A customer list that says who the guest is joins them too; links are written once.
        people = self.file("customers.csv", "customer_id,email,country\nC9,guest@shop.example,DE\nC1,jo@shop.example,FR\n")
        second = import_json(self.data, people)
        self.assertEqual(second["customers"], 2)
        self.assertEqual(value(self.data, "select count(*) from link"), 2)

    def test_refunds_are_negative_at_their_own_date(self):
        orders = self.file("orders.csv", "order_id,customer_id,order_date,product_id,quantity,unit_price\n"
                           "O1,C1,2025-01-01,P1,3,5.00\nO1,C1,2025-01-09,P1,-1,5.00\n")
        import_json(self.data, orders, "--currency", "EUR")
        self.assertEqual(sql(self.data, "select kind, occurred_at::date::varchar, quantity, amount_minor from event"
                                        " order by kind"),
                         [[1, "2025-01-01", 3.0, 1500], [2, "2025-01-09", 1.0, -500]])

    def test_amounts_from_before_the_currency_get_its_decimals(self):
        products = self.file("products.csv", "product_id,name,price\nP1,Tea,500\nP2,Cup,700\n")
        bare = self.file("bare.csv", "order_id,customer_id,order_date,product_id,quantity,amount\nO1,C1,2025-01-01,P1,1,450\n")
        for base, exponent in (("JPY", 0), ("KWD", 3), ("EUR", 2)):
            for way in ("column", "option"):
                data = os.path.join(self.scratch.name, base + way)
                self.assertIsNone(import_json(data, products, bare)["base_currency"])
                orders = self.file("orders.csv", ORDERS + f"O2,C1,,2025-01-02,P2,1,,{base}\nO3,C1,,2025-01-02,P1,1,480,{base}\n"
                                   "O4,C1,,2025-01-03,P1,1,470,\nO5,C1,,2025-01-03,P2,2,,\n")
                import_json(data, orders, *(("--currency", base) if way == "option" else ()))
                unit = 10 ** exponent
                self.assertEqual(sql(data, "select order_key, amount_minor from event order by 1"),
                                 [["O1", 450 * unit], ["O2", 700 * unit], ["O3", 480 * unit], ["O4", 470 * unit],
                                  ["O5", 1400 * unit]])
                self.assertEqual(sql(data, "select price_minor from item_fact where price_minor is not null order by 1"),
                                 [[500 * unit], [700 * unit]])
                # The same rows are the same rows.
                again = import_json(data, products, bare, orders)
                self.assertEqual([file["rows_accepted"] for file in again["files"]], [0, 0, 0])
                self.assertEqual(value(data, "select count(*) from event"), 5)

    def test_rates_convert_and_a_missing_one_waits_in_quarantine(self):
        orders = self.file("orders.csv", ORDERS +
                           "O1,C1,,2025-01-01,P1,1,5.00,EUR\n"
                           "O2,C1,,2025-01-05,P1,2,10.00,USD\n"
                           "O2,C1,,2025-01-05,P1,2,10.00,USD\n"
                           "O3,C2,,2025-02-05,P1,1,1000,JPY\n")
        first = import_json(self.data, orders)
        self.assertEqual(first["base_currency"], "EUR")
        self.assertEqual((first["files"][0]["rows_accepted"], first["files"][0]["rows_quarantined"]), (1, 3))
        self.assertEqual(first["files"][0]["reasons"][0]["code"], "no_rate")
        listed = quarantine(self.data, "list")
        self.assertEqual((listed["open"], listed["summary"][0]["rows"]), (3, 3))
        self.assertEqual([row["line"] for row in listed["rows"]], [3, 4, 5])
        self.assertIn("USD", listed["rows"][0]["reason"])
        self.assertEqual(json.loads(listed["rows"][0]["raw"])["order_id"], "O2")
        # Given again, its bad rows are known as well.
        again = import_json(self.data, orders)["files"][0]
        self.assertEqual((again["rows_duplicate"], again["unchanged"]), (4, False))

        import_json(self.data, self.file("rates.csv", "currency,date,rate\nUSD,2025-01-02,0.5\nUSD,2025-01-06,9\n"))
        replayed = quarantine(self.data, "replay", "--code", "no_rate")
        self.assertEqual((replayed["accepted"], replayed["still_open"]), (2, 1))
        self.assertEqual(sql(self.data, "select amount_minor, amount_original, currency from event where order_key ="
                                        " 'O2'"), [[500, 1000, "USD"], [500, 1000, "USD"]])
        before = fingerprints(self.data)
        self.assertEqual(quarantine(self.data, "replay")["accepted"], 0)
        self.assertEqual(fingerprints(self.data), before)
        # The file once more: the rows of the replay are in.
        self.assertEqual(import_json(self.data, orders)["files"][0]["rows_duplicate"], 4)
        self.assertEqual(fingerprints(self.data), before)
        self.assertEqual(sql(self.data, "select rows_read - rows_accepted - rows_quarantined - rows_duplicate from"
                                        " import_run where rows_read <> rows_accepted + rows_quarantined +"
                                        " rows_duplicate"), [])

    def test_a_rate_that_came_meanwhile_counts_once(self):
        orders = self.file("orders.csv", ORDERS + "O1,C1,,2025-01-01,P1,1,5.00,EUR\nO2,C1,,2025-01-05,P1,2,10.00,USD\n")
        import_json(self.data, orders)
        import_json(self.data, self.file("rates.csv", "currency,date,rate\nUSD,2025-01-02,0.5\n"))
        self.assertEqual(import_json(self.data, orders)["files"][0]["rows_accepted"], 1)
        self.assertEqual(quarantine(self.data, "replay")["duplicate"], 1)
        self.assertEqual(value(self.data, "select count(*) from event"), 2)

    def test_overlapping_files_add_the_excess(self):
        line = "O1,C1,,2025-01-01,P1,1,5.00,EUR\n"
        other = "O2,C1,,2025-01-02,P1,1,5.00,EUR\n"
        counts = []
        for i, text in enumerate((line * 2, line * 3 + other, line + other * 2, line * 3)):
            file = import_json(self.data, self.file(f"orders_{i}.csv", ORDERS + text))["files"][0]
            counts.append((file["rows_accepted"], file["rows_duplicate"]))
        self.assertEqual(counts, [(2, 0), (2, 2), (1, 2), (0, 3)])
        # Another source is another matter.
        file = import_json(self.data, os.path.join(self.folder, "orders_3.csv"), "--source", "till")["files"][0]
        self.assertEqual(file["rows_accepted"], 3)

    def test_rows_with_an_id_of_their_own_are_there_once(self):
        header = "event_id,customer_id,event,occurred_at\n"
        text = "E1,C1,page_view,2025-01-01T10:00:00Z\nE1,C1,page_view,2025-01-01T10:00:00Z\nE2,C1,search,2025-01-01T10:01:00Z\n"
        file = import_json(self.data, self.file("events.csv", header + text))["files"][0]
        self.assertEqual((file["rows_accepted"], file["rows_duplicate"]), (2, 1))
        file = import_json(self.data, self.file("more.csv", header + text + "E3,C1,search,2025-01-02\n"))["files"][0]
        self.assertEqual((file["rows_accepted"], file["rows_duplicate"]), (1, 3))

    def test_a_currency_known_later_changes_nothing(self):
        products = self.file("products.csv", "product_id,name,category,price\nP1,Thing,Things,5.00\n")
        plain = self.file("till.csv", "order_id,customer_id,order_date,product_id,quantity,unit_price\nT1,C1,2025-01-01,P1,1,5.00\n")
        import_json(self.data, products)
        import_json(self.data, self.file("orders.csv", ORDERS + "O1,C1,,2025-01-01,P1,1,5.00,EUR\n"))
        import_json(self.data, plain, "--currency", "EUR")
        before = fingerprints(self.data)
        self.assertEqual(value(self.data, "select value from setting where key = 'base_currency'"), "EUR")
        for file in import_json(self.data, self.folder)["files"]:
            self.assertEqual((file["rows_accepted"], file["rows_duplicate"]), (0, 1), file["path"])
        self.assertEqual(fingerprints(self.data), before)

    def test_what_became_known_after_the_last_order_counts(self):
        header = "order_id,customer_id,order_date,updated_at,amount\n"
        import_json(self.data, self.file("orders.csv", header + "O1,C1,2025-01-30,2025-01-30,5.00\n"
                                                       "O2,C2,2025-01-31,2025-02-03,7.00\n"))
        features = json.loads(run("features", "show", "monetary_total", "--data", self.data, "--json", "--quiet").stdout)
        self.assertEqual(features["as_of"][:10], "2025-02-03")
        self.assertEqual(features["customers"], 2)

    def test_orders_with_their_lines_inside(self):
        def order(number, day, *items):
            return json.dumps({"order_id": number, "updated_at": f"2025-02-{day:02}", "date": "2025-02-01",
                               "customer": {"id": "C1", "email": "c1@shop.example"}, "currency": "EUR",
                               "items": [{"sku": sku, "quantity": n, "price": price} for sku, n, price in items]}) + "\n"

        first = order("A1", 2, ("x", 2, 3.5), ("y", 1, 1)) + order("A2", 2, ("x", 1, "many"), ("y", 1, 2)) + order("A3", 2)
        file = import_json(self.data, self.file("orders.jsonl", first))["files"][0]
        self.assertEqual((file["connector"], file["rows_read"], file["rows_accepted"]), ("order_documents", 5, 3))
        self.assertEqual(sql(self.data, "select order_key, quantity::integer, amount_minor from event order by event_id"),
                         [["A1", 2, 700], ["A1", 1, 100], ["A2", 1, 200]])
        self.assertEqual(sql(self.data, "select value from node order by 1"), [["C1"], ["c1@shop.example"]])
        second = order("A1", 9, ("x", 1, 3.5)) + order("A4", 9, ("y", 1, 1))
        self.assertEqual(import_json(self.data, self.file("later.jsonl", second))["files"][0]["rows_accepted"], 2)
        self.assertEqual(sql(self.data, "select order_key, sum(amount_minor)::bigint from event where superseded_at is null"
                                        " group by 1 order by 1"), [["A1", 350], ["A2", 200], ["A4", 100]])
        before = fingerprints(self.data)
        for name in ("orders.jsonl", "later.jsonl"):
            self.assertEqual(import_json(self.data, os.path.join(self.folder, name))["files"][0]["rows_accepted"], 0)
        self.assertEqual(fingerprints(self.data), before)

    def test_a_changed_order_supersedes(self):
        header = ("Name,Email,Financial Status,Paid at,Currency,Subtotal,Shipping,Taxes,Total,Discount Amount,Created at,"
                  "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Id\n")

        def order(number, quantity):
            return (f"#{number},a@shop.example,paid,2025-01-01 10:00:00 +0000,EUR,{quantity * 5}.00,0.00,0.00,"
                    f"{quantity * 5}.00,0.00,2025-01-01 10:00:00 +0000,{quantity},Thing,5.00,SKU1,{number}\n")

        first = import_json(self.data, self.file("a.csv", header + order(1001, 1) + order(1002, 1)))
        self.assertEqual(first["files"][0]["rows_accepted"], 2)
        self.assertEqual(first["files"][0]["connector"], "shopify_orders")
        second = import_json(self.data, self.file("b.csv", header + order(1002, 3) + order(1003, 1)))
        self.assertEqual(second["files"][0]["rows_accepted"], 2)
        self.assertEqual(second["orders"], 3)
        self.assertEqual(value(self.data, "select sum(amount_minor)::bigint from event where superseded_at is null"), 2500)
        self.assertEqual(value(self.data, "select count(*) from event where superseded_at = recorded_at"), 1)
        self.assertEqual(sql(self.data, "select order_key, max(version) from order_version group by all order by 1")[1][1], 2)
        # A nightly folder holds both exports: neither brings the old version back.
        before = fingerprints(self.data)
        third = import_json(self.data, self.folder)
        self.assertEqual([file["rows_duplicate"] for file in third["files"]], [2, 2])
        self.assertEqual(fingerprints(self.data), before)
        longer = import_json(self.data, self.file("c.csv", header + order(1001, 1) + order(1002, 1) + order(1004, 1)))
        self.assertEqual((longer["files"][0]["rows_accepted"], longer["files"][0]["rows_duplicate"]), (1, 2))

    def test_an_older_version_that_arrives_late_does_not_supersede(self):
        header = "Name,Email,Financial Status,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Changed\n"

        def import_version(day, quantity):
            row = f"#1,a@shop.example,paid,EUR,2024-12-31 10:00:00 +0000,{quantity},Thing,5.00,2025-01-{day:02} 00:00:00 +0000\n"
            file = import_json(self.data, self.file(f"v{day}.csv", header + row), "--map", "Changed=recorded_at")["files"][0]
            return file["rows_accepted"], file["rows_duplicate"]

        def known(day):
            return sql(self.data, f"select quantity::integer from event where kind = 1 and recorded_at <= '2025-01-{day:02}'"
                                  f" and (superseded_at is null or superseded_at > '2025-01-{day:02}')")

        self.assertEqual(import_version(2, 1), (1, 0))
        self.assertEqual(import_version(20, 3), (1, 0))
        self.assertEqual(import_version(10, 2), (1, 0))  # late
        self.assertEqual(value(self.data, "select quantity::integer from event where superseded_at is null"), 3)
        # As of any day exactly the version counts that the shop knew by then.
        self.assertEqual([known(day) for day in (1, 2, 9, 10, 19, 20, 31)], [[], [[1]], [[1]], [[2]], [[2]], [[3]], [[3]]])
        self.assertEqual(import_version(10, 2), (0, 1))
        self.assertEqual(import_version(25, 4), (1, 0))
        self.assertEqual(import_version(1, 7), (1, 0))  # the oldest of all, last
        self.assertEqual([known(day) for day in (1, 2, 10, 20, 25)], [[[7]], [[1]], [[2]], [[3]], [[4]]])

    def test_a_folder_is_taken_in_the_order_of_need(self):
        self.file("a_orders.csv", "order_id,customer_id,order_date,product_id,quantity,amount\nO1,C1,2025-01-01,P1,1,5.00\n")
        self.file("b_events.csv", "event_id,customer_id,event,occurred_at\nE1,C1,search,2025-01-01\n")
        self.file("c_customers.csv", "customer_id,country\nC1,DE\n")
        self.file("d_products.csv", "product_id,name,category,price\nP1,Thing,Things,5.00\n")
        kinds = [file["kind"] for file in import_json(self.data, self.folder)["files"]]
        self.assertEqual(kinds, ["products", "customers", "orders", "events"])
        # Nightly: only what is new is taken in.
        self.file("e_orders.csv", "order_id,customer_id,order_date,product_id,quantity,amount\nO2,C1,2025-01-02,P1,1,5.00\n")
        again = import_json(self.data, self.folder)
        self.assertEqual(sum(file["rows_accepted"] for file in again["files"]), 1)

    def test_traits_that_repeat_on_rows_are_written_when_they_change(self):
        text = "order_id,customer_id,order_date,product_id,quantity,amount,country\n"
        for i, country in enumerate(["DE", "DE", "FR", "FR"]):
            text += f"O{i},C1,2025-01-0{i + 1},P1,1,5.00,{country}\n"
        import_json(self.data, self.file("orders.csv", text))
        self.assertEqual([row[0] for row in sql(self.data, "select value from trait order by occurred_at")], ["DE", "FR"])

    def test_dry_run_shows_and_writes_nothing(self):
        orders = self.file("orders.csv", ORDERS + "O1,C1,,2025-01-31,P1,2,5.00,EUR\nO2,C1,,never,P1,2,5.00,EUR\n")
        document = json.loads(run("import", orders, "--dry-run", "--data", self.data, "--json", "--quiet").stdout)
        file = document["files"][0]
        self.assertEqual(file["records"][0]["amount"], 5.0)
        self.assertEqual(file["records"][0]["occurred_at"], "2025-01-31T00:00:00Z")
        self.assertEqual(file["rows"][0][0], "O1")
        self.assertEqual(file["rejects"][0]["line"], 3)
        self.assertIn("amount", [column["field"] for column in file["mapping"]["columns"]])
        self.assertFalse(os.path.exists(self.data))
        shown = run("import", orders, "--dry-run", "--data", self.data, "--quiet").stdout
        self.assertIn("Nothing was written", shown)

    def test_map_names_what_a_column_is(self):
        orders = self.file("sales.csv", "beleg;wer;wann;wieviel\nO1;C1;31.01.2025;1.234,50\n")
        import_json(self.data, orders, "--map", "beleg=order_id", "--map", "wer=customer_id", "--map", "wann=occurred_at",
                     "--map", "wieviel=amount", "--currency", "EUR")
        self.assertEqual(sql(self.data, "select order_key, amount_minor, occurred_at::date::varchar from event"),
                         [["O1", 123450, "2025-01-31"]])

    def test_settings_are_those_of_the_first_import(self):
        orders = self.file("orders.csv", "order_id,customer_id,order_date,product_id,quantity,amount\n"
                           "O1,C1,2025-07-01 10:00:00,P1,1,5.00\n")
        import_json(self.data, orders, "--currency", "GBP", "--time-zone", "Europe/London")
        settings = dict(sql(self.data, "select key, value from setting"))
        self.assertEqual((settings["base_currency"], settings["time_zone"]), ("GBP", "Europe/London"))
        self.assertEqual(len(settings["salt"]), 64)
        self.assertEqual(value(self.data, "select occurred_at::varchar from event"), "2025-07-01 09:00:00")
        import_json(self.data, orders, "--currency", "EUR", "--time-zone", "Europe/Berlin", "--source", "other")
        self.assertEqual(dict(sql(self.data, "select key, value from setting")), settings)

    def test_refusals_replay_with_other_options(self):
        orders = self.file("orders.csv", "order_id,customer_id,order_date,product_id,quantity,amount\n"
                           "O1,C1,2025-01-31,P1,1,5.00\nO2,C1,2025-01-31,P1,1,\"6,00 or so\"\nO3,C1,2025-01-31,,1,x\n")
        first = import_json(self.data, orders)["files"][0]
        self.assertEqual(first["rows_quarantined"], 2)
        replayed = quarantine(self.data, "replay", "--map", "amount=ignore", "--map", "quantity=amount")
        self.assertEqual(replayed["accepted"] + replayed["still_open"], 2)
        self.assertGreaterEqual(replayed["accepted"], 1)


if __name__ == "__main__":
    unittest.main()
