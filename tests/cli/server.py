"""What the tests of the server share: starting it, asking it, stopping it."""
import base64
import http.client
import json
import os
import resource
import signal
import ssl
import subprocess
import threading
from urllib.parse import urlsplit

from shop import COTERIE, run


class Server:
    """A running `coterie serve`; as a context it is stopped, and must end well."""

    def __init__(self, data, *arguments, max_file_size=None, env=None):
        def limit():
            if max_file_size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_size, max_file_size))
        self.process = subprocess.Popen(
            [COTERIE, "serve", "--data", data, "--listen", "127.0.0.1:0", "--json", "--quiet", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit,
            env={**os.environ, **(env or {})})
        line = self.process.stdout.readline()
        if not line.startswith('{"listening"'):
            raise AssertionError(f"no server: {line}{self.process.stderr.read()[-2000:]}")
        self.url = json.loads(line)["listening"]
        self.key = None
        # Nobody else reads standard error: a full pipe would stop the server.
        self.errors = []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self.reader.start()

    def connect(self):
        parts = urlsplit(self.url)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60,
                                               context=ssl._create_unverified_context())
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)

    def ask(self, method, path, body=None, headers=None, key=None, connection=None):
        """(status, parsed answer, headers)"""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        key = key or self.key
        if key and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {key}"
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            if own:
                connection.close()
        if answer.headers.get("Content-Type") == "application/json" and content:
            content = json.loads(content)
        return answer.status, content, answer.headers

    def get(self, path, status=200, **more):
        found, content, _ = self.ask("GET", path, **more)
        assert found == status, (path, found, content)
        return content

    def post(self, path, body, status=200, **more):
        found, content, _ = self.ask("POST", path, body, **more)
        assert found == status, (path, found, content)
        return content

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(timeout=60)
        self.reader.join(timeout=10)
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.stop()
        if kind is None:
            assert status == 0, f"status {status}: {''.join(self.errors)[-2000:]}"


def basic(key, colon=True):
    text = key + (":" if colon else "")
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def make_key(data, role, *more):
    return json.loads(run("keys", "create", "--role", role, "--data", data, "--json", "--quiet", *more).stdout)
