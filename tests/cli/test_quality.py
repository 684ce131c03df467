"""`coterie quality` on Online Retail names what is known to be wrong with it."""
import json
import os
import tempfile

import shop


def main():
    folder = shop.dataset("online_retail")
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        shop.import_json(data, os.path.join(folder, "online_retail.csv.gz"))
        document = json.loads(shop.run("quality", "--data", data, "--json", "--quiet").stdout)
        found = {finding["key"]: finding for finding in document["findings"]}

        assert document["totals"]["lines"] == 541909
        assert found["no_customer"]["count"] == 135080
        assert found["no_customer"]["severity"] == "high"
        assert "9,288" in found["refunds"]["text"], found["refunds"]["text"]
        assert found["duplicates"]["count"] == 5268
        assert found["stock_corrections"]["count"] == 1336

        wholesalers = [example["customer"] for example in found["wholesalers"]["examples"]]
        assert wholesalers[:3] == ["14646", "18102", "17450"], wholesalers
        assert found["negative_price"]["count"] == 2  # "Adjust bad debt"
        assert {example["order"] for example in found["negative_price"]["examples"]} == {"A563186", "A563187"}
        codes = {example["item"] for example in found["no_product"]["examples"]}
        assert {"POST", "DOT", "M", "BANK CHARGES"} <= codes, codes
        slip = found["undone_at_once"]["examples"][0]
        assert slip["quantity"] == 80995 and slip["customer"] == "16446", slip
        assert "12 minutes" in found["undone_at_once"]["text"]
        assert "Saturdays" in found["closed_days"]["text"]
        assert "@" not in json.dumps(document)

        rank = ["high", "medium", "low", "info"]
        order = [(rank.index(finding["severity"]), -finding["score"]) for finding in document["findings"]]
        assert order == sorted(order)
        customer = [row for row in document["columns"] if (row["table"], row["column"]) == ("lines", "customer")]
        assert abs(customer[0]["completeness"] - (1 - 135080 / 541909)) < 1e-9

        words = shop.run("quality", "--data", data, "--quiet").stdout
        assert "14646" in words and "[high]" in words


main()
