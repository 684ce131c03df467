"""Erasing a person: nothing of them is left in any byte, and importing the same files again does not bring them back."""
import json
import os
import tempfile

import shop

ORDERS = """order_id,customer_id,email,date,product_id,quantity,price
{rows}
"""


def write_orders(path):
    rows = []
    for i in range(400):
        who = i % 40
        rows.append(f"o{i},customer-{1000 + who},person{1000 + who}@mail.example.net,2024-0{1 + i % 9}-1{i % 9},p{i % 7},1,9.50")
    with open(path, "w") as file:
        file.write(ORDERS.format(rows="\n".join(rows)))


def bytes_of(folder):
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                yield name, file.read().lower()


def main():
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        orders = os.path.join(scratch, "orders.csv")
        write_orders(orders)
        first = shop.import_json(data, orders)
        assert first["customers"] == 40, first

        backup = os.path.join(scratch, "before.tar")
        shop.run("backup", "--data", data, "--out", backup, "--quiet")

        receipt = json.loads(shop.run("forget", "person1007@mail.example.net", "--data", data, "--json", "--quiet").stdout)
        assert receipt["status"] == "done", receipt
        assert receipt["removed"]["event"] == 10, receipt
        assert receipt["people"] == 1 and receipt["identities"] >= 2, receipt
        assert "1007" not in json.dumps(receipt)
        for name, content in bytes_of(data):
            assert b"customer-1007" not in content and b"person1007" not in content, name
        assert shop.sql(data, "select count(*) from node where value like '%1008%'")[0][0] >= 1

        again = shop.import_json(data, orders)
        assert shop.sql(data, "select count(*) from node where value like '%1007%'") == [[0]]
        assert shop.sql(data, "select count(*) from event where node_id is null") == [[0]]
        assert again["customers"] == 39, again
        for name, content in bytes_of(data):
            assert b"customer-1007" not in content and b"person1007" not in content, name

        shop.run("forget", "customer-1007", "--data", data, "--quiet", status=65)
        shop.run("forget", "--data", data, "--quiet", status=64)
        finished = json.loads(shop.run("forget", "--finish", "--data", data, "--json", "--quiet").stdout)
        assert finished == {"finished": 0, "pending": 0}, finished

        # A backup of before does not bring them back: the shop that it replaces knows whom it had erased.
        done = json.loads(shop.run("restore", backup, "--data", data, "--force", "--json", "--quiet").stdout)
        assert done["erased_again"] == 1, done
        assert shop.sql(data, "select count(*) from node where value like '%1007%'") == [[0]]
        for name, content in bytes_of(data):
            assert b"customer-1007" not in content and b"person1007" not in content, name
        assert shop.import_json(data, orders)["customers"] == 39

        # Not even where the database itself is lost: the list beside it is enough.
        with open(os.path.join(data, "coterie.duckdb"), "wb") as file:
            file.write(b"no database")
        done = json.loads(shop.run("restore", backup, "--data", data, "--force", "--json", "--quiet").stdout)
        assert done["erased_again"] == 1 and "could not be read" in done["warnings"][0], done
        assert shop.sql(data, "select count(*) from node where value like '%1007%'") == [[0]]

        # A list that is damaged is not taken for an empty one: the table has to tell, and where that is lost, too, it
        # is for people to decide.
        with open(os.path.join(data, "erased"), "ab") as file:
            file.write(b"x")
        done = json.loads(shop.run("restore", backup, "--data", data, "--force", "--json", "--quiet").stdout)
        assert done["erased_again"] == 1 and "checksum" in done["warnings"][0], done
        assert shop.sql(data, "select count(*) from node where value like '%1007%'") == [[0]]
        with open(os.path.join(data, "erased"), "ab") as file:
            file.write(b"x")
        with open(os.path.join(data, "coterie.duckdb"), "wb") as file:
            file.write(b"no database")
        refused = shop.run("restore", backup, "--data", data, "--force", "--quiet", status=65)
        assert "checksum" in refused.stderr and "move '" in refused.stderr, refused.stderr
        os.unlink(os.path.join(data, "erased"))
        done = shop.run("restore", backup, "--data", data, "--force")
        assert "Warning: the table of erased people could not be read" in done.stdout, done.stdout

        # In another place nobody knows of the erasure.
        other = os.path.join(scratch, "other")
        done = json.loads(shop.run("restore", backup, "--data", other, "--json", "--quiet").stdout)
        assert done["erased_again"] == 0, done
        assert shop.sql(other, "select count(*) from node where value like '%1007%'")[0][0] >= 2


main()
