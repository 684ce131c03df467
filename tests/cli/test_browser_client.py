"""Segment's client for browsers, unmodified from npm, in Chromium, from a page of another origin.

Without npm, its registry or Chromium the test says that it skipped.
"""
import functools
import http.server
import os
import tempfile
import threading

import browser
import clients
import shop
from server import Server, make_key

PACKAGES = ["@segment/analytics-next@1.84.3"]

PAGE = """<!doctype html><title>Shop</title><script src="/node_modules/@segment/analytics-next/dist/umd/index.js"></script>"""

# The settings that the vendor's CDN would give, with the shop's own host in the place of the vendor's.
SCRIPT = """
(async () => {
    const settings = { apiKey: KEY, apiHost: HOST, protocol: "http", STRATEGY };
    const [analytics] = await window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: KEY,
        cdnSettings: { integrations: { "Segment.io": settings } } });
    await analytics.page("Home", { category: "start" });
    await analytics.identify("u1", { email: "Jo@Example.org", plan: "gold" });
    for (let i = 0; i < 5; i++)
        await analytics.track("Product Viewed", { product_id: "p" + i });
    await analytics.track("Order Completed", { order_id: ORDER, revenue: 12.34, currency: "EUR",
        products: [{ product_id: "p1", price: 12.34, quantity: 1 }] });
    await analytics.group("g1", { seats: 3 });
    await analytics.alias("u1", "visitor");
    return analytics.user().anonymousId();
})()
"""


N_CALLS = 10


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve_page(folder):
    with open(os.path.join(folder, "index.html"), "w") as file:
        file.write(PAGE)
    page = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=page.serve_forever, daemon=True).start()
    return page


def visit(chromium, page, server, key, order, strategy, agent=None):
    """A visit by a fresh browser; returns its anonymous id when every request was answered."""
    with browser.Page(chromium) as tab:
        if agent is not None:
            tab.call("Network.setUserAgentOverride", userAgent=agent)
        tab.call("Page.navigate", url=f"http://127.0.0.1:{page.server_address[1]}/index.html")
        while not any(event["method"] == "Page.loadEventFired" for event in tab.events):
            tab.events.append(tab.receive())
        values = {"KEY": f'"{key}"', "HOST": f'"{server.url.split("//")[1]}/v1"', "ORDER": f'"{order}"', "STRATEGY": strategy}
        script = SCRIPT
        for name, value in values.items():
            script = script.replace(name, value)
        anonymous = tab.evaluate(script)

        def of(method):
            return {event["params"]["requestId"]: event["params"] for event in tab.events if event["method"] == method}

        def asked():
            return {i for i, params in of("Network.requestWillBeSent").items() if server.url in params["request"]["url"]}

        def n_calls():
            return sum(of("Network.requestWillBeSent")[i]["request"].get("postData", "").count('"messageId"') for i in asked())
        while n_calls() < N_CALLS or not asked() <= of("Network.responseReceived").keys():
            tab.events.append(tab.receive())
        statuses = {of("Network.responseReceived")[i]["response"]["status"] for i in asked()}
        assert statuses <= {200, 204}, statuses  # 204: may a page of another origin ask?
        paths = {url.split("/v1")[1] for url in tab.requests() if server.url in url}
        complaints = [c for c in tab.complaints() if "Segment" not in str(c) and "favicon" not in str(c)]
        assert complaints == [], complaints
    return anonymous, paths


def main():
    chromium = browser.find()
    if chromium is None:
        shop.skip("NO CHROMIUM HERE: the client for browsers was not tested (apt-get install chromium)")
    folder = clients.install("browser_clients", PACKAGES)
    page = serve_page(folder)
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        key = make_key(data, "write")["key"]
        with Server(data) as server:
            one, paths = visit(chromium, page, server, key, "o1", "deliveryStrategy: {}")
            assert paths == {"/p", "/i", "/t", "/g", "/a"}, paths
            two, paths = visit(chromium, page, server, key, "o2",
                               'deliveryStrategy: { strategy: "batching", config: { size: 10, timeout: 100 } }',
                               "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
            assert paths == {"/b"}, paths
        page.shutdown()
        counts = dict(shop.sql(data, "select kind, count(*) from event where channel is distinct from 'bot' group by all"))
        bots = shop.value(data, "select count(*) from event where channel = 'bot'")
        # A headless browser says what it is: its visit is marked, as robots' are, and nobody's.
        assert counts == {10: 1, 11: 5, 1: 1} and bots == 7, (counts, bots)
        assert shop.value(data, "select sum(amount_minor) from event where order_key = 'o2'") == 1234
        assert dict(shop.sql(data, "select connector, rows_quarantined from import_run")) == {"segment": 0}
        assert one and two and one != two
        nodes = {row[0] for row in shop.sql(data, "select value from node")}
        assert {two, "u1", "jo@example.org"} <= nodes and one not in nodes, nodes


main()
