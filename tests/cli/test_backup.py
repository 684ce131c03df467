"""Backup and restore of a shop: the same fingerprint comes back; damage and a shop in the way are refused."""
import json
import os
import tarfile
import tempfile

import shop


def events(data):
    return shop.sql(data, "select count(*), sum(amount_minor), bit_xor(row_hash)::varchar from event")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        data, other = os.path.join(scratch, "shop"), os.path.join(scratch, "other")
        orders = os.path.join(scratch, "orders.csv")
        with open(orders, "w") as file:
            file.write("order_id,customer_id,date,product_id,quantity,price\n"
                       + "".join(f"o{i},c{i % 30},2024-01-1{i % 9},p{i % 5},1,2.50\n" for i in range(900)))
        shop.import_json(data, orders)
        before = events(data)

        folder = os.path.join(scratch, "backups") + "/"
        receipt = json.loads(shop.run("backup", "--data", data, "--out", folder, "--json", "--quiet").stdout)
        path = receipt["path"]
        assert os.path.dirname(path) + "/" == folder and path.endswith(".tar"), receipt
        assert os.stat(path).st_mode & 0o077 == 0  # nobody else may read it
        with tarfile.open(path) as tar:
            assert "coterie.duckdb" in tar.getnames() and "MANIFEST.json" in tar.getnames()

        shop.run("restore", path, "--data", other, "--quiet")
        assert events(other) == before
        shop.import_json(other, orders)  # idempotence survives
        assert events(other) == before

        # An import after the backup is undone by restoring it, and only with --force.
        more = os.path.join(scratch, "more.csv")
        with open(more, "w") as file:
            file.write("order_id,customer_id,date,product_id,quantity,price\nx1,c1,2024-02-01,p1,1,2.50\n")
        shop.import_json(data, more)
        assert events(data) != before
        shop.run("restore", path, "--data", data, "--quiet", status=64)
        assert events(data) != before
        done = json.loads(shop.run("restore", path, "--data", data, "--force", "--json", "--quiet").stdout)
        assert done["replaced"] is True
        assert events(data) == before

        with open(path, "r+b") as file:
            file.seek(os.path.getsize(path) // 2)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 4]))
        refused = shop.run("restore", path, "--data", data, "--force", "--quiet", status=65)
        assert "damaged" in refused.stderr, refused.stderr
        assert events(data) == before
        shop.run("restore", os.path.join(scratch, "none.tar"), "--data", data, "--force", "--quiet", status=65)
        assert sorted(os.listdir(scratch)) == ["backups", "more.csv", "orders.csv", "other", "shop"]


main()
