"""Another clock for the programs that the tests start: tests/torture/clock.c, by LD_PRELOAD."""
import os
import struct

import shop
from server import Server

LIBRARY = os.path.join(os.path.dirname(shop.COTERIE), "tests", "libcoterie_clock.so")


class Clock:
    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, offset_ms):
        """In place: the server has the file mapped."""
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("<q", offset_ms))

    def serve(self, data):
        return Server(data, env={"LD_PRELOAD": LIBRARY, "COTERIE_CLOCK": self.path})
