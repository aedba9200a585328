#!/usr/bin/env bash
# Times sign, verify, encrypt and decrypt of a mail with a large attachment: p11mime with keys on SoftHSM against
# openssl cms with the same kind of key in a file. usage: bench.sh [MIB]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mib=${1-256}
program=$PWD/build/p11mime
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir tokens home
printf 'directories.tokendir = %s\n' "$work/tokens" >softhsm2.conf
export SOFTHSM2_CONF=$work/softhsm2.conf XDG_CONFIG_HOME=$work/home XDG_DATA_HOME=$work/home PIN=123456
module=$(find /usr/lib -name libsofthsm2.so -print -quit 2>/dev/null)
mkdir home/p11mime
printf 'module = %s\npin-source = env:PIN\n' "$module" >home/p11mime/config
softhsm2-util --init-token --free --label bench --pin "$PIN" --so-pin 12345678 >/dev/null
"$program" key generate --type rsa2048 --label key >/dev/null
"$program" key self-sign --key pkcs11:object=key --email alice@example.gov --name Alice -o alice.pem 2>/dev/null
"$program" certs trust alice.pem 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out peer.pem -days 9 -subj /CN=Peer \
    -addext subjectAltName=email:alice@example.gov -addext extendedKeyUsage=emailProtection \
    -addext keyUsage=digitalSignature,keyEncipherment 2>/dev/null

{
    printf 'From: alice@example.gov\nTo: alice@example.gov\nSubject: bench\nMIME-Version: 1.0\n'
    printf 'Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n'
    head -c "$((mib * 1024 * 1024))" /dev/urandom | openssl base64
} >mail.eml
sed '1,/^MIME-Version/d' mail.eml >entity

# time_of COMMAND...: the best of three runs, in seconds.
time_of() {
    local best='' TIMEFORMAT=%R taken
    for _ in 1 2 3; do
        taken=$({ time "$@" >/dev/null 2>error; } 2>&1) || { cat error >&2 && exit 1; }
        [[ -n $best && $(printf '%s\n%s\n' "$best" "$taken" | sort -n | head -n 1) == "$best" ]] || best=$taken
    done
    echo "$best"
}

# row NAME -- OURS... -- THEIRS...
row() {
    local name=$1 ours=() theirs=()
    shift 2
    while [[ $1 != -- ]]; do ours+=("$1") && shift; done
    shift
    theirs=("$@")
    printf '%-22s %12s %14s\n' "$name" "$(time_of "${ours[@]}")" "$(time_of "${theirs[@]}")"
}

printf 'a mail with an attachment of %s MiB; best of three, in seconds\n\n' "$mib"
printf '%-22s %12s %14s\n' '' p11mime 'openssl cms'
row 'sign clear' -- "$program" sign -o s.eml mail.eml \
    -- openssl cms -sign -stream -in entity -signer peer.pem -inkey key.pem -out s-peer.eml
row 'sign opaque' -- "$program" sign --opaque -o o.eml mail.eml \
    -- openssl cms -sign -stream -nodetach -in entity -signer peer.pem -inkey key.pem -out o-peer.eml
row 'verify clear' -- "$program" verify -n s.eml \
    -- openssl cms -verify -in s-peer.eml -CAfile peer.pem -out /dev/null
row 'verify opaque' -- "$program" verify -n o.eml \
    -- openssl cms -verify -in o-peer.eml -CAfile peer.pem -out /dev/null
for cipher in aes-256-gcm aes-256-cbc; do
    row "encrypt $cipher" -- "$program" encrypt --cipher "$cipher" --recipient-cert alice.pem -o e.eml mail.eml \
        -- openssl cms -encrypt -stream "-$cipher" -in entity -recip peer.pem -out e-peer.eml
    row "decrypt $cipher" -- "$program" decrypt -o d.eml e.eml \
        -- openssl cms -decrypt -in e-peer.eml -recip peer.pem -inkey key.pem -out d-peer
done
