#!/usr/bin/env bash
# shellcheck disable=SC2016 # commands are printed as they stand before they run
# The main job on a SoftHSM token under build/demo. Each command is printed before it runs, as it can be typed in the
# project's directory; a step that does not do what it should ends the demo with an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bold=$'\e[1m' green=$'\e[32m' plain=$'\e[0m'
[[ -t 1 ]] || bold='' green='' plain=''

step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() { printf '\ndemo: %s\n' "$*" >&2 && exit 1; }

# run COMMAND: prints and runs a shell command that must succeed.
run() {
    printf '%s$ %s%s\n' "$green" "$1" "$plain"
    eval "$1" || fail "this should have worked (exit $?): $1"
}

# refused STATUS COMMAND: prints and runs a shell command that must end with this status.
refused() {
    local expected=$1 status=0
    printf '%s$ %s%s\n' "$green" "$2" "$plain"
    eval "$2" || status=$?
    [[ $status -eq $expected ]] || fail "exit $status where $expected was expected: $2"
    echo "(exit $status)"
}

rm -rf build/demo

step "A token of the demo's own, and settings of its own"
run 'mkdir -p build/demo/tokens build/demo/home/p11mime'
run 'echo "directories.tokendir = $PWD/build/demo/tokens" >build/demo/softhsm2.conf'
run 'export SOFTHSM2_CONF=$PWD/build/demo/softhsm2.conf'
run 'export XDG_CONFIG_HOME=$PWD/build/demo/home XDG_DATA_HOME=$PWD/build/demo/home'
run 'export PIN=123456'
run 'softhsm2-util --init-token --free --label "ID card" --pin $PIN --so-pin 12345678'
module=$(find /usr/lib -name libsofthsm2.so -print -quit 2>/dev/null)
run "printf 'module = %s\npin-source = env:PIN\n' $module >build/demo/home/p11mime/config"

step "Keys made on the token, which they never leave, and certificates for them"
run 'build/p11mime key generate --type rsa2048 --label Alice --token "pkcs11:token=ID%20card"'
run 'build/p11mime key self-sign --key "pkcs11:object=Alice" --email alice@example.gov --name "Alice Example" --days 365 -o build/demo/alice.pem'
run 'build/p11mime key generate --type p256 --label Bob --token "pkcs11:token=ID%20card"'
run 'build/p11mime key self-sign --key "pkcs11:object=Bob" --email bob@example.org --name "Bob Example" --days 365 -o build/demo/bob.pem'
run 'build/p11mime certs trust build/demo/alice.pem'
run 'build/p11mime certs trust build/demo/bob.pem'
run 'build/p11mime certs import build/demo/alice.pem build/demo/bob.pem'
run 'build/p11mime tokens --login'

step "A mail with an attachment and text that is not ASCII"
cat >build/demo/mail.eml <<'MAIL'
From: Alice Example <alice@example.gov>
To: Bob Example <bob@example.org>
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=
Date: Tue, 04 Mar 2025 10:15:00 +0100
Message-ID: <20250304.1@example.gov>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="parts"

--parts
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Lieber Bob,

schöne Grüße aus Köln! Приложение — ниже, 添付ファイルをご覧ください。

Alice
--parts
Content-Type: application/octet-stream; name="report.bin"
Content-Disposition: attachment; filename="report.bin"
Content-Transfer-Encoding: base64

MAIL
head -c 6000 /dev/urandom >build/demo/report.bin
openssl base64 -in build/demo/report.bin >>build/demo/mail.eml
echo '--parts--' >>build/demo/mail.eml
run 'head -n 20 build/demo/mail.eml'

step "Alice signs it on her token"
run 'build/p11mime sign -o build/demo/signed.eml build/demo/mail.eml'
run 'grep -i "^Content-Type: multipart/signed" build/demo/signed.eml'

step "p11mime verifies it, and so does OpenSSL"
run 'build/p11mime verify -o build/demo/verified.eml build/demo/signed.eml'
run 'openssl cms -verify -in build/demo/signed.eml -CAfile build/demo/alice.pem -out build/demo/content'
grep -q 'Content-Type: multipart/mixed' build/demo/content || fail "OpenSSL has read something else"

step "It is encrypted to Bob and to Alice herself"
run 'build/p11mime encrypt -o build/demo/encrypted.eml build/demo/signed.eml'
run 'build/p11mime inspect build/demo/encrypted.eml'
! grep -q 'parts' build/demo/encrypted.eml || fail "the content can be read in the encrypted mail"

step "Decrypted on the token, with every layer taken off and judged"
run 'build/p11mime open -o build/demo/opened.eml build/demo/encrypted.eml'
tr -d '\r' <build/demo/opened.eml | sed -n '/report.bin/,/--parts--/p' | grep -E '^[A-Za-z0-9+/=]{4,}$' |
    openssl base64 -d | cmp - build/demo/report.bin || fail "the attachment has changed on the way"
echo "(the attachment is what it was)"

step "One byte changed in the signed mail, and in the encrypted one: refused, and nothing is written"
run "sed 's/filename=\"report.bin\"/filename=\"report.bon\"/' build/demo/signed.eml >build/demo/forged.eml"
refused 1 'build/p11mime verify -o build/demo/no.eml build/demo/forged.eml'
run 'build/p11mime encrypt --cipher aes-256-gcm -o build/demo/authentic.eml build/demo/mail.eml'
run "sed '60s/[A-Y]/Z/' build/demo/authentic.eml >build/demo/tampered.eml"
refused 1 'build/p11mime decrypt -o build/demo/no.eml build/demo/tampered.eml'
[[ ! -e build/demo/no.eml ]] || fail "a refused mail has left an output file"

printf '\n%sdemo: every step did what it should; the files are in build/demo%s\n' "$bold" "$plain"
