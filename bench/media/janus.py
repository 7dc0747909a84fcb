"""Debian's Janus with the videoroom plugin, configured in a folder of its own, on ports of its own."""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import network
from service import free_port

PLUGINS = pathlib.Path("/usr/lib/x86_64-linux-gnu/janus")


class Janus:
    participants = network.PARTICIPANTS

    def __init__(self, core, rooms, size, codec):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vc-bench-janus-"))
        self.port = free_port()
        plugins = sorted(p.name for p in (PLUGINS / "plugins").glob("*.so") if "videoroom" not in p.name)
        transports = sorted(p.name for p in (PLUGINS / "transports").glob("*.so") if "websockets" not in p.name)
        # One event loop, because it has one core; ICE-lite, as our server.
        self.write("janus.jcfg", f"""
general: {{
    configs_folder = "{self.folder}"
    plugins_folder = "{PLUGINS}/plugins"
    transports_folder = "{PLUGINS}/transports"
    events_folder = "{PLUGINS}/events"
    loggers_folder = "{PLUGINS}/loggers"
    debug_level = 2
    event_loops = 1
    session_timeout = 60
}}
media: {{ ipv6 = false, rtp_port_range = "20000-60000" }}
nat: {{ ice_lite = true, ice_enforce_list = "{network.SERVER}" }}
plugins: {{ disable = "{','.join(plugins)}" }}
transports: {{ disable = "{','.join(transports)}" }}
""")
        self.write("janus.transport.websockets.jcfg", f'general: {{ ws = true, ws_port = {self.port}, ws_ip = "127.0.0.1", wss = false, json = "plain" }}\n')
        self.write("janus.plugin.videoroom.jcfg", "general: { events = false }\n" + "".join(
            f'room-{i + 1}: {{ publishers = {size}, bitrate = 0, fir_freq = 0, audiocodec = "opus", videocodec = "{codec}" }}\n' for i in range(rooms)))
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(["taskset", "-c", core, "janus", "-F", self.folder, "-o"], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"Janus did not start: {(self.folder / 'log').read_text()[-2000:]}")
                time.sleep(0.05)
        time.sleep(0.5)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def new_room(self, number, size):
        """The order to the load tool for one more room."""
        return f"room janus ws://127.0.0.1:{self.port}/ {number + 1} {size}"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)
