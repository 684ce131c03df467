"""Other people's clients, unmodified, against the server: Segment's and RudderStack's for Node.js, from npm.

Without npm, or where it can't reach its registry, the test says that it skipped.
"""
import os
import subprocess
import tempfile

import clients
import shop
from server import Server, make_key

PACKAGES = ["@segment/analytics-node@2.3.0", "@rudderstack/rudder-sdk-node@3.0.0"]

SEGMENT = """
const { Analytics } = require('@segment/analytics-node');
const [url, writeKey] = process.argv.slice(2);
const client = new Analytics({ writeKey, host: url, flushAt: 5, flushInterval: 50 });
client.on('error', (error) => { console.error(error); process.exitCode = 1; });
client.identify({ userId: 'u1', anonymousId: 'a1', traits: { email: 'jo@example.org', plan: 'gold' } });
client.page({ userId: 'u1', name: 'Home', properties: { path: '/' } });
client.screen({ anonymousId: 'a1', name: 'Start' });
client.group({ userId: 'u1', groupId: 'g1', traits: { seats: 3 } });
client.alias({ userId: 'u1', previousId: 'a0' });
for (let i = 0; i < 20; i++)
    client.track({ userId: 'u1', event: 'Product Viewed', properties: { product_id: 'p' + i }, timestamp: new Date(Date.now() - 1000) });
client.track({ userId: 'u1', event: 'Order Completed', properties: { order_id: 'o1', revenue: 12.34, currency: 'EUR',
    products: [{ product_id: 'p1', price: 12.34, quantity: 1 }] } });
client.closeAndFlush().then(() => console.log('flushed'));
"""

RUDDER = """
const Analytics = require('@rudderstack/rudder-sdk-node');
const [url, writeKey] = process.argv.slice(2);
const client = new Analytics(writeKey, { dataPlaneUrl: url, flushAt: 5, flushInterval: 50, gzip: true });
let waiting = 24;
const done = (error) => {
    if (error) { console.error(error); process.exit(1); }
    if (--waiting === 0) { console.log('flushed'); process.exit(0); }
};
client.identify({ userId: 'r1', traits: { email: 'ru@example.org' } }, done);
client.page({ userId: 'r1', name: 'Home' }, done);
for (let i = 0; i < 20; i++) client.track({ userId: 'r1', event: 'Product Added', properties: { product_id: 'q' + i } }, done);
client.alias({ userId: 'r1', previousId: 'r0' }, done);
client.group({ userId: 'r1', groupId: 'g2' }, done);
"""


def run_client(folder, source, url, key, name):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(source)
    done = subprocess.run(["node", path, url, key], capture_output=True, text=True, timeout=120, cwd=folder)
    assert done.returncode == 0 and "flushed" in done.stdout, done.stdout + done.stderr


def main():
    folder = clients.install("clients", PACKAGES)
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        key = make_key(data, "write")["key"]
        with Server(data) as server:
            run_client(folder, SEGMENT, server.url, key, "segment.js")
            run_client(folder, RUDDER, server.url, key, "rudder.js")
        counts = dict(shop.sql(data, "select r.connector || e.kind, count(*) from event e join import_run r using (import_id)"
                                     " group by all"))
        assert counts == {"segment10": 2, "segment11": 20, "segment1": 1, "rudderstack10": 1, "rudderstack14": 20}, counts
        totals = dict(shop.sql(data, "select connector, rows_quarantined from import_run"))
        assert totals == {"segment": 0, "rudderstack": 0}, totals
        assert shop.value(data, "select sum(amount_minor) from event where kind = 1") == 1234
        nodes = {row[0] for row in shop.sql(data, "select value from node")}
        assert {"u1", "a1", "a0", "jo@example.org", "r1", "r0", "ru@example.org"} <= nodes, nodes


main()
