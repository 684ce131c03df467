"""Walks the command table: every command explains itself, wrong use is 64 with a cure, documents match the table."""
import os
import re
import subprocess
import sys
import unittest

COTERIE = os.environ["COTERIE"]


def run(*arguments):
    return subprocess.run([COTERIE, *arguments], capture_output=True, text=True, timeout=60)


def command_names():
    text = run("help").stdout
    block = text.split("Commands:\n")[1].split("\n\n")[0]
    return [re.match(r"  (\S+(?: \S+)?)", line).group(1) for line in block.splitlines()]


class Commands(unittest.TestCase):
    def test_names_are_unique_and_known(self):
        names = command_names()
        self.assertEqual(len(names), len(set(names)))
        self.assertIn("sql", names)

    def test_every_command_teaches(self):
        for name in command_names():
            shown = run(*name.split(), "--help")
            self.assertEqual(shown.returncode, 0, name)
            self.assertIn(f"Usage: coterie {name}", shown.stdout)
            self.assertIn("--json", shown.stdout)
            self.assertEqual(run("help", *name.split()).stdout, shown.stdout)

    def test_every_command_refuses_an_unknown_option(self):
        for name in command_names():
            refused = run(*name.split(), "--no-such-option")
            self.assertEqual(refused.returncode, 64, name)
            self.assertIn("no-such-option", refused.stderr)

    def test_wrong_words(self):
        self.assertEqual(run().returncode, 64)
        unknown = run("segmnt")
        self.assertEqual(unknown.returncode, 64)
        self.assertIn("segmnt", unknown.stderr)
        self.assertEqual(run("sql").returncode, 64)
        self.assertEqual(run("sql", "select 1", "extra").returncode, 64)
        bad_seed = run("sql", "select 1", "--seed", "x")
        self.assertEqual(bad_seed.returncode, 64)
        self.assertIn("--seed x", bad_seed.stderr)

    def test_man_page_and_completion_name_every_command(self):
        man, completion = run("man").stdout, run("completion").stdout
        for name in command_names():
            self.assertIn(f".SS coterie {name}".replace("-", "\\-"), man)
            self.assertIn(f"'{name}'", completion)
        checked = subprocess.run(["bash", "-n"], input=completion, text=True, capture_output=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_completion_completes(self):
        script = f"""{run("completion").stdout}
            COMP_WORDS=(coterie ver) COMP_CWORD=1; _coterie; echo "${{COMPREPLY[*]}}"
            COMP_WORDS=(coterie sql --js) COMP_CWORD=2; _coterie; echo "${{COMPREPLY[*]}}" """
        shown = subprocess.run(["bash", "-c", script], text=True, capture_output=True)
        self.assertEqual(shown.stdout.split(), ["version", "--json"], shown.stderr)

    def test_a_missing_shop_says_how_to_make_one(self):
        missing = run("sql", "select 1", "--data", "/nonexistent/shop")
        self.assertEqual(missing.returncode, 65)
        self.assertIn("coterie import", missing.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
