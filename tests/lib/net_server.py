"""The host's side of network scenarios: files by HTTP (/file as it is, /boot counts, /endless never ends), and a port that
counts and digests what it gets, one connection after the other, a line each in `sunk`. Ports: see the last line of `ports`
(HTTP, sink, one that is free)."""
import hashlib
import http.server
import os
import socket
import threading

boots = 0


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        global boots
        if self.path.startswith('/file'):
            return super().do_GET()
        self.send_response(200)
        self.end_headers()
        if self.path == '/boot':
            boots += 1
            self.wfile.write(f'{boots}\n'.encode())
        while self.path == '/endless':
            self.wfile.write(bytes(65536))


files = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Files)
sink = socket.create_server(('127.0.0.1', 0))
free = socket.create_server(('127.0.0.1', 0))
port = free.getsockname()[1]
free.close()
open('ports.new', 'w').write(f'{files.server_port} {sink.getsockname()[1]} {port}\n')
os.rename('ports.new', 'ports')
threading.Thread(target=files.serve_forever, daemon=True).start()
while True:
    c, _ = sink.accept()
    h, n = hashlib.md5(), 0
    while b := c.recv(65536):
        h.update(b)
        n += len(b)
    with open('sunk', 'a') as out:
        out.write(f'{n} {h.hexdigest()}\n')
    c.close()
