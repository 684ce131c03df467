"""`coterie sql`: the contract of its JSON, its tables, and that it can't leave the shop."""
import json
import os
import subprocess
import tempfile

import shop


def main():
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        orders = os.path.join(scratch, "orders.csv")
        with open(orders, "w") as file:
            file.write("order_id,customer_id,date,product_id,quantity,price\n"
                       + "".join(f"o{i},c{i % 3},2024-01-1{i},p1,1,2.50\n" for i in range(9)))
        shop.import_json(data, orders)

        answer = json.loads(shop.run("sql", "select count(*) n, [1, 2] l from event", "--data", data, "--json").stdout)
        assert answer == {"columns": ["n", "l"], "rows": [{"n": 9, "l": [1, 2]}]}, answer
        table = shop.run("sql", "select {'a': [1, null]} s, 'x' t", "--data", data).stdout
        assert '{"a":[1,null]}' in table, table
        shown = shop.run("sql", "select 'a' || chr(27) || '[2J' || chr(10) || chr(155) || 'b' as t", "--data", data).stdout
        assert "a [2J   b" in shown and "\x1b" not in shown and "\x9b" not in shown, repr(shown)  # data commands no terminal
        assert "(no rows)" in shop.run("sql", "from event where false", "--data", data).stdout

        early = shop.run("sql", "select * from customers", "--data", data, status=64).stderr
        assert "coterie segment" in early, early
        wrong = shop.run("sql", "select nothing from event", "--data", data, status=64).stderr
        assert "LINE 1: select nothing from event" in wrong and "^" in wrong, wrong
        for attempt in ("copy event to '%s/out.csv'" % scratch, "attach '%s/other.duckdb'" % scratch,
                        "select * from read_csv('%s')" % orders, "set enable_external_access = true",
                        "delete from event", "create table t (a int)"):
            shop.run("sql", attempt, "--data", data, status=64)
        assert sorted(os.listdir(scratch)) == ["orders.csv", "shop"]
        assert shop.sql(data, "select count(*) from event") == [[9]]

        # Twice at once: both only read.
        query = [shop.COTERIE, "sql", "select count(*) n from event a, event b, event c", "--data", data, "--json"]
        pair = [subprocess.Popen(query, stdout=subprocess.PIPE) for _ in range(2)]
        assert [json.loads(process.communicate()[0])["rows"] for process in pair] == [[{"n": 729}]] * 2


main()
