#!/bin/sh
# Makes certificates to try TLS with, FOR TESTS ONLY: keys without a passphrase, the authority's among them,
# valid for 30 days. Never use one of them for a broker that anybody else can reach.
#
#   make-test-certificates.sh DIR [SERIAL_NUMBER]
#
#   ca.crt              the authority: mqtt.tls.ca_file, and the broker's cafile
#   server.crt          the broker, as localhost and 127.0.0.1
#   other-host.crt      the broker under another name: clients must refuse it
#   gateway.crt         stepgate, as the user "gateway"
#   device.crt          a step trainer, as the user SERIAL_NUMBER (default: 1234567890)
#   expired.crt         the same, expired yesterday
#   unknown-ca.crt      an authority that the broker does not know, and
#   unknown-device.crt  the same step trainer as signed by it
#
# Each .crt but unknown-ca.crt has its .key beside it. Needs openssl.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: $0 DIR [SERIAL_NUMBER]" >&2
  exit 64
fi
serial=${2:-1234567890}
umask 077
mkdir -p "$1"
cd "$1"
if [ -e ca.key ]; then
  echo "$0: there are certificates in $1 already" >&2
  exit 74
fi
requests=$(mktemp -d)

# openssl tells much, and only where it fails is that of use.
tidy() {
  status=$?
  if [ "$status" -ne 0 ]; then cat "$requests/log" >&2; fi
  rm -rf "$requests"
  exit "$status"
}
trap tidy EXIT

key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'

# authority NAME: NAME.crt, signed by itself.
authority() {
  # shellcheck disable=SC2086 # the options are several words
  openssl req -x509 $key -days 30 -subj "/O=stepgate tests only/CN=$1" -keyout "$1.key" -out "$1.crt" 2>&1
}

# certificate NAME AUTHORITY COMMON_NAME DAYS EXTENSION: NAME.crt, signed by AUTHORITY.
certificate() {
  # shellcheck disable=SC2086
  openssl req $key -subj "/O=stepgate tests only/CN=$3" -keyout "$1.key" -out "$requests/$1.csr" 2>&1
  echo "$5" > "$requests/$1.ext"
  openssl x509 -req -days "$4" -in "$requests/$1.csr" -extfile "$requests/$1.ext" -CA "$2.crt" -CAkey "$2.key" \
    -CAcreateserial -out "$1.crt" 2>&1
}

make_all() {
  authority ca
  authority unknown-ca
  certificate server ca localhost 30 'subjectAltName=DNS:localhost,IP:127.0.0.1'
  certificate other-host ca elsewhere.invalid 30 'subjectAltName=DNS:elsewhere.invalid'
  certificate gateway ca gateway 30 'extendedKeyUsage=clientAuth'
  certificate device ca "$serial" 30 'extendedKeyUsage=clientAuth'
  certificate expired ca "$serial" -1 'extendedKeyUsage=clientAuth'
  certificate unknown-device unknown-ca "$serial" 30 'extendedKeyUsage=clientAuth'
  rm unknown-ca.key ./*.srl
}

make_all > "$requests/log"
echo "made certificates in $1, for tests only"
