#!/usr/bin/env python3
"""Fails on an include that points from right to left of cli, token, cms, mime.

usage: check-includes.py [--self-test] SOURCE-DIRECTORY
"""
import pathlib
import re
import shutil
import sys
import tempfile

ROOMS = ["cli", "token", "cms", "mime"]  # each may include those to its right

# What a room must never know, besides the rooms to its left: libraries, by the header that brings them in.
PKCS11 = r"(libp11|p11-kit|pkcs11|p11_)"
CRYPTOGRAPHY = r"openssl/"
TERMINAL = r"(termios\.h|boost/program_options|curses)"
NETWORK = r"(curl/|sys/socket\.h|netdb\.h)"
FORBIDDEN = {
    "mime": [PKCS11, CRYPTOGRAPHY, TERMINAL, NETWORK],
    "cms": [PKCS11, TERMINAL, NETWORK, r"(fstream|filesystem)$"],
    "token": [TERMINAL, NETWORK, r"mime/(?!(bytes|error|hex|shared_library|stream)\.h)"],
    "cli": [CRYPTOGRAPHY + r"(?!crypto\.h)"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def findings(root):
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in {".h", ".hpp", ".cpp"}:
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                reason = match and objection(root, room, path, match.group(1))
                if reason:
                    yield f"{path.relative_to(root)}:{number}: {line.strip()}: {reason}"


def objection(root, room, path, included):
    beside = (path.parent / included).resolve()
    if root.resolve() in beside.parents and (included.startswith(".") or beside.is_file()):
        included = str(beside.relative_to(root.resolve()))
    target = pathlib.PurePosixPath(included).parts[0]
    if target in ROOMS and ROOMS.index(target) < ROOMS.index(room):
        return f"{room} may not include {target}"
    if target == "softhsm-tests":
        return f"{room} may not include the tests"
    if any(re.match(pattern, included) for pattern in FORBIDDEN[room]):
        return f"{room} never knows {included}"
    return None


def self_test(root):
    """Puts each kind of bad include into a scratch copy and expects it to be found."""
    bad = {
        "mime/scratch.cpp": ['"cms/signer.h"', "<openssl/evp.h>", '"../token/uri.h"', '"cli/arguments.h"'],
        "cms/smime/scratch.cpp": ['"token/token.h"', "<libp11.h>", "<p11-kit/pkcs11.h>", '"../../cli/scratch.h"'],
        "token/scratch.h": ['"cli/arguments.h"', "<boost/program_options.hpp>", '"mime/multipart.h"'],
        "cli/scratch.h": ["<openssl/evp.h>"],
    }
    with tempfile.TemporaryDirectory() as name:
        copy = pathlib.Path(name)
        for room in ROOMS:
            shutil.copytree(root / room, copy / room)
        clean = list(findings(copy))
        for file, includes in bad.items():
            for include in includes:
                (copy / file).write_text(f"#pragma once\n#include {include}\n", encoding="utf-8")
                if len(list(findings(copy))) != len(clean) + 1:
                    return [f"not found: #include {include} in {file}"]
                (copy / file).unlink()
    return []


def main(arguments):
    check = findings
    if arguments[:1] == ["--self-test"]:
        check, arguments = self_test, arguments[1:]
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    problems = list(check(pathlib.Path(arguments[0])))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
