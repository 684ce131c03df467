"""Segments of a simulated shop exported, and one of their customers forgotten: models are replaced, the export goes."""
import csv
import json
import os
import tempfile

import shop


def main():
    with tempfile.TemporaryDirectory() as scratch:
        data, files = os.path.join(scratch, "shop"), os.path.join(scratch, "files")
        shop.run("simulate", "--customers", 600, "--seed", 5, "--out", files, "--quiet")
        shop.import_json(data, files)
        run = json.loads(shop.run("segment", "--data", data, "--json", "--quiet").stdout)
        segment = max(run["segments"], key=lambda row: row["size"])

        def export(*arguments):
            done = shop.run("export", "segment", segment["name"], "--data", data, "--json", "--quiet", *arguments)
            return json.loads(done.stdout)

        receipt = export("--holdout", "20%", "--campaign", "spring")
        assert receipt["members"] == segment["size"], (receipt, segment)
        assert receipt["treated"] + receipt["held_out"] + receipt["excluded"]["total"] == receipt["members"]
        assert receipt["held_out"] > 0
        with open(receipt["path"], newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == receipt["treated"]
        assert {row["segment"] for row in rows} == {segment["name"]}
        treated = {row["customer_id"] for row in rows}

        again = export("--holdout", "0.2", "--campaign", "spring", "--out", os.path.join(scratch, "again.csv"))
        with open(again["path"], newline="") as file:
            assert {row["customer_id"] for row in csv.DictReader(file)} == treated
        warned = export("--holdout", "0", "--out", os.path.join(scratch, "all.csv"))
        assert "without a holdout" in warned["warnings"][0]
        listed = json.loads(shop.run("export", "list", "--data", data, "--json", "--quiet").stdout)["exports"]
        assert [row["export"] for row in listed] == [3, 2, 1]
        shop.run("export", "segment", segment["name"], "--data", data, "--holdout", "95%", status=64)
        shop.run("export", "segment", "no such segment", "--data", data, status=64)

        person = sorted(treated)[0]
        models = set(os.listdir(os.path.join(data, "models")))
        gone = json.loads(shop.run("forget", person, "--data", data, "--json", "--quiet").stdout)
        assert gone["status"] == "done", gone
        assert not os.path.exists(receipt["path"])
        assert sorted(gone["elsewhere"]) == [os.path.realpath(os.path.join(scratch, name)) for name in ("again.csv", "all.csv")]
        assert gone["successor"] == run["run"] + 1, gone
        kept = set(os.listdir(os.path.join(data, "models")))
        assert kept and kept & models <= {"segment-current"}, (models, kept)  # a pointer, by now to the new one
        assert shop.sql(data, f"select count(*) from customers where customer_id = '{person}'") == [[0]]
        assert shop.sql(data, f"select count(*) from segment_run where contains(detail, '\"{person}\"')") == [[0]]


main()
