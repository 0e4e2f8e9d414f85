"""Stands between a server under test and a real laboratory: questions pass, orders are answered and not carried out.

What is tested is the interface; thousands of orders made up by a fuzzer would start thousands of devices.
Usage: careful_laboratory.py CONTROL_SOCKET OWN_SOCKET
"""

import json
import socket
import sys
import threading
import uuid

QUESTIONS = {"status", "overview", "audit", "chaos"}
BYTES_MAX = 1 << 20


def read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < BYTES_MAX:
        piece = connection.recv(65536)
        if not piece:
            break
        line += piece
    return line


def answer(line: bytes, laboratory: str) -> bytes:
    order = json.loads(line)["do"]
    if order in QUESTIONS:
        with socket.socket(socket.AF_UNIX) as asked:
            asked.connect(laboratory)
            asked.sendall(line)
            return read_line(asked)
    if order in ("start_run", "fork_run"):
        return json.dumps({"run": str(uuid.uuid4())}).encode() + b"\n"
    return json.dumps({"done": "not carried out"}).encode() + b"\n"


def serve(connection: socket.socket, laboratory: str) -> None:
    with connection:
        line = read_line(connection)
        if line:
            connection.sendall(answer(line, laboratory))


def main() -> None:
    laboratory, own = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(own)
        listener.listen(64)
        print("listening", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, laboratory), daemon=True).start()


if __name__ == "__main__":
    main()
