"""/v1/forecasts: what `coterie forecast` says, from a running server; orders that come in count at once."""
import datetime
import json
import os
import random
import tempfile

import shop
from server import Server, make_key

DAY = datetime.date(2024, 1, 1)


def write_orders(path):
    chance = random.Random(5)
    with open(path, "w") as file:
        file.write("order_id,customer_id,product_id,category,quantity,price,date\n")
        for i in range(1400):
            day = DAY + datetime.timedelta(days=i // 7)
            file.write(f"o{i},c{i % 80},p{chance.randrange(9)},k{i % 2},{chance.randint(1, 4)},12.5,{day}\n")


def check(server, data, keys):
    for role in ("server", "analyst", "admin"):
        server.get("/v1/forecasts?by=shop", key=keys[role])
    server.get("/v1/forecasts", status=403, key=keys["write"])
    server.key = keys["server"]
    answer = server.get("/v1/forecasts?every=day&horizon=10&top=5&lead_time=2&service_level=0.9")
    said = json.loads(shop.run("forecast", "--every", "day", "--horizon", 10, "--top", 5, "--lead-time", 2, "--service-level", .9,
                               "--data", data, "--json", "--quiet").stdout)
    assert answer == said
    assert answer["series"][0]["level"] == "shop" and len(answer["steps"]) == 10
    for query, word in (("by=brand", "brand"), ("horizon=0", "horizon"), ("service_level=2", "service_level"),
                        ("measure=revenue&lead_time=1", "units"), ("as_of=soon", "soon")):
        said = server.get(f"/v1/forecasts?{query}", status=400)["error"]["message"]
        assert word in said and "--" not in said, (query, said)
    document = server.get("/openapi.json")["paths"]["/v1/forecasts"]["get"]
    assert {row["name"] for row in document["parameters"]} >= {"by", "every", "horizon", "lead_time"}


def main():
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        write_orders(os.path.join(scratch, "orders.csv"))
        shop.run("import", os.path.join(scratch, "orders.csv"), "--data", data, "--quiet")
        keys = {role: make_key(data, role)["key"] for role in ("write", "server", "analyst", "admin")}
        with Server(data) as server:
            check(server, data, keys)
        with Server(os.path.join(scratch, "empty")) as server:
            assert "holds no events" in server.get("/v1/forecasts", status=404)["error"]["message"]


main()
