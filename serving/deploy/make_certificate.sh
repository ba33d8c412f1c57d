#!/bin/sh
# Writes a key and a certificate for HOST (default: localhost), signed by itself, for trying TLS:
#   tls/server.key, tls/server.crt    for nginx, and for clients to trust
#   config/ssl.config                 for the gRPC port of TensorFlow Serving, which wants the text of the files, not their names
set -eu
cd "$(dirname "$0")"
host=${1:-localhost}
umask 077
mkdir -p tls
openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=$host" -addext "subjectAltName=DNS:$host,IP:127.0.0.1" \
    -keyout tls/server.key -out tls/server.crt 2>/dev/null
text() { awk '{printf "%s\\n", $0}' "$1"; }
printf 'server_key: "%s"\nserver_cert: "%s"\nclient_verify: false\n' "$(text tls/server.key)" "$(text tls/server.crt)" \
    >config/ssl.config
# The server runs as another user.
chmod 644 config/ssl.config tls/server.key
