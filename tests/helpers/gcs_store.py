"""A Google Cloud Storage of the loopback, for TensorFlow's own gs:// code.

TensorFlow's address of the store is fixed. But its HTTP client takes a proxy and a certificate authority from the
environment, so a tunnel of ours leads every connection to an emulator, whatever host it asks for.
"""

import contextlib
import os
import socket
import ssl
import subprocess
import threading
import time

HOSTS = ("www.googleapis.com", "storage.googleapis.com")
# A program that copies a folder: SOURCE TARGET, either of them gs://.
COPY = """
import os, sys
import tensorflow as tf
source, target = sys.argv[1:]
for folder, _, names in tf.io.gfile.walk(source):
    for name in names:
        path = os.path.join(folder, name)
        to = target + path.removeprefix(source)
        if "://" not in to:
            os.makedirs(os.path.dirname(to), exist_ok=True)
        tf.io.gfile.copy(path, to, overwrite=True)
"""


@contextlib.contextmanager
def gcs_store(folder, bucket, delay_sec=0.0):
    """Runs a store with one bucket; yields the environment in which gs:// leads to it, and a function that lists its objects.

    Args:
        folder: gets a certificate.
        delay_sec: how late each request to read comes to the store.
    """
    from gcp_storage_emulator import server as emulator

    read = emulator._read_raw_data

    def read_whole(handler):
        encoding = handler.headers.get("Transfer-Encoding")
        if encoding:  # The emulator believes the length, where RFC 9112 (6.3) gives precedence to the chunks.
            del handler.headers["Content-Length"]
        data = read(handler)
        # An object is there whole or not at all. Behind the last chunk, of length 0, the emulator leaves an empty line.
        if encoding == "chunked" and not handler.rfile.readline():
            raise ConnectionError("the client has gone before the end of its object")
        return data

    emulator._read_raw_data = read_whole
    store = emulator.create_server("127.0.0.1", 0, in_memory=True, default_bucket=bucket)
    store.start()
    try:
        with _tunnel(folder, store._api._httpd.server_address, delay_sec) as (port, certificate):
            environment = {
                **os.environ,
                "https_proxy": f"http://127.0.0.1:{port}",
                "CURL_CA_BUNDLE": str(certificate),
                "NO_GCE_CHECK": "true",  # No credentials, and no machine of Google's to ask for them.
                "GCS_RETRY_CONFIG_MAX_RETRIES": "2",
            }
            yield environment, lambda: list(store._storage.objects.get(bucket, {}))
    finally:
        store.stop()
        emulator._read_raw_data = read


@contextlib.contextmanager
def _tunnel(folder, target, delay_sec):
    """Yields the port of a proxy that speaks TLS for `HOSTS` and leads to `target`, and its certificate's file."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = "subjectAltName=" + ",".join(f"DNS:{host}" for host in HOSTS)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=loopback"]
    subprocess.run([*command, "-keyout", key, "-out", certificate, "-addext", names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, target, delay_sec), daemon=True).start()
        yield listener.getsockname()[1], certificate


def _accept(listener, context, *ends):
    with contextlib.suppress(OSError):  # The end of the test.
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, context, *ends), daemon=True).start()


def _serve(client, context, target, delay_sec):
    """Answers CONNECT, takes the connection over, and passes bytes both ways."""
    with contextlib.suppress(OSError):
        request = b""
        while b"\r\n\r\n" not in request:
            part = client.recv(4096)
            if not part:
                return
            request += part
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        inside, server = context.wrap_socket(client, server_side=True), socket.create_connection(target)
        threading.Thread(target=_pass, args=(server, inside), daemon=True).start()
        _pass(inside, server, delay_sec)


def _pass(source, target, delay_sec=0.0):
    with contextlib.suppress(OSError), source, target:
        try:
            while data := source.recv(1 << 16):
                if data.startswith(b"GET "):
                    time.sleep(delay_sec)
                # The emulator does not know that it is spoken to by TLS.
                target.sendall(data.replace(b"\r\nLocation: http://", b"\r\nLocation: https://"))
        finally:
            # Closing alone leaves the connection open, as the other direction still waits in `recv`. The emulator answers one
            # connection at a time: it waits for the rest of a killed client's request, and all other clients wait, too.
            target.shutdown(socket.SHUT_RDWR)
