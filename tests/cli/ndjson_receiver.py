# SPDX-License-Identifier: Apache-2.0
#
# A receiver of lines: ndjson_receiver.py unix|stream|udp|http|deaf|mute PLACE OUT: what it gets goes to OUT until it
# is killed. "deaf" listens and never reads, "mute" speaks HTTP and never answers. PLACE is a path, or the file that gets the port.
import http.server, socket, sys, time

kind, place, out = sys.argv[1:]

def write(data):
    with open(out, "ab") as file:
        file.write(data)

if kind in ("unix", "stream", "deaf"):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "unix" else socket.SOCK_STREAM)
    server.bind(place)
    if kind != "unix":
        server.listen(1)
        peer = server.accept()[0]
    while kind == "deaf":
        time.sleep(1)
    while True:
        data = server.recv(1 << 16) if kind == "unix" else peer.recv(1 << 16)
        if not data:
            break
        write(data)
elif kind == "udp":
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    with open(place, "w") as file:
        file.write(str(server.getsockname()[1]) + "\n")
    while True:
        write(server.recv(1 << 16))
else:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            write((b"POST " if kind == "mute" else b"") + self.path.encode() + b" " + self.headers["Content-Type"].encode() + b" " + body + b"\n")
            while kind == "mute":
                time.sleep(1)
            self.send_response(200)
            self.end_headers()
        def log_message(self, *arguments):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(place, "w") as file:
        file.write(str(server.server_address[1]) + "\n")
    server.serve_forever()
