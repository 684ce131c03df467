"""Segments end to end: the planted ones are found, explained and kept; the contract of the documents; errors."""
import csv
import json
import os
import tempfile
from collections import Counter

import shop


def ari(a, b):
    """Adjusted Rand index of two lists of labels."""
    pairs = lambda n: n * (n - 1) / 2
    both = sum(pairs(n) for n in Counter(zip(a, b)).values())
    one, other = (sum(pairs(n) for n in Counter(x).values()) for x in (a, b))
    expected = one * other / pairs(len(a))
    return (both - expected) / ((one + other) / 2 - expected)


def segment(data, *options):
    return json.loads(shop.run("segment", "--data", data, "--json", "--quiet", *options).stdout)


def labels(data):
    return {row[0]: row[1] for row in shop.sql(data, "select customer_id, segment from customers")}


def check_document(document, customers):
    """What others build on, and sums that must be right."""
    assert document["customers"] == customers
    assert document["k"] == len(document["segments"])
    excluded = sum(document["excluded"].values())
    assert sum(s["size"] for s in document["segments"]) == customers - excluded
    assert abs(sum(s["share"] for s in document["segments"]) - 1) < 1e-4
    assert abs(sum(s["revenue_share"] for s in document["segments"]) - 1) < 1e-4
    assert len({s["name"] for s in document["segments"]}) == document["k"]
    assert len({s["id"] for s in document["segments"]}) == document["k"]
    assert len({s["color"] for s in document["segments"]}) == document["k"]
    for s in document["segments"]:
        assert s["strategy"] in ("retain", "grow", "win back", "nurture", "leave alone"), s["strategy"]
        assert s["strategy_detail"]["why"].endswith(".")
        assert 0 <= s["coverage"] <= 1 and 0 <= s["precision"] <= 1
        assert s["stability"] is None or 0 <= s["stability"] <= 1
        assert all(abs(c["difference"]) >= 0.2 and c["q"] <= 0.01 for c in s["contrasts"])
        assert 1 <= len(s["prototypes"]) <= 5 or s["size"] == 0
    candidates = document["evidence"]["candidates"]
    assert sum(c["chosen"] for c in candidates) == 1
    assert all({"k", "stability", "silhouette", "bic", "score"} <= set(c) for c in candidates)
    check_node(document["tree"], {s["id"] for s in document["segments"]})
    points = document["map"]["points"]
    assert 0 < len(points) <= 3000 and {p[2] for p in points} == {s["id"] for s in document["segments"] if s["size"]}
    assert all(len(row["values"]) == len(document["heatmap"]["features"]) for row in document["heatmap"]["rows"])


def check_node(node, ids):
    """A parent's totals are its children's sum, and every segment is one node."""
    seen = []

    def visit(node):
        if "segment" in node:
            seen.append(node["segment"])
        if node["children"]:
            assert sum(c["size"] for c in node["children"]) == node["size"], node["name"]
            assert abs(sum(c["revenue"] for c in node["children"]) - node["revenue"]) < 0.01, node["name"]
        for child in node["children"]:
            visit(child)

    visit(node)
    assert sorted(seen) == sorted(ids)


def simulated(scratch):
    out, data = os.path.join(scratch, "sim"), os.path.join(scratch, "shop")
    shop.run("simulate", "--customers", 1500, "--seed", 4711, "--out", out, "--quiet")
    shop.run("import", out, "--data", data, "--quiet")
    with open(os.path.join(out, "truth.csv"), newline="") as file:
        truth = {row["customer_id"]: row["segment"] for row in csv.DictReader(file)}
    return data, truth


def finds_what_was_planted(data, truth):
    document = segment(data)
    check_document(document, 1500)
    found = labels(data)
    known = [c for c in truth if found.get(c) is not None]
    assert len(known) >= 0.97 * len(truth)
    index = ari([truth[c] for c in known], [found[c] for c in known])
    assert index >= 0.8, f"ARI {index:.3f}"
    print(f"planted segments: ARI {index:.3f} with {document['k']} segments")
    return document


def a_rerun_changes_nothing(data, first):
    before = labels(data)
    second = segment(data, "--threads", 1)
    assert labels(data) == before
    assert [(s["id"], s["name"], s["color"], s["size"]) for s in second["segments"]] == \
           [(s["id"], s["name"], s["color"], s["size"]) for s in first["segments"]]
    assert second["changes"]["moved"] == 0 and not second["changes"]["births"] and not second["changes"]["deaths"]
    assert second["run"] == first["run"] + 1


def the_model_is_published(data, document):
    with open(os.path.join(data, "models", "segment-current")) as file:
        assert file.read() == document["model"]
    assert os.path.exists(os.path.join(data, document["model"]))


def zoom_and_k(data, document):
    fine = segment(data, "--k", 4, "--zoom", 9)
    assert sum(1 for s in fine["segments"] if s["kind"] == "learned") == 4
    zoom = fine["zoom"]
    assert zoom["n"] == 9 == len(zoom["segments"])
    assert sum(s["size"] for s in zoom["segments"]) == sum(s["size"] for s in fine["segments"])
    coarse = segment(data, "--zoom", 2)["zoom"]
    assert coarse["n"] == 2 and sum(len(s["parts"]) for s in coarse["segments"]) >= document["k"] - 1


def history_and_diff(data):
    history = json.loads(shop.run("segment", "history", "--data", data, "--json").stdout)
    runs = [r["run"] for r in history["runs"]]
    assert runs == list(range(1, len(runs) + 1)) and len(runs) >= 4
    for s in history["segments"]:
        assert len(s["runs"]) == len(runs)
    listed = json.loads(shop.run("segment", "list", "--data", data, "--json").stdout)
    assert listed["run"] == runs[-1] and all("change" in s for s in listed["segments"])
    diff = json.loads(shop.run("segment", "diff", 1, 3, "--data", data, "--json").stdout)
    assert diff["from"]["run"] == 1 and diff["to"]["run"] == 3
    assert sum(map(sum, diff["migration"]["counts"])) == diff["common"]
    assert diff["deaths"] or diff["moved"] > 0  # four segments are not what evidence said
    shop.run("segment", "diff", 1, 99, "--data", data, status=65)
    shop.run("segment", "diff", 1, "--data", data, status=64)


def customers_are_shown(data, truth, document):
    ids = [p["customer_id"] for s in document["segments"] for p in s["prototypes"][:1]]
    for id in ids + [next(iter(truth))]:
        shown = json.loads(shop.run("customer", "show", id, "--data", data, "--json", "--quiet").stdout)
        assert shown["customer_id"] == id
        assert {"identities", "traits", "consent", "totals", "timeline", "features", "rfm"} <= set(shown)
        assert len(shown["timeline"]) <= 20
        at = [e["at"] for e in shown["timeline"]]
        assert at == sorted(at, reverse=True)
        if shown["segment"] is not None and shown["nearest"] is not None:
            assert shown["nearest"]["id"] != shown["segment"]["id"]
            assert bool(shown["nearest"]["changes"]) == shown["nearest"]["reached"]
    text = shop.run("customer", "show", ids[0], "--data", data, "--quiet").stdout
    assert ids[0] in text and "Segment:" in text
    shop.run("customer", "show", "nobody-has-this-id", "--data", data, status=65)


def newer_data_keeps_ids(scratch, data):
    """Two months ago, then today: a segment that is still there keeps its id, name and colour."""
    other = os.path.join(scratch, "later")
    shop.run("import", os.path.join(scratch, "sim"), "--data", other, "--quiet")
    last = shop.value(other, "select strftime(max(occurred_at) - interval 61 day, '%Y-%m-%d') from event")
    before = segment(other, "--as-of", last)
    after = segment(other)
    common = {s["id"] for s in before["segments"]} & {s["id"] for s in after["segments"]}
    assert len(common) >= before["k"] - 1, (before["k"], after["k"], common)
    colors = {s["id"]: s["color"] for s in before["segments"]}
    assert all(colors[s["id"]] == s["color"] for s in after["segments"] if s["id"] in common)
    assert after["changes"]["moved_share"] < 0.2, after["changes"]["moved_share"]


def mistakes_are_named(scratch, data):
    empty = os.path.join(scratch, "empty")
    shop.run("segment", "--data", empty, status=65)
    assert "nosuch" in shop.run("segment", "--data", data, "--exclude", "nosuch", status=64).stderr
    shop.run("segment", "--data", data, "--k", "1", status=64)
    shop.run("segment", "--data", data, "--as-of", "yesterday", status=64)
    shop.run("segment", "list", "--data", empty, status=65)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        data, truth = simulated(scratch)
        document = finds_what_was_planted(data, truth)
        the_model_is_published(data, document)
        a_rerun_changes_nothing(data, document)
        customers_are_shown(data, truth, document)
        zoom_and_k(data, document)
        history_and_diff(data)
        newer_data_keeps_ids(scratch, data)
        mistakes_are_named(scratch, data)


main()
